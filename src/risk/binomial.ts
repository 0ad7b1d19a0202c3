/**
 * Probabilities of a binomial(n, p) count, for the ranks of an interval. Built from the mode outwards by the ratio of neighbours and
 * normalised, so that nothing underflows and only + × ÷ are used: the same bits on every engine. Relative error about 1e-13.
 */

/** Terms beyond this many standard deviations from the mode (and 40 more) are below 1e-20. */
const REACH = 12;

/**
 * Ranks (u, l) of an order-statistic interval, counted from the worst of n: with X the count beyond the true quantile, u is the
 * greatest with P(X < u) ≤ side and l the least with P(X ≥ l) ≤ side; u is 0 and l is n + 1 where there is none (David and Nagaraja
 * 2003, section 7.1).
 */
export function binomialRanks(n: number, p: number, side: number): readonly [number, number] {
  const mode = Math.min(n, Math.floor((n + 1) * p));
  const reach = Math.ceil(REACH * Math.sqrt(n * p * (1 - p))) + 40;
  const first = Math.max(0, mode - reach);
  const last = Math.min(n, mode + reach);
  const odds = p / (1 - p);
  const weights = new Float64Array(last - first + 1);
  weights[mode - first] = 1;
  for (let x = mode; x < last; x++) {
    weights[x + 1 - first] = (weights[x - first]! * (n - x) * odds) / (x + 1);
  }
  for (let x = mode; x > first; x--) {
    weights[x - 1 - first] = (weights[x - first]! * x) / ((n - x + 1) * odds);
  }
  let total = 0;
  for (const weight of weights) total += weight;
  const limit = side * total;
  let below = 0;
  let upper = first;
  while (upper <= last && below + weights[upper - first]! <= limit)
    below += weights[upper++ - first]!;
  let above = 0;
  let lower = last;
  while (lower >= first && above + weights[lower - first]! <= limit)
    above += weights[lower-- - first]!;
  return [upper, lower + 1];
}
