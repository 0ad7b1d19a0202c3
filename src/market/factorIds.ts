/** Names of risk factors: `BTC:spot` is the underlying and, behind the last colon, what of it moves. */
import { PlimsollError } from '../errors.ts';
import { LIMITS } from '../limits.ts';

export const FACTOR_TYPES = ['spot', 'vol', 'basis', 'skew', 'curvature'] as const;
export type FactorType = (typeof FACTOR_TYPES)[number];

/** `log`: the level is multiplied by e^shock; `absolute`: the shock is added. */
export type FactorKind = 'log' | 'absolute';

export interface FactorId {
  readonly underlying: string;
  readonly type: FactorType;
}

/** Splits an id at its last colon. Throws INVALID_FIELD where it is not `UNDERLYING:spot|vol|basis|skew|curvature`. */
export function parseFactorId(id: string, path?: string): FactorId {
  const colon = id.lastIndexOf(':');
  const type = FACTOR_TYPES.find((name) => name === id.slice(colon + 1));
  if (colon < 1 || type === undefined || id.length > LIMITS.idLengthMax) {
    throw new PlimsollError(
      'INVALID_FIELD',
      `${JSON.stringify(id.slice(0, 80))} is not a factor id: UNDERLYING:${FACTOR_TYPES.join('|')}, at most ${LIMITS.idLengthMax} characters`,
      { path },
    );
  }
  return { underlying: id.slice(0, colon), type };
}

/** What a factor does unless its model says otherwise: prices and volatilities move in proportion, the rest by addition. */
export function defaultKind(type: FactorType): FactorKind {
  return type === 'spot' || type === 'vol' ? 'log' : 'absolute';
}
