/**
 * Exponentially weighted second moments with mean zero (J.P. Morgan/Reuters, "RiskMetrics — Technical Document", 4th ed. 1996,
 * eq. 5.1–5.5). No start value is needed: the weights (1 − λ)λⁱ of the m observations there are, i = 0 the newest, are divided by
 * their sum 1 − λᵐ, so a short history is an ordinary weighted mean and a long one is RiskMetrics' recursion.
 */
import { PlimsollError } from '../errors.ts';

/** @throws INVALID_FIELD unless 0 < λ < 1 */
export function checkDecay(lambda: number, path: string): number {
  if (lambda > 0 && lambda < 1) return lambda;
  throw new PlimsollError('INVALID_FIELD', `${path} must lie between 0 and 1, got ${lambda}`, {
    path,
  });
}

/**
 * Volatility after each observation, in the unit of the observations (per step): out[t] is made of r[0] … r[t]. A NaN observation is
 * passed over: the volatility stays. NaN until the first observation.
 */
export function ewmaVolatilityPath(observations: Float64Array, lambda: number): Float64Array {
  const path = new Float64Array(observations.length);
  let sum = 0;
  let weight = 0;
  for (let t = 0; t < observations.length; t++) {
    const r = observations[t]!;
    if (!Number.isNaN(r)) {
      sum = lambda * sum + r * r;
      weight = lambda * weight + 1;
    }
    path[t] = Math.sqrt(sum / weight);
  }
  return path;
}

/**
 * Covariance matrix n × n, row-major, per step, of m rows of n observations without gaps, oldest first.
 * @param rows m·n values, row-major, m ≥ 1
 */
export function ewmaCovariance(rows: Float64Array, n: number, lambda: number): Float64Array {
  const sums = new Float64Array(n * n);
  let weight = 0;
  for (let from = 0; from < rows.length; from += n) {
    weight = lambda * weight + 1;
    for (let i = 0; i < n; i++) {
      const r = rows[from + i]!;
      for (let j = 0; j <= i; j++) {
        sums[i * n + j] = lambda * sums[i * n + j]! + r * rows[from + j]!;
      }
    }
  }
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const value = sums[i * n + j]! / weight;
      sums[i * n + j] = value;
      sums[j * n + i] = value;
    }
  }
  return sums;
}

/** Correlations of a covariance matrix, the diagonal exactly 1; a factor without variance is uncorrelated. */
export function correlationOf(covariance: Float64Array, n: number): Float64Array {
  const correlation = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    correlation[i * n + i] = 1;
    for (let j = 0; j < i; j++) {
      const scale = Math.sqrt(covariance[i * n + i]!) * Math.sqrt(covariance[j * n + j]!);
      const ratio = scale > 0 ? covariance[i * n + j]! / scale : 0;
      const value = Math.max(-1, Math.min(1, ratio));
      correlation[i * n + j] = value;
      correlation[j * n + i] = value;
    }
  }
  return correlation;
}

/** How many equally weighted observations carry as much information: (Σw)²/Σw² of m weights λⁱ. */
export function effectiveObservations(count: number, lambda: number): number {
  let weight = 0;
  let squares = 0;
  for (let i = 0; i < count; i++) {
    weight = lambda * weight + 1;
    squares = lambda * lambda * squares + 1;
  }
  return (weight * weight) / squares;
}
