/**
 * How sure a variance-targeted GARCH fit is. Each observation's influence on (σ̄², α, β), to first order, is a martingale difference, so
 * the covariance of the estimates is the sum of its squares: the sandwich of T. Bollerslev and J. M. Wooldridge (Econometric Reviews 11,
 * 1992), with the error of the targeted variance in it (Francq, Horváth and Zakoïan 2011, theorem 2.1):
 *
 *     σ̄² − σ²  = (1−β)/(1−α−β) · mean h_t(η_t² − 1)
 *     (α, β)^ − (α, β) = A⁻¹ · mean [ ½(η_t² − 1) d_t − a·(σ̄² part of t) ],  A = ½ mean d d′,  a = ½ mean d e
 *
 * with d = ∂ln h/∂(α, β), e = ∂ln h/∂σ̄². Normal to first order while r has a fourth moment: β² + 2αβ + E[η⁴]α² < 1.
 */
import type { GarchParameters } from './garch.ts';

/** n values each; units of σ̄². */
export interface GarchInfluence {
  /** Of each observation on σ̄² (relative), α and β: the estimate's error is the mean of these. */
  readonly variance: Float64Array;
  readonly alpha: Float64Array;
  readonly beta: Float64Array;
  /** ∂ln h_t by σ̄² (relative), α and β. */
  readonly slopes: readonly [Float64Array, Float64Array, Float64Array];
}

/**
 * @param squares r²/σ̄²; @param variances h/σ̄² of the same fit
 * @returns null where α and β cannot be told apart
 */
export function garchInfluence(
  squares: Float64Array,
  variances: Float64Array,
  { alpha, beta }: GarchParameters,
): GarchInfluence | null {
  const n = squares.length;
  const slopes = slopesOf(squares, variances, alpha, beta);
  const [e, p, q] = slopes;
  const [aa, ab, bb] = [meanProduct(p, p) / 2, meanProduct(p, q) / 2, meanProduct(q, q) / 2];
  const [ae, be] = [meanProduct(p, e) / 2, meanProduct(q, e) / 2];
  const determinant = aa * bb - ab * ab;
  if (!(determinant > 1e-12 * aa * bb)) return null;
  const gain = (1 - beta) / (1 - alpha - beta);
  const onVariance = new Float64Array(n);
  const onAlpha = new Float64Array(n);
  const onBeta = new Float64Array(n);
  for (let t = 0; t < n; t++) {
    const excess = squares[t]! / variances[t]! - 1;
    const targeted = gain * variances[t]! * excess;
    const scoreAlpha = 0.5 * excess * p[t]! - ae * targeted;
    const scoreBeta = 0.5 * excess * q[t]! - be * targeted;
    onVariance[t] = targeted;
    onAlpha[t] = (bb * scoreAlpha - ab * scoreBeta) / determinant;
    onBeta[t] = (aa * scoreBeta - ab * scoreAlpha) / determinant;
  }
  return { variance: onVariance, alpha: onAlpha, beta: onBeta, slopes };
}

function slopesOf(
  squares: Float64Array,
  variances: Float64Array,
  alpha: number,
  beta: number,
): [Float64Array, Float64Array, Float64Array] {
  const n = squares.length;
  const slopes = [new Float64Array(n), new Float64Array(n), new Float64Array(n)] as const;
  // h₁ = σ̄², so its slope by σ̄² is 1.
  let [byVariance, byAlpha, byBeta] = [1, 0, 0];
  for (let t = 0; t < n; t++) {
    const h = variances[t]!;
    slopes[0][t] = byVariance / h;
    slopes[1][t] = byAlpha / h;
    slopes[2][t] = byBeta / h;
    byVariance = 1 - alpha - beta + beta * byVariance;
    byAlpha = squares[t]! - 1 + beta * byAlpha;
    byBeta = h - 1 + beta * byBeta;
  }
  return [...slopes];
}

/** Standard errors of α, β and their sum. */
export function persistenceError({ alpha, beta }: GarchInfluence): {
  alpha: number;
  beta: number;
  persistence: number;
} {
  const sum = alpha.map((value, t) => value + beta[t]!);
  return {
    alpha: influenceError(alpha),
    beta: influenceError(beta),
    persistence: influenceError(sum),
  };
}

/** √(mean φ² / n): the standard error of an estimate whose error is the mean of φ. */
export function influenceError(influence: Float64Array): number {
  return Math.sqrt(meanProduct(influence, influence) / influence.length);
}

export function meanProduct(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let t = 0; t < a.length; t++) sum += a[t]! * b[t]!;
  return sum / a.length;
}
