/** What tests of variates measure: raw moments, correlation, and distances between a sample and a law. */

/** Mean of x^k for k = 1..4. */
export function rawMoments(sample: Float64Array): readonly [number, number, number, number] {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  for (const x of sample) {
    const square = x * x;
    a += x;
    b += square;
    c += square * x;
    d += square * square;
  }
  const n = sample.length;
  return [a / n, b / n, c / n, d / n];
}

export function correlation(x: Float64Array, y: Float64Array): number {
  const [meanX, squareX] = rawMoments(x);
  const [meanY, squareY] = rawMoments(y);
  let product = 0;
  for (let i = 0; i < x.length; i++) product += (x[i]! - meanX) * (y[i]! - meanY);
  const variance = (squareX - meanX * meanX) * (squareY - meanY * meanY);
  return product / x.length / Math.sqrt(variance);
}

/** Kolmogorov's distance √n·sup|F_n − F|, from the values of F at the sorted sample. */
export function kolmogorov(sortedLevels: Float64Array): number {
  const n = sortedLevels.length;
  let distance = 0;
  for (let i = 0; i < n; i++) {
    const level = sortedLevels[i]!;
    distance = Math.max(distance, level - i / n, (i + 1) / n - level);
  }
  return distance * Math.sqrt(n);
}

/**
 * P(√n·D > 2.23) < 1e-4: Kolmogorov's limit law gives 2·exp(−2t²) = 9.6e-5 at t = 2.23 (the next term of the series is
 * below 1e-16). It bounds the supremum over any fewer points too.
 */
export const KOLMOGOROV_BOUND = 2.23;

/** How many of the sorted values are ≤ x. */
export function countUpTo(sorted: Float64Array, x: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! <= x) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** √n·max|F_n(q) − p| over given quantiles: at most Kolmogorov's distance. */
export function distanceAtQuantiles(
  sorted: Float64Array,
  probabilities: readonly number[],
  quantiles: readonly number[],
): number {
  const n = sorted.length;
  const gaps = probabilities.map((p, i) => Math.abs(countUpTo(sorted, quantiles[i]!) / n - p));
  return Math.max(...gaps) * Math.sqrt(n);
}

/** Pearson's statistic as a standard normal, by Wilson and Hilferty's cube root (1931). */
export function pearsonScore(counts: readonly number[], expected: readonly number[]): number {
  let statistic = 0;
  for (let i = 0; i < counts.length; i++) {
    statistic += (counts[i]! - expected[i]!) ** 2 / expected[i]!;
  }
  const freedom = counts.length - 1;
  return (Math.cbrt(statistic / freedom) - (1 - 2 / (9 * freedom))) / Math.sqrt(2 / (9 * freedom));
}
