/** Are the standard errors what they say? Over 200 made-up histories the truth must lie within two of them about as often as it ought to. */
import { describe, expect, it } from 'vitest';
import { correlationOf, ewmaCovariance } from '../../src/market/ewma.ts';
import { commonTail, factorTail } from '../../src/market/tailFit.ts';
import { fitVolatility, standardise, type VolatilityFit } from '../../src/market/volatilityFit.ts';
import { garchSeries, type SeriesLaw } from './statisticalSeries.ts';

const SEEDS = 200;
const LENGTH = 2500;

/**
 * Two standard errors of a normal estimate hold the truth in 95.4% of 200 series, give or take 1.5%: 88% and 99% are five and 2.4 of those
 * away, which leaves the few percent that estimates from 2,500 heavy-tailed returns are off the normal.
 */
function expectCoverage(name: string, hits: number): void {
  const share = hits / SEEDS;
  console.info(`${name}: ${(100 * share).toFixed(1)}% of ${SEEDS} within 2 standard errors`);
  expect(share).toBeGreaterThanOrEqual(0.88);
  expect(share).toBeLessThanOrEqual(0.99);
}

const within = (value: number, truth: number, error: number | null | undefined): number =>
  Math.abs(value - truth) <= 2 * (error ?? Number.NaN) ? 1 : 0;

const garchOf = (changes: Float64Array): VolatilityFit =>
  fitVolatility('A:spot', changes, 0, 'garch', 0.94);

describe('standard errors', () => {
  const laws: [string, SeriesLaw][] = [
    ['normal innovations', { alpha: 0.08, beta: 0.9, degreesOfFreedom: Number.POSITIVE_INFINITY }],
    // β² + 2αβ + 9α² = 0.92 < 1: the fourth moment that the theory of variance targeting needs is there.
    ['t innovations, four moments', { alpha: 0.05, beta: 0.9, degreesOfFreedom: 5 }],
    // 1.01 > 1: it is not; the errors still serve.
    ['t innovations, no fourth moment', { alpha: 0.08, beta: 0.9, degreesOfFreedom: 5 }],
  ];

  it.each(laws)('of GARCH and of a tail after it: %s', (name, law) => {
    const hits = { alpha: 0, beta: 0, persistence: 0, nu: 0 };
    for (let seed = 1; seed <= SEEDS; seed++) {
      const [changes] = garchSeries(seed, LENGTH, law);
      const volatility = garchOf(changes!);
      const { fit } = volatility.garch!;
      const errors = fit.standardErrors;
      hits.alpha += within(fit.alpha, law.alpha, errors?.alpha);
      hits.beta += within(fit.beta, law.beta, errors?.beta);
      hits.persistence += within(fit.persistence, law.alpha + law.beta, errors?.persistence);
      const tail = factorTail(changes!, volatility)!;
      const nu = tail.degreesOfFreedom ?? Number.POSITIVE_INFINITY;
      hits.nu += within(nu, law.degreesOfFreedom, tail.standardError);
    }
    expectCoverage(`${name}, alpha`, hits.alpha);
    expectCoverage(`${name}, beta`, hits.beta);
    expectCoverage(`${name}, alpha + beta`, hits.persistence);
    if (Number.isFinite(law.degreesOfFreedom)) expectCoverage(`${name}, nu`, hits.nu);
  });

  it('of one ν for three factors, each with a GARCH volatility', () => {
    const law = { alpha: 0.08, beta: 0.9, degreesOfFreedom: 5, factors: 3, correlation: 0.6 };
    let hits = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const columns = garchSeries(seed, LENGTH, law);
      const fits = columns.map(garchOf);
      const rows = standardise(columns, fits);
      const correlation = correlationOf(ewmaCovariance(rows.values, 3, 1), 3);
      const tail = commonTail(rows, correlation, fits);
      hits += within(tail.degreesOfFreedom!, 5, tail.standardError);
    }
    expectCoverage('three factors, one nu', hits);
  });

  it('of ν where the volatility is known', () => {
    const law = { alpha: 0, beta: 0, degreesOfFreedom: 5 };
    let hits = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const [changes] = garchSeries(seed, LENGTH, law);
      const fit = fitVolatility('A:spot', changes!, 0, 'ewma', 0.94);
      fit.forecasts.fill(0.03);
      const tail = factorTail(changes!, fit)!;
      hits += within(tail.degreesOfFreedom!, 5, tail.standardError);
    }
    expectCoverage('known volatility, nu', hits);
  });
});
