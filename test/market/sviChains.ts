/** What tests of fitted slices share: quotes from chosen volatilities, and a judgement on arbitrage that is not the fit's own. */
import {
  compileSurface,
  type SurfaceModel,
  type VolatilitySlice,
  type VolatilitySurface,
} from '../../src/market/surface.ts';
import { type SviParameters, sviTotalVariance } from '../../src/market/svi.ts';
import { textbookBlack76 } from '../reference/black76.ts';

export const DAY = 86_400_000;
export const AS_OF = Date.UTC(2026, 0, 2, 8);

export interface Quoted {
  readonly days: number;
  readonly forward: number;
  /** [k, σ]. */
  readonly smile: readonly (readonly [number, number])[];
}

export function surfaceOf(slices: readonly Quoted[], model: SurfaceModel): VolatilitySurface {
  const forwards = new Map(slices.map(({ days, forward }) => [AS_OF + days * DAY, forward]));
  const records = slices.map(({ days, forward, smile }) => ({
    expiry: new Date(AS_OF + days * DAY).toISOString(),
    quotes: smile.map(([k, iv]) => ({ strike: forward * Math.exp(k), iv })),
  }));
  return compileSurface(records, forwards, AS_OF, model);
}

/** [k, σ] of an SVI slice at n points from `from` to `to`. */
export function smileOf(
  slice: SviParameters,
  maturity: number,
  [from, to, n]: readonly [number, number, number],
): [number, number][] {
  return Array.from({ length: n }, (_, i) => {
    const k = from + ((to - from) * i) / (n - 1);
    return [k, Math.sqrt(sviTotalVariance(slice, k) / maturity)];
  });
}

/** Raw SVI as printed. */
const variance = ({ a, b, rho, m, sigma }: SviParameters, k: number): number =>
  a + b * (rho * (k - m) + Math.sqrt((k - m) ** 2 + sigma ** 2));

/**
 * Places where the out-of-the-money prices on a slice are not convex in the strike: F = 1, strikes e^k, 4,001 of them from e^−4 to e^4 and
 * a finer net of as many within ten widths of the smile. Puts below the forward, calls above; at the forward parity makes them one.
 */
export function concavePlaces(slice: SviParameters): number {
  const width = Math.sqrt(variance(slice, 0));
  return [4, Math.min(4, 10 * width)].reduce((sum, reach) => sum + concaveWithin(slice, reach), 0);
}

function concaveWithin(slice: SviParameters, reach: number): number {
  const step = reach / 2000;
  let count = 0;
  for (let i = -2000; i <= 2000; i++) {
    const k = i * step;
    const right = k < 0 ? -1 : 1;
    const strikes = [Math.exp(k - step), Math.exp(k), Math.exp(k + step)] as const;
    const [below, here, above] = strikes.map((strike, j) =>
      textbookBlack76(1, strike, Math.sqrt(variance(slice, k + (j - 1) * step)), right),
    ) as [number, number, number];
    const bend =
      (above - here) / (strikes[2] - strikes[1]) - (here - below) / (strikes[1] - strikes[0]);
    // Prices carry a few 2.2e-16 of the larger of 1 and the strike.
    const noise = (2e-15 * Math.max(1, strikes[2])) / (strikes[1] - strikes[0]);
    if (bend < -noise) count++;
  }
  return count;
}

/** Places out to |k| = 50 where a later slice is below an earlier one. */
export function fallingPlaces(earlier: SviParameters, later: SviParameters): number {
  let count = 0;
  for (let i = -4000; i <= 4000; i++) {
    // Cubed: dense at the money.
    const k = 50 * (i / 4000) ** 3;
    // Each value carries a few roundings of its terms.
    const noise = 1e-15 * (Math.abs(later.a) + later.b * (Math.abs(k) + 1 + later.sigma));
    if (variance(later, k) < variance(earlier, k) - noise) count++;
  }
  return count;
}

/** Violations in a fitted surface, all slices. */
export function violationsOf(slices: readonly VolatilitySlice[]): {
  butterfly: number;
  calendar: number;
} {
  const fitted = slices.flatMap(({ svi }) => (svi === undefined ? [] : [svi]));
  return {
    butterfly: fitted.reduce((sum, slice) => sum + concavePlaces(slice), 0),
    calendar: fitted.reduce(
      (sum, slice, i) => sum + (i === 0 ? 0 : fallingPlaces(fitted[i - 1]!, slice)),
      0,
    ),
  };
}
