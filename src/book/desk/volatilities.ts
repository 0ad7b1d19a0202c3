/**
 * Volatilities of a live book: which updates the market's changes give rise to, and the factor model that follows. Updates stand in the log right
 * behind the change that reached their instant, in the same append, so that every figure in it is of one scenario set.
 */
import { hashOf } from '../../json.ts';
import type { Methodology } from '../../margin/methodology.ts';
import type {
  DynamicVolatility,
  VolatilityRule,
  VolatilityUpdate,
} from '../../market/dynamicVolatility.ts';
import type { MarketChange } from '../../market/factorHearing.ts';
import type { FactorModel } from '../../market/factorModel.ts';
import type { MarketSnapshot } from '../../market/snapshot.ts';
import { DailyInstants } from '../../market/volatilityInstants.ts';
import { event } from '../events.ts';
import type { Draft } from '../store/store.ts';
import type { Journal } from './journal.ts';

/** Null where volatilities stay as the factor model has them. */
export function ruleOf({ volatilities }: Methodology): VolatilityRule | null {
  const { estimate, instants, lambda } = volatilities;
  return estimate === 'fixed' ? null : { instants: new DailyInstants(instants), lambda };
}

/** Market changes as they will stand in the log, and the factor model after them. */
export class MarketPlan {
  readonly drafts: Draft[] = [];
  private readonly rule: VolatilityRule | null;
  private readonly volatility: DynamicVolatility | null;
  private readonly hash: string | undefined;

  constructor({ market }: Journal, rule: VolatilityRule | null) {
    const { volatility } = market.factors;
    this.rule = rule;
    this.volatility = rule === null ? null : (volatility?.copy() ?? null);
    this.hash = volatility?.hash;
  }

  /** @param market before the change; null: there is none @returns the place of the change among the drafts */
  add(draft: Draft, market: MarketSnapshot | null, change: MarketChange): number {
    const place = this.drafts.push(draft) - 1;
    if (this.rule !== null && this.volatility !== null && market !== null) {
      this.drafts.push(...this.volatility.advance(market, change, this.rule).map(updated));
    }
    return place;
  }

  /** What the engine has to go over to; undefined where it stays. */
  get model(): FactorModel | undefined {
    if (this.volatility === null || this.volatility.hash === this.hash) return undefined;
    return this.volatility.model;
  }
}

export function factorsReplaced(source: string, model: FactorModel): Draft {
  return event('factors-replaced', { source, hash: hashOf(model), model });
}

function updated({ factors, silent, ...rest }: VolatilityUpdate): Draft {
  return event('factors-updated', { ...rest, factors: [...factors], silent: [...silent] });
}
