/** Made-up returns whose law is known: GARCH(1,1) with normal or t innovations, k factors with one correlation, from fixed seeds. */
import { demoRandom } from '../../src/market/demoRandom.ts';

export interface SeriesLaw {
  readonly alpha: number;
  readonly beta: number;
  /** Of the innovations: whole; ∞ for normal ones. */
  readonly degreesOfFreedom: number;
  readonly factors?: number;
  /** Of the innovations of any two factors; default 0. */
  readonly correlation?: number;
}

/** Steps drawn and forgotten, so that the variance has its stationary law. */
const WARM_UP = 500;

/** Returns with a long-run volatility of 3% a step: one array a factor. The multivariate t: one χ² a step for all factors. */
export function garchSeries(seed: number, n: number, law: SeriesLaw): Float64Array[] {
  const { alpha, beta, degreesOfFreedom: nu, factors = 1, correlation = 0 } = law;
  const random = demoRandom(`garch ${seed}`);
  const series = Array.from({ length: factors }, () => new Float64Array(n));
  const variances = new Float64Array(factors).fill(1);
  for (let t = -WARM_UP; t < n; t++) {
    const mixing = Number.isFinite(nu) ? Math.sqrt((nu - 2) / chiSquare(random, nu)) : 1;
    const common = Math.sqrt(correlation) * random.normal();
    for (const [i, values] of series.entries()) {
      const own = Math.sqrt(1 - correlation) * random.normal();
      const shock = (common + own) * mixing;
      const h = variances[i]!;
      if (t >= 0) values[t] = 0.03 * Math.sqrt(h) * shock;
      variances[i] = 1 - alpha - beta + h * (alpha * shock * shock + beta);
    }
  }
  return series;
}

function chiSquare(random: { normal(): number }, degrees: number): number {
  let sum = 0;
  for (let i = 0; i < degrees; i++) {
    const normal = random.normal();
    sum += normal * normal;
  }
  return sum;
}
