import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compileSurface,
  moneynessVolatility,
  monotoneSlopes,
  totalVarianceAt,
  type VolatilitySlice,
  type VolatilitySurface,
  volatilityAt,
} from '../../src/market/surface.ts';
import fixture from '../fixtures/marketSurface.json' with { type: 'json' };

const DAY = 86_400_000;
const AS_OF = Date.UTC(2025, 11, 30, 8);

interface Quoted {
  readonly days: number;
  readonly forward: number;
  readonly quotes: readonly (readonly number[])[];
}

function surfaceOf(slices: readonly Quoted[]): VolatilitySurface {
  const forwards = new Map(slices.map((slice) => [AS_OF + slice.days * DAY, slice.forward]));
  const records = slices.map((slice) => ({
    expiry: new Date(AS_OF + slice.days * DAY).toISOString(),
    quotes: slice.quotes.map(([strike, iv]) => ({ strike: strike!, iv: iv! })),
  }));
  return compileSurface(records, forwards, AS_OF);
}

const at = (days: number, strike: number, forward: number) => ({
  expiryMs: AS_OF + days * DAY,
  maturity: days / 365,
  strike,
  forward,
});

/**
 * What rounding can do to σ: w carries some 16 roundings of values up to its own size, k up to 4 units of 2⁻⁵³·(1 + |k|) from a division and
 * a logarithm, which the slope turns into w; then dσ = dw / (2σT).
 */
function tolerance(sigma: number, maturity: number, wMax: number, slopeMax: number): number {
  const dw = Number.EPSILON * (16 * wMax + 8 * slopeMax);
  return dw / (2 * sigma * maturity) + 2 * Number.EPSILON * sigma;
}

describe('one expiry', () => {
  it.each(fixture.slices)('$name equals Fritsch–Carlson in 50 digits', (slice) => {
    const surface = surfaceOf([slice]);
    const maturity = slice.days / 365;
    const wMax = Math.max(...slice.quotes.map(([, iv]) => iv! * iv! * maturity));
    for (const [strike, sigma] of slice.points) {
      const got = volatilityAt(surface, at(slice.days, strike!, slice.forward));
      const limit = tolerance(sigma!, maturity, wMax, slice.slopeMax);
      expect(Math.abs(got - sigma!), `strike ${strike}: ${got} for ${sigma}`).toBeLessThan(limit);
    }
  });

  it.each(fixture.slices)('$name returns a quote for its own strike, to the bit', (slice) => {
    const surface = surfaceOf([slice]);
    for (const [strike, iv] of slice.quotes) {
      expect(volatilityAt(surface, at(slice.days, strike!, slice.forward))).toBe(iv);
    }
  });

  it('is flat beyond the last quotes, to the bit', () => {
    const slice = fixture.slices[0]!;
    const surface = surfaceOf([slice]);
    expect(volatilityAt(surface, at(slice.days, 1, slice.forward))).toBe(0.62);
    expect(volatilityAt(surface, at(slice.days, 1e9, slice.forward))).toBe(0.6);
  });

  it('reproduces a parabola, whose three-point differences are exact', () => {
    // w = (1 + k)² rises on k > −1, with neighbouring secants within a factor 3: nothing is drawn back.
    const x = Float64Array.from([0, 0.1, 0.25, 0.45, 0.5, 0.8]);
    const y = x.map((k) => (1 + k) * (1 + k));
    const slopes = monotoneSlopes(x, y);
    x.forEach((k, i) => {
      // Each secant is off by some 2 ulp(y)/h ≤ 4·2.2e-16/0.05 = 2e-14; the three-point formula at most triples it.
      expect(Math.abs(slopes[i]! - 2 * (1 + k))).toBeLessThan(6e-14);
    });
  });

  it('takes quotes in any order, and a strike quoted twice alike', () => {
    const slice = fixture.slices[0]!;
    const shuffled = { ...slice, quotes: [...slice.quotes, slice.quotes[2]!].reverse() };
    expect(surfaceOf([shuffled])).toEqual(surfaceOf([slice]));
  });

  it('reads a smile by moneyness as by strike', () => {
    const slice = fixture.slices[0]!;
    const surface = surfaceOf([slice]);
    const k = surface.slices[0]!.logMoneyness[2]!;
    // One square, one square root: two roundings.
    expect(Math.abs(moneynessVolatility(surface.slices[0]!, k) - 0.48)).toBeLessThan(2.3e-16);
  });
});

describe('monotonicity', () => {
  const step = fc.double({ min: 1e-6, max: 1e3, noNaN: true });
  const rises = fc.array(fc.tuple(step, fc.oneof(fc.constant(0), step)), {
    minLength: 2,
    maxLength: 12,
  });

  it('holds wherever the quotes are monotone, and no value leaves its own two knots', () => {
    fc.assert(
      fc.property(rises, fc.boolean(), (steps, falling) => {
        let [x, y] = [-3, 1];
        const knots = [[x, y]];
        for (const [dx, dy] of steps) {
          x += dx;
          y += dy;
          knots.push([x, y]);
        }
        const xs = Float64Array.from(knots, ([v]) => v!);
        const ys = Float64Array.from(knots, ([, v]) => (falling ? 2 * y - v! : v!));
        const slice = rawSlice(xs, ys);
        let before = ys[0]!;
        for (let i = 0; i + 1 < xs.length; i++) {
          for (let n = 0; n <= 40; n++) {
            const w = totalVarianceAt(slice, xs[i]! + ((xs[i + 1]! - xs[i]!) * n) / 40);
            // A cubic's value has a few roundings of its larger knot: 8 ulp.
            const slack = 8 * Number.EPSILON * Math.max(ys[i]!, ys[i + 1]!);
            const ordered = falling ? w <= before + slack : w >= before - slack;
            if (!ordered) return false;
            before = w;
          }
        }
        return true;
      }),
      { numRuns: 2_000, seed: 1980 },
    );
  });

  function rawSlice(x: Float64Array, y: Float64Array): VolatilitySlice {
    return {
      expiryMs: 1,
      maturity: 1,
      strikes: x,
      volatilities: y,
      logMoneyness: x,
      totalVariances: y,
      slopes: monotoneSlopes(x, y),
    };
  }

  it('gives slopes inside the disc of radius 3 and none at an extremum', () => {
    const x = Float64Array.from([0, 1, 2, 3, 4]);
    const y = Float64Array.from([1, 0, 0.001, 10, 10]);
    const slopes = monotoneSlopes(x, y);
    expect(slopes[1]).toBe(0);
    expect(slopes[3]).toBe(0);
    expect(slopes[4]).toBe(0);
    for (let i = 0; i < 4; i++) {
      const secant = y[i + 1]! - y[i]!;
      if (secant === 0) continue;
      // The projection rounds three times.
      const radius = Math.hypot(slopes[i]! / secant, slopes[i + 1]! / secant);
      expect(radius).toBeLessThanOrEqual(3 * (1 + 4 * Number.EPSILON));
    }
  });
});

describe('across expiries', () => {
  const slices = [fixture.slices[1]!, fixture.slices[0]!];
  const { days, forward, points } = fixture.between;

  it('is linear in total variance at the same moneyness', () => {
    const surface = surfaceOf(slices);
    const maturity = days / 365;
    const slopeMax = Math.max(...slices.map((slice) => slice.slopeMax));
    for (const [strike, sigma] of points) {
      const got = volatilityAt(surface, at(days, strike!, forward));
      expect(Math.abs(got - sigma!)).toBeLessThan(tolerance(sigma!, maturity, 0.1, slopeMax));
    }
  });

  it('is never extrapolated', () => {
    const surface = surfaceOf(slices);
    expect(volatilityAt(surface, at(1, 88_000, 88_500))).toBeNaN();
    expect(volatilityAt(surface, at(88, 88_000, 88_500))).toBeNaN();
    expect(volatilityAt({ slices: [] }, at(5, 88_000, 88_500))).toBeNaN();
  });

  it('needs the forwards of both neighbours', () => {
    const records = slices.map((slice) => ({
      expiry: new Date(AS_OF + slice.days * DAY).toISOString(),
      quotes: slice.quotes.map(([strike, iv]) => ({ strike: strike!, iv: iv! })),
    }));
    const surface = compileSurface(records, new Map([[AS_OF + 2 * DAY, 88_600.5]]), AS_OF);
    expect(volatilityAt(surface, at(31, 88_000, 88_950))).toBeNaN();
    expect(volatilityAt(surface, at(2, 87_000, 88_600.5))).toBeGreaterThan(0.36);
  });

  it('ignores slices that have expired', () => {
    const expired = { days: -1, forward: 88_000, quotes: [[88_000, 0.9]] };
    const expiring = { days: 0, forward: 88_000, quotes: [[88_000, 0.9]] };
    expect(surfaceOf([expired, expiring, ...slices])).toEqual(surfaceOf(slices));
  });

  it('crosses to a worker unchanged', () => {
    const surface = surfaceOf(slices);
    expect(structuredClone(surface)).toEqual(surface);
  });
});
