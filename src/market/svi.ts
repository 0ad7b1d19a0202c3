/**
 * One slice of SVI in Gatheral's raw form (J. Gatheral, "A parsimonious arbitrage-free implied volatility parameterization", 2004;
 * J. Gatheral, A. Jacquier, "Arbitrage-free SVI volatility surfaces", Quantitative Finance 14, 2014, eq. 3.1):
 *     w(k) = a + b (ρ(k − m) + √((k − m)² + σ²)),   w = total variance σ_BS² T, k = ln(K/F).
 */

/** b ≥ 0, |ρ| ≤ 1, σ > 0, a + bσ√(1−ρ²) > 0. `b` and `a` are of total variance, so they grow with T. */
export interface SviParameters {
  readonly a: number;
  readonly b: number;
  readonly rho: number;
  readonly m: number;
  readonly sigma: number;
}

/** w(k) > 0. NaN for NaN. The kernel `sliceVolatilities` does the same operations in the same order. */
export function sviTotalVariance({ a, b, rho, m, sigma }: SviParameters, k: number): number {
  const x = k - m;
  return a + b * (rho * x + Math.sqrt(x * x + sigma * sigma));
}

/** How fast w grows on either side in the end: dw/d|k| as k → ∓∞. No more than 2 (R. Lee, Math. Finance 14, 2004). */
export interface WingSlopes {
  readonly left: number;
  readonly right: number;
}

/** b(1 ∓ ρ). */
export function sviWingSlopes({ b, rho }: SviParameters): WingSlopes {
  return { left: b * (1 - rho), right: b * (1 + rho) };
}

/**
 * g(k) = (1 − k w′/2w)² − (w′²/4)(1/w + 1/4) + w″/2 (Gatheral–Jacquier 2014, eq. 2.1): the density of the underlying has its sign, so a
 * slice is free of butterfly arbitrage where g ≥ 0 everywhere and w grows slower than 2|k|.
 */
export function sviDensityFactor({ a, b, rho, m, sigma }: SviParameters, k: number): number {
  const x = k - m;
  const root = Math.sqrt(x * x + sigma * sigma);
  const w = a + b * (rho * x + root);
  const slope = b * (rho + x / root);
  const bend = (b * sigma * sigma) / (root * root * root);
  const one = 1 - (k * slope) / (2 * w);
  return one * one - ((slope * slope) / 4) * (1 / w + 0.25) + bend / 2;
}
