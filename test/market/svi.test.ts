import { describe, expect, it } from 'vitest';
import { moneynessVolatility, volatilityAt } from '../../src/market/surface.ts';
import {
  type SviParameters,
  sviDensityFactor,
  sviTotalVariance,
  sviWingSlopes,
} from '../../src/market/svi.ts';
import { arbitrageOf, quoteArbitrage } from '../../src/market/sviChecks.ts';
import { nearestRising } from '../../src/market/sviSurface.ts';
import fixture from '../fixtures/svi.json' with { type: 'json' };
import { AS_OF, DAY, smileOf, surfaceOf } from './sviChains.ts';

describe('an SVI slice against high precision', () => {
  it.each(fixture.slices)('$name: total variance', ({ parameters, points }) => {
    for (const [k, w] of points) {
      const { a, b, sigma } = parameters;
      // Some six roundings of the terms, which can be larger than their sum.
      const limit = 8 * 2 ** -53 * (Math.abs(a) + 2 * b * (Math.abs(k!) + 1 + sigma));
      expect(Math.abs(sviTotalVariance(parameters, k!) - w!)).toBeLessThanOrEqual(limit);
    }
  });

  it.each(fixture.slices)('$name: g is the density of the call prices', ({
    parameters,
    points,
  }) => {
    for (const [k, w, g] of points) {
      // g is made of ratios to w; w's own error, relative, enters (k w'/2w)² twice and w'²/4w once. All terms are below (1 + |k|)²/w here.
      const error = (8 * 2 ** -53 * (Math.abs(parameters.a) + 6 * parameters.b)) / w!;
      const limit = 1e-14 + error * (1 + Math.abs(k!)) ** 2 * (1 + 1 / w!);
      expect(Math.abs(sviDensityFactor(parameters, k!) - g!), `k ${k}`).toBeLessThanOrEqual(limit);
    }
  });

  it('wings grow as b(1 ∓ ρ)', () => {
    for (const { parameters } of fixture.slices) {
      const { left, right } = sviWingSlopes(parameters);
      const slope = (from: number, to: number): number =>
        (sviTotalVariance(parameters, to) - sviTotalVariance(parameters, from)) / (to - from);
      // √(x²+σ²) differs from |x| by σ²/2x, so its slope by σ²/2x² < 1e-11 at 1e6; a difference of values of 1e6 carries 1e-16.
      expect(Math.abs(slope(1e6, 2e6) - right)).toBeLessThan(1e-11);
      expect(Math.abs(slope(-1e6, -2e6) + left)).toBeLessThan(1e-11);
    }
  });
});

describe('arbitrage', () => {
  const month = fixture.slices[0]!.parameters;

  it("finds the butterfly in Vogt's slice, and none in the repaired one", () => {
    const range = [-1, 1.5] as const;
    const vogt = arbitrageOf(fixture.vogt.arbitrage, null, range);
    expect(vogt.violations).toEqual({ butterfly: 1, calendar: 0 });
    const lowest = Math.min(...fixture.slices.at(-1)!.points.map(([, , g]) => g!));
    expect(vogt.minimumG).toBeLessThanOrEqual(lowest + 1e-12);
    const repaired = arbitrageOf(fixture.vogt.repaired, null, range);
    expect(repaired.violations.butterfly).toBe(0);
    expect(repaired.minimumG).toBeGreaterThan(0);
    // The fixture looked at a net of 0.02, whose minimum is at most g''·0.01²/2 ≈ 1e-3 above the true one.
    expect(Math.abs(repaired.minimumG - fixture.vogt.leastG)).toBeLessThan(1e-3);
  });

  it('finds slices that cross, also far out and in the limit', () => {
    const higher = { ...month, a: month.a + 0.01 };
    const range = [-0.3, 0.3] as const;
    expect(arbitrageOf(higher, month, range).violations.calendar).toBe(0);
    // Both far parts of the gap are rounded differences of values near 1e4.
    expect(Math.abs(arbitrageOf(higher, month, range).calendarGap! - 0.01)).toBeLessThan(1e-11);
    expect(arbitrageOf(month, higher, range).violations.calendar).toBeGreaterThan(0);
    const shallow = { ...higher, b: month.b * 0.999 };
    expect(arbitrageOf(shallow, month, range).violations.calendar).toBeGreaterThanOrEqual(2);
  });

  it('a wing steeper than 2 is one', () => {
    const steep: SviParameters = { a: 0.1, b: 1.2, rho: 0.8, m: 0, sigma: 1 };
    expect(arbitrageOf(steep, null, [-1, 1]).violations.butterfly).toBeGreaterThanOrEqual(1);
  });

  it('counts strikes whose calls are not convex, and expiries that fall', () => {
    const smile = smileOf(month, 30 / 365, [-0.3, 0.3, 61]);
    const clean = surfaceOf([{ days: 30, forward: 90_000, smile }], 'quotes').slices[0]!;
    expect(quoteArbitrage(clean, null)).toEqual({ butterfly: 0, calendar: 0 });
    // A strike raised by two volatility points makes its price stand out: the calls are concave there and nowhere else.
    const bumped = smile.map(([k, iv], i) => [k, i === 38 ? iv + 0.02 : iv] as const);
    const spoiled = surfaceOf([{ days: 30, forward: 90_000, smile: bumped }], 'quotes').slices[0]!;
    expect(quoteArbitrage(spoiled, null)).toEqual({ butterfly: 1, calendar: 0 });
    // Later at the same total variance times 0.9: every strike falls.
    const fallen = smile.map(([k, iv]) => [k, iv * Math.sqrt(0.9 * (30 / 40))] as const);
    const later = surfaceOf([{ days: 40, forward: 91_000, smile: fallen }], 'quotes').slices[0]!;
    expect(quoteArbitrage(later, clean).calendar).toBe(61);
    expect(quoteArbitrage(clean, later).calendar).toBe(0);
  });

  it('a call dearer than the forward less its strike allows is one too', () => {
    // A put of 1e-6 that falls to 1e-9 at a higher strike: concave at the lower strike, against the strike of 0.
    const smile = [
      [-0.4, 0.9],
      [-0.3, 0.4],
      [0, 0.4],
    ] as const;
    const slice = surfaceOf([{ days: 20, forward: 100, smile }], 'quotes').slices[0]!;
    expect(quoteArbitrage(slice, null).butterfly).toBe(1);
  });
});

describe('the nearest rising sequence', () => {
  it('pools neighbours that fall (Ayer et al. 1955)', () => {
    const even = [1, 1, 1, 1, 1];
    expect(nearestRising([1, 2, 3], even)).toEqual([1, 2, 3]);
    expect(nearestRising([3, 1, 2, 4], even)).toEqual([2, 2, 2, 4]);
    expect(nearestRising([1, 5, 3, 1, 7], even)).toEqual([1, 3, 3, 3, 7]);
    expect(nearestRising([3, 1], [3, 1])).toEqual([2.5, 2.5]);
    expect(nearestRising([2, 0, 3, 1, 9], [1, 0, 0, 1, 0])).toEqual([1.5, 1.5, 1.5, 1.5, 9]);
    expect(nearestRising([2, 0], [0, 0])).toEqual([2, 2]);
    expect(nearestRising([], [])).toEqual([]);
  });
});

describe('a surface of SVI slices', () => {
  const month = fixture.slices[0]!.parameters;
  const quoted = [30, 60].map((days) => ({
    days,
    forward: 90_000,
    smile: smileOf({ ...month, a: month.a + (days - 30) * 4e-4 }, days / 365, [-0.4, 0.4, 21]),
  }));
  const surface = surfaceOf(quoted, 'svi');
  const at = (days: number, k: number) => ({
    expiryMs: AS_OF + days * DAY,
    maturity: days / 365,
    strike: 90_000 * Math.exp(k),
    forward: 90_000,
  });

  it('reads each slice by its formula, beyond the quotes too', () => {
    for (const slice of surface.slices) {
      for (const k of [-1.5, -0.31, 0, 0.17, 2]) {
        const sigma = Math.sqrt(sviTotalVariance(slice.svi!, k) / slice.maturity);
        const days = Math.round(slice.maturity * 365);
        // ln(K/F) of a rounded strike is off by 2.2e-16, of σ a few.
        expect(Math.abs(volatilityAt(surface, at(days, k)) - sigma)).toBeLessThan(2e-15);
        expect(moneynessVolatility(slice, k)).toBe(sigma);
      }
    }
  });

  it('is linear in total variance between expiries and never extrapolated', () => {
    const [early, late] = surface.slices;
    for (const k of [-0.6, 0, 0.3]) {
      const w = (sviTotalVariance(early!.svi!, k) + sviTotalVariance(late!.svi!, k)) / 2;
      const sigma = volatilityAt(surface, at(45, k));
      expect(Math.abs(sigma - Math.sqrt(w / (45 / 365)))).toBeLessThan(4e-15);
    }
    expect(volatilityAt(surface, at(29, 0))).toBeNaN();
    expect(volatilityAt(surface, at(61, 0))).toBeNaN();
  });

  it('keeps its quotes beside it, and crosses to a worker unchanged', () => {
    const quotes = surfaceOf(quoted, 'quotes');
    surface.slices.forEach(({ svi, ...rest }, i) => {
      expect(svi).toBeDefined();
      expect(rest).toEqual(quotes.slices[i]);
    });
    expect(structuredClone(surface)).toEqual(surface);
  });
});
