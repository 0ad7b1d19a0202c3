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

/**
 * What a margin call asks for, in currency: paid in full it ends the call, so it brings equity not just to the initial requirement but to its
 * release level; of isolated positions the sum, where that is more. None where the initial requirement is covered.
 */
export function callAmount(
  standings: readonly Standing[],
  { releaseLevel }: Pick<StateLevels, 'releaseLevel'>,
): number {
  if (!standings.some(({ equity, initialRequirement }) => equity < initialRequirement)) return 0;
  const toRelease = ({ equity, initialRequirement }: Standing): number =>
    Math.max(0, releaseLevel * initialRequirement - equity);
  const [account, ...positions] = standings;
  const ofPositions = positions.reduce((sum, position) => sum + toRelease(position), 0);
  const level = releaseLevel * account!.initialRequirement;
  return payable(Math.max(ofPositions, toRelease(account!)), level);
}

/** Hundredths are what money is paid in; below a level of 1 unit (of a coin, then) the amount has as many digits more. */
const CENT_DIGITS = 2;
/** Of the last digit: sums of large amounts round otherwise than the difference that is asked for, and must still reach the level. */
const HEADROOM = 0.1;

/** Rounded up to an amount that can be paid, and that is enough when it has been added. */
function payable(amount: number, level: number): number {
  const exponent = Number(level.toExponential().split('e')[1]);
  const scale = Number(`1e${Math.max(CENT_DIGITS, CENT_DIGITS - exponent)}`);
  return Math.ceil(amount * scale + HEADROOM) / scale;
}
