/** What a simulation reports: by day, and in total. All amounts in the market's currency; no clock reading, so that equal runs are equal bytes. */
import type { AccountState } from '../../margin/requirement.ts';
import type { Procyclicality } from '../../risk/backtest/procyclicality.ts';

/** Counts and sums of one day, or of all. */
export interface Tally {
  /** Orders that were filled, and that the pre-trade check refused. */
  trades: number;
  refused: number;
  /** Contracts that expired and were settled. */
  settlements: number;
  callsOpened: number;
  /** In the account's currency, when opened. */
  callsAmount: number;
  callsMet: number;
  callsExpired: number;
  liquidations: number;
  liquidationTrades: number;
  liquidationCost: number;
  /** Losses beyond collateral: what the insurance fund paid, and what it could not. */
  fundDraw: number;
  uncovered: number;
  /** Accounts whose figures were refused, over all steps. */
  rejected: number;
}

export interface Coverage {
  /** Accounts with a margin, whose positions were held still over the margin period of risk. */
  readonly accountDays: number;
  /** Of them, those whose loss stayed within the initial margin. */
  readonly covered: number;
  /** Null where there were none. */
  readonly share: number | null;
  /** Greatest loss over its margin; null where there were none. */
  readonly worst: number | null;
  /** Not measured: something expired meanwhile, or figures were refused. */
  readonly unmeasured: number;
}

export interface SimulatedDay extends Tally {
  /** 0: before anything moved. */
  readonly day: number;
  readonly asOf: string;
  /** At the end of the day. */
  readonly states: Readonly<Record<AccountState, number>>;
  readonly initialMargin: number;
  readonly equity: number;
  readonly fund: number;
  /** Of the positions at the beginning of the day, over the margin period of risk; null where that has not passed yet. */
  readonly coverage: Coverage | null;
}

export interface SimulationReport {
  readonly seed: string;
  readonly prices: 'factors' | 'history';
  readonly steps: number;
  readonly from: string;
  readonly to: string;
  readonly currency: string;
  readonly accounts: number;
  readonly days: readonly SimulatedDay[];
  /** Without day 0, whose calls and liquidations are what the accounts brought with them. */
  readonly total: Tally & { readonly coverage: Coverage };
  /** Of the book's whole initial margin, day by day. */
  readonly procyclicality: readonly Procyclicality[];
  /** Greatest over least whole initial margin. */
  readonly peakToTrough: number | null;
  /** Factors whose shocks have no place in a market snapshot, so that it did not follow them. */
  readonly ignoredFactors: readonly string[];
  readonly clampedVolatilities: number;
  /** Instants at which dynamic volatilities changed; 0 where they are fixed. */
  readonly volatilityUpdates: number;
  /** The last one: each of those updates began another. */
  readonly scenarioSet: string;
  readonly methodology: string;
  readonly engine: string;
  /** SHA-256 of the book at the end: two runs of one seed end on one book. */
  readonly book: string;
}

export function emptyTally(): Tally {
  return {
    trades: 0,
    refused: 0,
    settlements: 0,
    callsOpened: 0,
    callsAmount: 0,
    callsMet: 0,
    callsExpired: 0,
    liquidations: 0,
    liquidationTrades: 0,
    liquidationCost: 0,
    fundDraw: 0,
    uncovered: 0,
    rejected: 0,
  };
}

export function addTally(to: Tally, from: Tally): void {
  for (const name of Object.keys(to) as (keyof Tally)[]) to[name] += from[name];
}

export function joinCoverage(parts: readonly Coverage[]): Coverage {
  const total = (name: 'accountDays' | 'covered' | 'unmeasured'): number =>
    parts.reduce((sum, part) => sum + part[name], 0);
  const worst = parts.flatMap((part) => (part.worst === null ? [] : [part.worst]));
  const accountDays = total('accountDays');
  const covered = total('covered');
  return {
    accountDays,
    covered,
    share: accountDays === 0 ? null : covered / accountDays,
    worst: worst.length === 0 ? null : Math.max(...worst),
    unmeasured: total('unmeasured'),
  };
}
