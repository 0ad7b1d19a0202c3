// Scenarios of spot and expiry, and the rows of the P&L cube. A row is scattered: blocks of `blockSize` scenarios, `blockStride`
// bytes apart, so that accumulation finds one block of all instruments together.
import {
  above, below, bound, capped, density, excess, half, numerator, ratio, remainder,
} from './black76';
import { expV, normalCdfV } from './maths';

export { black76, black76Array } from './black76';

/** spot₁ of n scenarios: spot₀ e^shock, or spot₀ + shock where `absolute` is 1. */
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

/** The state of one expiry in n scenarios, see ../kernels.ts. `basis` and `vol` may be 0: then the conversion, or up and down, is 1. */
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
 * optionRows for the outputs that are wanted, known when compiled. Four scenarios at a time pass three stages, one each turn of the
 * loop, the last stage first: u and φ(u₁); the rationals; the division and the P&L. In one piece the chain of operations is longer
 * than a core looks ahead, and half of its units stand idle. The first two turns write something at the place of the first result,
 * which follows; the last two read the last scenarios again. So nothing outside is read or written.
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

    vol0 = capped(f64x2.mul(still, v128.load(up + read, 0)));
    vol1 = capped(f64x2.mul(still, v128.load(up + read, 16)));
    const x0 = f64x2.add(v128.load(logMove + read, 0), moneyness);
    const x1 = f64x2.add(v128.load(logMove + read, 16), moneyness);
    const h0 = f64x2.mul(f64x2.abs(x0), f64x2.mul(inverse, v128.load(down + read, 0)));
    const h1 = f64x2.mul(f64x2.abs(x1), f64x2.mul(inverse, v128.load(down + read, 16)));
    u0 = f64x2.sub(h0, half(vol0));
    u1 = f64x2.sub(h1, half(vol1));
    a0 = bound(f64x2.abs(u0));
    a1 = bound(f64x2.abs(u1));
    b0 = bound(f64x2.add(h0, half(vol0)));
    b1 = bound(f64x2.add(h1, half(vol1)));
    phi0 = density(a0);
    phi1 = density(a1);
    if (read < last) read += 32;
  }
}

/** P&L of a strike's call and put over n scenarios, a multiple of 16; see ../kernels.ts. The price is that of black76.ts. */
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

/** scale · max(±(spot − strike), 0) − base. */
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

/** scale · (level − mark). */
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

/** scale · (1/mark − 1/level) · spot. */
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

/** scale · Φ(±d₂) − base, d₂ = x/v − v/2 with x = logMoneyness0 + logMove and v = v0 · up; `right` is the sign. */
export function binaryRow(
  n: i32, logMove: usize, up: usize, logMoneyness0: f64, v0: f64, right: f64, scale0: f64, base0: f64,
  out: usize, blockSize: i32, blockStride: i32,
): void {
  const moneyness = f64x2.splat(logMoneyness0);
  const still = f64x2.splat(v0);
  const least = f64x2.splat(1e-300);
  const sign = f64x2.splat(right);
  const scale = f64x2.splat(scale0);
  const base = f64x2.splat(base0);
  let from: usize = 0;
  for (let left = n; left > 0; left -= blockSize, out += blockStride) {
    for (let i: usize = 0, end = <usize>blockSize << 3; i < end; i += 16, from += 16) {
      const v = f64x2.pmax(f64x2.mul(still, v128.load(up + from)), least);
      const x = f64x2.add(moneyness, v128.load(logMove + from));
      const d2 = f64x2.sub(f64x2.div(x, v), half(v));
      v128.store(out + i, f64x2.sub(f64x2.mul(scale, normalCdfV(f64x2.mul(sign, d2))), base));
    }
  }
}

/** scale · 1 − base where a binary pays, else −base: a call where spot > strike, a put where spot ≤ strike. */
export function binaryPayoffRow(
  n: i32, spot: usize, strike0: f64, right: f64, scale0: f64, base0: f64, out: usize, blockSize: i32, blockStride: i32,
): void {
  const strike = f64x2.splat(strike0);
  const scale = f64x2.splat(scale0);
  const base = f64x2.splat(base0);
  for (let left = n; left > 0; left -= blockSize, out += blockStride) {
    const end = <usize>blockSize << 3;
    for (let i: usize = 0; i < end; i += 16) {
      const s = v128.load(spot + i);
      const pays = right > 0 ? f64x2.gt(s, strike) : f64x2.le(s, strike);
      // A NaN compares false: it must not pass for an option that pays nothing.
      const unknown = f64x2.ne(s, s);
      const payoff = v128.bitselect(s, v128.and(pays, scale), unknown);
      v128.store(out + i, f64x2.sub(payoff, base));
    }
    spot += end;
  }
}

/** scale · (√level − √mark). */
export function rootRow(
  n: i32, level: usize, mark: f64, scale0: f64, out: usize, blockSize: i32, blockStride: i32,
): void {
  const root = f64x2.splat(Math.sqrt(mark));
  const scale = f64x2.splat(scale0);
  for (let left = n; left > 0; left -= blockSize, out += blockStride) {
    const end = <usize>blockSize << 3;
    for (let i: usize = 0; i < end; i += 16) {
      v128.store(out + i, f64x2.mul(scale, f64x2.sub(f64x2.sqrt(v128.load(level + i)), root)));
    }
    level += end;
  }
}
