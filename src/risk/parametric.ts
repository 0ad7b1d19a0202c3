/**
 * VaR and ES without simulation, from sensitivities and the covariance of the factors: what the simulated figures are checked against.
 * P&L ≈ θ + δᵀX + ½ Σ γ_f X_f², X ~ N(μ, Σ).
 */
import { exp, inverseNormalCdf } from '../numerics.ts';

/** Of a book, by factor: profit per unit of its shock. */
export interface Sensitivities {
  /** δ: first derivative of the P&L. */
  readonly first: Float64Array;
  /** γ: second derivative. */
  readonly second: Float64Array;
  /** θ: P&L of the horizon without any shock, in currency. */
  readonly time: number;
}

/** The factors' shocks over the horizon: mean by factor, covariance row-major. */
export interface ShockMoments {
  readonly mean: Float64Array;
  readonly covariance: Float64Array;
}

export interface TailPair {
  readonly valueAtRisk: number;
  readonly expectedShortfall: number;
}

/** Figures, or the reason why there are none. */
export type Refusable =
  | { readonly tail: TailPair; readonly refusal: null }
  | { readonly tail: null; readonly refusal: string };

export interface Moments {
  readonly mean: number;
  readonly standardDeviation: number;
  readonly skewness: number;
  readonly excessKurtosis: number;
}

const INVERSE_SQRT_2_PI = 0.398_942_280_401_432_7;

/** φ(x). */
const density = (x: number): number => INVERSE_SQRT_2_PI * exp(-0.5 * x * x);

/** VaR = −m + s z, ES = −m + s φ(z)/(1 − α) of a normal P&L with mean m and deviation s. */
function normalTail(mean: number, deviation: number, confidence: number): TailPair {
  const z = inverseNormalCdf(confidence);
  return {
    valueAtRisk: deviation * z - mean,
    expectedShortfall: (deviation * density(z)) / (1 - confidence) - mean,
  };
}

/** Delta-normal: the first order alone, without the passage of time. Linear books under `gaussian` have this law but for their convexity. */
export function deltaNormal(
  { first }: Pick<Sensitivities, 'first'>,
  { mean, covariance }: ShockMoments,
  confidence: number,
): TailPair {
  const variance = dot(first, product(covariance, first));
  return normalTail(dot(first, mean), Math.sqrt(Math.max(0, variance)), confidence);
}

/**
 * Moments of the quadratic form, from its cumulants κ_r = ½ r! bᵀΣ(ΓΣ)^(r−2) b + ½ (r−1)! tr((ΓΣ)^r), r ≥ 2, with b = δ + Γμ
 * (Mathai and Provost 1992, "Quadratic Forms in Random Variables", theorem 3.2b.2).
 */
export function quadraticMoments(
  { first, second, time }: Sensitivities,
  { mean, covariance }: ShockMoments,
): Moments {
  const n = first.length;
  const b = first.map((d, f) => d + second[f]! * mean[f]!);
  let kappa1 = time + dot(first, mean);
  for (let f = 0; f < n; f++) {
    kappa1 += 0.5 * second[f]! * (mean[f]! * mean[f]! + covariance[f * n + f]!);
  }
  const v1 = product(covariance, b);
  const w1 = v1.map((value, f) => second[f]! * value);
  const v2 = product(covariance, w1);
  const w2 = v2.map((value, f) => second[f]! * value);
  const traces = curvatureTraces(second, covariance);
  const kappa2 = dot(b, v1) + 0.5 * traces.square;
  const kappa3 = 3 * dot(w1, v1) + traces.cube;
  const kappa4 = 12 * dot(w2, v1) + 3 * traces.fourth;
  const deviation = Math.sqrt(Math.max(0, kappa2));
  return {
    mean: kappa1,
    standardDeviation: deviation,
    skewness: deviation > 0 ? kappa3 / (deviation * kappa2) : 0,
    excessKurtosis: deviation > 0 ? kappa4 / (kappa2 * kappa2) : 0,
  };
}

/** tr((ΓΣ)²), tr((ΓΣ)³), tr((ΓΣ)⁴), over the factors that have curvature. */
function curvatureTraces(second: Float64Array, covariance: Float64Array) {
  const n = second.length;
  const curved = Array.from(second.keys()).filter((f) => second[f] !== 0);
  const m = curved.length;
  const once = new Float64Array(m * m);
  curved.forEach((f, i) => {
    curved.forEach((g, j) => {
      once[i * m + j] = second[f]! * covariance[f * n + g]!;
    });
  });
  const twice = new Float64Array(m * m);
  for (let i = 0; i < m; i++) {
    for (let k = 0; k < m; k++) {
      const factor = once[i * m + k]!;
      for (let j = 0; j < m; j++) twice[i * m + j]! += factor * once[k * m + j]!;
    }
  }
  let square = 0;
  let cube = 0;
  let fourth = 0;
  for (let i = 0; i < m; i++) {
    square += twice[i * m + i]!;
    for (let j = 0; j < m; j++) {
      cube += twice[i * m + j]! * once[j * m + i]!;
      fourth += twice[i * m + j]! * twice[j * m + i]!;
    }
  }
  return { square, cube, fourth };
}

/**
 * Quantile by the Cornish–Fisher expansion w(z) = z + (z²−1)S/6 + (z³−3z)K/24 − (2z³−5z)S²/36 (Cornish and Fisher 1938), and ES as the mean of
 * that quantile over the tail: −m + s φ(z)/(1−α) · (1 + zS/6 + (z²−1)K/24 − (2z²−1)S²/36) at z = Φ⁻¹(1−α).
 * Refused where w does not rise with z, so that it is no quantile (after Maillard 2012, "A user's guide to the Cornish Fisher expansion").
 */
export function cornishFisher(moments: Moments, confidence: number): Refusable {
  const { mean, standardDeviation, skewness: S, excessKurtosis: K } = moments;
  const refusal = cornishFisherProblem(S, K);
  if (refusal !== null) return { tail: null, refusal };
  const z = inverseNormalCdf(1 - confidence);
  const z2 = z * z;
  const w = z + ((z2 - 1) * S) / 6 + (z * (z2 - 3) * K) / 24 - (z * (2 * z2 - 5) * S * S) / 36;
  const slope = 1 + (z * S) / 6 + ((z2 - 1) * K) / 24 - ((2 * z2 - 1) * S * S) / 36;
  const tail = {
    valueAtRisk: -mean - standardDeviation * w,
    expectedShortfall: (standardDeviation * density(z) * slope) / (1 - confidence) - mean,
  };
  return { tail, refusal: null };
}

/** Where the expansion has to rise: 2·10⁻⁹ of the normal law lies outside. */
const REACH = 6;

/**
 * Why the expansion is no quantile function for these moments; null where it is one: where w′ = az² + bz + c, a = K/8 − S²/6, b = S/3,
 * c = 1 − K/8 + 5S²/36, is nowhere below 0 within six deviations. (On the whole line hardly any book would pass: that of one lognormal asset
 * has a = 0.)
 */
export function cornishFisherProblem(skewness: number, excessKurtosis: number): string | null {
  const a = excessKurtosis / 8 - (skewness * skewness) / 6;
  const b = skewness / 3;
  const c = 1 - excessKurtosis / 8 + (5 * skewness * skewness) / 36;
  const slope = (z: number): number => (a * z + b) * z + c;
  const vertex = a > 0 ? Math.max(-REACH, Math.min(REACH, -b / (2 * a))) : REACH;
  const least = Math.min(slope(-REACH), slope(REACH), slope(vertex));
  if (least >= 0) return null;
  const figures = `skewness ${skewness.toFixed(3)} and excess kurtosis ${excessKurtosis.toFixed(3)}`;
  return `with ${figures} the Cornish–Fisher expansion does not rise throughout: it is no quantile function`;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** A row-major square matrix times a vector. */
function product(matrix: Float64Array, vector: Float64Array): Float64Array {
  const n = vector.length;
  return vector.map((_, i) => dot(matrix.subarray(i * n, (i + 1) * n), vector));
}
