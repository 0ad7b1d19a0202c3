// Elementary functions in pairs of doubles, from +, −, ×, ÷, √ and bit operations alone: the same bits on every engine.
// A scalar form is lane 0 of the vector form, so the two cannot differ.
//
// Greatest errors against 60-digit arithmetic (test/fixtures/maths.py): exp 0.89 ulp, log 0.74 ulp, normalCdf 3.5 ulp down to
// Φ(−38.4), subnormals included, inverseNormalCdf 4.2 ulp.
//
// Coefficients stand splatted in memory: V8 rebuilds a v128 constant at each use, and each costs a register.
// Fits are ours (test/fixtures/maths.coefficients.py) where no source is named.

/** One step of Horner's scheme: sum·x + the coefficient at `at`. */
// @ts-ignore: decorator
@inline
function step(sum: v128, x: v128, at: usize): v128 {
  return f64x2.add(f64x2.mul(sum, x), v128.load(at));
}

// prettier-ignore
const EXP: usize = memory.data<f64>([
  1.4426950408889634, 1.4426950408889634, // 0: log₂e
  6755399441055744.0, 6755399441055744.0, // 16: 1.5·2⁵²: adding it rounds to an integer, which then stands in the low bits
  6.93147180369123816490e-1, 6.93147180369123816490e-1, // 32: ln 2, upper 33 bits: exact times any exponent
  1.90821492927058770002e-10, 1.90821492927058770002e-10, // 48: ln 2, the rest
  1.0, 1.0, // 64
  710.0, 710.0, // 80: e^710 overflows
  -746.0, -746.0, // 96: e^−746 rounds to 0
  // 112…256: q of e^r = 1 + r + r²q(r), |r| ≤ ln2/2, relative error 1.5e-17
  0.5000000000000001, 0.5000000000000001, 0.16666666666666644, 0.16666666666666644,
  0.04166666666662431, 0.04166666666662431, 0.008333333333356221, 0.008333333333356221,
  0.0013888888917137432, 0.0013888888917137432, 0.00019841269784603077, 0.00019841269784603077,
  2.4801521397359988e-5, 2.4801521397359988e-5, 2.755735557739057e-6, 2.755735557739057e-6,
  2.7620046285901e-7, 2.7620046285901e-7, 2.5068142976520497e-8, 2.5068142976520497e-8,
  708.0, 708.0, // 272: e^x is normal for |x| below
]);

/** e^x' · 2^(−n), x' = x less an error `below` that the caller kept; n stands in the low bits of `shifted`. */
// @ts-ignore: decorator
@inline
function expReduced(x: v128, below: v128, shifted: v128, exact: bool): v128 {
  const n = f64x2.sub(shifted, v128.load(EXP, 16));
  const high = f64x2.sub(x, f64x2.mul(n, v128.load(EXP, 32)));
  let low = f64x2.mul(n, v128.load(EXP, 48));
  if (!exact) low = f64x2.add(low, below);
  const r = f64x2.sub(high, low);
  const rest = f64x2.sub(f64x2.sub(high, r), low);
  const r2 = f64x2.mul(r, r);
  const r4 = f64x2.mul(r2, r2);
  // Estrin's scheme: short chains, as latency is the limit here.
  const q01 = f64x2.add(v128.load(EXP, 112), f64x2.mul(r, v128.load(EXP, 128)));
  const q23 = f64x2.add(v128.load(EXP, 144), f64x2.mul(r, v128.load(EXP, 160)));
  const q45 = f64x2.add(v128.load(EXP, 176), f64x2.mul(r, v128.load(EXP, 192)));
  const q67 = f64x2.add(v128.load(EXP, 208), f64x2.mul(r, v128.load(EXP, 224)));
  const q89 = f64x2.add(v128.load(EXP, 240), f64x2.mul(r, v128.load(EXP, 256)));
  const q03 = f64x2.add(q01, f64x2.mul(r2, q23));
  const q47 = f64x2.add(q45, f64x2.mul(r2, q67));
  const q = f64x2.add(q03, f64x2.mul(r4, f64x2.add(q47, f64x2.mul(r4, q89))));
  return f64x2.add(v128.load(EXP, 64), f64x2.add(r, f64x2.add(rest, f64x2.mul(r2, q))));
}

/** e^(x − below), |x| < 708: 2ⁿ is added to the exponent. */
// @ts-ignore: decorator
@inline
function expNormal(x: v128, below: v128, exact: bool): v128 {
  const shifted = f64x2.add(f64x2.mul(x, v128.load(EXP, 0)), v128.load(EXP, 16));
  return i64x2.add(expReduced(x, below, shifted, exact), i64x2.shl(shifted, 52));
}

/** e^(x − below) for any x: 2ⁿ in two factors, so that results near overflow and among the subnormals round once. */
function expSpecial(x: v128, below: v128): v128 {
  const bounded = f64x2.pmax(f64x2.pmin(x, v128.load(EXP, 80)), v128.load(EXP, 96));
  const shifted = f64x2.add(f64x2.mul(bounded, v128.load(EXP, 0)), v128.load(EXP, 16));
  const p = expReduced(bounded, below, shifted, false);
  const half = i32x4.shr_s(shifted, 1);
  const scale1 = i64x2.shl(i64x2.add(half, i64x2.splat(1023)), 52);
  const scale2 = i64x2.shl(i64x2.add(i32x4.sub(shifted, half), i64x2.splat(1023)), 52);
  return f64x2.mul(f64x2.mul(p, scale1), scale2);
}

/** e^x, both lanes: 0 below −745.13, Infinity above 709.78, NaN for NaN. */
// @ts-ignore: decorator
@inline
export function expV(x: v128): v128 {
  if (i64x2.bitmask(f64x2.lt(f64x2.abs(x), v128.load(EXP, 272))) == 3) return expNormal(x, x, true);
  return expSpecial(x, f64x2.splat(0));
}

// prettier-ignore
const LOG: usize = memory.data<f64>([
  2.2250738585072014e-308, 2.2250738585072014e-308, // 0: the least normal double
  18014398509481984.0, 18014398509481984.0, // 16: 2⁵⁴
  Infinity, Infinity, // 32
  4503599627371519.0, 4503599627371519.0, // 48: 2⁵² + 1023
  6.93147180369123816490e-1, 6.93147180369123816490e-1, // 64: ln 2 in two parts, as above
  1.90821492927058770002e-10, 1.90821492927058770002e-10, // 80
  1.0, 1.0, 0.5, 0.5, 2.0, 2.0, // 96, 112, 128
  // 144…240: Lg1…Lg7 of fdlibm's e_log.c: log(1+f) = f − s(f − R), s = f/(2+f), R from s², error below 2^-58.45
  6.666666666666735130e-1, 6.666666666666735130e-1, 3.999999999940941908e-1, 3.999999999940941908e-1,
  2.857142874366239149e-1, 2.857142874366239149e-1, 2.222219843214978396e-1, 2.222219843214978396e-1,
  1.818357216161805012e-1, 1.818357216161805012e-1, 1.531383769920937332e-1, 1.531383769920937332e-1,
  1.479819860511658591e-1, 1.479819860511658591e-1,
]);
// prettier-ignore
const BITS: usize = memory.data<i64>([
  0x3ff0000000000000 - 0x3fe6a09e667f3bcd, 0x3ff0000000000000 - 0x3fe6a09e667f3bcd, // 0: from √½ to 1
  0x000fffffffffffff, 0x000fffffffffffff, // 16: the mantissa
  0x3fe6a09e667f3bcd, 0x3fe6a09e667f3bcd, // 32: √½
  0x4330000000000000, 0x4330000000000000, // 48: 2⁵²
  -0x8000000, -0x8000000, // 64: the upper 26 bits of a mantissa
]);

/** ln x for normal x > 0, plus k₀ ln 2 where `scaled`. */
// @ts-ignore: decorator
@inline
function logNormal(x: v128, k0: v128, scaled: bool): v128 {
  // x = 2^k m with √½ ≤ m < √2: the sum carries into the exponent just where the mantissa is above √2's.
  const sum = i64x2.add(x, v128.load(BITS, 0));
  const biased = i64x2.shr_u(sum, 52);
  const m = i64x2.add(v128.and(sum, v128.load(BITS, 16)), v128.load(BITS, 32));
  // 2⁵² + an integer below 2⁵² is that integer in the mantissa.
  let k = f64x2.sub(v128.or(biased, v128.load(BITS, 48)), v128.load(LOG, 48));
  if (scaled) k = f64x2.add(k, k0);
  const f = f64x2.sub(m, v128.load(LOG, 96));
  const s = f64x2.div(f, f64x2.add(v128.load(LOG, 128), f));
  const z = f64x2.mul(s, s);
  const w = f64x2.mul(z, z);
  const even = f64x2.mul(w, f64x2.add(v128.load(LOG, 160),
    f64x2.mul(w, f64x2.add(v128.load(LOG, 192), f64x2.mul(w, v128.load(LOG, 224))))));
  const odd = f64x2.mul(z, f64x2.add(v128.load(LOG, 144), f64x2.mul(w, f64x2.add(v128.load(LOG, 176),
    f64x2.mul(w, f64x2.add(v128.load(LOG, 208), f64x2.mul(w, v128.load(LOG, 240))))))));
  const halfSquare = f64x2.mul(f64x2.mul(f, f), v128.load(LOG, 112));
  const tail = f64x2.add(
    f64x2.mul(s, f64x2.add(halfSquare, f64x2.add(odd, even))),
    f64x2.mul(k, v128.load(LOG, 80)),
  );
  const inner = f64x2.sub(f64x2.sub(halfSquare, tail), f);
  return f64x2.sub(f64x2.mul(k, v128.load(LOG, 64)), inner);
}

/** ln x, both lanes: −Infinity for ±0, NaN for x < 0 and NaN, Infinity for Infinity; subnormals exact. */
// @ts-ignore: decorator
@inline
export function logV(x: v128): v128 {
  const normal = v128.and(f64x2.ge(x, v128.load(LOG, 0)), f64x2.lt(x, v128.load(LOG, 32)));
  if (i64x2.bitmask(normal) == 3) return logNormal(x, x, false);
  return logSpecial(x);
}

/** The rare lanes of logV. A function of its own, so that it does not swell the loops that logV is inlined in. */
function logSpecial(x: v128): v128 {
  const small = f64x2.lt(x, v128.load(LOG, 0));
  const scaled = v128.bitselect(f64x2.mul(x, v128.load(LOG, 16)), x, small);
  const value = logNormal(scaled, v128.and(small, f64x2.splat(-54)), true);
  const zero = f64x2.eq(x, f64x2.splat(0));
  const same = f64x2.eq(x, v128.load(LOG, 32));
  const valid = f64x2.ge(x, f64x2.splat(0));
  const finite = v128.bitselect(value, f64x2.splat(NaN), valid);
  return v128.bitselect(f64x2.splat(-Infinity), v128.bitselect(x, finite, same), zero);
}

// prettier-ignore
const CDF: usize = memory.data<f64>([
  39.0, 39.0, // 0: Φ(−39) rounds to 0
  0.5, 0.5, // 16
  0.3989422804014327, 0.3989422804014327, // 32: 1/√(2π)
  -708.0, -708.0, // 48
  // 64…208, N without its leading 1, highest power first, each with R's coefficient of the same power
  // Mills' ratio M = N/(xN + R) for x ≥ 0, deg N = 10, deg R = 9, relative error 4e-17
  29.601833027556463, 29.601833027556463, 0.9999999999735901, 0.9999999999735901,
  433.6371566460569, 433.6371566460569, 29.6018330335333, 29.6018330335333,
  4077.1311391978215, 4077.1311391978215, 431.637156051584, 431.637156051584,
  27015.49226489225, 27015.49226489225, 4017.9275079741324, 4017.9275079741324,
  131190.687736356, 131190.687736356, 26158.216590218726, 26158.216590218726,
  471922.40026247286, 471922.40026247286, 123332.48190649199, 123332.48190649199,
  1242590.546179466, 1242590.546179466, 422152.98598094773, 422152.98598094773,
  2300720.0513829133, 2300720.0513829133, 1018803.0137931545, 1018803.0137931545,
  2727503.8481037715, 2727503.8481037715, 1595477.9427505052, 1595477.9427505052,
  1598202.7172082926, 1598202.7172082926, 1275181.2730936846, 1275181.2730936846,
]);

/** Φ(x), both lanes, to a few ulp in the lower tail too: Φ(−a) = φ(a) M(a) with Mills' ratio M. */
// @ts-ignore: decorator
@inline
export function normalCdfV(x: v128): v128 {
  const a = f64x2.pmin(f64x2.abs(x), v128.load(CDF, 0));
  // a² to twice the precision: the square of the upper 26 bits is exact, the rest joins e^(−a²/2) as a correction.
  const upper = v128.and(a, v128.load(BITS, 64));
  const square = f64x2.neg(f64x2.mul(f64x2.mul(upper, upper), v128.load(CDF, 16)));
  const rest = f64x2.mul(f64x2.mul(f64x2.sub(a, upper), f64x2.add(a, upper)), v128.load(CDF, 16));
  const power = i64x2.bitmask(f64x2.gt(square, v128.load(CDF, 48))) == 3
    ? expNormal(square, rest, false)
    : expSpecial(square, rest);
  const density = f64x2.mul(power, v128.load(CDF, 32));
  // Even and odd powers apart: four chains of half the length.
  const w = f64x2.mul(a, a);
  let evenN = f64x2.add(w, v128.load(CDF, 96));
  let oddN = v128.load(CDF, 64);
  let evenR = v128.load(CDF, 112);
  let oddR = v128.load(CDF, 80);
  evenN = step(evenN, w, CDF + 160);
  evenR = step(evenR, w, CDF + 176);
  oddN = step(oddN, w, CDF + 128);
  oddR = step(oddR, w, CDF + 144);
  evenN = step(evenN, w, CDF + 224);
  evenR = step(evenR, w, CDF + 240);
  oddN = step(oddN, w, CDF + 192);
  oddR = step(oddR, w, CDF + 208);
  evenN = step(evenN, w, CDF + 288);
  evenR = step(evenR, w, CDF + 304);
  oddN = step(oddN, w, CDF + 256);
  oddR = step(oddR, w, CDF + 272);
  evenN = step(evenN, w, CDF + 352);
  evenR = step(evenR, w, CDF + 368);
  oddN = step(oddN, w, CDF + 320);
  oddR = step(oddR, w, CDF + 336);
  const numerator = f64x2.add(evenN, f64x2.mul(oddN, a));
  const remainder = f64x2.add(evenR, f64x2.mul(oddR, a));
  const tail = f64x2.mul(density, f64x2.div(numerator, f64x2.add(f64x2.mul(numerator, a), remainder)));
  const positive = f64x2.gt(x, f64x2.splat(0));
  return v128.bitselect(f64x2.sub(v128.load(EXP, 64), tail), tail, positive);
}

// Wichura (1988), Algorithm AS 241, PPND16: three rationals of degree 7, numerator and denominator of one power side by side,
// highest power first. Centre: q = p − ½, in 0.180625 − q²; tails: r = √(−ln min(p, 1−p)), in r − 1.6 for r ≤ 5, else r − 5.
// prettier-ignore
const CENTRE: usize = memory.data<f64>([
  2.5090809287301226727e+3, 2.5090809287301226727e+3, 5.2264952788528545610e+3, 5.2264952788528545610e+3,
  3.3430575583588128105e+4, 3.3430575583588128105e+4, 2.8729085735721942674e+4, 2.8729085735721942674e+4,
  6.7265770927008700853e+4, 6.7265770927008700853e+4, 3.9307895800092710610e+4, 3.9307895800092710610e+4,
  4.5921953931549871457e+4, 4.5921953931549871457e+4, 2.1213794301586595867e+4, 2.1213794301586595867e+4,
  1.3731693765509461125e+4, 1.3731693765509461125e+4, 5.3941960214247511077e+3, 5.3941960214247511077e+3,
  1.9715909503065514427e+3, 1.9715909503065514427e+3, 6.8718700749205790830e+2, 6.8718700749205790830e+2,
  1.3314166789178437745e+2, 1.3314166789178437745e+2, 4.2313330701600911252e+1, 4.2313330701600911252e+1,
  3.3871328727963666080e+0, 3.3871328727963666080e+0, 1.0, 1.0,
]);
// prettier-ignore
const TAIL: usize = memory.data<f64>([
  7.74545014278341407640e-4, 7.74545014278341407640e-4, 1.05075007164441684324e-9, 1.05075007164441684324e-9,
  2.27238449892691845833e-2, 2.27238449892691845833e-2, 5.47593808499534494600e-4, 5.47593808499534494600e-4,
  2.41780725177450611770e-1, 2.41780725177450611770e-1, 1.51986665636164571966e-2, 1.51986665636164571966e-2,
  1.27045825245236838258e+0, 1.27045825245236838258e+0, 1.48103976427480074590e-1, 1.48103976427480074590e-1,
  3.64784832476320460504e+0, 3.64784832476320460504e+0, 6.89767334985100004550e-1, 6.89767334985100004550e-1,
  5.76949722146069140550e+0, 5.76949722146069140550e+0, 1.67638483018380384940e+0, 1.67638483018380384940e+0,
  4.63033784615654529590e+0, 4.63033784615654529590e+0, 2.05319162663775882187e+0, 2.05319162663775882187e+0,
  1.42343711074968357734e+0, 1.42343711074968357734e+0, 1.0, 1.0,
]);
// prettier-ignore
const FAR_TAIL: usize = memory.data<f64>([
  2.01033439929228813265e-7, 2.01033439929228813265e-7, 2.04426310338993978564e-15, 2.04426310338993978564e-15,
  2.71155556874348757815e-5, 2.71155556874348757815e-5, 1.42151175831644588870e-7, 1.42151175831644588870e-7,
  1.24266094738807843860e-3, 1.24266094738807843860e-3, 1.84631831751005468180e-5, 1.84631831751005468180e-5,
  2.65321895265761230930e-2, 2.65321895265761230930e-2, 7.86869131145613259100e-4, 7.86869131145613259100e-4,
  2.96560571828504891230e-1, 2.96560571828504891230e-1, 1.48753612908506148525e-2, 1.48753612908506148525e-2,
  1.78482653991729133580e+0, 1.78482653991729133580e+0, 1.36929880922735805310e-1, 1.36929880922735805310e-1,
  5.46378491116411436990e+0, 5.46378491116411436990e+0, 5.99832206555887937690e-1, 5.99832206555887937690e-1,
  6.65790464350110377720e+0, 6.65790464350110377720e+0, 1.0, 1.0,
]);

// @ts-ignore: decorator
@inline
function rational7(table: usize, x: v128): v128 {
  const w = f64x2.mul(x, x);
  let oddTop = v128.load(table + 0);
  let oddBottom = v128.load(table + 16);
  let evenTop = v128.load(table + 32);
  let evenBottom = v128.load(table + 48);
  oddTop = step(oddTop, w, table + 64);
  oddBottom = step(oddBottom, w, table + 80);
  evenTop = step(evenTop, w, table + 96);
  evenBottom = step(evenBottom, w, table + 112);
  oddTop = step(oddTop, w, table + 128);
  oddBottom = step(oddBottom, w, table + 144);
  evenTop = step(evenTop, w, table + 160);
  evenBottom = step(evenBottom, w, table + 176);
  oddTop = step(oddTop, w, table + 192);
  oddBottom = step(oddBottom, w, table + 208);
  evenTop = step(evenTop, w, table + 224);
  evenBottom = step(evenBottom, w, table + 240);
  const top = f64x2.add(evenTop, f64x2.mul(oddTop, x));
  const bottom = f64x2.add(evenBottom, f64x2.mul(oddBottom, x));
  return f64x2.div(top, bottom);
}

/** Φ⁻¹(p), both lanes: ∓Infinity at 0 and 1, NaN outside [0, 1]. */
// @ts-ignore: decorator
@inline
export function inverseNormalCdfV(p: v128): v128 {
  const q = f64x2.sub(p, f64x2.splat(0.5));
  const centre = f64x2.mul(q, rational7(CENTRE, f64x2.sub(f64x2.splat(0.180625), f64x2.mul(q, q))));
  const central = f64x2.le(f64x2.abs(q), f64x2.splat(0.425));
  if (i64x2.bitmask(central) == 3) return centre;
  return v128.bitselect(centre, inverseTail(p, q), central);
}

function inverseTail(p: v128, q: v128): v128 {
  const least = f64x2.pmin(p, f64x2.sub(f64x2.splat(1), p));
  const r = f64x2.sqrt(f64x2.neg(logV(least)));
  let value = rational7(TAIL, f64x2.sub(r, f64x2.splat(1.6)));
  const far = f64x2.gt(r, f64x2.splat(5));
  if (v128.any_true(far)) {
    const beyond = rational7(FAR_TAIL, f64x2.sub(r, f64x2.splat(5)));
    const certain = f64x2.eq(r, f64x2.splat(Infinity));
    value = v128.bitselect(v128.bitselect(r, beyond, certain), value, far);
  }
  return v128.or(value, v128.and(q, f64x2.splat(-0.0)));
}

/** e^x. */
export function exp(x: f64): f64 {
  return f64x2.extract_lane(expV(f64x2.splat(x)), 0);
}

/** ln x. */
export function log(x: f64): f64 {
  return f64x2.extract_lane(logV(f64x2.splat(x)), 0);
}

/** Φ(x). */
export function normalCdf(x: f64): f64 {
  return f64x2.extract_lane(normalCdfV(f64x2.splat(x)), 0);
}

/** Φ⁻¹(p), 0 < p < 1. */
export function inverseNormalCdf(p: f64): f64 {
  return f64x2.extract_lane(inverseNormalCdfV(f64x2.splat(p)), 0);
}

export function expArray(input: usize, output: usize, n: i32): void {
  const end = input + ((<usize>n & ~1) << 3);
  for (; input < end; input += 16, output += 16) v128.store(output, expV(v128.load(input)));
  if (n & 1) f64.store(output, exp(f64.load(input)));
}

export function logArray(input: usize, output: usize, n: i32): void {
  const end = input + ((<usize>n & ~1) << 3);
  for (; input < end; input += 16, output += 16) v128.store(output, logV(v128.load(input)));
  if (n & 1) f64.store(output, log(f64.load(input)));
}

export function normalCdfArray(input: usize, output: usize, n: i32): void {
  const end = input + ((<usize>n & ~1) << 3);
  for (; input < end; input += 16, output += 16) v128.store(output, normalCdfV(v128.load(input)));
  if (n & 1) f64.store(output, normalCdf(f64.load(input)));
}

export function inverseNormalCdfArray(input: usize, output: usize, n: i32): void {
  const end = input + ((<usize>n & ~1) << 3);
  for (; input < end; input += 16, output += 16) v128.store(output, inverseNormalCdfV(v128.load(input)));
  if (n & 1) f64.store(output, inverseNormalCdf(f64.load(input)));
}
