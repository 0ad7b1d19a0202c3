// American options: the early exercise premium by integral equation, small enough for every scenario.
//
// Everything is brought to a put of strike 1 on s (a call of S on K is S puts of K/S on 1, rate and dividend yield exchanged: McDonald and
// Schroder 1998), with v = σ√T, z = rT, y = qT, c = z − y; time runs from 0 at expiry to 1. The value is the European one plus
//     ∫₀¹ z e^(−zw) Φ(−d₋(s/B(1−w), w)) − y s e^(−yw) Φ(−d₊(s/B(1−w), w)) dw,   d± = (ln x + cw)/(v√w) ± v√w/2   (Kim 1990),
// B the exercise boundary. It stands as H(√τ) = ln(B/X)², X = B(0) = min(1, z/y), a quadratic through H(0) = 0 and τ = ¼ and 1, where
//     B = e^(−cτ) N/D,  N = Φ(d₋(B, τ)) + ∫₀^τ z e^(zu) Φ(d₋(B/B(u), τ−u)) du,  D likewise of d₊ and y
// is iterated twice (Andersen, Lake and Offengenden 2016, "FP-B"). The first guess is the flat boundary of Bjerksund and Stensland (1993).
// The sums have constant nodes and weights, because time is scaled: test/fixtures/valuation/americanKernel.py made them.
//
// Greatest error against the reference pricer: 0.09% of the strike (of the spot, for a call), 5e-5 as a root mean square, for T ≤ 3 years,
// σ ≤ 150%, 0 ≤ r ≤ 8%, −5% ≤ q ≤ 8%; 0.13% of the larger of spot and strike on a grid out to σ = 250%, r = 10%, q = 20%
// (test/workers/american.test.ts). There is one boundary only: a caller refuses q < r < 0, where there are two.
import { capped, excess, outOfTheMoney } from './black76';
import { expV, log, logV } from './maths';

// Coefficients stand splatted in memory, see maths.ts.
// prettier-ignore
const TABLE: usize = memory.data<f64>([
  // 0…96: N, then R, of Mills' ratio M(u) = N/(uN + R), without their leading 1, highest power first: Φ to 2.1e-9, relatively to 1.7e-6
  9.340143422057638, 9.340143422057638, 40.14523717063676, 40.14523717063676, 91.90406021537054, 91.90406021537054,
  98.50232039824294, 98.50232039824294,
  9.372216308020503, 9.372216308020503, 37.5350625985436, 37.5350625985436, 78.5934803224496, 78.5934803224496,
  // 112…208: 2^f/√(2π), |f| ≤ ½, lowest power first, relative error 1.9e-9
  0.39894228062252224, 0.39894228062252224, 0.27652572691095845, 0.27652572691095845, 0.0958364953177969, 0.0958364953177969,
  0.022142608187057405, 0.022142608187057405, 0.003837221921770333, 0.003837221921770333,
  0.0005345799343643841, 0.0005345799343643841, 6.122092908712378e-05, 6.122092908712378e-05,
  35.0, 35.0, // 224
  -0.7213475204444817, -0.7213475204444817, // 240: −log₂e / 2
  6755399441055744.0, 6755399441055744.0, // 256: 1.5·2⁵²: adding it rounds to an integer, which then stands in the low bits
  1.0, 1.0, // 272
]);

/** Rows of six: √w, 1/√w, the weights of H(1) and H(¼) at √(τ−w), the weight of the node, the exponent of growth. */
// prettier-ignore
const NODES: usize = memory.data<f64>([
  // τ = 1
  0.1127016653792583, 0.1127016653792583, 8.872983346207418, 8.872983346207418, 0.9809677975691966, 0.9809677975691966,
  0.025322148206180235, 0.025322148206180235, 0.06261203632181019, 0.06261203632181019, 0.9872983346207417, 0.9872983346207417,
  0.5, 0.5, 2.0, 2.0, 0.6339745962155612, 0.6339745962155612, 0.4641016151377547, 0.4641016151377547,
  0.4444444444444444, 0.4444444444444444, 0.75, 0.75,
  0.8872983346207417, 0.8872983346207417, 1.1270166537925832, 1.1270166537925832, -0.03579257704993126, -0.03579257704993126,
  0.9939769697167581, 0.9939769697167581, 0.4929435192337455, 0.4929435192337455, 0.21270166537925828, 0.21270166537925828,
  // τ = ¼
  0.05635083268962915, 0.05635083268962915, 17.745966692414836, 17.745966692414836, -0.0031652685257725294, -0.0031652685257725294,
  0.9999594087238318, 0.9999594087238318, 0.015653009080452546, 0.015653009080452546, 0.24682458365518542, 0.24682458365518542,
  0.25, 0.25, 4.0, 4.0, -0.05801270189221934, -0.05801270189221934, 0.9820508075688773, 0.9820508075688773,
  0.1111111111111111, 0.1111111111111111, 0.1875, 0.1875,
  0.44364916731037085, 0.44364916731037085, 2.2540333075851664, 2.2540333075851664, -0.12424712121459476, -0.12424712121459476,
  0.7096901502376373, 0.7096901502376373, 0.12323587980843638, 0.12323587980843638, 0.05317541634481457, 0.05317541634481457,
  // the premium
  0.033765242898423975, 0.033765242898423975, 29.616253702314577, 29.616253702314577, 0.9982900251268156, 0.9982900251268156,
  0.002279532980779346, 0.002279532980779346, 0.005784813099631854, 0.005784813099631854,
  -0.0011400916279895707, -0.0011400916279895707,
  0.16939530676686776, 0.16939530676686776, 5.903351273930284, 5.903351273930284, 0.9570622725091265, 0.9570622725091265,
  0.05697183014492884, 0.05697183014492884, 0.06111131733618727, 0.06111131733618727, -0.028694769954641233, -0.028694769954641233,
  0.3806904069584015, 0.3806904069584015, 2.6268064067852155, 2.6268064067852155, 0.7854470737343197, 0.7854470737343197,
  0.2785109612621078, 0.2785109612621078, 0.17813034617398474, 0.17813034617398474, -0.14492518595015336, -0.14492518595015336,
  0.6193095930415985, 0.6193095930415985, 1.6147012919479045, 1.6147012919479045, 0.4477643728810581, 0.4477643728810581,
  0.6747650203423661, 0.6747650203423661, 0.28978358839870666, 0.28978358839870666, -0.38354437203335034, -0.38354437203335034,
  0.8306046932331322, 0.8306046932331322, 1.2039421497939, 1.2039421497939, 0.06332918745193766, 0.06332918745193766,
  0.9870666245086265, 0.9870666245086265, 0.2996502557119517, 0.2996502557119517, -0.6899041564209057, -0.6899041564209057,
  0.966234757101576, 0.966234757101576, 1.0349451752281298, 1.0349451752281298, -0.12488254659540557, -0.12488254659540557,
  0.765091763057056, 0.765091763057056, 0.1655396792795379, 0.1655396792795379, -0.9336096058311416, -0.9336096058311416,
]);
const NODE: usize = 96;
const EARLY: usize = NODES + 3 * NODE;
const PREMIUM: usize = NODES + 6 * NODE;
const NODES_END: usize = NODES + 12 * NODE;
/** The scratch, 672 bytes: weight · z e^(z·exponent) and weight · y e^(y·exponent) of each node, then X and ln X. */
const TERM: usize = 32;
const LIMIT: usize = 12 * TERM;
/** Behind them up to sixteen arguments of Φ, and in their place its values. */
const PHI: usize = LIMIT + 32;

/** φ(u), |u| ≤ 35. */
// @ts-ignore: decorator
@inline
function density(u: v128): v128 {
  const power = f64x2.mul(f64x2.mul(u, u), v128.load(TABLE, 240));
  const shifted = f64x2.add(power, v128.load(TABLE, 256));
  const f = f64x2.sub(power, f64x2.sub(shifted, v128.load(TABLE, 256)));
  const f2 = f64x2.mul(f, f);
  const p01 = f64x2.add(v128.load(TABLE, 112), f64x2.mul(f, v128.load(TABLE, 128)));
  const p23 = f64x2.add(v128.load(TABLE, 144), f64x2.mul(f, v128.load(TABLE, 160)));
  const p45 = f64x2.add(v128.load(TABLE, 176), f64x2.mul(f, v128.load(TABLE, 192)));
  const high = f64x2.add(p45, f64x2.mul(f2, v128.load(TABLE, 208)));
  const p = f64x2.add(p01, f64x2.mul(f2, f64x2.add(p23, f64x2.mul(f2, high))));
  return i64x2.add(p, i64x2.shl(shifted, 52));
}

// @ts-ignore: decorator
@inline
function numerator(u: v128): v128 {
  const two = f64x2.add(f64x2.mul(f64x2.add(u, v128.load(TABLE, 0)), u), v128.load(TABLE, 16));
  return f64x2.add(f64x2.mul(f64x2.add(f64x2.mul(two, u), v128.load(TABLE, 32)), u), v128.load(TABLE, 48));
}

// @ts-ignore: decorator
@inline
function denominator(u: v128, n: v128): v128 {
  const two = f64x2.add(f64x2.mul(f64x2.add(u, v128.load(TABLE, 64)), u), v128.load(TABLE, 80));
  return f64x2.add(f64x2.mul(n, u), f64x2.add(f64x2.mul(two, u), v128.load(TABLE, 96)));
}

/** Φ(x) from φ(u) and Mills' ratio, u = |x|. */
// @ts-ignore: decorator
@inline
function folded(x: v128, phi: v128, mills: v128): v128 {
  const tail = f64x2.mul(phi, mills);
  return v128.bitselect(f64x2.sub(v128.load(TABLE, 272), tail), tail, f64x2.gt(x, f64x2.splat(0)));
}

/**
 * Φ of the vectors from `at` to `end`, in place, two at a time: good enough for a premium, 0 or 1 beyond ±35 to 1e-266. In a loop of their own
 * and not where they are wanted: V8 moves the loads of a long block to its start and spills them. The two share a division.
 */
// @ts-ignore: decorator
@inline
function cdfs(at: usize, end: usize): void {
  const limit = v128.load(TABLE, 224);
  for (; at < end; at += 32) {
    const x0 = v128.load(at), x1 = v128.load(at, 16);
    const u0 = f64x2.pmin(f64x2.abs(x0), limit), u1 = f64x2.pmin(f64x2.abs(x1), limit);
    const n0 = numerator(u0), n1 = numerator(u1);
    const d0 = denominator(u0, n0), d1 = denominator(u1, n1);
    const shared = f64x2.div(v128.load(TABLE, 272), f64x2.mul(d0, d1));
    v128.store(at, folded(x0, density(u0), f64x2.mul(f64x2.mul(n0, d1), shared)));
    v128.store(at, folded(x1, density(u1), f64x2.mul(f64x2.mul(n1, d0), shared)), 16);
  }
}

/** Fills the scratch from z and y. */
function growth(z: v128, y: v128, scratch: usize): void {
  const zero = f64x2.splat(0);
  const one = v128.load(TABLE, 272);
  let to = scratch;
  for (let node = NODES; node < NODES_END; node += NODE, to += TERM) {
    const weight = v128.load(node, 64);
    const exponent = v128.load(node, 80);
    v128.store(to, f64x2.mul(f64x2.mul(z, weight), expV(f64x2.mul(z, exponent))));
    v128.store(to, f64x2.mul(f64x2.mul(y, weight), expV(f64x2.mul(y, exponent))), 16);
  }
  // Below y ≤ z exercise pays at expiry wherever the put is in the money; a z of 0 with y > 0 is European and its X serves no purpose.
  const limited = f64x2.gt(y, f64x2.pmax(z, zero));
  const x = f64x2.pmax(v128.bitselect(f64x2.div(z, y), one, limited), f64x2.splat(1e-30));
  v128.store(scratch + LIMIT, x);
  v128.store(scratch + LIMIT, logV(x), 16);
}

/** −ln(B/X) at a node, from H(1) and H(¼); a quadratic may dip below 0 between them. */
// @ts-ignore: decorator
@inline
function boundaryAt(node: usize, h1: v128, h4: v128): v128 {
  const h = f64x2.add(f64x2.mul(v128.load(node, 32), h1), f64x2.mul(v128.load(node, 48), h4));
  return f64x2.sqrt(f64x2.pmax(h, f64x2.splat(0)));
}

/** Arguments of Φ for N and D at τ = t: of B against the strike, then of B against itself at three nodes. plus, minus = c/v ± v/2, root = √τ. */
// @ts-ignore: decorator
@inline
function distances(
  nodes: usize, root: f64, to: usize, own: v128, h1: v128, h4: v128, inverse: v128, plus: v128, minus: v128, logX: v128,
): void {
  const depth = f64x2.sqrt(own);
  const level = f64x2.mul(f64x2.mul(f64x2.sub(logX, depth), inverse), f64x2.splat(1 / root));
  v128.store(to, f64x2.add(level, f64x2.mul(minus, f64x2.splat(root))));
  v128.store(to, f64x2.add(level, f64x2.mul(plus, f64x2.splat(root))), 16);
  for (let k: usize = 0; k < 3; k++) {
    const node = nodes + k * NODE;
    to += 32;
    const gap = f64x2.mul(f64x2.sub(boundaryAt(node, h1, h4), depth), inverse);
    const distance = f64x2.mul(gap, v128.load(node, 16));
    v128.store(to, f64x2.add(distance, f64x2.mul(minus, v128.load(node))));
    v128.store(to, f64x2.add(distance, f64x2.mul(plus, v128.load(node))), 16);
  }
}

/** The next H(t) = (ln(N/(DX)) − ct)². Where rounding or a far first guess leave no positive N and D, the old one stays. */
// @ts-ignore: decorator
@inline
function refined(terms: usize, t: f64, phi: usize, own: v128, c: v128, logX: v128): v128 {
  const zero = f64x2.splat(0);
  let n = v128.load(phi);
  let d = v128.load(phi, 16);
  for (let k: usize = 0; k < 3; k++) {
    const term = terms + k * TERM;
    phi += 32;
    n = f64x2.add(n, f64x2.mul(v128.load(term), v128.load(phi)));
    d = f64x2.add(d, f64x2.mul(v128.load(term, 16), v128.load(phi, 16)));
  }
  const shift = f64x2.add(logX, f64x2.mul(c, f64x2.splat(t)));
  const next = f64x2.pmin(f64x2.sub(logV(f64x2.div(n, d)), shift), zero);
  const usable = v128.and(f64x2.gt(n, zero), f64x2.gt(d, zero));
  return v128.bitselect(f64x2.mul(next, next), own, usable);
}

/** H(τ) of the flat boundary B∞ + (X − B∞) e^((cτ − 2v√τ)/(1 − B∞)); `lambda` is minus the perpetual put's exponent, B∞ = λ/(1 + λ). */
// @ts-ignore: decorator
@inline
function guess(t: f64, root: f64, lambda: v128, v: v128, c: v128, x: v128): v128 {
  const one = v128.load(TABLE, 272);
  const reach = f64x2.add(one, lambda);
  const perpetual = f64x2.pmin(f64x2.div(lambda, reach), x);
  const drift = f64x2.sub(f64x2.mul(c, f64x2.splat(t)), f64x2.mul(v, f64x2.splat(2 * root)));
  const fade = expV(f64x2.pmin(f64x2.mul(drift, reach), f64x2.splat(0)));
  const b = f64x2.add(perpetual, f64x2.mul(f64x2.sub(x, perpetual), fade));
  const h = logV(f64x2.pmax(f64x2.div(b, x), f64x2.splat(1e-8)));
  return f64x2.mul(h, h);
}

/**
 * Value of American options, two lanes, from the European one's parts. s is the put's spot (S/K, or K/S of a call) and logS its
 * logarithm; `unit` what a put of strike 1 counts (K, or S); z, y and c as above. A lane whose exercise never pays (z ≤ 0, y ≥ z) is European.
 */
// @ts-ignore: decorator
@inline
function american(
  s: v128, logS: v128, unit: v128, european: v128, intrinsic: v128, v0: v128, z: v128, y: v128, c: v128, scratch: usize,
): v128 {
  const zero = f64x2.splat(0);
  const never = v128.and(f64x2.le(z, zero), f64x2.ge(y, z));
  const v = f64x2.pmax(v0, f64x2.splat(1e-8));
  const inverse = f64x2.div(v128.load(TABLE, 272), v);
  const half = f64x2.mul(v, f64x2.splat(0.5));
  const drift = f64x2.mul(c, inverse);
  const plus = f64x2.add(drift, half);
  const minus = f64x2.sub(drift, half);
  const x = v128.load(scratch + LIMIT);
  const logX = v128.load(scratch + LIMIT, 16);

  // 2c/v² − 1 = 2·minus/v; λ = (m + √(m² + 8z/v²))/2, without cancellation where m < 0.
  const m = f64x2.mul(f64x2.add(minus, minus), inverse);
  const discount = f64x2.mul(f64x2.mul(f64x2.pmax(z, zero), f64x2.splat(4)), f64x2.mul(inverse, inverse));
  const root = f64x2.sqrt(f64x2.add(f64x2.mul(m, m), f64x2.add(discount, discount)));
  const direct = f64x2.mul(f64x2.add(m, root), f64x2.splat(0.5));
  const lambda = v128.bitselect(f64x2.div(discount, f64x2.sub(root, m)), direct, f64x2.lt(m, zero));
  let h1 = guess(1, 1, lambda, v, c, x);
  let h4 = guess(0.25, 0.5, lambda, v, c, x);
  const phi = scratch + PHI;
  for (let turn = 0; turn < 2; turn++) {
    distances(NODES, 1, phi, h1, h1, h4, inverse, plus, minus, logX);
    distances(EARLY, 0.5, phi + 128, h4, h1, h4, inverse, plus, minus, logX);
    cdfs(phi, phi + 256);
    h1 = refined(scratch, 1, phi, h1, c, logX);
    h4 = refined(scratch + 3 * TERM, 0.25, phi + 128, h4, c, logX);
  }

  const above = f64x2.sub(logS, logX);
  for (let k: usize = 0; k < 6; k++) {
    const node = PREMIUM + k * NODE;
    const gap = f64x2.mul(f64x2.add(above, boundaryAt(node, h1, h4)), inverse);
    const distance = f64x2.mul(gap, v128.load(node, 16));
    v128.store(phi + k * 32, f64x2.neg(f64x2.add(distance, f64x2.mul(minus, v128.load(node)))));
    v128.store(phi + k * 32, f64x2.neg(f64x2.add(distance, f64x2.mul(plus, v128.load(node)))), 16);
  }
  cdfs(phi, phi + 192);
  let premium = zero;
  for (let k: usize = 0; k < 6; k++) {
    const term = scratch + (6 + k) * TERM;
    const gain = f64x2.mul(v128.load(term), v128.load(phi + k * 32));
    const loss = f64x2.mul(f64x2.mul(s, v128.load(term, 16)), v128.load(phi + k * 32, 16));
    premium = f64x2.add(premium, f64x2.sub(gain, loss));
  }
  const alive = f64x2.add(european, f64x2.mul(unit, f64x2.pmax(premium, zero)));
  const exercised = f64x2.le(above, f64x2.neg(f64x2.sqrt(h1)));
  const value = v128.bitselect(intrinsic, f64x2.pmax(alive, intrinsic), exercised);
  return v128.bitselect(european, value, never);
}

/** Values in two scenarios; `right` known when compiled. logLevel = ln(level/K), logForward = ln(F/K). */
// @ts-ignore: decorator
@inline
function valueV(
  call: bool, level: v128, logLevel: v128, forward: v128, logForward: v128, strike: v128, v0: v128,
  discount: v128, z: v128, y: v128, c: v128, scratch: usize,
): v128 {
  const v = capped(v0);
  const h = f64x2.div(f64x2.abs(logForward), f64x2.pmax(v, f64x2.splat(1e-300)));
  const time = f64x2.mul(f64x2.pmin(forward, strike), outOfTheMoney(h, v));
  if (call) {
    const european = f64x2.mul(discount, f64x2.add(time, excess(forward, strike)));
    const s = f64x2.div(strike, level);
    return american(s, f64x2.neg(logLevel), level, european, excess(level, strike), v, y, z, f64x2.neg(c), scratch);
  }
  const european = f64x2.mul(discount, f64x2.add(time, excess(strike, forward)));
  const s = f64x2.div(level, strike);
  return american(s, logLevel, strike, european, excess(strike, level), v, z, y, c, scratch);
}

/** The scratch for a right: a call's put has rate and yield exchanged. */
// @ts-ignore: decorator
@inline
function prepare(call: bool, z: v128, y: v128, scratch: usize): void {
  if (call) growth(y, z, scratch);
  else growth(z, y, scratch);
}

/** One value; see ../kernels.ts. The bits of a row's scenario without shocks. */
export function americanPrice(level: f64, forward: f64, strike: f64, v: f64, rateTime: f64, right: f64, scratch: usize): f64 {
  const call = right > 0;
  const carry = f64x2.splat(log(forward / level));
  const z = f64x2.splat(rateTime);
  const y = f64x2.sub(z, carry);
  const discount = expV(f64x2.neg(z));
  const logLevel = f64x2.splat(log(level / strike));
  const logForward = f64x2.splat(log(forward / strike));
  const s = f64x2.splat(level), f = f64x2.splat(forward), k = f64x2.splat(strike), v0 = f64x2.splat(v);
  prepare(call, z, y, scratch);
  const value = call
    ? valueV(true, s, logLevel, f, logForward, k, v0, discount, z, y, carry, scratch)
    : valueV(false, s, logLevel, f, logForward, k, v0, discount, z, y, carry, scratch);
  return f64x2.extract_lane(value, 0);
}

// @ts-ignore: decorator
@inline
function rows(
  call: bool, n: i32, level: usize, levelMove: usize, forward: usize, logMove: usize, basis: usize, up: usize,
  logLevel0: f64, logForward0: f64, carry0: f64, maturity: f64, strike0: f64, v0: f64, rateTime: f64, scale0: f64, base0: f64,
  out: usize, blockSize: i32, blockStride: i32, scratch: usize,
): void {
  const strike = f64x2.splat(strike0);
  const still = f64x2.splat(v0);
  const scale = f64x2.splat(scale0);
  const base = f64x2.splat(base0);
  const z = f64x2.splat(rateTime);
  const discount = expV(f64x2.neg(z));
  let carry = f64x2.splat(carry0);
  let y = f64x2.sub(z, carry);
  // Without a basis shock the carry is one number, and the twenty-four exponentials of the scratch serve the whole row.
  if (!basis) prepare(call, z, y, scratch);
  let i: usize = 0;
  for (let left = n; left > 0; left -= blockSize, out += blockStride) {
    for (let to: usize = 0, end = <usize>blockSize << 3; to < end; to += 16, i += 16) {
      if (basis) {
        carry = f64x2.add(f64x2.splat(carry0), f64x2.mul(f64x2.splat(maturity), v128.load(basis + i)));
        y = f64x2.sub(z, carry);
        prepare(call, z, y, scratch);
      }
      const logLevel = f64x2.add(f64x2.splat(logLevel0), v128.load(levelMove + i));
      const logForward = f64x2.add(f64x2.splat(logForward0), v128.load(logMove + i));
      const v = f64x2.mul(still, v128.load(up + i));
      const value = valueV(
        call, v128.load(level + i), logLevel, v128.load(forward + i), logForward, strike, v, discount, z, y, carry, scratch,
      );
      v128.store(out + to, f64x2.sub(f64x2.mul(scale, value), base));
    }
  }
}

/** P&L of an American call or put over n scenarios; see ../kernels.ts. */
export function americanRow(
  n: i32, level: usize, levelMove: usize, forward: usize, logMove: usize, basis: usize, up: usize,
  logLevel0: f64, logForward0: f64, carry0: f64, maturity: f64, strike: f64, v0: f64, rateTime: f64, right: f64, scale: f64, base: f64,
  out: usize, blockSize: i32, blockStride: i32, scratch: usize,
): void {
  if (right > 0) {
    rows(true, n, level, levelMove, forward, logMove, basis, up, logLevel0, logForward0, carry0, maturity, strike, v0, rateTime,
      scale, base, out, blockSize, blockStride, scratch);
  } else {
    rows(false, n, level, levelMove, forward, logMove, basis, up, logLevel0, logForward0, carry0, maturity, strike, v0, rateTime,
      scale, base, out, blockSize, blockStride, scratch);
  }
}
