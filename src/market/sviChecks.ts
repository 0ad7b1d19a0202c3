/**
 * Arbitrage in a smile. Of fitted slices: butterfly where g < 0, calendar where total variance falls with T at some k (Gatheral–Jacquier
 * 2014, section 2), both over the whole line. Of quotes: calls that are not convex in the strike, and total variance below the expiry before.
 */
import { black76, exp } from '../numerics.ts';
import { quotedVarianceAt, type VolatilitySlice } from './slice.ts';
import { type SviParameters, sviDensityFactor, sviTotalVariance, sviWingSlopes } from './svi.ts';

/** A local minimum of some function of k. */
export interface Minimum {
  readonly k: number;
  readonly value: number;
}

const RANGE_NODES = 160;
const LINE_NODES = 160;

/** Places where a slice is looked at: evenly over the quoted range, and over the whole line, denser near m, out to 1e4 σ from it. */
export function nodesOf(
  range: readonly [number, number],
  slices: readonly SviParameters[],
): Float64Array {
  const nodes: number[] = [];
  const [low, high] = range;
  for (let i = 0; i <= RANGE_NODES; i++) nodes.push(low + ((high - low) * i) / RANGE_NODES);
  for (const { m, sigma } of slices) {
    for (let i = 1; i < LINE_NODES; i++) {
      const t = (2 * i) / LINE_NODES - 1;
      const rest = 1 - t * t;
      nodes.push(m + (sigma * t) / (rest * rest));
    }
  }
  return Float64Array.from(nodes).sort();
}

/** Local minima below `limit` of f over the nodes, each refined between its neighbours; the ends count. */
export function minimaBelow(
  f: (k: number) => number,
  nodes: Float64Array,
  limit: number,
): Minimum[] {
  const values = nodes.map(f);
  const last = nodes.length - 1;
  const found: Minimum[] = [];
  for (let i = 0; i <= last; i++) {
    const value = values[i]!;
    if (value > (values[i - 1] ?? Number.POSITIVE_INFINITY)) continue;
    if (value >= (values[i + 1] ?? Number.POSITIVE_INFINITY)) continue;
    const left = nodes[Math.max(i - 1, 0)]!;
    const right = nodes[Math.min(i + 1, last)]!;
    // What lies between nodes can be lower by no more than the rise to them: far above the limit there is nothing to refine.
    const rise = Math.max(values[i - 1] ?? value, values[i + 1] ?? value) - value;
    if (value - rise > limit) continue;
    const refined = goldenSection(f, left, right);
    const lowest = refined.value < value ? refined : { k: nodes[i]!, value };
    if (lowest.value < limit) found.push(lowest);
  }
  return found;
}

const GOLDEN = 0.6180339887498949;

function goldenSection(f: (k: number) => number, from: number, to: number): Minimum {
  let [low, high] = [from, to];
  let a = high - GOLDEN * (high - low);
  let b = low + GOLDEN * (high - low);
  let [fa, fb] = [f(a), f(b)];
  for (let step = 0; step < 24; step++) {
    if (fa < fb) {
      high = b;
      [b, fb] = [a, fa];
      a = high - GOLDEN * (high - low);
      fa = f(a);
    } else {
      low = a;
      [a, fa] = [b, fb];
      b = low + GOLDEN * (high - low);
      fb = f(b);
    }
  }
  return fa < fb ? { k: a, value: fa } : { k: b, value: fb };
}

export function least(minima: readonly Minimum[]): number {
  return minima.reduce(
    (value, minimum) => Math.min(value, minimum.value),
    Number.POSITIVE_INFINITY,
  );
}

/** Minima of g below a limit. */
export function butterflyMinima(
  slice: SviParameters,
  range: readonly [number, number],
  limit: number,
): Minimum[] {
  return minimaBelow((k) => sviDensityFactor(slice, k), nodesOf(range, [slice]), limit);
}

/** Minima below a limit of the rise in total variance from the earlier slice to this one. */
export function calendarMinima(
  slice: SviParameters,
  earlier: SviParameters,
  range: readonly [number, number],
  limit: number,
): Minimum[] {
  const rise = (k: number): number => sviTotalVariance(slice, k) - sviTotalVariance(earlier, k);
  return minimaBelow(rise, nodesOf(range, [slice, earlier]), limit);
}

export interface ArbitrageCount {
  readonly butterfly: number;
  readonly calendar: number;
}

export interface SliceArbitrage {
  /** The least g(k). */
  readonly minimumG: number;
  /** The least rise of total variance over the slice before; null for the first. */
  readonly calendarGap: number | null;
  /** Separate places of either violation; wings that grow faster than 2|k|, or slower than those of the slice before, are one each. */
  readonly violations: ArbitrageCount;
}

/** What arbitrage a fitted slice holds, by itself and against the slice before. */
export function arbitrageOf(
  slice: SviParameters,
  earlier: SviParameters | null,
  range: readonly [number, number],
): SliceArbitrage {
  const all = Number.POSITIVE_INFINITY;
  const low = butterflyMinima(slice, range, all);
  const wings = sviWingSlopes(slice);
  const steep = [wings.left, wings.right].filter((slope) => !(slope <= 2)).length;
  const butterfly = low.filter(({ value }) => !(value >= 0)).length + steep;
  const minimumG = least(low);
  if (earlier === null) {
    return { minimumG, calendarGap: null, violations: { butterfly, calendar: 0 } };
  }
  const gaps = calendarMinima(slice, earlier, range, all);
  const before = sviWingSlopes(earlier);
  const shallow = [wings.left >= before.left, wings.right >= before.right].filter((ok) => !ok);
  const calendar = gaps.filter(({ value }) => !(value >= 0)).length + shallow.length;
  return { minimumG, calendarGap: least(gaps), violations: { butterfly, calendar } };
}

/**
 * Arbitrage among the quotes of a slice: strikes where the call price is not convex (with the call struck at 0, worth F, as the first point
 * and no fall below the last), and strikes whose total variance is below that of the expiry before, read off its quotes at the same k where
 * they reach. Differences that rounding explains do not count.
 */
export function quoteArbitrage(
  slice: VolatilitySlice,
  earlier: VolatilitySlice | null,
): ArbitrageCount {
  return { butterfly: concaveStrikes(slice), calendar: fallingStrikes(slice, earlier) };
}

/** Where convexity holds by parity for puts as for calls, the side that is out of the money carries more digits. */
function concaveStrikes({ strikes, logMoneyness, totalVariances }: VolatilitySlice): number {
  const forward = strikes[0]! * exp(-logMoneyness[0]!);
  const price = (i: number, right: 1 | -1): number =>
    i < 0
      ? right === 1
        ? forward
        : 0
      : black76(forward, strikes[i]!, Math.sqrt(totalVariances[i]!), right);
  let count = 0;
  for (let i = 0; i < strikes.length; i++) {
    const right = strikes[i]! < forward ? -1 : 1;
    const below = price(i - 1, right);
    const here = price(i, right);
    const before = (here - below) / (strikes[i]! - (strikes[i - 1] ?? 0));
    // Beyond the last strike a call may only fall to nothing, a put rise by what the strike does.
    const ahead =
      i + 1 < strikes.length
        ? (price(i + 1, right) - here) / (strikes[i + 1]! - strikes[i]!)
        : right === 1
          ? 0
          : 1;
    const noise = (64 * Number.EPSILON * forward) / (strikes[i]! - (strikes[i - 1] ?? 0));
    if (ahead - before < -noise) count++;
  }
  return count;
}

function fallingStrikes(slice: VolatilitySlice, earlier: VolatilitySlice | null): number {
  if (earlier === null) return 0;
  const { logMoneyness, totalVariances } = slice;
  const first = earlier.logMoneyness[0]!;
  const last = earlier.logMoneyness.at(-1)!;
  let count = 0;
  logMoneyness.forEach((k, i) => {
    if (!(k >= first && k <= last)) return;
    if (totalVariances[i]! < quotedVarianceAt(earlier, k) * (1 - 1e-13)) count++;
  });
  return count;
}
