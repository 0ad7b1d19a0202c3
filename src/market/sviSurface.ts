/** A surface of SVI slices: fitted in order of expiry, each held above the one before; and the report of how well, and at what price. */
import type { VolatilitySlice } from './slice.ts';
import { type SviParameters, sviTotalVariance, sviWingSlopes, type WingSlopes } from './svi.ts';
import { type ArbitrageCount, arbitrageOf, quoteArbitrage } from './sviChecks.ts';
import { type FitBound, fitSlice, type SliceFit } from './sviFit.ts';

/** How one expiry was fitted. Errors are of volatility, as decimals: 0.005 is half a volatility point. */
export interface SliceReport {
  readonly expiryMs: number;
  /** Years. */
  readonly maturity: number;
  readonly quotes: number;
  /** Null where the expiry has no forward: then it stays as quoted, and the rest is null or 0. */
  readonly parameters: SviParameters | null;
  readonly rmse: number | null;
  readonly maximumError: number | null;
  /** Least g(k) over the whole line (Gatheral–Jacquier 2014, eq. 2.1). */
  readonly minimumG: number | null;
  /** Least rise of total variance over the fitted slice before, over the whole line; null for the first. */
  readonly calendarGap: number | null;
  readonly quoteViolations: ArbitrageCount;
  readonly fitViolations: ArbitrageCount;
  /** What held the fit back from the quotes: `wings` is room left for later expiries. */
  readonly bound: readonly FitBound[];
}

/**
 * Each slice is fitted by itself first. Where that is above the slice before and its wings leave room for those after, it stands; else it is
 * fitted again between these bounds.
 * @param slices compiled from quotes, by expiry
 * @returns the same slices with `svi` wherever there is a forward, and a report on each
 */
export function fitSlices(slices: readonly VolatilitySlice[]): {
  readonly slices: readonly VolatilitySlice[];
  readonly reports: readonly SliceReport[];
} {
  const fitted: VolatilitySlice[] = [];
  const reports: SliceReport[] = [];
  const free = slices.map((slice) => (hasForward(slice) ? fitSlice(slice) : null));
  const steepest = risingWings(slices, free);
  let before: VolatilitySlice | null = null;
  for (const [i, slice] of slices.entries()) {
    const alone = free[i]!;
    if (alone === null) {
      fitted.push(slice);
      reports.push(unfitted(slice));
      continue;
    }
    const floor: SviParameters | null = before?.svi ?? null;
    const broken = brokenBy(alone.parameters, slice, floor, steepest[i]!);
    const { parameters, bound } =
      broken.length === 0 ? alone : fitSlice(slice, floor, steepest[i]!);
    const done: VolatilitySlice = { ...slice, svi: parameters };
    fitted.push(done);
    reports.push(reportOn(done, parameters, before, [...new Set([...bound, ...broken])]));
    before = done;
  }
  return { slices: fitted, reports };
}

function hasForward({ logMoneyness }: VolatilitySlice): boolean {
  return !Number.isNaN(logMoneyness[0]!);
}

/** What a slice fitted by itself does not keep. */
function brokenBy(
  alone: SviParameters,
  slice: VolatilitySlice,
  floor: SviParameters | null,
  steepest: WingSlopes,
): FitBound[] {
  const { left, right } = sviWingSlopes(alone);
  const { calendar } = arbitrageOf(alone, floor, rangeOf(slice)).violations;
  const kept = left <= steepest.left && right <= steepest.right;
  return [...(calendar > 0 ? (['calendar'] as const) : []), ...(kept ? [] : ['wings' as const])];
}

function rangeOf({ logMoneyness }: VolatilitySlice): readonly [number, number] {
  return [logMoneyness[0]!, logMoneyness.at(-1)!];
}

/**
 * The slopes up to which each slice may go, so that those after it can stay above it at no great cost: the rising sequence nearest to what each
 * would have by itself, counted by its quotes in excess of SVI's parameters but one. Without it every conflict between two expiries would be
 * borne by the later one alone.
 */
function risingWings(
  slices: readonly VolatilitySlice[],
  free: readonly (SliceFit | null)[],
): WingSlopes[] {
  const slopes = free.map((fit) =>
    fit === null ? { left: 0, right: 0 } : sviWingSlopes(fit.parameters),
  );
  const weights = slices.map(({ strikes }, i) =>
    free[i] === null ? 0 : Math.max(strikes.length - 4, 0),
  );
  const left = nearestRising(
    slopes.map((wings) => wings.left),
    weights,
  );
  const right = nearestRising(
    slopes.map((wings) => wings.right),
    weights,
  );
  return slopes.map((_, i) => ({ left: left[i]!, right: right[i]! }));
}

/**
 * Weighted least squares under order, by pooling neighbours that break it (M. Ayer et al., Ann. Math. Stat. 26, 1955). A value of weight 0 takes
 * that of its neighbour where they break the order.
 */
export function nearestRising(values: readonly number[], weights: readonly number[]): number[] {
  const pools: { mean: number; weight: number; size: number }[] = [];
  for (const [i, value] of values.entries()) {
    let pool = { mean: value, weight: weights[i]!, size: 1 };
    for (
      let last = pools.at(-1);
      last !== undefined && last.mean >= pool.mean;
      last = pools.at(-1)
    ) {
      const weight = last.weight + pool.weight;
      const share = weight > 0 ? pool.weight / weight : 0;
      const mean = last.mean + (pool.mean - last.mean) * share;
      pool = { mean, weight, size: last.size + pool.size };
      pools.pop();
    }
    pools.push(pool);
  }
  return pools.flatMap(({ mean, size }) => new Array<number>(size).fill(mean));
}

function unfitted({ expiryMs, maturity, strikes }: VolatilitySlice): SliceReport {
  const none = { butterfly: 0, calendar: 0 };
  return {
    expiryMs,
    maturity,
    quotes: strikes.length,
    parameters: null,
    rmse: null,
    maximumError: null,
    minimumG: null,
    calendarGap: null,
    quoteViolations: none,
    fitViolations: none,
    bound: [],
  };
}

function reportOn(
  slice: VolatilitySlice,
  parameters: SviParameters,
  before: VolatilitySlice | null,
  bound: SliceReport['bound'],
): SliceReport {
  const { expiryMs, maturity, strikes, logMoneyness, volatilities } = slice;
  let square = 0;
  let maximumError = 0;
  logMoneyness.forEach((k, i) => {
    const error = Math.sqrt(sviTotalVariance(parameters, k) / maturity) - volatilities[i]!;
    square += error * error;
    maximumError = Math.max(maximumError, Math.abs(error));
  });
  const { minimumG, calendarGap, violations } = arbitrageOf(
    parameters,
    before?.svi ?? null,
    rangeOf(slice),
  );
  return {
    expiryMs,
    maturity,
    quotes: strikes.length,
    parameters,
    rmse: Math.sqrt(square / strikes.length),
    maximumError,
    minimumG,
    calendarGap,
    quoteViolations: quoteArbitrage(slice, before),
    fitViolations: violations,
    bound,
  };
}
