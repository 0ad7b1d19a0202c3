/**
 * One expiry's smile. Between quotes: total variance w = σ²T as a monotone-preserving cubic of k = ln(K/F) (F. N. Fritsch, R. E. Carlson,
 * "Monotone piecewise cubic interpolation", SIAM J. Numer. Anal. 17, 1980, 238–246), flat volatility beyond the last. Or an SVI slice.
 */
import { log } from '../numerics.ts';
import type { SurfaceSliceRecord } from './snapshot.ts';
import { type SviParameters, sviTotalVariance } from './svi.ts';

/**
 * The smile of one expiry: its quotes by strike (the five arrays have one entry for each), and the SVI slice fitted to them where the surface
 * is one of SVI slices. `svi` decides what the smile is: where it stands it is read everywhere, and the quotes are only what it was fitted to.
 */
export interface VolatilitySlice {
  readonly expiryMs: number;
  /** ACT/365F years from the underlying's asOf, > 0. */
  readonly maturity: number;
  readonly strikes: Float64Array;
  readonly volatilities: Float64Array;
  /** k = ln(K/F), ascending; NaN throughout where the expiry has no forward. */
  readonly logMoneyness: Float64Array;
  /** w = σ²T. */
  readonly totalVariances: Float64Array;
  /** dw/dk of the cubic. */
  readonly slopes: Float64Array;
  readonly svi?: SviParameters;
}

/** The quotes of one expiry that `readSnapshot` checked, with the cubic through them. */
export function compileSlice(
  record: SurfaceSliceRecord,
  expiryMs: number,
  maturity: number,
  forward: number,
): VolatilitySlice {
  const quotes = record.quotes.toSorted((a, b) => a.strike - b.strike);
  // The same strike quoted twice says the same (readSnapshot refused the rest): one of them is enough.
  const unique = quotes.filter((quote, i) => quote.strike !== quotes[i - 1]?.strike);
  const strikes = Float64Array.from(unique, (quote) => quote.strike);
  const volatilities = Float64Array.from(unique, (quote) => quote.iv);
  const logMoneyness = strikes.map((strike) => log(strike / forward));
  const totalVariances = volatilities.map((iv) => iv * iv * maturity);
  const slopes = monotoneSlopes(logMoneyness, totalVariances);
  return { expiryMs, maturity, strikes, volatilities, logMoneyness, totalVariances, slopes };
}

/**
 * Slopes at the knots of a monotone-preserving cubic (Fritsch–Carlson 1980): three-point differences, none at a local extremum or
 * beside a flat piece, then on each piece drawn back along (α, β) = (slopes)/secant to the disc of radius 3, which lies inside the
 * paper's region of monotonicity. Drawing a slope back on the next piece only shrinks α or β of the one before.
 * @param x ascending, @param y as many values
 */
export function monotoneSlopes(x: Float64Array, y: Float64Array): Float64Array {
  const n = x.length;
  const slopes = new Float64Array(n);
  if (n < 2) return slopes;
  const width = new Float64Array(n - 1);
  const secant = new Float64Array(n - 1);
  for (let i = 0; i < n - 1; i++) {
    width[i] = x[i + 1]! - x[i]!;
    secant[i] = (y[i + 1]! - y[i]!) / width[i]!;
  }
  if (n === 2) return slopes.fill(secant[0]!);
  for (let i = 1; i < n - 1; i++) {
    const [h0, h1, d0, d1] = [width[i - 1]!, width[i]!, secant[i - 1]!, secant[i]!];
    slopes[i] = d0 * d1 > 0 ? (h1 * d0 + h0 * d1) / (h0 + h1) : 0;
  }
  slopes[0] = endSlope(width[0]!, width[1]!, secant[0]!, secant[1]!);
  slopes[n - 1] = endSlope(width[n - 2]!, width[n - 3]!, secant[n - 2]!, secant[n - 3]!);
  for (let i = 0; i < n - 1; i++) {
    if (secant[i] === 0) {
      slopes[i] = 0;
      slopes[i + 1] = 0;
      continue;
    }
    const alpha = slopes[i]! / secant[i]!;
    const beta = slopes[i + 1]! / secant[i]!;
    const square = alpha * alpha + beta * beta;
    if (square > 9) {
      const shrink = 3 / Math.sqrt(square);
      slopes[i] = shrink * alpha * secant[i]!;
      slopes[i + 1] = shrink * beta * secant[i]!;
    }
  }
  return slopes;
}

/** The one-sided three-point difference at an end; 0 where it would point against the first piece. */
function endSlope(h0: number, h1: number, d0: number, d1: number): number {
  const slope = ((2 * h0 + h1) * d0 - h0 * d1) / (h0 + h1);
  return slope * d0 > 0 ? slope : 0;
}

/** Of one slice, at a strike. The flat ends of quotes need no forward and no arithmetic. */
export function strikeVolatility(slice: VolatilitySlice, strike: number, forward: number): number {
  const { strikes, volatilities, svi, maturity } = slice;
  if (svi !== undefined) return Math.sqrt(sviTotalVariance(svi, log(strike / forward)) / maturity);
  const last = strikes.length - 1;
  if (strike <= strikes[0]!) return volatilities[0]!;
  if (strike >= strikes[last]!) return volatilities[last]!;
  const i = pieceOf(strikes, strike);
  if (strikes[i] === strike) return volatilities[i]!;
  return Math.sqrt(cubicAt(slice, i, log(strike / forward)) / maturity);
}

/** Volatility of one expiry at log-moneyness k = ln(K/F), for smile rules that move with the forward; NaN without a forward. */
export function moneynessVolatility(slice: VolatilitySlice, k: number): number {
  return Math.sqrt(totalVarianceAt(slice, k) / slice.maturity);
}

/** w(k) of one slice: SVI where it is fitted; else the cubic between the quotes, the last quote's volatility beyond them. */
export function totalVarianceAt(slice: VolatilitySlice, k: number): number {
  return slice.svi === undefined ? quotedVarianceAt(slice, k) : sviTotalVariance(slice.svi, k);
}

/** w(k) of the quotes themselves, whatever was fitted to them; NaN without a forward. */
export function quotedVarianceAt(slice: VolatilitySlice, k: number): number {
  const { logMoneyness, totalVariances } = slice;
  const last = logMoneyness.length - 1;
  if (k <= logMoneyness[0]!) return totalVariances[0]!;
  if (k >= logMoneyness[last]!) return totalVariances[last]!;
  // NaN, of k or of a slice without a forward, fails both comparisons above and must not be searched for.
  if (!(k > logMoneyness[0]!)) return Number.NaN;
  return cubicAt(slice, pieceOf(logMoneyness, k), k);
}

/** The i with knots[i] ≤ x < knots[i + 1]. */
function pieceOf(knots: Float64Array, x: number): number {
  let low = 0;
  let high = knots.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (knots[middle]! <= x) low = middle;
    else high = middle;
  }
  return low;
}

/** The Hermite cubic of one piece, held between its two knots' values so that rounding cannot break monotonicity. */
function cubicAt(slice: VolatilitySlice, i: number, k: number): number {
  const { logMoneyness, totalVariances, slopes } = slice;
  const w0 = totalVariances[i]!;
  const w1 = totalVariances[i + 1]!;
  const h = logMoneyness[i + 1]! - logMoneyness[i]!;
  const t = (k - logMoneyness[i]!) / h;
  const u = 1 - t;
  const rise = t * t * (3 - 2 * t) * (w1 - w0);
  const bend = h * t * u * (u * slopes[i]! - t * slopes[i + 1]!);
  const w = w0 + rise + bend;
  return Math.max(Math.min(w0, w1), Math.min(Math.max(w0, w1), w));
}
