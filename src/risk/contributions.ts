/**
 * Where an expected shortfall comes from: the scenarios of the tail with their weights, and the mean of any part's losses over them. By Euler's
 * theorem these means are the parts' contributions (Tasche 1999, "Risk contributions and performance measurement"; Acerbi and Tasche 2002 for
 * the fractional weight of the last scenario), and they sum to the whole.
 */
import { PlimsollError } from '../errors.ts';
import type { TailRanks } from './tail.ts';

export interface TailScenarios {
  /** Numbers of the k worst scenarios, worst first; of equal P&L the lower number comes first. */
  readonly scenarios: Int32Array;
  /** Mass of each: 1, of the last one a − (k − 1). */
  readonly masses: Float64Array;
  /** a, what the masses sum to. */
  readonly mass: number;
}

/**
 * The `count` worst of a row of P&L, worst first, ties by number: a heap of the worst so far, its mildest on top.
 * @param pnl currency by scenario, profit positive; +∞ where a scenario does not count
 * @throws INSUFFICIENT_HISTORY where fewer than `count` count
 */
export function worstScenarios(pnl: ArrayLike<number>, count: number): Int32Array {
  const heap = new Int32Array(count);
  /** Whether scenario a is milder than b. */
  const milder = (a: number, b: number): boolean => {
    const x = pnl[a]!;
    const y = pnl[b]!;
    return x > y || (x === y && a > b);
  };
  const sink = (from: number, end: number): void => {
    const moved = heap[from]!;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= end) break;
      if (child + 1 < end && milder(heap[child + 1]!, heap[child]!)) child += 1;
      if (!milder(heap[child]!, moved)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = moved;
  };
  let filled = 0;
  let s = 0;
  for (; s < pnl.length && filled < count; s++) {
    if (pnl[s]! < Number.POSITIVE_INFINITY) heap[filled++] = s;
  }
  if (filled < count) {
    const message = `${count} scenarios were asked for, ${filled} count`;
    throw new PlimsollError('INSUFFICIENT_HISTORY', message);
  }
  if (count === 0) return heap;
  for (let at = (count >> 1) - 1; at >= 0; at--) sink(at, count);
  let limit = pnl[heap[0]!]!;
  for (; s < pnl.length; s++) {
    // A later scenario never displaces an equal one.
    if (!(pnl[s]! < limit)) continue;
    heap[0] = s;
    sink(0, count);
    limit = pnl[heap[0]!]!;
  }
  for (let end = count - 1; end > 0; end--) {
    const mildest = heap[0]!;
    heap[0] = heap[end]!;
    heap[end] = mildest;
    sink(0, end);
  }
  return heap;
}

/** The tail that ES is the mean of (METHODOLOGY section 4); with a mass below 1 it is the worst scenario alone. */
export function tailScenarios(
  pnl: ArrayLike<number>,
  { mass, valueAtRisk: k }: Pick<TailRanks, 'mass' | 'valueAtRisk'>,
): TailScenarios {
  const masses = new Float64Array(k).fill(1);
  if (mass >= 1) masses[k - 1] = mass - (k - 1);
  return { scenarios: worstScenarios(pnl, k), masses, mass: Math.max(mass, 1) };
}

/**
 * Mean over the tail, summed from the worst on: of the account's losses this is ES to the bit, of a part's losses its contribution.
 * @param losses by place in the tail
 */
export function tailMean(
  losses: ArrayLike<number>,
  { masses, mass }: Pick<TailScenarios, 'masses' | 'mass'>,
): number {
  let sum = 0;
  for (let j = 0; j < masses.length; j++) sum += masses[j]! * losses[j]!;
  return sum / mass;
}

/** Losses of `sizes[r]` contracts of each row in the tail's scenarios, added to `losses`. */
export function addLosses(
  losses: Float64Array,
  row: ArrayLike<number>,
  size: number,
  scenarios: Int32Array,
): void {
  for (let j = 0; j < scenarios.length; j++) losses[j]! -= size * row[scenarios[j]!]!;
}

/** Part of ES; null where ES is not a loss. */
export function shareOf(contribution: number, expectedShortfall: number): number | null {
  return expectedShortfall > 0 ? contribution / expectedShortfall : null;
}

/** Sums by key, in the order in which the keys first appear. */
export function sumBy<K, T>(
  items: readonly T[],
  keyOf: (item: T) => K,
  amountOf: (item: T) => number,
): Map<K, number> {
  const sums = new Map<K, number>();
  for (const item of items) {
    const key = keyOf(item);
    sums.set(key, (sums.get(key) ?? 0) + amountOf(item));
  }
  return sums;
}
