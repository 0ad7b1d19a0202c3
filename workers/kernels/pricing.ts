// Black-76 and the rows of the P&L cube.
//
// An out-of-the-money option is worth m·W, m = min(F, K), and the other side of the strike that plus |F − K|: a call and a put
// together cost what one does. With x = ln(F/K), h = |x|/v, u₁ = h − v/2, u₂ = h + v/2 and Mills' ratio M(u) = Φ(−u)/φ(u),
//     W = φ(u₁) (M(u₁) − M(u₂))            for u₁ ≥ 0
//     W = 1 − φ(u₁) (M(−u₁) + M(u₂))       for u₁ < 0
// as K φ(d₂) = F φ(d₁) (Black 1976; scaled error functions are Jäckel's way, "Let's be rational", 2015). With M = N/(uN + R),
//     M₁ ∓ M₂ = (v N₁N₂ + N₁R₂ ∓ N₂R₁) / (D₁D₂),  D = uN + R:
// one exponential, one division, and v, the difference of the u, enters exactly.
//
// Greatest errors against 50-digit arithmetic (test/fixtures/black76.py), |x| ≤ 3, 1e-4 ≤ v ≤ 6.7: 4.2e-15 of the forward,
// and 5.1e-11 relatively down to prices of 1e-10 of the forward. Beyond |u| = 35 something below 1e-266 of the forward stands for 0.
import { expV, logV } from './maths';

// Coefficients stand splatted in memory, see maths.ts.
// prettier-ignore
const TABLE: usize = memory.data<f64>([
  // 0…208: N and R without their leading 1, highest power first, side by side. Our fit (test/fixtures/maths.coefficients.py):
  // M's relative error is 3e-15 below u = 2, 2e-13 below 4, 2e-11 below 6, 1e-9 at most, as φ(u₁) M is what counts
  20.62158501424721, 20.62158501424721, 20.62134950264343, 20.62134950264343,
  202.50112733308922, 202.50112733308922, 200.5119570350177, 200.5119570350177,
  1212.789291169951, 1212.789291169951, 1171.3084886314366, 1171.3084886314366,
  4765.961019241404, 4765.961019241404, 4374.278492055365, 4374.278492055365,
  12326.792723754766, 12326.792723754766, 10074.39522658683, 10074.39522658683,
  19664.162363156604, 19664.162363156604, 12329.75769183157, 12329.75769183157,
  15453.059624847023, 15453.059624847023, 0.0, 0.0,
  // 224…384: 2^f/√(2π), |f| ≤ ½, lowest power first, relative error 2.1e-16 (same source)
  0.3989422804014327, 0.3989422804014327, 0.27652571686641, 0.27652571686641,
  0.09583651049912906, 0.09583651049912906, 0.022142935682247834, 0.022142935682247834,
  0.003837078359555187, 0.003837078359555187, 0.0005319320125614236, 0.0005319320125614236,
  6.145119368541855e-5, 6.145119368541855e-5, 6.084930183449199e-6, 6.084930183449199e-6,
  5.272286788371421e-7, 5.272286788371421e-7, 4.072622858292806e-8, 4.072622858292806e-8,
  2.8074569505040136e-9, 2.8074569505040136e-9,
  0.5, 0.5, // 400
  35.0, 35.0, // 416
  -0.7213475204444817, -0.7213475204444817, // 432: −log₂e / 2
  6755399441055744.0, 6755399441055744.0, // 448: 1.5·2⁵²: adding it rounds to an integer, which then stands in the low bits
  -0.0, -0.0, // 464: the sign bit
  1.0, 1.0, // 480
  70.0, 70.0, // 496: W is 1 from here on
]);

/** sum·u + the coefficient at `at`. */
// @ts-ignore: decorator
@inline
function step(sum: v128, u: v128, at: usize): v128 {
  return f64x2.add(f64x2.mul(sum, u), v128.load(TABLE + at));
}

/** N(u). */
// @ts-ignore: decorator
@inline
function numerator(u: v128): v128 {
  const three = step(step(f64x2.add(u, v128.load(TABLE, 0)), u, 32), u, 64);
  return step(step(step(step(three, u, 96), u, 128), u, 160), u, 192);
}

/** R(u). */
// @ts-ignore: decorator
@inline
function remainder(u: v128): v128 {
  const three = step(step(f64x2.add(u, v128.load(TABLE, 16)), u, 48), u, 80);
  return step(step(step(three, u, 112), u, 144), u, 176);
}

/** φ(u) = 2ⁿ · 2^f/√(2π) for |u| ≤ 35, where n, added to the exponent, stays above −1,000. */
// @ts-ignore: decorator
@inline
function density(u: v128): v128 {
  const power = f64x2.mul(f64x2.mul(u, u), v128.load(TABLE, 432));
  const shifted = f64x2.add(power, v128.load(TABLE, 448));
  const f = f64x2.sub(power, f64x2.sub(shifted, v128.load(TABLE, 448)));
  const f2 = f64x2.mul(f, f);
  const f4 = f64x2.mul(f2, f2);
  // Estrin's scheme: short chains, as latency is the limit here.
  const p01 = f64x2.add(v128.load(TABLE, 224), f64x2.mul(f, v128.load(TABLE, 240)));
  const p23 = f64x2.add(v128.load(TABLE, 256), f64x2.mul(f, v128.load(TABLE, 272)));
  const p45 = f64x2.add(v128.load(TABLE, 288), f64x2.mul(f, v128.load(TABLE, 304)));
  const p67 = f64x2.add(v128.load(TABLE, 320), f64x2.mul(f, v128.load(TABLE, 336)));
  const p89 = f64x2.add(v128.load(TABLE, 352), f64x2.mul(f, v128.load(TABLE, 368)));
  const high = f64x2.add(p89, f64x2.mul(f2, v128.load(TABLE, 384)));
  const middle = f64x2.add(p45, f64x2.mul(f2, p67));
  const low = f64x2.add(p01, f64x2.mul(f2, p23));
  const p = f64x2.add(low, f64x2.mul(f4, f64x2.add(middle, f64x2.mul(f4, high))));
  return i64x2.add(p, i64x2.shl(shifted, 52));
}

// @ts-ignore: decorator
@inline
function bound(u: v128): v128 {
  return f64x2.pmin(u, v128.load(TABLE, 416));
}

/** φ(u₁) (v N₁N₂ + N₁R₂ ∓ N₂R₁), the sign after that of u₁ (`inner`: u₁ < 0). */
// @ts-ignore: decorator
@inline
function above(phi: v128, v: v128, n1: v128, r1: v128, n2: v128, r2: v128, inner: v128): v128 {
  const sign = v128.and(inner, v128.load(TABLE, 464));
  const cross = f64x2.sub(f64x2.mul(n1, r2), v128.xor(f64x2.mul(n2, r1), sign));
  return f64x2.mul(phi, f64x2.add(f64x2.mul(v, f64x2.mul(n1, n2)), cross));
}

/** D₁D₂. */
// @ts-ignore: decorator
@inline
function below(a: v128, n1: v128, r1: v128, b: v128, n2: v128, r2: v128): v128 {
  return f64x2.mul(f64x2.add(f64x2.mul(n1, a), r1), f64x2.add(f64x2.mul(n2, b), r2));
}

/** W. Rounding alone could leave −1e-16 at the money for a tiny v; W ≤ v holds always, and makes v = 0 exact. */
// @ts-ignore: decorator
@inline
function ratio(top: v128, bottom: v128, v: v128, inner: v128): v128 {
  const sign = v128.and(inner, v128.load(TABLE, 464));
  const one = v128.and(inner, v128.load(TABLE, 480));
  const w = f64x2.add(one, v128.xor(f64x2.div(top, bottom), sign));
  return f64x2.pmin(f64x2.pmax(w, f64x2.splat(0)), v);
}

/** W from h = |ln(F/K)|/v and v, itself at most 70: what optionRows does, in one piece. */
// @ts-ignore: decorator
@inline
function outOfTheMoney(h: v128, v: v128): v128 {
  const half = f64x2.mul(v, v128.load(TABLE, 400));
  const u1 = f64x2.sub(h, half);
  const a = bound(f64x2.abs(u1));
  const b = bound(f64x2.add(h, half));
  const inner = f64x2.lt(u1, f64x2.splat(0));
  const n1 = numerator(a), r1 = remainder(a);
  const n2 = numerator(b), r2 = remainder(b);
  return ratio(above(density(a), v, n1, r1, n2, r2, inner), below(a, n1, r1, b, n2, r2), v, inner);
}

/** min(F, K) · W for prices above 0 and v ≥ 0; K may be 0. */
// @ts-ignore: decorator
@inline
function timeValue(forward: v128, strike: v128, v: v128): v128 {
  const bounded = f64x2.pmin(v, v128.load(TABLE, 496));
  const x = logV(f64x2.div(forward, strike));
  // v = 0: any v below the smallest normal serves, so that h is never 0/0.
  const h = f64x2.div(f64x2.abs(x), f64x2.pmax(bounded, f64x2.splat(1e-300)));
  return f64x2.mul(f64x2.pmin(forward, strike), outOfTheMoney(h, bounded));
}

/** max(a − b, 0), as a − min(a, b): exactly 0 where the option is out of the money. */
// @ts-ignore: decorator
@inline
function excess(a: v128, b: v128): v128 {
  return f64x2.sub(a, f64x2.pmin(a, b));
}

/** Undiscounted Black-76 price; right 1 is a call, −1 a put; forward > 0, strike ≥ 0, v = σ√T ≥ 0. */
export function black76(forward: f64, strike: f64, v: f64, right: f64): f64 {
  const f = f64x2.splat(forward);
  const k = f64x2.splat(strike);
  const intrinsic = right > 0 ? excess(f, k) : excess(k, f);
  return f64x2.extract_lane(f64x2.add(timeValue(f, k, f64x2.splat(v)), intrinsic), 0);
}

export function black76Array(
  forward: usize, strike: usize, v: usize, callOut: usize, putOut: usize, n: i32,
): void {
  const end = <usize>(n & ~1) << 3;
  for (let i: usize = 0; i < end; i += 16) {
    const f = v128.load(forward + i);
    const k = v128.load(strike + i);
    const price = timeValue(f, k, v128.load(v + i));
    if (callOut) v128.store(callOut + i, f64x2.add(price, excess(f, k)));
    if (putOut) v128.store(putOut + i, f64x2.add(price, excess(k, f)));
  }
  if (n & 1) {
    const f = f64.load(forward + end);
    const k = f64.load(strike + end);
    if (callOut) f64.store(callOut + end, black76(f, k, f64.load(v + end), 1));
    if (putOut) f64.store(putOut + end, black76(f, k, f64.load(v + end), -1));
  }
}

export function spotScenarios(shock: usize, out: usize, n: i32, spot0: f64, absolute: i32): void {
  const s0 = f64x2.splat(spot0);
  const end = <usize>(n & ~1) << 3;
  for (let i: usize = 0; i < end; i += 16) {
    const x = v128.load(shock + i);
    v128.store(out + i, absolute ? f64x2.add(s0, x) : f64x2.mul(s0, expV(x)));
  }
  if (n & 1) {
    const x = f64x2.splat(f64.load(shock + end));
    const s1 = absolute ? f64x2.add(s0, x) : f64x2.mul(s0, expV(x));
    f64.store(out + end, f64x2.extract_lane(s1, 0));
  }
}

// @ts-ignore: decorator
@inline
function store(at: usize, value: v128, single: bool): void {
  if (single) f64.store(at, f64x2.extract_lane(value, 0));
  else v128.store(at, value);
}

// @ts-ignore: decorator
@inline
function load(at: usize, single: bool): v128 {
  return single ? f64x2.splat(f64.load(at)) : v128.load(at);
}

/** Two scenarios of an expiry at byte i, or one where `single`. */
// @ts-ignore: decorator
@inline
function expiryAt(
  i: usize, single: bool, shock: usize, basis: usize, vol: usize, forward0: f64, maturity: f64, volScale: f64,
  logMove: usize, forward: usize, up: usize, down: usize, conversion: usize,
): void {
  const one = f64x2.splat(1);
  let move = load(shock + i, single);
  let parity = one;
  if (basis) {
    const carry = f64x2.mul(f64x2.splat(maturity), load(basis + i, single));
    move = f64x2.add(move, carry);
    parity = expV(f64x2.neg(carry));
  }
  let rise = one;
  let fall = one;
  if (vol) {
    const change = f64x2.mul(f64x2.splat(volScale), load(vol + i, single));
    rise = expV(change);
    fall = expV(f64x2.neg(change));
  }
  store(logMove + i, move, single);
  store(forward + i, f64x2.mul(f64x2.splat(forward0), expV(move)), single);
  store(up + i, rise, single);
  store(down + i, fall, single);
  store(conversion + i, parity, single);
}

export function expiryScenarios(
  shock: usize, basis: usize, vol: usize, n: i32, forward0: f64, maturity: f64, volScale: f64,
  logMove: usize, forward: usize, up: usize, down: usize, conversion: usize,
): void {
  const end = <usize>(n & ~1) << 3;
  for (let i: usize = 0; i < end; i += 16) {
    expiryAt(i, false, shock, basis, vol, forward0, maturity, volScale, logMove, forward, up, down, conversion);
  }
  if (n & 1) {
    expiryAt(end, true, shock, basis, vol, forward0, maturity, volScale, logMove, forward, up, down, conversion);
  }
}

/**
 * optionRows for the outputs that are wanted, known when compiled. Four scenarios at a time pass three stages, a stage each turn
 * (what is `next…` moves on): u and φ(u₁); the rationals; the division and the P&L. Whole chains of these are longer than a core
 * looks ahead. The two turns before the first result write it, wrong, where it will stand, and the last turns read the last
 * scenarios again: no branch, no read or write outside.
 */
// @ts-ignore: decorator
@inline
function rows(
  call: bool, put: bool,
  n: i32, logMove: usize, forward: usize, up: usize, down: usize, conversion: usize,
  logMoneyness0: f64, strike0: f64, v0: f64, scale0: f64,
  callBase0: f64, callOut: usize, putBase0: f64, putOut: usize, blockSize: i32, blockStride: i32,
): void {
  const zero = f64x2.splat(0);
  const one = f64x2.splat(1);
  const moneyness = f64x2.splat(logMoneyness0);
  const strike = f64x2.splat(strike0);
  const still = f64x2.splat(v0);
  const inverse = f64x2.splat(v0 > 1e-300 ? 1 / v0 : 1e300);
  const scale = f64x2.splat(scale0);
  const callBase = f64x2.splat(callBase0);
  const putBase = f64x2.splat(putBase0);
  const last = ((<usize>n) << 3) - 32;
  const gap = <usize>(blockStride - (blockSize << 3));

  let phi0 = zero, u0 = zero, a0 = zero, b0 = zero, vol0 = zero;
  let phi1 = zero, u1 = zero, a1 = zero, b1 = zero, vol1 = zero;
  let top0 = zero, bottom0 = one, inner0 = zero, spread0 = zero;
  let top1 = zero, bottom1 = one, inner1 = zero, spread1 = zero;
  let read: usize = 0;
  let write: usize = 0;
  let left = blockSize;
  for (let turn = -2, turns = n >> 2; turn < turns; turn++) {
    const w0 = ratio(top0, bottom0, spread0, inner0);
    const w1 = ratio(top1, bottom1, spread1, inner1);
    const f0 = v128.load(forward + write, 0), f1 = v128.load(forward + write, 16);
    const m0 = f64x2.pmin(f0, strike), m1 = f64x2.pmin(f1, strike);
    const factor0 = f64x2.mul(scale, v128.load(conversion + write, 0));
    const factor1 = f64x2.mul(scale, v128.load(conversion + write, 16));
    const price0 = f64x2.mul(m0, w0), price1 = f64x2.mul(m1, w1);
    if (call) {
      v128.store(callOut, f64x2.sub(f64x2.mul(factor0, f64x2.add(price0, f64x2.sub(f0, m0))), callBase), 0);
      v128.store(callOut, f64x2.sub(f64x2.mul(factor1, f64x2.add(price1, f64x2.sub(f1, m1))), callBase), 16);
    }
    if (put) {
      v128.store(putOut, f64x2.sub(f64x2.mul(factor0, f64x2.add(price0, f64x2.sub(strike, m0))), putBase), 0);
      v128.store(putOut, f64x2.sub(f64x2.mul(factor1, f64x2.add(price1, f64x2.sub(strike, m1))), putBase), 16);
    }
    if (turn >= 0) {
      write += 32;
      callOut += 32;
      putOut += 32;
      left -= 4;
      if (left == 0) {
        left = blockSize;
        callOut += gap;
        putOut += gap;
      }
    }

    const n10 = numerator(a0), n20 = numerator(b0), n11 = numerator(a1), n21 = numerator(b1);
    const r10 = remainder(a0), r20 = remainder(b0), r11 = remainder(a1), r21 = remainder(b1);
    inner0 = f64x2.lt(u0, zero);
    inner1 = f64x2.lt(u1, zero);
    top0 = above(phi0, vol0, n10, r10, n20, r20, inner0);
    top1 = above(phi1, vol1, n11, r11, n21, r21, inner1);
    bottom0 = below(a0, n10, r10, b0, n20, r20);
    bottom1 = below(a1, n11, r11, b1, n21, r21);
    spread0 = vol0;
    spread1 = vol1;
    // Hardly ever taken, and of no effect on W: the branch ends a basic block. V8 moves all loads of a block to its start
    // and spills them; so the coefficients of a stage stay within it.
    if (i64x2.bitmask(v128.or(v128.or(top0, top1), v128.or(bottom0, bottom1)))) {
      top0 = f64x2.pmax(top0, zero);
      top1 = f64x2.pmax(top1, zero);
    }

    vol0 = f64x2.pmin(f64x2.mul(still, v128.load(up + read, 0)), v128.load(TABLE, 496));
    vol1 = f64x2.pmin(f64x2.mul(still, v128.load(up + read, 16)), v128.load(TABLE, 496));
    const x0 = f64x2.add(v128.load(logMove + read, 0), moneyness);
    const x1 = f64x2.add(v128.load(logMove + read, 16), moneyness);
    const h0 = f64x2.mul(f64x2.abs(x0), f64x2.mul(inverse, v128.load(down + read, 0)));
    const h1 = f64x2.mul(f64x2.abs(x1), f64x2.mul(inverse, v128.load(down + read, 16)));
    const half0 = f64x2.mul(vol0, v128.load(TABLE, 400)), half1 = f64x2.mul(vol1, v128.load(TABLE, 400));
    u0 = f64x2.sub(h0, half0);
    u1 = f64x2.sub(h1, half1);
    a0 = bound(f64x2.abs(u0));
    a1 = bound(f64x2.abs(u1));
    b0 = bound(f64x2.add(h0, half0));
    b1 = bound(f64x2.add(h1, half1));
    phi0 = density(a0);
    phi1 = density(a1);
    if (read < last) read += 32;
  }
}

export function optionRows(
  n: i32, logMove: usize, forward: usize, up: usize, down: usize, conversion: usize,
  logMoneyness0: f64, strike: f64, v0: f64, scale: f64,
  callBase: f64, callOut: usize, putBase: f64, putOut: usize, blockSize: i32, blockStride: i32,
): void {
  if (n < 16) return;
  if (callOut && putOut) {
    rows(true, true, n, logMove, forward, up, down, conversion, logMoneyness0, strike, v0, scale,
      callBase, callOut, putBase, putOut, blockSize, blockStride);
  } else if (callOut) {
    rows(true, false, n, logMove, forward, up, down, conversion, logMoneyness0, strike, v0, scale,
      callBase, callOut, putBase, putOut, blockSize, blockStride);
  } else if (putOut) {
    rows(false, true, n, logMove, forward, up, down, conversion, logMoneyness0, strike, v0, scale,
      callBase, callOut, putBase, putOut, blockSize, blockStride);
  }
}

export function payoffRow(
  n: i32, spot: usize, strike0: f64, right: f64, scale0: f64, base0: f64, out: usize, blockSize: i32, blockStride: i32,
): void {
  const strike = f64x2.splat(strike0);
  const scale = f64x2.splat(scale0);
  const base = f64x2.splat(base0);
  for (let left = n; left > 0; left -= blockSize, out += blockStride) {
    const end = <usize>blockSize << 3;
    for (let i: usize = 0; i < end; i += 16) {
      const s = v128.load(spot + i);
      const payoff = right > 0 ? excess(s, strike) : excess(strike, s);
      v128.store(out + i, f64x2.sub(f64x2.mul(scale, payoff), base));
    }
    spot += end;
  }
}

export function linearRow(
  n: i32, level: usize, mark0: f64, scale0: f64, out: usize, blockSize: i32, blockStride: i32,
): void {
  const mark = f64x2.splat(mark0);
  const scale = f64x2.splat(scale0);
  for (let left = n; left > 0; left -= blockSize, out += blockStride) {
    const end = <usize>blockSize << 3;
    for (let i: usize = 0; i < end; i += 16) {
      v128.store(out + i, f64x2.mul(scale, f64x2.sub(v128.load(level + i), mark)));
    }
    level += end;
  }
}

export function inverseRow(
  n: i32, level: usize, spot: usize, mark: f64, scale0: f64, out: usize, blockSize: i32, blockStride: i32,
): void {
  const one = f64x2.splat(1);
  const inverseMark = f64x2.splat(1 / mark);
  const scale = f64x2.splat(scale0);
  for (let left = n; left > 0; left -= blockSize, out += blockStride) {
    const end = <usize>blockSize << 3;
    for (let i: usize = 0; i < end; i += 16) {
      const coins = f64x2.mul(scale, f64x2.sub(inverseMark, f64x2.div(one, v128.load(level + i))));
      v128.store(out + i, f64x2.mul(coins, v128.load(spot + i)));
    }
    level += end;
    spot += end;
  }
}
