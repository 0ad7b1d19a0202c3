import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { volatilityAt } from '../../src/market/surface.ts';
import { type SviParameters, sviTotalVariance } from '../../src/market/svi.ts';
import { fitSlices } from '../../src/market/sviSurface.ts';
import fixture from '../fixtures/svi.json' with { type: 'json' };
import { AS_OF, DAY, type Quoted, smileOf, surfaceOf, violationsOf } from './sviChains.ts';

const NONE = { butterfly: 0, calendar: 0 };

const fitOf = (quoted: readonly Quoted[]) => fitSlices(surfaceOf(quoted, 'quotes').slices);

describe('quotes that lie on an SVI slice', () => {
  const sound = fixture.slices.filter(({ name }) => name !== 'Vogt' && name !== 'flat');

  it.each(sound)('$name is found again', ({ parameters }) => {
    const width = Math.sqrt(sviTotalVariance(parameters, 0));
    const smile = smileOf(parameters, 0.25, [-4 * width, 4 * width, 25]);
    const [report] = fitOf([{ days: 91.25, forward: 250, smile }]).reports;
    // Levenberg–Marquardt ends where a step gains less than 1e-10 of the sum of squares; what it leaves is far below a quote's last digit.
    expect(report!.maximumError).toBeLessThan(1e-6);
    expect(report!.fitViolations).toEqual(NONE);
    expect(report!.quoteViolations).toEqual(NONE);
    expect(report!.bound).toEqual([]);
  });

  it('several expiries are found again together', () => {
    const slices = [7, 30, 90, 365].map((days): Quoted => {
      // Slices that scale with T^0.8 in level and slope do not cross.
      const grown = (days / 30) ** 0.8;
      const parameters = { a: 0.002 * grown, b: 0.06 * grown, rho: -0.3, m: 0.02, sigma: 0.15 };
      return { days, forward: 3000, smile: smileOf(parameters, days / 365, [-0.5, 0.5, 31]) };
    });
    for (const report of fitOf(slices).reports) {
      expect(report.maximumError).toBeLessThan(1e-6);
      expect(report.calendarGap ?? 1).toBeGreaterThan(0);
    }
  });
});

describe('quotes with arbitrage', () => {
  it("Vogt's: the fit has none, and is as near as the published slice without", () => {
    const smile = smileOf(fixture.vogt.arbitrage, 1, [-1.5, 1.5, 61]);
    const { slices, reports } = fitOf([{ days: 365, forward: 1, smile }]);
    const [report] = reports;
    expect(report!.quoteViolations.butterfly).toBeGreaterThan(0);
    expect(report!.bound).toEqual(['butterfly']);
    expect(report!.fitViolations).toEqual(NONE);
    expect(report!.minimumG).toBeGreaterThanOrEqual(0);
    expect(violationsOf(slices)).toEqual(NONE);
    // Gatheral and Jacquier keep three of five JW parameters; all five are free here. Weighted as the fit is, by vega.
    const misfit = (p: SviParameters): number =>
      smile.reduce((sum, [k, iv]) => {
        const d1 = iv / 2 - k / iv;
        const error = Math.sqrt(sviTotalVariance(p, k)) - iv;
        return sum + Math.max(Math.exp((-d1 * d1) / 2), 0.005) * error * error;
      }, 0);
    expect(misfit(report!.parameters!)).toBeLessThan(misfit(fixture.vogt.repaired));
  });

  it('expiries that cross: the later one is lifted, everywhere', () => {
    const slices = [
      { days: 10, forward: 100, smile: smileOf(slope(0.004, 0.05), 10 / 365, [-0.3, 0.3, 15]) },
      { days: 12, forward: 100, smile: smileOf(slope(0.003, 0.03), 12 / 365, [-0.3, 0.3, 15]) },
      { days: 40, forward: 100, smile: smileOf(slope(0.02, 0.06), 40 / 365, [-0.3, 0.3, 15]) },
    ];
    const fitted = fitOf(slices);
    expect(fitted.reports.map((report) => report.quoteViolations.calendar)).toEqual([0, 15, 0]);
    expect(fitted.reports.map((report) => report.fitViolations)).toEqual([NONE, NONE, NONE]);
    expect(fitted.reports[1]!.bound).toContain('calendar');
    expect(violationsOf(fitted.slices)).toEqual(NONE);
    for (const { calendarGap } of fitted.reports.slice(1)) {
      expect(calendarGap).toBeGreaterThanOrEqual(0);
    }
  });

  const slope = (a: number, b: number): SviParameters => ({ a, b, rho: -0.2, m: 0, sigma: 0.1 });

  it('whatever the quotes, the fit introduces none', () => {
    const volatility = fc.double({ min: 0.05, max: 3, noNaN: true });
    const slice = fc.record({
      gap: fc.integer({ min: 1, max: 200 }),
      reach: fc.double({ min: 0.02, max: 1.2, noNaN: true }),
      volatilities: fc.array(volatility, { minLength: 1, maxLength: 14 }),
    });
    fc.assert(
      fc.property(fc.array(slice, { minLength: 1, maxLength: 4 }), (drawn) => {
        let days = 0;
        const quoted = drawn.map(({ gap, reach, volatilities }): Quoted => {
          days += gap;
          const smile = volatilities.map(
            (iv, i) => [reach * ((2 * (i + 0.5)) / volatilities.length - 1), iv] as const,
          );
          return { days, forward: 50, smile };
        });
        const { slices, reports } = fitOf(quoted);
        const counted = reports.every(
          ({ fitViolations: { butterfly, calendar } }) => butterfly + calendar === 0,
        );
        const { butterfly, calendar } = violationsOf(slices);
        return counted && butterfly + calendar === 0;
      }),
      { numRuns: 30, seed: 2014 },
    );
  }, 60_000);
});

describe('few quotes', () => {
  const quoted = (smile: Quoted['smile']): Quoted => ({ days: 30, forward: 100, smile });

  it('one is a flat slice', () => {
    const { slices, reports } = fitOf([quoted([[0.1, 0.5]])]);
    const w = 0.25 * (30 / 365);
    for (const k of [-2, 0, 0.1, 2]) {
      // The flattest slice that meets it, up to the 1e-9 by which flatness is preferred.
      expect(Math.abs(sviTotalVariance(slices[0]!.svi!, k) / w - 1)).toBeLessThan(1e-6);
    }
    expect(reports[0]!.maximumError).toBeLessThan(1e-8);
  });

  it('two to four are met, without arbitrage', () => {
    const all = [
      [-0.1, 0.55],
      [0, 0.5],
      [0.08, 0.49],
      [0.15, 0.52],
    ] as const;
    for (const n of [2, 3, 4]) {
      const { slices, reports } = fitOf([quoted(all.slice(0, n))]);
      // A tenth of a volatility point: with less than five quotes flat wings are worth as much.
      expect(reports[0]!.maximumError, `${n} quotes`).toBeLessThan(1e-3);
      expect(violationsOf(slices)).toEqual(NONE);
    }
  });
});

describe('what cannot be fitted', () => {
  it('an expiry without a forward stays as quoted and says so; the others do not mind', () => {
    const smile = smileOf(fixture.slices[0]!.parameters, 30 / 365, [-0.3, 0.3, 11]);
    const day = smile.map(([k, iv]) => [k, iv] as const);
    const whole = [
      { days: 30, forward: 100, smile },
      { days: 60, forward: Number.NaN, smile: day },
      { days: 90, forward: 100, smile: day },
    ];
    const surface = surfaceOf(
      whole.map((slice) => (slice.days === 60 ? { ...slice, forward: 100 } : slice)),
      'quotes',
    );
    const lost = surface.slices.map((slice) =>
      slice.maturity * 365 > 59 && slice.maturity * 365 < 61
        ? { ...slice, logMoneyness: slice.logMoneyness.map(() => Number.NaN) }
        : slice,
    );
    const { slices, reports } = fitSlices(lost);
    expect(slices.map((slice) => slice.svi !== undefined)).toEqual([true, false, true]);
    expect(reports[1]).toMatchObject({ parameters: null, rmse: null, minimumG: null });
    expect(reports[2]!.calendarGap).toBeGreaterThan(0);
    const between = { expiryMs: AS_OF + 45 * DAY, maturity: 45 / 365, strike: 100, forward: 100 };
    expect(volatilityAt({ slices }, between)).toBeNaN();
  });

  it('no slices, no fit', () => {
    expect(fitSlices([])).toEqual({ slices: [], reports: [] });
  });
});
