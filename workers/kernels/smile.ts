// A smile that moves with the forward: total volatilities of one strike where each scenario's moneyness reads them.
//
// A table (src/market/sliceTable.ts lays it out) holds one or two parts, whose total variances add up with their weights: one where the
// expiry is quoted, two where it stands between two that are. All entries are f64:
//     number of parts, then for each
//     1, weight, a, b, ρ, m, σ                                 an SVI slice in Gatheral's raw form
//     0, weight, count, k[count], w[count], dw/dk[count]       the monotone cubic through quotes, flat beyond them

const SVI: f64 = 1;

/** out += weight · w(k), or = where `first`; k = −(logMove + logMoneyness0). */
function addSvi(part: usize, n: i32, logMove: usize, logMoneyness0: f64, out: usize, first: bool): void {
  const weight = f64x2.splat(f64.load(part, 8));
  const a = f64x2.splat(f64.load(part, 16));
  const b = f64x2.splat(f64.load(part, 24));
  const rho = f64x2.splat(f64.load(part, 32));
  const m = f64x2.splat(f64.load(part, 40));
  const sigma = f64.load(part, 48);
  const square = f64x2.splat(sigma * sigma);
  const moneyness = f64x2.splat(logMoneyness0);
  const end = <usize>n << 3;
  for (let i: usize = 0; i < end; i += 16) {
    const k = f64x2.neg(f64x2.add(v128.load(logMove + i), moneyness));
    const x = f64x2.sub(k, m);
    const root = f64x2.sqrt(f64x2.add(f64x2.mul(x, x), square));
    const w = f64x2.add(a, f64x2.mul(b, f64x2.add(f64x2.mul(rho, x), root)));
    const share = f64x2.mul(weight, w);
    v128.store(out + i, first ? share : f64x2.add(v128.load(out + i), share));
  }
}

/** w(k) of the cubic: the operations of `totalVarianceAt` in src/market/slice.ts, in the same order. */
// @ts-ignore: decorator
@inline
function cubic(k: f64, knots: usize, values: usize, slopes: usize, last: usize): f64 {
  if (k <= f64.load(knots)) return f64.load(values);
  if (k >= f64.load(knots + last)) return f64.load(values + last);
  let low: usize = 0;
  let high = last >> 3;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (f64.load(knots + (middle << 3)) <= k) low = middle;
    else high = middle;
  }
  low <<= 3;
  const start = f64.load(knots + low);
  const w0 = f64.load(values + low);
  const w1 = f64.load(values + low, 8);
  const h = f64.load(knots + low, 8) - start;
  const t = (k - start) / h;
  const u = 1 - t;
  const rise = t * t * (3 - 2 * t) * (w1 - w0);
  const bend = h * t * u * (u * f64.load(slopes + low) - t * f64.load(slopes + low, 8));
  return max(min(w0, w1), min(max(w0, w1), w0 + rise + bend));
}

function addQuotes(part: usize, n: i32, logMove: usize, logMoneyness0: f64, out: usize, first: bool): void {
  const weight = f64.load(part, 8);
  const count = <usize>f64.load(part, 16);
  const knots = part + 24;
  const values = knots + (count << 3);
  const slopes = values + (count << 3);
  const last = (count - 1) << 3;
  const end = <usize>n << 3;
  for (let i: usize = 0; i < end; i += 8) {
    const share = weight * cubic(-(f64.load(logMove + i) + logMoneyness0), knots, values, slopes, last);
    f64.store(out + i, first ? share : f64.load(out + i) + share);
  }
}

// @ts-ignore: decorator
@inline
function bytesOf(part: usize): usize {
  return f64.load(part) == SVI ? 56 : 24 + 24 * <usize>f64.load(part, 16);
}

/**
 * What optionRows takes as `up` and `down`, for v0 = 1: the total volatility v = scale · √w(ln(K/F₁)) times up, and down over it. `up` and
 * `down` may both be 0 (held still). n even; outputs apart from inputs. logMoneyness0 = ln(F₀/K).
 */
export function sliceVolatilities(
  table: usize, n: i32, logMove: usize, logMoneyness0: f64, scale0: f64, up: usize, down: usize, upOut: usize, downOut: usize,
): void {
  const parts = <i32>f64.load(table);
  let part = table + 8;
  for (let p = 0; p < parts; p++) {
    if (f64.load(part) == SVI) addSvi(part, n, logMove, logMoneyness0, upOut, p == 0);
    else addQuotes(part, n, logMove, logMoneyness0, upOut, p == 0);
    part += bytesOf(part);
  }
  const scale = f64x2.splat(scale0);
  const one = f64x2.splat(1);
  const end = <usize>n << 3;
  for (let i: usize = 0; i < end; i += 16) {
    const v = f64x2.mul(scale, f64x2.sqrt(v128.load(upOut + i)));
    v128.store(upOut + i, up ? f64x2.mul(v, v128.load(up + i)) : v);
    v128.store(downOut + i, f64x2.div(down ? v128.load(down + i) : one, v));
  }
}
