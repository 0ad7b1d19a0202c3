/** Upper tails of χ² with one and two degrees of freedom, in closed form, so the same bits on every engine. */
import { exp, normalCdf } from '../../numerics.ts';

/** P(χ²₁ > x) = 2Φ(−√x); relative error that of Φ in its tail. 1 for x ≤ 0, where a statistic lies by rounding. */
export function chiSquareTail1(x: number): number {
  return x > 0 ? 2 * normalCdf(-Math.sqrt(x)) : 1;
}

/** P(χ²₂ > x) = e^(−x/2). */
export function chiSquareTail2(x: number): number {
  return x > 0 ? exp(-x / 2) : 1;
}
