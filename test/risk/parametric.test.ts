import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  cornishFisher,
  cornishFisherProblem,
  deltaNormal,
  quadraticMoments,
} from '../../src/risk/parametric.ts';

interface Pair {
  readonly confidence: number;
  readonly valueAtRisk: number;
  readonly expectedShortfall: number;
}

const truth = JSON.parse(
  readFileSync(new URL('../fixtures/parametric.json', import.meta.url), 'utf8'),
) as {
  readonly quadratic: readonly {
    readonly first: number[];
    readonly second: number[];
    readonly time: number;
    readonly mean: number[];
    readonly covariance: number[];
    readonly moments: Record<'mean' | 'standardDeviation' | 'skewness' | 'excessKurtosis', number>;
    readonly deltaNormal: readonly Pair[];
  }[];
  readonly expansions: readonly (Pair & {
    readonly skewness: number;
    readonly excessKurtosis: number;
    readonly rising: boolean;
  })[];
};

describe('tails without simulation', () => {
  it('moments of the quadratic form are those of its eigenvalues', () => {
    for (const form of truth.quadratic) {
      const sensitivities = {
        first: Float64Array.from(form.first),
        second: Float64Array.from(form.second),
        time: form.time,
      };
      const shocks = {
        mean: Float64Array.from(form.mean),
        covariance: Float64Array.from(form.covariance),
      };
      const moments = quadraticMoments(sensitivities, shocks);
      const deviation = form.moments.standardDeviation;
      // Sums of up to 12⁴ products in another order, and eigenvalues to 1e-15 of the greatest: 1e-10 is generous to both.
      expect(Math.abs(moments.mean - form.moments.mean)).toBeLessThan(1e-11 * deviation);
      expect(Math.abs(moments.standardDeviation / deviation - 1)).toBeLessThan(1e-11);
      expect(Math.abs(moments.skewness - form.moments.skewness)).toBeLessThan(1e-10);
      expect(Math.abs(moments.excessKurtosis - form.moments.excessKurtosis)).toBeLessThan(1e-10);
      for (const { confidence, valueAtRisk, expectedShortfall } of form.deltaNormal) {
        const tail = deltaNormal(sensitivities, shocks, confidence);
        // Φ⁻¹ by AS241: relative 1e-15, here over a sum of 144 products.
        expect(Math.abs(tail.valueAtRisk / valueAtRisk - 1)).toBeLessThan(1e-12);
        expect(Math.abs(tail.expectedShortfall / expectedShortfall - 1)).toBeLessThan(1e-12);
      }
    }
  });

  it('the expansion and its tail mean are those of numerical integration; outside its domain it is refused', () => {
    let refused = 0;
    for (const point of truth.expansions) {
      const { skewness, excessKurtosis, confidence, rising } = point;
      const moments = { mean: 7, standardDeviation: 3, skewness, excessKurtosis };
      const { tail, refusal } = cornishFisher(moments, confidence);
      expect(refusal === null, `${skewness} ${excessKurtosis}`).toBe(rising);
      if (tail === null) {
        refused += 1;
        expect(refusal).toContain('Cornish–Fisher');
        continue;
      }
      // Quadrature to 1e-12.
      expect(Math.abs(tail.valueAtRisk - (3 * point.valueAtRisk - 7))).toBeLessThan(1e-11);
      expect(Math.abs(tail.expectedShortfall - (3 * point.expectedShortfall - 7))).toBeLessThan(
        1e-11,
      );
    }
    expect(refused).toBeGreaterThan(20);
    expect(truth.expansions.length - refused).toBeGreaterThan(20);
  });

  it('a lognormal of little volatility is inside, a pure square and what is no number outside', () => {
    expect(cornishFisherProblem(0.1, 0.05)).toBeNull();
    // χ²(1): skewness √8, excess kurtosis 12.
    expect(cornishFisherProblem(Math.sqrt(8), 12)).not.toBeNull();
    expect(cornishFisherProblem(Number.NaN, 0)).not.toBeNull();
  });

  it('nothing held is nothing lost', () => {
    const nothing = new Float64Array(0);
    const moments = quadraticMoments(
      { first: nothing, second: nothing, time: 0 },
      { mean: nothing, covariance: nothing },
    );
    expect(moments).toEqual({ mean: 0, standardDeviation: 0, skewness: 0, excessKurtosis: 0 });
    expect(cornishFisher(moments, 0.99).tail).toEqual({ valueAtRisk: 0, expectedShortfall: 0 });
  });
});
