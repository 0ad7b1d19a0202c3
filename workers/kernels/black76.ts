// Black-76.
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
import { logV } from './maths';

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
export function numerator(u: v128): v128 {
  const three = step(step(f64x2.add(u, v128.load(TABLE, 0)), u, 32), u, 64);
  return step(step(step(step(three, u, 96), u, 128), u, 160), u, 192);
}

/** R(u). */
// @ts-ignore: decorator
@inline
export function remainder(u: v128): v128 {
  const three = step(step(f64x2.add(u, v128.load(TABLE, 16)), u, 48), u, 80);
  return step(step(step(three, u, 112), u, 144), u, 176);
}

/** φ(u) = 2ⁿ · 2^f/√(2π) for |u| ≤ 35, where n, added to the exponent, stays above −1,000. */
// @ts-ignore: decorator
@inline
export function density(u: v128): v128 {
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

/** v, at most 70. */
// @ts-ignore: decorator
@inline
export function capped(v: v128): v128 {
  return f64x2.pmin(v, v128.load(TABLE, 496));
}

/** v/2. */
// @ts-ignore: decorator
@inline
export function half(v: v128): v128 {
  return f64x2.mul(v, v128.load(TABLE, 400));
}

/** u, at most 35. */
// @ts-ignore: decorator
@inline
export function bound(u: v128): v128 {
  return f64x2.pmin(u, v128.load(TABLE, 416));
}

/** φ(u₁) (v N₁N₂ + N₁R₂ ∓ N₂R₁), the sign after that of u₁ (`inner`: u₁ < 0). */
// @ts-ignore: decorator
@inline
export function above(phi: v128, v: v128, n1: v128, r1: v128, n2: v128, r2: v128, inner: v128): v128 {
  const sign = v128.and(inner, v128.load(TABLE, 464));
  const cross = f64x2.sub(f64x2.mul(n1, r2), v128.xor(f64x2.mul(n2, r1), sign));
  return f64x2.mul(phi, f64x2.add(f64x2.mul(v, f64x2.mul(n1, n2)), cross));
}

/** D₁D₂. */
// @ts-ignore: decorator
@inline
export function below(a: v128, n1: v128, r1: v128, b: v128, n2: v128, r2: v128): v128 {
  return f64x2.mul(f64x2.add(f64x2.mul(n1, a), r1), f64x2.add(f64x2.mul(n2, b), r2));
}

/** W. Rounding alone could leave −1e-16 at the money for a tiny v; W ≤ v holds always, and makes v = 0 exact. */
// @ts-ignore: decorator
@inline
export function ratio(top: v128, bottom: v128, v: v128, inner: v128): v128 {
  const sign = v128.and(inner, v128.load(TABLE, 464));
  const one = v128.and(inner, v128.load(TABLE, 480));
  const w = f64x2.add(one, v128.xor(f64x2.div(top, bottom), sign));
  return f64x2.pmin(f64x2.pmax(w, f64x2.splat(0)), v);
}

/** W from h = |ln(F/K)|/v and v, itself at most 70: what pricing.ts does in stages, in one piece. */
// @ts-ignore: decorator
@inline
export function outOfTheMoney(h: v128, v: v128): v128 {
  const u1 = f64x2.sub(h, half(v));
  const a = bound(f64x2.abs(u1));
  const b = bound(f64x2.add(h, half(v)));
  const inner = f64x2.lt(u1, f64x2.splat(0));
  const n1 = numerator(a), r1 = remainder(a);
  const n2 = numerator(b), r2 = remainder(b);
  return ratio(above(density(a), v, n1, r1, n2, r2, inner), below(a, n1, r1, b, n2, r2), v, inner);
}

/** min(F, K) · W for F > 0, K ≥ 0 and v ≥ 0. Where F/K overflows or underflows, 0, whatever v. */
// @ts-ignore: decorator
@inline
function timeValue(forward: v128, strike: v128, v: v128): v128 {
  const bounded = capped(v);
  const x = logV(f64x2.div(forward, strike));
  // v = 0: any v below the smallest normal serves, so that h is never 0/0.
  const h = f64x2.div(f64x2.abs(x), f64x2.pmax(bounded, f64x2.splat(1e-300)));
  return f64x2.mul(f64x2.pmin(forward, strike), outOfTheMoney(h, bounded));
}

/** max(a − b, 0), as a − min(a, b): exactly 0 where the option is out of the money. */
// @ts-ignore: decorator
@inline
export function excess(a: v128, b: v128): v128 {
  return f64x2.sub(a, f64x2.pmin(a, b));
}

/** Undiscounted price; right 1 is a call, −1 a put; forward > 0, strike ≥ 0, v = σ√T ≥ 0. A NaN, or a forward below 0, gives NaN. */
export function black76(forward: f64, strike: f64, v: f64, right: f64): f64 {
  const f = f64x2.splat(forward);
  const k = f64x2.splat(strike);
  const intrinsic = right > 0 ? excess(f, k) : excess(k, f);
  return f64x2.extract_lane(f64x2.add(timeValue(f, k, f64x2.splat(v)), intrinsic), 0);
}

/** Undiscounted prices of n calls at callOut and puts at putOut; an output of 0 is not written. The bits of black76. */
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
