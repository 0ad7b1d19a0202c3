/** Equity against the maintenance requirement at one price of one underlying, by full revaluation: what a search for liquidation prices tries. */
import type { Account } from '../../margin/account.ts';
import { resolvePortfolio } from '../../margin/portfolio.ts';
import type { Valuation } from '../../margin/valuation.ts';
import { type MovedSmile, movedMarket } from '../../market/movedMarket.ts';
import { enterOwn, type OwnFigures, ownFigures } from '../accountBooks.ts';
import { AccountLab } from '../accountLab.ts';
import type { BookPasses } from '../bookPasses.ts';
import type { Session } from '../sessionData.ts';

export interface Trial {
  /** Price over today's. */
  readonly factor: number;
  readonly equity: number;
  /** Maintenance requirement after credit. */
  readonly requirement: number;
  /** equity − requirement: below 0 the account is in liquidation. */
  readonly headroom: number;
  /** Standard error of the ES in it; of several pools, their sum: a bound, for they share scenarios. */
  readonly standardError: number;
}

/** An account's figures under its own mode on rows that stand in memory. */
export function ownTrial(
  account: Account,
  valuation: Valuation,
  passes: BookPasses,
  factor: number,
): { readonly trial: Trial; readonly figures: OwnFigures } {
  passes.begin(1);
  const entered = enterOwn(resolvePortfolio(account, valuation), valuation, passes);
  passes.run();
  const figures = ownFigures(entered, valuation);
  let standardError = 0;
  for (const { held } of entered.pools) {
    standardError += held.net?.tail?.standardError.expectedShortfall ?? 0;
  }
  const { equity, maintenanceRequirement: requirement } = figures;
  const headroom = equity - requirement;
  return { trial: { factor, equity, requirement, headroom, standardError }, figures };
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

  /** The account's trial where the price of the underlying (an index) is `factor` times today's. */
  trial(account: Account, underlying: number, factor: number): Trial {
    const { valuation } = this.origin;
    const market = movedMarket(valuation.market, underlying, factor, this.rule);
    const passes = this.place(market, underlying);
    return ownTrial(account, this.lab!.bench.session.valuation, passes, factor).trial;
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
