/** What overlapping windows do to a count of exceedances. */
import { exp, inverseNormalCdf } from '../../numerics.ts';

/**
 * Design effect: the variance of the number of exceedances in T overlapping windows of h rows, over Tp(1−p). Rows are independent and
 * normal: two windows i rows apart then have correlation ρ = 1 − i/h, and Var = Tp(1−p) + 2 Σ_{i<h} (T−i) (P(both exceed | ρ) − p²). The
 * normal copula is an assumption; heavier tails cluster a little more.
 * @param tail p = 1 − α, 0 < p ≤ ½
 */
export function overlapDesignEffect(windows: number, overlap: number, tail: number): number {
  if (overlap <= 1) return 1;
  const z = inverseNormalCdf(tail);
  let extra = 0;
  for (let i = 1; i < Math.min(overlap, windows); i++) {
    extra += (windows - i) * jointExcess(z * z, 1 - i / overlap);
  }
  return 1 + (2 * extra) / (windows * tail * (1 - tail));
}

/** Intervals of Simpson's rule: the integrand is smooth, its error is below 1e-10. */
const INTERVALS = 128;

/**
 * P(X > z, Y > z) − P(X > z)² of two standard normals with correlation ρ: ∂/∂ρ of it is e^(−z²/(1+ρ)) / (2π√(1−ρ²)) (Plackett 1954).
 * ρ = sin θ, s = tan(θ/2) leaves a rational function in the exponent: ∫ e^(−z²(1+s²)/(1+s)²) · 2/(1+s²) ds / 2π from 0 to tan(asin(ρ)/2).
 */
function jointExcess(squared: number, correlation: number): number {
  const end = correlation / (1 + Math.sqrt(1 - correlation * correlation));
  const at = (s: number): number => {
    const square = 1 + s * s;
    return (2 / square) * exp((-squared * square) / ((1 + s) * (1 + s)));
  };
  const width = end / INTERVALS;
  let sum = at(0) + at(end);
  for (let i = 1; i < INTERVALS; i++) sum += (i % 2 === 1 ? 4 : 2) * at(i * width);
  return (sum * width) / (6 * Math.PI);
}
