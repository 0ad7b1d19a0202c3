/** Equity against a requirement at one price of one underlying, by full revaluation: what a search for a price tries. */
import type { Account } from '../../margin/account.ts';
import { resolvePortfolio } from '../../margin/portfolio.ts';
import type { Valuation } from '../../margin/valuation.ts';
import { type MovedSmile, movedMarket } from '../../market/movedMarket.ts';
import { type EnteredOwn, enterOwn, type OwnFigures, ownFigures } from '../accountBooks.ts';
import { AccountLab } from '../accountLab.ts';
import type { BookPasses } from '../bookPasses.ts';
import type { Session } from '../sessionData.ts';

/** What decides an account's state, after credit. */
export type StateFigures = Pick<
  OwnFigures,
  'equity' | 'initialRequirement' | 'maintenanceRequirement'
>;

/** A level that equity is compared with: so many times a requirement. */
export interface Threshold {
  readonly requirement: 'initial' | 'maintenance';
  /** ≥ 0; at 0 it is equity itself that is asked for, and the requirement only says what counts as small. */
  readonly level: number;
}

/** Below it an account is liquidated. */
export const MAINTENANCE: Threshold = { requirement: 'maintenance', level: 1 };

/** In currency: equity less the level, and what the level is (at level 0 the requirement itself). */
export function againstThreshold(
  figures: StateFigures,
  { requirement: name, level }: Threshold,
): { readonly headroom: number; readonly requirement: number } {
  const base = name === 'initial' ? figures.initialRequirement : figures.maintenanceRequirement;
  return level === 0
    ? { headroom: figures.equity, requirement: base }
    : { headroom: figures.equity - level * base, requirement: level * base };
}

export interface Trial {
  /** Price over today's. */
  readonly factor: number;
  readonly equity: number;
  /** What equity is compared with: see `againstThreshold`. */
  readonly requirement: number;
  /** equity − level × requirement: of the maintenance requirement, below 0 the account is in liquidation. */
  readonly headroom: number;
  /** Standard error of the ES in it, null where one is not known; of several pools, their sum: a bound, for they share scenarios. */
  readonly standardError: number | null;
}

/** Figures at one price. */
export interface Revalued {
  readonly factor: number;
  readonly figures: OwnFigures;
  /** As in a trial. */
  readonly standardError: number | null;
}

/** The figures as a trial of one threshold. */
export function trialOf(
  {
    factor,
    figures,
    standardError,
  }: Omit<Revalued, 'figures'> & { readonly figures: StateFigures },
  threshold: Threshold,
): Trial {
  const against = againstThreshold(figures, threshold);
  return { factor, equity: figures.equity, ...against, standardError };
}

function errorOf({ pools }: EnteredOwn): number | null {
  let sum = 0;
  for (const { held } of pools) {
    const tail = held.net?.tail ?? null;
    if (tail === null) continue;
    const { expectedShortfall } = tail.standardError;
    if (expectedShortfall === null) return null;
    sum += expectedShortfall;
  }
  return sum;
}

/** An account's figures under its own mode on rows that stand in memory. */
export function ownTrial(
  account: Account,
  valuation: Valuation,
  passes: BookPasses,
  factor: number,
): Revalued {
  passes.begin(1);
  const entered = enterOwn(resolvePortfolio(account, valuation), valuation, passes);
  passes.run();
  const figures = ownFigures(entered, valuation);
  return { factor, figures, standardError: errorOf(entered) };
}

/**
 * One lab for all prices that are tried, of one underlying after another: what moved before is put back when another moves. It is opened
 * at the first trial, on the market of that trial.
 */
export class TrialLab {
  private readonly origin: Session;
  private readonly rule: MovedSmile;
  private lab: AccountLab | null = null;
  private moved = -1;

  /** @param origin a session on a market that holds nothing but what the accounts hold */
  constructor(origin: Session) {
    this.origin = origin;
    this.rule = origin.valuation.methodology.smileRule;
  }

  /** The account where the price of the underlying (an index) is `factor` times today's. */
  revalued(account: Account, underlying: number, factor: number): Revalued {
    const { valuation } = this.origin;
    const market = movedMarket(valuation.market, underlying, factor, this.rule);
    const passes = this.place(market, underlying);
    return ownTrial(account, this.lab!.bench.session.valuation, passes, factor);
  }

  private place(market: Valuation['market'], underlying: number): BookPasses {
    const back = this.moved === -1 || this.moved === underlying ? [] : [this.moved];
    this.moved = underlying;
    if (this.lab !== null) return this.lab.place(market, [...back, underlying]);
    const { origin } = this;
    const held = new Set(market.instruments.keys());
    const valuation = { ...origin.valuation, market };
    this.lab = new AccountLab({ ...origin, valuation }, held);
    return this.lab.place(market, []);
  }
}
