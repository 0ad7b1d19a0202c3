/** Margin states with memory: a band is entered at its level and left only past the release level (METHODOLOGY section 5, "States"). */
import { ensure } from '../errors.ts';
import type { Methodology } from '../margin/methodology.ts';
import {
  ACCOUNT_STATES,
  type AccountState,
  accountState,
  afterCredit,
  worseState,
} from '../margin/requirement.ts';
import type { MarginResult } from '../margin/result.ts';

/** What equity is compared with, after credit; all in the account's currency. */
export interface Standing {
  readonly equity: number;
  readonly initialRequirement: number;
  readonly maintenanceRequirement: number;
}

export type StateLevels = Pick<Methodology, 'warningLevel' | 'releaseLevel'>;

/** Whether `a` is better than `b`. */
export function isBetter(a: AccountState, b: AccountState): boolean {
  return ACCOUNT_STATES.indexOf(a) < ACCOUNT_STATES.indexOf(b);
}

/**
 * The band that equity is in when it comes from below: each level is `releaseLevel` times what it is on the way down. The level of `default`
 * is 0 either way.
 */
function releasedBand(
  standing: Standing,
  { warningLevel, releaseLevel }: StateLevels,
): AccountState {
  return bandOf(
    {
      equity: standing.equity,
      initialRequirement: releaseLevel * standing.initialRequirement,
      maintenanceRequirement: releaseLevel * standing.maintenanceRequirement,
    },
    { warningLevel },
  );
}

function bandOf(standing: Standing, { warningLevel }: Pick<StateLevels, 'warningLevel'>) {
  // `accountState` reads nothing else of a methodology.
  return accountState(standing.equity, standing, { warningLevel } as Methodology);
}

/**
 * The held state after new figures. Going down an account enters a band at once; going up it stays until equity is at least releaseLevel × the
 * band's level (the level itself counts as past, so that an account which needs nothing is healthy), band by band: however far equity jumps, it
 * ends where small steps would have brought it.
 * @param standings of the account, and in isolated mode of each position besides: the worst of them counts
 */
export function nextState(
  held: AccountState,
  standings: readonly Standing[],
  levels: StateLevels,
): AccountState {
  let band: AccountState = 'healthy';
  let released: AccountState = 'healthy';
  for (const standing of standings) {
    band = worseState(band, bandOf(standing, levels));
    released = worseState(released, releasedBand(standing, levels));
  }
  if (!isBetter(held, band)) return isBetter(held, released) ? held : released;
  return band;
}

/** @throws INTERNAL where a figure is not a number: comparisons with NaN would call any account healthy */
export function checkStandings(standings: readonly Standing[]): void {
  ensure(standings.length > 0, 'an account stands somewhere');
  for (const { equity, initialRequirement, maintenanceRequirement } of standings) {
    const total = Math.abs(equity) + initialRequirement + maintenanceRequirement;
    ensure(total < Number.POSITIVE_INFINITY, 'figures of an account are finite');
  }
}

/** What a margin result says: the account first, then its isolated positions, each of which stands on its own collateral. */
export function standingsOf(result: MarginResult, creditLine: number): readonly Standing[] {
  const isolated = result.mode === 'isolated';
  const own = afterCredit(result, isolated ? 0 : creditLine);
  const positions = (result.positions ?? []).map((position) => ({
    equity: position.equity,
    initialRequirement: position.initialMargin,
    maintenanceRequirement: position.maintenanceMargin,
  }));
  const { initialRequirement, maintenanceRequirement } = own;
  return [{ equity: result.equity, initialRequirement, maintenanceRequirement }, ...positions];
}

/** Collateral that is lacking for the initial requirement, in currency: of isolated positions the sum, where it is more. */
export function missingMargin([account, ...positions]: readonly Standing[]): number {
  let lacking = 0;
  for (const { equity, initialRequirement } of positions) {
    lacking += Math.max(0, initialRequirement - equity);
  }
  if (account === undefined) return lacking;
  return Math.max(lacking, account.initialRequirement - account.equity, 0);
}
