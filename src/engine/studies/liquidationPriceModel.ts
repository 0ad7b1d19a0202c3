/**
 * An approximation of equity and its requirements at any price of one underlying, some thousand times cheaper than full revaluation: tails
 * off a value table, other components from exposures. A search uses it to decide where to look; what it reports is revalued in full.
 */

import type { Account } from '../../margin/account.ts';
import { chargedComponents, chargeOf, contextOf, noShortfalls } from '../../margin/charge.ts';
import { horizonGrowth } from '../../margin/components/concentration.ts';
import type { Shortfalls } from '../../margin/components/context.ts';
import { marketRisk } from '../../margin/components/marketRisk.ts';
import { stress } from '../../margin/components/stress.ts';
import { exposuresOf } from '../../margin/exposures.ts';
import type { UnderlyingPart } from '../../margin/holding.ts';
import { type Portfolio, resolvePortfolio } from '../../margin/portfolio.ts';
import { afterCredit, pooledMargins } from '../../margin/requirement.ts';
import type { Valuation } from '../../margin/valuation.ts';
import { movedMarket } from '../../market/movedMarket.ts';
import { exp, log } from '../../numerics.ts';
import { instrumentExposures } from '../../valuation/exposures.ts';
import type { ValuationPlan } from '../../valuation/plan.ts';
import type { OwnFigures } from '../accountBooks.ts';
import type { CubeName } from '../sessionData.ts';
import { linearTable, type ValuationDesk, valueTable } from './liquidationPriceTable.ts';
import { type ScannedSet, ScannedTail, type ScenarioGain } from './liquidationPriceTails.ts';
import {
  againstThreshold,
  MAINTENANCE,
  type StateFigures,
  type Threshold,
} from './liquidationPriceTrial.ts';

/** METHODOLOGY section 5: −95% … +400%. */
export const LEAST_FACTOR = 0.05;
export const GREATEST_FACTOR = 5;

/** Prices at which scenarios are looked through for those that may be among the worst. */
const LOOKS = [0.05, 0.3, 0.7, 1, 1.5, 5].map((factor) => log(factor));
/** Other components change slowly: they are computed at multiples of this and linear between. */
const REST_STEP = 0.2;

export interface ModelInput {
  readonly account: Account;
  /** Index of the underlying that moves. */
  readonly underlying: number;
  /** On a market that holds what the account holds; planned at the horizon. */
  readonly valuation: Valuation;
  /** The same planned at once. */
  readonly planNow: ValuationPlan;
  readonly desk: ValuationDesk;
  readonly sets: ReadonlyMap<CubeName, ScannedSet>;
  /** The account's figures today. */
  readonly today: OwnFigures;
}

/** How equity gains as the price moves, at once and by scenario: x is the log of the price over today's. */
interface Mover {
  readonly gain: (x: number) => number;
  readonly scenario: (x: number) => ScenarioGain;
}

/** Of components that come from exposures: what is in both margins, and what is in the initial one alone. */
interface Rest {
  readonly base: number;
  readonly initialOnly: number;
}

export class LiquidationModel {
  private readonly input: ModelInput;
  private readonly portfolio: Portfolio;
  private readonly mover: Mover;
  private readonly tails: ReadonlyMap<CubeName, ScannedTail>;
  /** ES of what is to be closed alone: found when something is concentrated. */
  private alone: { readonly mover: Mover; readonly tail: ScannedTail } | null = null;
  private readonly rests = new Map<number, Rest>();
  /** Dependence as a share of market risk; and what else is in the base today, other pools included. */
  private readonly dependence: number;
  private readonly constant: number;
  /** Initial-only charges today, open orders among them, less those that are followed. */
  private readonly initialOnly: number;

  constructor(input: ModelInput) {
    const { account, valuation, underlying, today } = input;
    this.input = input;
    this.portfolio = resolvePortfolio(account, valuation);
    const at = this.portfolio.parts.findIndex((part) => part.underlying === underlying);
    const part = this.portfolio.parts[at]!;
    this.mover = this.moverOf(part);
    this.tails = new Map(
      [...input.sets].map(([name, set]) => [name, this.tailOf(set, this.mover)]),
    );
    const pool = account.mode === 'cross' ? at : 0;
    const components = chargedComponents(valuation.methodology);
    const amountOf = (name: string): number => {
      const i = components.findIndex((one) => one.name === name);
      return i === -1 ? 0 : today.charges[pool]!.amounts[i]!;
    };
    const risk = amountOf('marketRisk');
    const dependence = amountOf('dependence');
    this.dependence = risk > 0 ? dependence / risk : 0;
    let base = 0;
    let initialOnly = 0;
    for (const charge of today.charges) {
      base += charge.base;
      initialOnly += charge.initial - charge.base;
    }
    const rest = this.rest(0);
    this.constant = base - risk - dependence - amountOf('stress') - rest.base;
    this.initialOnly = initialOnly - rest.initialOnly;
  }

  /** @param x log of the price over today's */
  at(
    x: number,
    threshold: Threshold = MAINTENANCE,
  ): { readonly headroom: number; readonly requirement: number } {
    return againstThreshold(this.figures(x), threshold);
  }

  /** @param x log of the price over today's */
  figures(x: number): StateFigures {
    const { account, valuation, today } = this.input;
    const { methodology } = valuation;
    const shortfalls = this.shortfalls(x);
    const context = { valuation, shortfalls, ...EMPTY };
    const charged = (name: 'marketRisk' | 'stress'): boolean =>
      methodology.components.includes(name);
    const risk = charged('marketRisk') ? marketRisk.amount(context) : 0;
    const stressed = charged('stress') ? stress.amount(context) : 0;
    const rest = this.restBetween(x);
    const base = risk * (1 + this.dependence) + stressed + this.constant + rest.base;
    const initial = base + this.initialOnly + rest.initialOnly;
    const margins = pooledMargins([{ amounts: [], initial, base }], methodology);
    return {
      ...afterCredit(margins, account.creditLine),
      equity: today.equity + this.mover.gain(x),
    };
  }

  private shortfalls(x: number): Shortfalls {
    const shortfalls = noShortfalls();
    const gain = this.mover.scenario(x);
    for (const [name, tail] of this.tails) shortfalls[name] = tail.loss(gain);
    return shortfalls;
  }

  private tailOf(set: ScannedSet, mover: Mover): ScannedTail {
    return new ScannedTail(set, LOOKS.map(mover.scenario));
  }

  private moverOf(part: UnderlyingPart): Mover {
    const { valuation, planNow, desk, sets, underlying } = this.input;
    const rows = valuation.plan.underlyings[underlying]!;
    if (rows.absolute) {
      const slope = linearTable(desk, valuation.plan, this.portfolio, part);
      return {
        gain: (x) => slope * rows.spot * (exp(x) - 1),
        scenario: () => (move) => slope * move,
      };
    }
    const range = rangeOf(sets.values());
    const plans = { now: planNow, later: valuation.plan };
    const table = valueTable(desk, plans, this.portfolio, part, range);
    return {
      gain: table.now,
      scenario: (x) => {
        const now = table.now(x);
        return (move, vol) => table.later(x + move, vol) - now;
      },
    };
  }

  private restBetween(x: number): Rest {
    const at = x / REST_STEP;
    const i = Math.floor(at);
    const [below, above] = [this.rest(i), this.rest(i + 1)];
    const between = (name: keyof Rest): number =>
      below[name] + (at - i) * (above[name] - below[name]);
    return { base: between('base'), initialOnly: between('initialOnly') };
  }

  /** Components that come from exposures, of this underlying alone, at the i-th step. */
  private rest(i: number): Rest {
    const known = this.rests.get(i);
    if (known !== undefined) return known;
    const { valuation, underlying, account } = this.input;
    const { methodology, plan, market, exposures: today } = valuation;
    const x = i * REST_STEP;
    const there = movedMarket(market, underlying, exp(x), methodology.smileRule);
    const exposures = {
      ...instrumentExposures(there, plan, NONE),
      dailyVolatility: today.dailyVolatility,
    };
    const moved = { ...valuation, market: there, exposures };
    const holding = resolvePortfolio(account, moved);
    const own = exposuresOf(holding, moved).filter((one) => one.underlying === underlying);
    const concentrated = own.flatMap((exposure) => {
      const growth = methodology.components.includes('concentration')
        ? horizonGrowth(exposure, moved)
        : 0;
      return growth > 0 ? [{ underlying, growth, expectedShortfall: this.lossAlone(x) }] : [];
    });
    const charged = { holding, exposures: own, concentrated: [] };
    const figures = { shortfalls: noShortfalls(), concentrated };
    const { base, initial } = chargeOf(contextOf(charged, figures, [], moved));
    const rest = { base, initialOnly: initial - base };
    this.rests.set(i, rest);
    return rest;
  }

  private lossAlone(x: number): number {
    if (this.alone === null) {
      const { sets, underlying } = this.input;
      const part = this.portfolio.parts.find((one) => one.underlying === underlying)!;
      const mover = this.moverOf({ ...part, coins: part.unrealised });
      const set = sets.get('base')!;
      const others = set.others.map((gain) => (gain === Number.POSITIVE_INFINITY ? gain : 0));
      this.alone = { mover, tail: this.tailOf({ ...set, others }, mover) };
    }
    return this.alone.tail.loss(this.alone.mover.scenario(x));
  }
}

const NONE = new Float64Array(0);
const EMPTY = { exposures: [], concentrated: [], collateral: [] };

/** What the scenarios reach from any price of the search. */
function rangeOf(sets: Iterable<ScannedSet>) {
  let [low, high, volLow, volHigh] = [0, 0, 0, 0];
  for (const { moves, vols } of sets) {
    for (const move of moves) {
      if (move < low) low = move;
      if (move > high) high = move;
    }
    for (const vol of vols ?? []) {
      if (vol < volLow) volLow = vol;
      if (vol > volHigh) volHigh = vol;
    }
  }
  return { low: low + log(LEAST_FACTOR), high: high + log(GREATEST_FACTOR), volLow, volHigh };
}
