/** Student-t likelihoods against scipy.stats, gamma functions against mpmath (fixtures/market/studentT.py). */
import { describe, expect, it } from 'vitest';
import { digamma, logGamma, trigamma } from '../../src/market/gammaFunctions.ts';
import { fitStudentT, LEAST_FITTED_DEGREES } from '../../src/market/studentT.ts';
import { commonTail } from '../../src/market/tailFit.ts';
import type { VolatilityFit } from '../../src/market/volatilityFit.ts';
import fixture from '../fixtures/market/studentT.json' with { type: 'json' };

describe('gamma functions', () => {
  it.each(fixture.gamma)('at $x', ({ x, ...expected }) => {
    // A handful of roundings, the greatest of the size of the value or of ln 12!.
    const near = (value: number, truth: number): void =>
      expect(Math.abs(value - truth)).toBeLessThan(2e-14 * Math.max(1, Math.abs(truth)));
    near(logGamma(x), expected.logGamma);
    near(digamma(x), expected.digamma);
    near(trigamma(x), expected.trigamma);
  });
});

/** Flat at the maximum: scipy stops within 1e-12 of 1/ν but its likelihood is rounded to 1e-13 relative, so ν is known to about √1e-13 of it. */
const NU_TOLERANCE = 1e-5;

describe('fitStudentT', () => {
  it.each(fixture.univariate)('finds the maximum that scipy finds: ν $nu', (given) => {
    const tail = fitStudentT(
      Float64Array.from(given.z, (z) => z * z),
      1,
      0,
    );
    expect(Math.abs(tail.degreesOfFreedom! / given.best.nu - 1)).toBeLessThan(NU_TOLERANCE);
    // 400 logarithms, each right to 1e-16 of some units.
    expect(Math.abs(tail.logLikelihood - given.best.logLikelihood)).toBeLessThan(1e-9);
    expect(Math.abs(tail.gaussianLogLikelihood - given.gaussian)).toBeLessThan(1e-9);
    // The fixture's second derivative is a difference with a step of 1e-3 ν: right to about 1e-5.
    expect(tail.standardError! / given.best.error).toBeCloseTo(1, 4);
  });

  it('says where the tails are normal, and where they are heavier than any law with a variance', () => {
    // Bounded, flatter than normal: the likelihood rises to ν = ∞.
    const flat = Float64Array.from({ length: 200 }, (_, i) => 3 * ((i - 99.5) / 100) ** 2);
    expect(fitStudentT(flat, 1, 0)).toMatchObject({ degreesOfFreedom: null, standardError: null });
    // Hardly anything, then one enormous square.
    const wild = Float64Array.from({ length: 200 }, (_, i) => (i === 7 ? 200 : 1e-6));
    expect(fitStudentT(wild, 1, 0)).toMatchObject({
      degreesOfFreedom: LEAST_FITTED_DEGREES,
      standardError: null,
      atLowerBound: true,
    });
  });
});

describe('commonTail', () => {
  const { z, correlation, best, gaussian } = fixture.multivariate;
  const fit: VolatilityFit = {
    rows: [],
    forecasts: new Float64Array(z.length),
    next: 1,
    longRunVariance: 1,
    logLikelihood: null,
    forecastCount: 0,
    garch: null,
  };
  const rows = z.map((_, t) => t);

  it('finds the maximum that scipy finds for three factors together', () => {
    const standardised = { rows, values: Float64Array.from(z.flat()) };
    const tail = commonTail(standardised, Float64Array.from(correlation.flat()), [fit, fit, fit]);
    expect(Math.abs(tail.degreesOfFreedom! / best.nu - 1)).toBeLessThan(NU_TOLERANCE);
    expect(Math.abs(tail.logLikelihood - best.logLikelihood)).toBeLessThan(1e-9);
    expect(Math.abs(tail.gaussianLogLikelihood - gaussian)).toBeLessThan(1e-9);
    expect(tail.leftOut).toEqual([]);
    // Not the information alone: the correlations are estimates too. Of the same size all the same.
    expect(tail.standardError! / best.error).toBeGreaterThan(0.8);
    expect(tail.standardError! / best.error).toBeLessThan(1.25);
  });

  it('leaves out a factor that another one determines', () => {
    const doubled = { rows, values: Float64Array.from(z.flatMap((row) => [...row, row[1]!])) };
    const four = correlation.map((row) => [...row, row[1]!]);
    const matrix = Float64Array.from([...four, [...correlation[1]!, 1]].flat());
    const tail = commonTail(doubled, matrix, [fit, fit, fit, fit]);
    expect(tail.leftOut).toEqual([3]);
    expect(Math.abs(tail.degreesOfFreedom! / best.nu - 1)).toBeLessThan(NU_TOLERANCE);
  });
});
