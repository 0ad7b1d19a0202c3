/**
 * ln Γ and its first two derivatives for x > 0, bits alike on every engine: upward recurrence to x ≥ 12, then Stirling's asymptotic
 * series (Abramowitz & Stegun 1964, 6.1.40, 6.3.18, 6.4.12). Relative to max(1, |value|) right to about 1e-15.
 */
import { log } from '../numerics.ts';

/** From here on the seven terms kept leave less than 3e-17 out. */
const SERIES_FROM = 12;
const HALF_LOG_TWO_PI = 0.9189385332046728;

/** B₂ₖ for k = 1 … 7. */
const BERNOULLI = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6];

/** Σ c(k)·B₂ₖ·x^−2k, smallest terms first. */
function series(x: number, coefficient: (twoK: number) => number): number {
  const square = 1 / (x * x);
  let sum = 0;
  for (let k = BERNOULLI.length; k >= 1; k--) {
    sum = (sum + coefficient(2 * k) * BERNOULLI[k - 1]!) * square;
  }
  return sum;
}

/** ln Γ(x). */
export function logGamma(x: number): number {
  let shifted = x;
  let product = 1;
  for (; shifted < SERIES_FROM; shifted++) product *= shifted;
  const tail = series(shifted, (m) => 1 / (m * (m - 1))) * shifted;
  return (shifted - 0.5) * log(shifted) - shifted + HALF_LOG_TWO_PI + tail - log(product);
}

/** ψ(x) = d ln Γ / dx. */
export function digamma(x: number): number {
  let shifted = x;
  let below = 0;
  for (; shifted < SERIES_FROM; shifted++) below += 1 / shifted;
  return log(shifted) - 0.5 / shifted - series(shifted, (m) => 1 / m) - below;
}

/** ψ′(x). */
export function trigamma(x: number): number {
  let shifted = x;
  let below = 0;
  for (; shifted < SERIES_FROM; shifted++) below += 1 / (shifted * shifted);
  return 1 / shifted + 0.5 / (shifted * shifted) + series(shifted, () => 1) / shifted + below;
}
