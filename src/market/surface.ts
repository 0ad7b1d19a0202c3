/**
 * The volatility surface of one underlying: a smile for each expiry (`slice.ts`), as quoted or as SVI slices fitted to the quotes
 * (`sviSurface.ts`). Between two expiries: total variance linear in time at the same k = ln(K/F). Never extrapolated in time.
 */
import { log } from '../numerics.ts';
import { readInstant, yearFraction } from './instruments.ts';
import { compileSlice, strikeVolatility, totalVarianceAt, type VolatilitySlice } from './slice.ts';
import type { SurfaceSliceRecord } from './snapshot.ts';
import { fitSlices } from './sviSurface.ts';

export {
  moneynessVolatility,
  monotoneSlopes,
  totalVarianceAt,
  type VolatilitySlice,
} from './slice.ts';

/** Slices that have not expired, by expiry. Structured-clonable. */
export interface VolatilitySurface {
  readonly slices: readonly VolatilitySlice[];
}

/** `quotes`: every quote is met, and so is every arbitrage between quotes. `svi`: fitted slices without one. */
export const SURFACE_MODELS = ['quotes', 'svi'] as const;
export type SurfaceModel = (typeof SURFACE_MODELS)[number];

/**
 * Builds the slices of one underlying; those that expired at or before `asOfMs` are left out. Expects quotes that `readSnapshot` checked.
 * @param forwards forward price by expiry in ms; a slice without one has no smile by moneyness, and no SVI
 */
export function compileSurface(
  records: readonly SurfaceSliceRecord[],
  forwards: ReadonlyMap<number, number>,
  asOfMs: number,
  model: SurfaceModel = 'quotes',
): VolatilitySurface {
  const slices: VolatilitySlice[] = [];
  for (const record of records) {
    const expiryMs = readInstant(record.expiry, 'expiry');
    if (!(expiryMs > asOfMs)) continue;
    const forward = forwards.get(expiryMs) ?? Number.NaN;
    slices.push(compileSlice(record, expiryMs, yearFraction(asOfMs, expiryMs), forward));
  }
  slices.sort((a, b) => a.expiryMs - b.expiryMs);
  return { slices: model === 'quotes' ? slices : fitSlices(slices).slices };
}

/**
 * Implied volatility of one strike, annual: of quotes the quote itself where the expiry quotes the strike; NaN where the surface has none,
 * which is outside the first and last quoted expiry, or where a forward that it needs is missing.
 */
export function volatilityAt(
  surface: VolatilitySurface,
  at: {
    readonly expiryMs: number;
    readonly maturity: number;
    readonly strike: number;
    readonly forward: number;
  },
): number {
  const { slices } = surface;
  const after = slices.findIndex((slice) => slice.expiryMs >= at.expiryMs);
  if (after === -1) return Number.NaN;
  const late = slices[after]!;
  if (late.expiryMs === at.expiryMs) return strikeVolatility(late, at.strike, at.forward);
  const early = slices[after - 1];
  if (early === undefined) return Number.NaN;
  const k = log(at.strike / at.forward);
  const share = (at.maturity - early.maturity) / (late.maturity - early.maturity);
  const w0 = totalVarianceAt(early, k);
  const w1 = totalVarianceAt(late, k);
  return Math.sqrt((w0 + (w1 - w0) * share) / at.maturity);
}
