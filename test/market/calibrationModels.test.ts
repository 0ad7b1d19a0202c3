/** `calibrate` with GARCH, Ledoit–Wolf and fitted tails: that the parts are the ones tested by themselves, put together as they ought to be. */
import { describe, expect, it } from 'vitest';
import { calibrate, calibrationSteps } from '../../src/market/calibration.ts';
import { fitGarch } from '../../src/market/garch.ts';
import type { History } from '../../src/market/history.ts';
import { shrinkCovariance } from '../../src/market/ledoitWolf.ts';
import { garchSeries } from './statisticalSeries.ts';

const dayOf = (i: number): string => new Date(Date.UTC(2010, 0, 1 + i)).toISOString().slice(0, 10);

/** Levels whose log changes are the series; the first level is 100. */
function historyOf(series: Record<string, Float64Array>): History {
  const columns = Object.entries(series).map(([id, changes]) => {
    const values = new Float64Array(changes.length + 1).fill(100);
    changes.forEach((change, t) => {
      values[t + 1] = values[t]! * Math.exp(change);
    });
    return { id, values };
  });
  const rows = columns[0]!.values.length;
  return { dates: Array.from({ length: rows }, (_, i) => dayOf(i)), columns };
}

const law = { alpha: 0.08, beta: 0.9, degreesOfFreedom: 5, factors: 3, correlation: 0.6 };
const [a, b, c] = garchSeries(11, 1500, law) as [Float64Array, Float64Array, Float64Array];
const HISTORY = historyOf({ 'A:spot': a, 'B:spot': b, 'C:spot': c });
const bare = { defaultVol: null } as const;

describe('calibrate with GARCH volatilities', () => {
  const { model, report } = calibrate(HISTORY, { ...bare, volatility: 'garch' });

  it('takes each factor to the next step of its own fit', () => {
    [a, b, c].forEach((changes, i) => {
      const { fit } = fitGarch(changes);
      const factor = report.factors[i]!;
      // Changes went through exp and ln of levels near 100: 1e-15 in changes of 0.03, so the fits differ by some 1e-12.
      expect(model.factors[i]!.volatility / Math.sqrt(fit.nextVariance * 365)).toBeCloseTo(1, 8);
      expect(factor.garch!.alpha).toBeCloseTo(fit.alpha, 7);
      expect(factor.garch!.standardErrors!.alpha).toBeCloseTo(fit.standardErrors!.alpha, 7);
      expect(factor.logLikelihood).toBeCloseTo(fit.logLikelihood, 6);
      expect(factor.logLikelihoodObservations).toBe(1500);
      expect(factor.longRunVolatility / Math.sqrt(fit.longRunVariance * 365)).toBeCloseTo(1, 10);
      expect(factor.path.volatilities.at(-1)).toBe(factor.volatility);
      expect(factor.path.dates.at(-1)).toBe(dayOf(1500));
      expect(factor.path.dates.length).toBeLessThanOrEqual(400);
    });
  });

  it('leaves the correlations to EWMA, and no tails', () => {
    const plain = calibrate(HISTORY, bare);
    expect(model.correlation).toEqual(plain.model.correlation);
    expect(report).toMatchObject({ volatility: 'garch', shrinkage: null, tail: null });
    expect(plain.report.factors[0]).toMatchObject({ garch: null, tail: null });
    // 2/(1 − λ) = 33.3 changes are too few to forecast from.
    const skipped = 1500 - plain.report.factors[0]!.logLikelihoodObservations;
    expect(skipped).toBe(34);
  });
});

describe('calibrate with Ledoit–Wolf correlations', () => {
  it('shrinks the standardised changes', () => {
    const { model, report } = calibrate(HISTORY, {
      ...bare,
      volatility: 'garch',
      correlation: 'ledoit-wolf',
    });
    const roots = [a, b, c].map((changes) => fitGarch(changes).variances.map(Math.sqrt));
    const rows = Float64Array.from({ length: 4500 }, (_, at) => {
      const [t, i] = [Math.floor(at / 3), at % 3];
      return [a, b, c][i]![t]! / roots[i]![t]!;
    });
    const shrunk = shrinkCovariance(rows, 3);
    expect(report.shrinkage!.rows).toBe(1500);
    expect(report.shrinkage!.intensity).toBeCloseTo(shrunk.intensity, 7);
    const s = shrunk.covariance;
    expect(model.correlation[0]![1]).toBeCloseTo(s[1]! / Math.sqrt(s[0]! * s[4]!), 8);
    // Three factors of one correlation are what the target says: much of the weight goes to it.
    expect(report.shrinkage!.averageCorrelation).toBeCloseTo(0.6, 1);
  });

  it('leaves a factor that never moves uncorrelated and without a long-run volatility', () => {
    const still = historyOf({ 'A:spot': a, 'S:spot': new Float64Array(1500), 'B:spot': b });
    const { model, report } = calibrate(still, {
      ...bare,
      volatility: 'garch',
      correlation: 'ledoit-wolf',
      fitDegreesOfFreedom: 'both',
    });
    expect(model.correlation.map((row) => row[1])).toEqual([0, 1, 0]);
    expect(model.factors[1]).toEqual({ id: 'S:spot', volatility: 0 });
    expect(report.tail!.leftOut).toEqual(['S:spot']);
    expect(report.factors[1]!.tail).toBeNull();
  });
});

describe('degrees of freedom', () => {
  it('are fitted for all, for each, or both, and written where they belong', () => {
    const common = calibrate(HISTORY, { ...bare, fitDegreesOfFreedom: 'common' });
    const own = calibrate(HISTORY, { ...bare, fitDegreesOfFreedom: 'factors' });
    const both = calibrate(HISTORY, { ...bare, volatility: 'garch', fitDegreesOfFreedom: 'both' });
    expect(common.model.degreesOfFreedom).toBe(common.report.tail!.degreesOfFreedom);
    expect(common.model.factors[0]).not.toHaveProperty('degreesOfFreedom');
    expect(own.model).not.toHaveProperty('degreesOfFreedom');
    expect(own.model.factors[0]!.degreesOfFreedom).toBe(
      own.report.factors[0]!.tail!.degreesOfFreedom,
    );
    // The law that made them has ν = 5, and three standard errors are enough for 997 of 1,000 seeds.
    const { degreesOfFreedom, standardError } = both.report.tail!;
    expect(Math.abs(degreesOfFreedom! - 5)).toBeLessThan(3 * standardError!);
    expect(both.model.factors.every((factor) => factor.degreesOfFreedom! > 2)).toBe(true);
    // Together they are surer than each alone.
    expect(standardError!).toBeLessThan(both.report.factors[0]!.tail!.standardError!);
  });

  it('are not both given and fitted', () => {
    const options = { degreesOfFreedom: 4, fitDegreesOfFreedom: 'common' } as const;
    expect(() => calibrate(HISTORY, options)).toThrow(
      expect.objectContaining({ code: 'INVALID_FIELD', path: 'degreesOfFreedom' }),
    );
    // A t-copula may have the one ν given and each factor's own tail fitted.
    const copula = { ...bare, degreesOfFreedom: 4, fitDegreesOfFreedom: 'factors' } as const;
    expect(calibrate(HISTORY, copula).model.degreesOfFreedom).toBe(4);
  });

  it('of normal data are none for the model and 1,000 for a factor, and that is told', () => {
    // About half of all normal samples have tails thinner than normal.
    const seeds = [1, 2, 3, 4, 5, 6, 7, 8];
    const normal = { alpha: 0, beta: 0, degreesOfFreedom: Number.POSITIVE_INFINITY };
    const fits = seeds.map((seed) => {
      const history = historyOf({ 'A:spot': garchSeries(seed, 1000, normal)[0]! });
      return calibrate(history, { ...bare, volatility: 'garch', fitDegreesOfFreedom: 'both' });
    });
    const thin = fits.filter(({ report }) => report.tail!.degreesOfFreedom === null);
    expect(thin.length).toBeGreaterThan(0);
    expect(thin[0]!.model).not.toHaveProperty('degreesOfFreedom');
    expect(thin[0]!.model.factors[0]!.degreesOfFreedom).toBe(1000);
    expect(thin[0]!.report.assumptions.join()).toMatch(/tails are normal/);
  });
});

describe('long-run volatility', () => {
  it('is the root mean square of up to ten years, the length told', () => {
    const long = garchSeries(2, 4200, { ...law, factors: 1, correlation: 0 })[0]!;
    const { model, report } = calibrate(historyOf({ 'A:spot': long }), bare);
    const decade = long.slice(-3650);
    const meanSquare = decade.reduce((sum, r) => sum + r * r, 0) / 3650;
    expect(model.factors[0]!.longRunVolatility! / Math.sqrt(meanSquare * 365)).toBeCloseTo(1, 10);
    expect(model.factors[0]!.longRunYears).toBe(10);
    expect(report.factors[0]).toMatchObject({ observations: 3650, from: dayOf(550) });
    expect(report.assumptions.join()).toMatch(/last 10 years/);
  });

  it("is of the factor's own changes, however late the others start", () => {
    const [early, late] = HISTORY.columns as [History['columns'][0], History['columns'][0]];
    const values = late.values.map((level, row) => (row < 1000 ? Number.NaN : level));
    const gapped = { ...HISTORY, columns: [early, { id: late.id, values }] };
    const { model, report } = calibrate(gapped, bare);
    expect(report.usableRows).toBe(500);
    expect(report.factors.map(({ observations }) => observations)).toEqual([1500, 500]);
    expect(model.factors[0]!.longRunYears).toBeCloseTo(1500 / 365, 12);
    expect(model.factors[1]!.longRunYears).toBeCloseTo(500 / 365, 12);
  });

  it('is not written for assumed factors', () => {
    const { model } = calibrate(HISTORY);
    expect(model.factors[3]).toEqual({ id: 'A:vol', volatility: 0.9 });
  });
});

describe('calibrationSteps', () => {
  it('gives way before each factor and once more before the rest', () => {
    const steps = calibrationSteps(HISTORY, bare);
    const seen: number[] = [];
    for (let step = steps.next(); ; step = steps.next()) {
      if (step.done === true) {
        expect(step.value).toEqual(calibrate(HISTORY, bare));
        break;
      }
      seen.push(step.value.done);
    }
    expect(seen).toEqual([0, 1, 2, 3]);
  });

  it('refuses models that it does not know', () => {
    const options = { volatility: 'arch' } as unknown as { volatility: 'garch' };
    expect(() => calibrate(HISTORY, options)).toThrow(
      expect.objectContaining({ code: 'INVALID_FIELD', path: 'volatility' }),
    );
  });
});
