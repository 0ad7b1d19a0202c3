/** Tests on series, against scipy, published tables and simulation (test/fixtures/backtest.py). */
import { describe, expect, it } from 'vitest';
import type { PlimsollError } from '../../src/errors.ts';
import { attribution } from '../../src/risk/backtest/attribution.ts';
import { chiSquareTail1, chiSquareTail2 } from '../../src/risk/backtest/chiSquare.ts';
import { christoffersen, kupiec } from '../../src/risk/backtest/coverage.ts';
import { overlapDesignEffect } from '../../src/risk/backtest/overlap.ts';
import { procyclicality } from '../../src/risk/backtest/procyclicality.ts';
import { backtestSeries, type SeriesRequest } from '../../src/risk/backtest/series.ts';
import { trafficLight } from '../../src/risk/backtest/trafficLight.ts';
import { fixture } from './backtestFixture.ts';

/** Sums of some hundred terms on either side, each rounded to 1.1e-16 of its size: 1e-12 leaves room for their order. */
const near = (value: number, expected: number, relative = 1e-12): void => {
  const bound = relative * Math.max(1e-300, Math.abs(expected));
  expect(Math.abs(value - expected), `${value} against ${expected}`).toBeLessThanOrEqual(bound);
};

describe('tails of χ²', () => {
  it('are scipy’s', () => {
    for (const { x, one, two } of fixture.chiSquare) {
      // Φ is right to 1e-13 of itself even at −26, where √x is rounded: x/2 times 2.2e-16 more.
      near(chiSquareTail1(x), one, 1e-13 + x * 2.3e-16);
      near(chiSquareTail2(x), two, 1e-15 + x * 2.3e-16);
    }
    expect([chiSquareTail1(0), chiSquareTail2(-1e-17)]).toEqual([1, 1]);
  });
});

describe('coverage', () => {
  it.each(fixture.coverage)('of sequence %#, of one tail, is what scipy gives', (sample) => {
    const { tail, hits, pof, pofP, transitions, independence, independenceP } = sample;
    const { conditional, conditionalP } = sample;
    const count = hits.reduce((sum, hit) => sum + hit, 0);
    const test = kupiec(hits.length, count, tail);
    const chain = christoffersen(Uint8Array.from(hits), tail);
    // Likelihoods of some hundreds are subtracted: absolutely, a few ulp of 500, so 1e-12; p is no more sensitive where it is not tiny.
    const same = (value: number, expected: number): void =>
      expect(Math.abs(value - expected)).toBeLessThan(2e-12);
    same(test.statistic, pof);
    same(test.pValue, pofP);
    expect(chain.transitions).toEqual(transitions);
    same(chain.independence.statistic, Math.max(0, independence));
    same(chain.conditionalCoverage.statistic, conditional);
    same(chain.conditionalCoverage.pValue, conditionalP);
    // √ of a statistic that is 0 but for rounding (1e-13) moves its p-value by 2φ(0)·√1e-13.
    expect(Math.abs(chain.independence.pValue - independenceP)).toBeLessThan(3e-7);
  });

  it('accepts the counts of Kupiec’s table at 5%', () => {
    // Kupiec 1995, table 3 (also Jorion, "Value at Risk", table 6-2): numbers of failures that are not rejected, open intervals. In its first
    // row it prints N < 7 alone; that no failure at all in 255 days is rejected too is −2·255·ln 0.99 = 5.13 > 3.84.
    const table = [
      [0.01, 255, 0, 7],
      [0.01, 510, 1, 11],
      [0.01, 1000, 4, 17],
      [0.025, 255, 2, 12],
      [0.025, 510, 6, 21],
      [0.025, 1000, 15, 36],
      [0.05, 255, 6, 21],
      [0.05, 510, 16, 36],
      [0.05, 1000, 37, 65],
    ] as const;
    for (const [tail, days, above, below] of table) {
      const accepted = Array.from({ length: 100 }, (_, x) => x).filter(
        (x) => kupiec(days, x, tail).pValue > 0.05,
      );
      expect([accepted[0]! - 1, accepted.at(-1)! + 1], `${tail} ${days}`).toEqual([above, below]);
    }
  });

  it('looks at every h-th window where windows overlap, back from the last', () => {
    const hits = Uint8Array.from([1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1]);
    const apart = christoffersen(hits, 0.1, 3);
    expect([apart.transitions, apart.observations]).toEqual([[2, 1, 0, 0], 3]);
  });
});

describe('traffic light', () => {
  it('has the zones of the binomial', () => {
    for (const { n, tail, amberFrom, redFrom, at } of fixture.binomial) {
      for (const { x, cumulative } of at) {
        const light = trafficLight(n, x, tail);
        expect([light.amberFrom, light.redFrom]).toEqual([amberFrom, redFrom]);
        // A product of up to n ratios: n · 3.3e-16.
        near(light.cumulativeProbability, cumulative, 1e-12 + n * 3.3e-16);
      }
    }
  });

  it('is the Basel Committee’s table', () => {
    // Basel Committee 1996, table 2: 250 days at 99%, cumulative probability in percent, to two digits (99.99 is the red line).
    const published = [8.11, 28.58, 54.32, 75.81, 89.22, 95.88, 98.63, 99.6, 99.89, 99.97, 99.99];
    const lights = published.map((_, x) => trafficLight(250, x, 0.01));
    lights.forEach(({ cumulativeProbability }, x) => {
      // 9 exceptions: 99.975%, printed 99.97; 10: 99.995%, printed 99.99.
      expect(Math.abs(100 * cumulativeProbability - published[x]!)).toBeLessThan(0.0051);
    });
    expect(lights.map(({ zone }) => zone[0]).join('')).toBe('gggggaaaaar');
  });

  it('allows for windows that overlap', () => {
    for (const { n, h, tail, effect, amberFrom, redFrom } of fixture.overlap) {
      // scipy's bivariate normal is good to 1e-8 or so, and is summed h times.
      near(overlapDesignEffect(n, h, tail), effect, 1e-5);
      const light = trafficLight(n, 0, tail, h);
      // Simulated bounds, 100,000 paths: amber within one, red (ten paths beyond it) as the docstring says.
      expect(Math.abs(light.amberFrom - amberFrom), `${n} ${h}`).toBeLessThanOrEqual(1);
      expect(light.redFrom - redFrom, `${n} ${h} ${tail}`).toBeGreaterThanOrEqual(-1);
      expect(light.redFrom - redFrom, `${n} ${h} ${tail}`).toBeLessThanOrEqual(4);
    }
    expect(overlapDesignEffect(250, 1, 0.01)).toBe(1);
  });
});

describe('expected shortfall', () => {
  it.each(fixture.shortfall)('has Acerbi and Székely’s statistics: %#', (sample) => {
    const { tail, z1, z2, p1, p2, name, ...columns } = sample;
    const report = backtestSeries({ ...columns, confidence: 1 - tail }).acerbiSzekely!;
    near(report.z1!.statistic, z1, 1e-12);
    near(report.z2.statistic, z2, 1e-11);
    // p-values: 10,000 and 20,000 paths, so up to 3·√(¼/10,000 + ¼/20,000) = 0.018 of noise, less where p is small; and a Pareto tail in
    // place of the forecast's own, which moves them by up to 0.05 (Z₁ alone) here.
    expect(Math.abs(report.z1!.pValue! - p1), name).toBeLessThan(p1 < 0.05 ? 0.03 : 0.07);
    expect(Math.abs(report.z2.pValue! - p2), name).toBeLessThan(p2 < 0.05 ? 0.02 : 0.035);
    expect(report.replications).toBe(10_000);
  });

  it('has the published critical values of Z₂ for 250 days at 97.5%', () => {
    // Normal forecasts of equal size, and as many exceedances of one size as make Z₂ just what is asked for.
    const [var975, es975] = [1.959963984540054, 2.337802792];
    const pValueAt = (z2: number): number => {
      const loss = ((1 - z2) * 250 * 0.025 * es975) / 10;
      const pnl = Array.from({ length: 250 }, (_, t) => (t % 25 === 0 ? -loss : 1));
      const report = backtestSeries({
        pnl,
        valueAtRisk: pnl.map(() => var975),
        expectedShortfall: pnl.map(() => es975),
        confidence: 0.975,
      }).acerbiSzekely!;
      near(report.z2.statistic, z2, 1e-10);
      return report.z2.pValue!;
    };
    // Acerbi and Székely 2014, table: −0.70 at 5%, −1.8 at 0.01%, "remarkably stable" over distributions, to two digits: 4% … 6%.
    expect(pValueAt(-0.7)).toBeGreaterThan(0.04);
    expect(pValueAt(-0.7)).toBeLessThan(0.06);
    // 0.01% of 10,000 paths is one; three more are within its noise, and the observed one counts.
    expect(pValueAt(-1.8)).toBeLessThanOrEqual(5 / 10_001);
  });
});

describe('one figure each', () => {
  it('mean quantile loss', () => {
    const { mean, ...request } = fixture.quantileLoss;
    near(backtestSeries(request).meanQuantileLoss, mean);
  });

  it('P&L attribution: Spearman and Kolmogorov–Smirnov with ties, zones of MAR32', () => {
    const zones = fixture.attribution.map(({ a, b, spearman, distance }) => {
      const result = attribution(a, b);
      near(result.spearman, spearman);
      near(result.kolmogorovSmirnov, distance, 1e-14);
      return result.zone;
    });
    expect(zones).toEqual(['green', 'green', 'red', 'green', 'red']);
    // Spearman of 1 − 6Σd²/(n(n²−1)): swapping neighbours 1 and 2 of 10 gives Σd² = 2.
    const up = Array.from({ length: 10 }, (_, i) => i);
    near(attribution(up, [1, 0, ...up.slice(2)]).spearman, 1 - 12 / 990);
    // Equal ranks, one of ten values elsewhere: KS 0.1 is amber.
    expect(attribution(up, [0, 1, 2, 3, 4, 5, 6, 7, 8, 90])).toMatchObject({ zone: 'amber' });
    expect(() => attribution(up, up.slice(1))).toThrow('one length');
    expect(() => attribution(up, [...up.slice(1), Number.NaN])).toThrow('theoretical[9]');
    expect(() =>
      attribution(
        up,
        up.map(() => 1),
      ),
    ).toThrow('never moves');
  });

  it('procyclicality over 5 and 30 rows', () => {
    const { margins, five, thirty } = fixture.procyclicality;
    const [short, long] = procyclicality(margins);
    near(short.figure!, five);
    near(long.figure!, thirty);
    expect([short.days, long.days]).toEqual([5, 30]);
    // Margins that double once: the tail of 5% of the changes is 2 of 40 at least; a fivefold rise is red in both.
    const doubled = Array.from({ length: 45 }, (_, t) => (t < 20 ? 1 : 2));
    expect(procyclicality(doubled).map(({ zone }) => zone)).toEqual(['amber', 'green']);
    const fivefold = doubled.map((margin) => (margin === 2 ? 5 : 1));
    expect(procyclicality(fivefold).map(({ zone }) => zone)).toEqual(['red', 'red']);
    expect(procyclicality([1, 1, 1]).map(({ figure }) => figure)).toEqual([null, null]);
    expect(procyclicality([...doubled, 0])[0].figure).toBeNull();
  });
});

describe('backtestSeries', () => {
  const good = { pnl: [1, -2], valueAtRisk: [1, 1], expectedShortfall: [2, 2] };

  it.each([
    [{ ...good, pnl: [] }, 'INVALID_FIELD', 'pnl'],
    [{ ...good, pnl: [1, Number.NaN] }, 'INVALID_FIELD', 'pnl[1]'],
    [{ ...good, pnl: [1, '2'] }, 'INVALID_FIELD', 'pnl[1]'],
    [{ ...good, valueAtRisk: [1] }, 'INVALID_FIELD', 'valueAtRisk'],
    [{ ...good, expectedShortfall: [1] }, 'INVALID_FIELD', 'expectedShortfall'],
    [{ ...good, expectedShortfall: [2, 0.5] }, 'INVALID_FIELD', 'expectedShortfall[1]'],
    [
      { ...good, valueAtRisk: [1, -1], expectedShortfall: [2, 0] },
      'INVALID_FIELD',
      'expectedShortfall[1]',
    ],
    [{ ...good, confidence: 1 }, 'INVALID_FIELD', 'confidence'],
    [{ ...good, overlap: 1.5 }, 'INVALID_FIELD', 'overlap'],
    [{ ...good, more: 1 }, 'UNKNOWN_FIELD', 'more'],
    [{ pnl: [1] }, 'MISSING_FIELD', 'valueAtRisk'],
  ])('refuses %j', (request, code, path) => {
    try {
      backtestSeries(request as SeriesRequest);
      expect.unreachable();
    } catch (error) {
      expect((error as PlimsollError).toRecord()).toMatchObject({ code, path });
    }
  });

  it('counts a loss equal to VaR as none, and shows the worst and the latest 250 days', () => {
    const pnl = Array.from({ length: 600 }, (_, t) => (t >= 100 && t < 112 ? -3 : -1));
    const report = backtestSeries({ pnl, valueAtRisk: pnl.map(() => 1), confidence: 0.99 });
    expect(report).toMatchObject({
      observations: 600,
      exceedances: 12,
      expectedExceedances: 6,
      acerbiSzekely: null,
      trafficLight: {
        whole: { zone: 'amber' },
        recent: { zone: 'green', exceedances: 0 },
        worst: { zone: 'red', exceedances: 12 },
      },
    });
  });

  it('answers a VaR that is no loss without a p-value of ES, and a series without exceedances', () => {
    const pnl = [1, 2, 3];
    const report = backtestSeries({
      pnl,
      valueAtRisk: [-1, 1, 1],
      expectedShortfall: [1, 1, 1],
      confidence: 0.99,
    });
    expect(report.acerbiSzekely).toEqual({
      z1: null,
      z2: { statistic: 1, pValue: null },
      replications: 0,
    });
    expect(report.kupiec.pValue).toBeGreaterThan(0.8);
  });
});
