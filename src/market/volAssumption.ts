/**
 * Volatility factors that nobody measured: for an underlying with prices but no history of implied volatility. The joint law is made so
 * that it is always possible: vol of U = c · (spot of U) + √(1 − c²) · (√κ · common + √(1 − κ) · own), the last two independent of everything.
 */
import { PlimsollError } from '../errors.ts';
import { parseFactorId } from './factorIds.ts';
import type { FactorRecord } from './factorModel.ts';

export interface VolAssumption {
  /** Of the log of at-the-money volatility, per year; ≥ 0. */
  readonly volatility: number;
  /** c: correlation with the same underlying's spot, −1 … 1. */
  readonly correlationWithSpot: number;
  /** κ: correlation of what is left of two of these factors, 0 … 1. */
  readonly commonShare: number;
}

export const VOL_ASSUMPTION: VolAssumption = {
  volatility: 0.9,
  correlationWithSpot: -0.4,
  commonShare: 0.8,
};

/** @throws INVALID_FIELD */
export function readVolAssumption(given: Partial<VolAssumption>, path: string): VolAssumption {
  const assumption = { ...VOL_ASSUMPTION, ...given };
  const check = (name: keyof VolAssumption, low: number, high: number): void => {
    const value = assumption[name];
    if (value >= low && value <= high) return;
    throw new PlimsollError(
      'INVALID_FIELD',
      `${path}.${name} must lie in ${low} … ${high}, got ${value}`,
      { path: `${path}.${name}` },
    );
  };
  check('volatility', 0, Number.MAX_VALUE);
  check('correlationWithSpot', -1, 1);
  check('commonShare', 0, 1);
  return assumption;
}

/**
 * The correlation of n measured factors, followed by one assumed vol factor for each entry of `spots` (the index of its spot among the
 * measured ones): with measured X it is c · ρ(spot, X), with another assumed one c² · ρ(spot, spot′) + (1 − c²)κ.
 */
export function extendCorrelation(
  measured: Float64Array,
  n: number,
  spots: readonly number[],
  assumption: VolAssumption,
): Float64Array {
  const c = assumption.correlationWithSpot;
  const size = n + spots.length;
  const extended = new Float64Array(size * size);
  const between = (i: number, j: number): number => {
    if (i === j) return 1;
    const [a, b] = [spots[i - n], spots[j - n]];
    const rho = measured[(a ?? i) * n + (b ?? j)]!;
    if (a === undefined && b === undefined) return rho;
    if (a === undefined || b === undefined) return c * rho;
    return c * c * rho + (1 - c * c) * assumption.commonShare;
  };
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) extended[i * size + j] = between(i, j);
  }
  return extended;
}

/** The vol factors assumed for those spots of a model that have none measured: which spots, the factors, and what to tell of them. */
export function assumedVols(
  ids: readonly string[],
  option: Partial<VolAssumption> | null | undefined,
): { spots: number[]; assumption: VolAssumption; factors: FactorRecord[]; sentences: string[] } {
  const assumption = readVolAssumption(option ?? {}, 'defaultVol');
  const spots: number[] = [];
  const factors: FactorRecord[] = [];
  const sentences: string[] = [];
  if (option === null) return { spots, assumption, factors, sentences };
  ids.forEach((id, index) => {
    const { underlying, type } = parseFactorId(id);
    const vol = `${underlying}:vol`;
    if (type !== 'spot' || ids.includes(vol)) return;
    const { volatility, correlationWithSpot, commonShare } = assumption;
    spots.push(index);
    factors.push({ id: vol, volatility });
    sentences.push(
      `${vol} was not measured: volatility ${volatility}, correlation ${correlationWithSpot} with ${id}, ${commonShare} between what is left of two such factors`,
    );
  });
  return { spots, assumption, factors, sentences };
}
