/**
 * Which kernel revalues each instrument, from which factors, with which parameters. The plan is plain data: it is made once for a market
 * and a factor model and sent to every worker.
 */
import type { ErrorRecord } from '../errors.ts';
import type { Market } from '../market/market.ts';
import type { SliceTable } from '../market/sliceTable.ts';
import { PlanBuilder, RowsChanged } from './planBuilder.ts';

/** Which volatility an option has when its forward moves: that of its strike, or what the smile has at its new moneyness. */
export const SMILE_RULES = ['sticky-strike', 'sticky-moneyness'] as const;
export type SmileRule = (typeof SMILE_RULES)[number];

/** A row that moves with a price: scale · (level − mark), or the inverse contract's form of it. */
export interface LevelRow {
  readonly row: number;
  readonly mark: number;
  readonly scale: number;
  readonly inverse: boolean;
}

export interface OptionSide {
  readonly row: number;
  /** Value of one contract now, in currency. */
  readonly base: number;
}

/** One strike of an expiry: the call and the put cost one evaluation together. */
export interface StrikeRows {
  readonly strike: number;
  readonly logMoneyness: number;
  /** σ√T₁. */
  readonly totalVolatility: number;
  readonly scale: number;
  /** A coin-settled option's value converts at S₁/F₁, which moves with the basis. */
  readonly coin: boolean;
  readonly call: OptionSide | null;
  readonly put: OptionSide | null;
}

/** A binary option: scale · Φ(±d₂) − base. */
export interface BinaryRow extends OptionSide {
  readonly logMoneyness: number;
  /** σ√T₁. */
  readonly totalVolatility: number;
  readonly right: 1 | -1;
  readonly scale: number;
}

/**
 * An American option. Its `base` is the scenario kernel's own value now: what the kernel lacks in accuracy cancels in the difference, and equity
 * has the reference price.
 */
export interface AmericanRow extends OptionSide {
  readonly strike: number;
  readonly right: 1 | -1;
  /** Exercise delivers the expiry's future; else the spot. */
  readonly future: boolean;
  /** ln(level/strike), ln(F/strike) and ln(F/level), the level being the spot or the forward itself. */
  readonly logLevel: number;
  readonly logForward: number;
  readonly carry: number;
  /** σ√T₁. */
  readonly totalVolatility: number;
  /** rT₁. */
  readonly rateTime: number;
  readonly scale: number;
}

export interface ExpiryRows {
  readonly forward: number;
  /** T before the horizon is taken off: what the basis shock is multiplied by. */
  readonly maturity: number;
  /** T₁, the time left at the horizon. */
  readonly left: number;
  /** (30/max(d, 1))^p: how strongly this expiry's volatility follows the 30-day one. */
  readonly volScale: number;
  /** Under sticky-moneyness the smile that is read in each scenario; null: each strike keeps its volatility. */
  readonly smile: SliceTable | null;
  readonly strikes: readonly StrikeRows[];
  readonly binaries: readonly BinaryRow[];
  readonly americans: readonly AmericanRow[];
  /** Futures of this expiry, when the basis moves them apart from the spot. */
  readonly futures: readonly LevelRow[];
}

/** Options that expire inside the horizon are worth their payoff: scale · max(±(S₁ − K), 0), or of a binary `scale` or nothing. */
export interface PayoffRow extends OptionSide {
  readonly binary: boolean;
  readonly strike: number;
  readonly right: 1 | -1;
  readonly scale: number;
}

/** A pool share: scale · (√S₁ − √S₀). */
export interface PoolRow {
  readonly row: number;
  readonly scale: number;
}

export interface MaskRow {
  readonly row: number;
  readonly factor: number;
}

export interface UnderlyingRows {
  readonly spot: number;
  readonly absolute: boolean;
  /** Indices of factors; −1 is held still. */
  readonly spotFactor: number;
  readonly volFactor: number;
  readonly basisFactor: number;
  /** S₁ − S₀: collateral coins and unrealised coins. */
  readonly spotRow: number;
  /** Rows of +∞ where a historical scenario lacks a factor, else 0: one for each factor that has gaps. */
  readonly masks: readonly MaskRow[];
  /** Those of the spot factor: what coins need. */
  readonly spotMasks: readonly number[];
  readonly levels: readonly LevelRow[];
  readonly pools: readonly PoolRow[];
  readonly expiries: readonly ExpiryRows[];
  readonly payoffs: readonly PayoffRow[];
}

export interface ValuationPlan {
  readonly rows: number;
  /** Room that revaluation needs for the largest smile, in bytes. */
  readonly smileBytes: number;
  /** By the market's underlying index; null where the factor model does not move it. */
  readonly underlyings: readonly (UnderlyingRows | null)[];
  /** Row of each instrument; −1 where a position in it must be rejected (see `problems`) or it was not asked for. */
  readonly rowOf: Int32Array;
  /** Value of one contract now, in currency; 0 for perpetuals and futures. */
  readonly baseValues: Float64Array;
  /** Spot delta of one contract where its P&L is delta · (S₁ − S₀) in every scenario; NaN where it is not. */
  readonly linearDeltas: Float64Array;
  /** Mask rows of the factors that move each instrument; a book with it sums them too. */
  readonly masksOf: readonly (readonly number[])[];
  readonly problems: ReadonlyMap<number, ErrorRecord>;
  /** Factors that the market could use and the model lacks, by underlying: they are held still. */
  readonly heldFactors: readonly (readonly string[])[];
}

/** What the plan needs to know of the factors. */
export interface PlannedFactors {
  readonly index: ReadonlyMap<string, number>;
  readonly absolute: Uint8Array;
  /** Whether rows of a history may lack this factor (an index). */
  readonly gaps: (factor: number) => boolean;
  /** The code for an absent factor: of the model, or of the history. */
  readonly absent: 'MISSING_FACTOR' | 'MISSING_HISTORY';
}

export { volatilityTermScale } from './optionPlan.ts';

const DAYS = 365;

/**
 * @param held instruments to plan for; all when left out
 * @param horizonDays taken off the time to expiry; 0 for instantaneous shocks
 */
export function planValuation(
  market: Market,
  factors: PlannedFactors,
  horizonDays: number,
  held?: ReadonlySet<number>,
  smileRule: SmileRule = 'sticky-strike',
): ValuationPlan {
  const builder = new PlanBuilder(market, factors, { horizon: horizonDays / DAYS, smileRule });
  market.instruments.forEach((instrument, index) => {
    if (held === undefined || held.has(index)) builder.add(instrument, index);
  });
  return builder.build();
}

/**
 * The plan after some underlyings have moved: every instrument keeps its row.
 * @returns null where rows would have to change (an option has expired, a forward has come or gone): then the market is planned anew
 */
export function replanValuation(
  market: Market,
  factors: PlannedFactors,
  horizonDays: number,
  smileRule: SmileRule,
  previous: { readonly plan: ValuationPlan; readonly moved: ReadonlySet<number> },
): ValuationPlan | null {
  try {
    const builder = new PlanBuilder(market, factors, {
      horizon: horizonDays / DAYS,
      smileRule,
      previous,
    });
    market.instruments.forEach((instrument, index) => {
      if (previous.moved.has(instrument.underlying)) builder.add(instrument, index);
    });
    const plan = builder.build();
    return plan.smileBytes > previous.plan.smileBytes ? null : plan;
  } catch (error) {
    if (error instanceof RowsChanged) return null;
    throw error;
  }
}
