/** GARCH(1,1) against scipy's maxima of the same likelihood (fixtures/market/garch.py), and cases whose answer is plain. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fitGarch } from '../../src/market/garch.ts';
import { historyColumn, logChanges, readHistory } from '../../src/market/history.ts';
import { nelderMead } from '../../src/market/optimiser.ts';
import { fitVolatility, standardise } from '../../src/market/volatilityFit.ts';
import { testData } from '../data.ts';
import fixture from '../fixtures/market/garch.json' with { type: 'json' };
import { garchSeries } from './statisticalSeries.ts';

type Optimum = (typeof fixture)['bitcoin'];

/**
 * At the maximum a parameter off by δ loses ½δ²/se² of likelihood: with se ≥ 0.01 the 1e-8 of scipy and of ours are some 1e-12, so 1e-7 is
 * the rounding of n ≤ 2,609 logarithms. The parameters themselves: flat to a likelihood of 1e-10, hence 1e-5·se.
 */
function expectOptimum(returns: Float64Array, optimum: Optimum): void {
  const { fit, variances } = fitGarch(returns);
  expect(fit.observations).toBe(optimum.n);
  expect(Math.abs(fit.logLikelihood - optimum.logLikelihood)).toBeLessThan(1e-7);
  expect(Math.abs(fit.alpha - optimum.alpha)).toBeLessThan(1e-5);
  expect(Math.abs(fit.beta - optimum.beta)).toBeLessThan(1e-5);
  expect(fit.longRunVariance / optimum.target).toBeCloseTo(1, 12);
  expect(fit.omega / (optimum.target * (1 - fit.alpha - fit.beta))).toBeCloseTo(1, 12);
  // The next variance moves with the parameters: 1e-5 of them, times a slope of a few.
  expect(fit.nextVariance / optimum.next).toBeCloseTo(1, 4);
  expect(variances[0]).toBeCloseTo(fit.longRunVariance, 12);
  expect(fit.bound).toBeNull();
  expect((fit.alpha + fit.beta) ** fit.halfLife).toBeCloseTo(0.5, 12);
}

describe('fitGarch', () => {
  it.each(fixture.cases)('finds the maximum that scipy finds: $name', ({ returns, optimum }) => {
    expectOptimum(Float64Array.from(returns), optimum);
  });

  it('does not depend on the unit of the returns', () => {
    const [returns] = garchSeries(3, 1000, { alpha: 0.1, beta: 0.8, degreesOfFreedom: 8 });
    const one = fitGarch(returns!).fit;
    // A power of two scales without rounding.
    const other = fitGarch(returns!.map((r) => r * 1024)).fit;
    expect(other.alpha).toBe(one.alpha);
    expect(other.beta).toBe(one.beta);
    expect(other.standardErrors).toEqual(one.standardErrors);
    expect(other.nextVariance).toBe(one.nextVariance * 1024 ** 2);
    // Each observation's density falls by the factor: −n·ln 1024. A few 1e-16 of the sum.
    expect(other.logLikelihood).toBeCloseTo(one.logLikelihood - 1000 * Math.log(1024), 8);
  });

  it('says where the volatility is constant, and gives no standard errors', () => {
    // r² the same on every step: no variance but the constant one explains it better.
    const { fit } = fitGarch(Float64Array.from({ length: 400 }, (_, i) => (i % 2 ? 0.01 : -0.01)));
    expect(fit).toMatchObject({ alpha: 0, beta: 0, bound: 'alpha', standardErrors: null });
    expect(fit.halfLife).toBe(0);
    // n·(−½)(ln 2π + ln 1e-4 + 1).
    expect(fit.logLikelihood).toBeCloseTo(-200 * (Math.log(2 * Math.PI * 1e-4) + 1), 8);
  });

  it('stops at the persistence beyond which there is no long-run variance', () => {
    // α + β = 1: every shock lasts for ever.
    const [lasting] = garchSeries(1, 600, { alpha: 0.2, beta: 0.8, degreesOfFreedom: 9 });
    const { fit } = fitGarch(lasting!);
    expect(fit.bound).toBe('persistence');
    expect(fit.standardErrors).toBeNull();
  });
});

describe('fitVolatility', () => {
  it('passes over gaps and says what was known before each change', () => {
    const [returns] = garchSeries(7, 400, { alpha: 0.1, beta: 0.8, degreesOfFreedom: 9 });
    const gapped = new Float64Array(404).fill(Number.NaN);
    gapped.set(returns!.subarray(0, 100), 3);
    gapped.set(returns!.subarray(100), 104);
    const whole = fitVolatility('A:spot', returns!, 0, 'garch', 0.94);
    const holed = fitVolatility('A:spot', gapped, 0, 'garch', 0.94);
    expect(holed.garch!.fit).toEqual(whole.garch!.fit);
    expect(holed.rows.slice(99, 102)).toEqual([102, 104, 105]);
    expect(holed.forecasts[103]).toBeNaN();
    expect(holed.forecasts[104]).toBe(whole.forecasts[100]);
    const ewma = fitVolatility('A:spot', gapped, 0, 'ewma', 0.9);
    // 2/(1 − λ) = 20 changes are too few to forecast from.
    expect(ewma.forecastCount).toBe(380);
    expect(standardise([gapped], [ewma]).rows).toHaveLength(380);
  });

  it('refuses fewer than 250 changes, and leaves a factor that never moves alone', () => {
    const few = garchSeries(1, 249, { alpha: 0.1, beta: 0.8, degreesOfFreedom: 9 })[0]!;
    expect(() => fitVolatility('A:spot', few, 0, 'garch', 0.94)).toThrow(
      expect.objectContaining({ code: 'INSUFFICIENT_HISTORY', path: 'A:spot' }),
    );
    const still = fitVolatility('S:spot', new Float64Array(300), 0, 'garch', 0.94);
    expect(still).toMatchObject({ garch: null, longRunVariance: 0, next: 0, logLikelihood: null });
  });
});

describe('nelderMead', () => {
  it('finds the foot of the banana valley, (1, 1)', () => {
    const valley = ([x, y]: readonly number[]): number =>
      100 * (y! - x! * x!) ** 2 + (1 - x!) * (1 - x!);
    const { point, converged } = nelderMead(valley, [-1.2, 1], [0.5, 0.5], 1e-9);
    expect(converged).toBe(true);
    expect(point[0]).toBeCloseTo(1, 8);
    expect(point[1]).toBeCloseTo(1, 8);
  });

  it('keeps out of where the function is infinite, and says when it ran out of evaluations', () => {
    const walled = ([x]: readonly number[]): number => (x! < 0.25 ? Number.POSITIVE_INFINITY : x!);
    expect(nelderMead(walled, [2], [0.1], 1e-9).point[0]).toBeCloseTo(0.25, 8);
    expect(nelderMead(([x]) => x! * x!, [9], [1], 1e-12, 10).converged).toBe(false);
  });
});

const file = testData === null ? '' : join(testData, 'crypto/crypto_close_daily_2017_2024.csv.gz');
const absent = !existsSync(file);

describe.skipIf(absent)(`real returns${absent ? ' (skipped: no PLIMSOLL_TEST_DATA)' : ''}`, () => {
  it('of BTC reach the likelihood that scipy reaches', async () => {
    const history = await readHistory(readFileSync(file));
    expect(historyColumn(history, 'BTC:spot').values).toHaveLength(2610);
    expectOptimum(logChanges(history, ['BTC:spot'], 1), fixture.bitcoin);
  });
});
