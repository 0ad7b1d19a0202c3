/** The levels at which a state is entered and left (METHODOLOGY section 5, "States"), as thresholds that a search can follow. */
import type { Methodology } from '../../margin/methodology.ts';
import { ACCOUNT_STATES, type AccountState, accountState } from '../../margin/requirement.ts';
import { againstThreshold, type StateFigures, type Threshold } from './liquidationPriceTrial.ts';

/** By state: equity below it is in this state, or a worse one. None for `healthy`. */
function levelOf(state: AccountState, { warningLevel }: Methodology): Threshold | null {
  switch (state) {
    case 'healthy':
      return null;
    case 'warning':
      return { requirement: 'initial', level: warningLevel };
    case 'margin-call':
      return { requirement: 'initial', level: 1 };
    case 'liquidation':
      return { requirement: 'maintenance', level: 1 };
    case 'default':
      return { requirement: 'maintenance', level: 0 };
  }
}

function scaled({ requirement, level }: Threshold, by: number): Threshold {
  return { requirement, level: by * level };
}

/** The states next to one, and the levels between. */
export interface Neighbours {
  readonly worse: Threshold | null;
  readonly better: Threshold | null;
}

/** @param release what the level is multiplied by on the way up: 1 for a memoryless band */
export function neighboursOf(
  state: AccountState,
  release: number,
  methodology: Methodology,
): Neighbours {
  const next = ACCOUNT_STATES[ACCOUNT_STATES.indexOf(state) + 1];
  const own = levelOf(state, methodology);
  return {
    worse: next === undefined ? null : levelOf(next, methodology),
    better: own === null ? null : scaled(own, release),
  };
}

/** The state that an account is in when it comes from `held`: entered at once, left past the release level only. */
export function stateFrom(
  held: AccountState | undefined,
  figures: StateFigures,
  methodology: Methodology,
): AccountState {
  const band = accountState(figures.equity, figures, methodology);
  const at = (state: AccountState): number => ACCOUNT_STATES.indexOf(state);
  if (held === undefined || at(held) < at(band)) return band;
  const { releaseLevel } = methodology;
  const released = accountState(
    figures.equity,
    {
      initialRequirement: releaseLevel * figures.initialRequirement,
      maintenanceRequirement: releaseLevel * figures.maintenanceRequirement,
    },
    methodology,
  );
  return at(held) < at(released) ? held : released;
}

/** A root is found to 1e-9 of equity or requirement. */
const TOLERANCE = 1e-8;

/**
 * The state just beyond a crossing: where levels coincide, several are passed at once.
 * @param size of the figures that those at the crossing are differences of, in currency: what is small against it is 0
 */
export function stateBeyond(
  state: AccountState,
  way: 'worse' | 'better',
  figures: StateFigures,
  release: number,
  methodology: Methodology,
  size: number,
): AccountState {
  const headroom = (of: AccountState, by: number): number =>
    againstThreshold(figures, scaled(levelOf(of, methodology)!, by)).headroom;
  let at = ACCOUNT_STATES.indexOf(state) + (way === 'worse' ? 1 : -1);
  if (way === 'worse') {
    const last = ACCOUNT_STATES.length - 1;
    while (at < last && headroom(ACCOUNT_STATES[at + 1]!, 1) <= TOLERANCE * size) at += 1;
  } else {
    while (at > 0 && headroom(ACCOUNT_STATES[at]!, release) >= -TOLERANCE * size) at -= 1;
  }
  return ACCOUNT_STATES[at]!;
}
