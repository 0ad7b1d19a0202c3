import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { leastScenarios, tailMeasures, tailRanks } from '../../src/risk/tail.ts';

interface Fixture {
  readonly samples: Record<string, number[]>;
  readonly cases: {
    readonly sample: string;
    readonly confidence: number;
    readonly valueAtRisk: number;
    readonly expectedShortfall: number;
    readonly standardErrorES: number | null;
    readonly standardErrorVaR: number | null;
  }[];
}

const fixture = JSON.parse(
  readFileSync(new URL('../fixtures/tail.json', import.meta.url), 'utf8'),
) as Fixture;

describe('tail measures', () => {
  it.each(fixture.cases)('equal numpy: $sample at $confidence', (expected) => {
    const pnl = Float64Array.from(fixture.samples[expected.sample]!).sort();
    const ranks = tailRanks(pnl.length, expected.confidence);
    const measures = tailMeasures(pnl.subarray(0, ranks.keep), ranks);
    expect(measures.valueAtRisk).toBe(expected.valueAtRisk);
    // numpy sums pairwise, we from the worst: n·ε of the sum apart at the most.
    const tolerance = 1e-13 * (1 + Math.abs(expected.expectedShortfall));
    expect(Math.abs(measures.expectedShortfall - expected.expectedShortfall)).toBeLessThan(
      tolerance,
    );
    const error = measures.standardError.expectedShortfall;
    if (expected.standardErrorES === null) expect(error).toBeNull();
    else {
      expect(Math.abs(error! - expected.standardErrorES)).toBeLessThan(
        // The variance is a difference of two means of squares; its relative error is about n·ε, and it stands under a root.
        1e-7 * (1 + expected.standardErrorES),
      );
    }
    if (expected.standardErrorVaR === null) expect(measures.standardError.valueAtRisk).toBeNull();
    else {
      expect(measures.standardError.valueAtRisk).toBeCloseTo(expected.standardErrorVaR, 12);
    }
  });

  it('takes 10,000 × 0.01 for 100', () => {
    expect(tailRanks(10_000, 0.99)).toMatchObject({ mass: 100, valueAtRisk: 100 });
    expect(tailRanks(10_240, 0.99)).toMatchObject({ mass: 102.4, valueAtRisk: 103, spacing: 26 });
  });

  it('gives the interval the ranks of the binomial distribution', () => {
    // scipy.stats.binom.cdf(x, 10000, 0.01): 0.02213 at 80, 0.02846 at 81; 0.97240 at 119, 0.97789 at 120. So P(X < 81) and P(X ≥ 121) are
    // the greatest tails within 2.5%.
    expect(tailRanks(10_000, 0.99)).toMatchObject({ upper: 81, lower: 121 });
  });

  it('has no standard error and no upper end where the sample is small', () => {
    const ranks = tailRanks(50, 0.99);
    const measures = tailMeasures(Float64Array.of(-5, -4, -3, -2), ranks);
    expect(measures.standardError.valueAtRisk).toBeNull();
    expect(measures.standardError.expectedShortfall).toBeNull();
    expect(measures.interval.valueAtRisk[1]).toBeNull();
    expect(measures.expectedShortfall).toBe(5);
  });

  it('knows no error of overlapping windows that are one independent loss', () => {
    // 500 windows of 10 days: 5 in the tail at 99%, but 500/10 · 0.01 = half an independent one.
    const pnl = Float64Array.from({ length: 500 }, (_, i) => i - 100);
    const { standardError } = tailMeasures(pnl, tailRanks(500, 0.99, 10));
    expect(standardError).toEqual({ valueAtRisk: null, expectedShortfall: null });
  });

  it('widens the errors of overlapping windows by √h', () => {
    const pnl = Float64Array.from({ length: 2_000 }, (_, i) => Math.sin(i) * i).sort();
    const plain = tailMeasures(pnl, tailRanks(2_000, 0.99));
    const overlapping = tailMeasures(pnl, tailRanks(2_000, 0.99, 4));
    expect(overlapping.valueAtRisk).toBe(plain.valueAtRisk);
    expect(overlapping.standardError.valueAtRisk! / plain.standardError.valueAtRisk!).toBeCloseTo(
      2,
      12,
    );
    const ratio =
      overlapping.standardError.expectedShortfall! / plain.standardError.expectedShortfall!;
    expect(ratio).toBeCloseTo(2, 12);
  });
});

describe('least scenarios', () => {
  it('are those of which one lies in the tail', () => {
    // 1/(1 − 0.99) is 99.99999999999991 or 100.00000000000009 in double precision, as it comes.
    const expected = {
      0.5: 2,
      0.95: 20,
      0.975: 40,
      0.99: 100,
      0.995: 200,
      0.999: 1_000,
      0.9999: 10_000,
    };
    for (const [confidence, least] of Object.entries(expected)) {
      expect(leastScenarios(Number(confidence))).toBe(least);
      expect(tailRanks(least, Number(confidence)).mass).toBe(1);
    }
    expect(leastScenarios(0.7)).toBe(4);
  });
});
