/**
 * Degrees of freedom of a Student-t by maximum likelihood. The law is the one that scenarios are drawn from: k factors with covariance R
 * (unit variances, so the scale is not free) and density in q = z′R⁻¹z
 *
 *     ln f = ln Γ((ν+k)/2) − ln Γ(ν/2) − (k/2) ln(π(ν−2)) − ½ ln|R| − ((ν+k)/2) ln(1 + q/(ν−2))
 *
 * (S. Kotz, S. Nadarajah, "Multivariate t Distributions and Their Applications", 2004, eq. 1.1, with R(ν−2)/ν as its matrix.) One ν for a
 * vector (k > 1), or each factor's own (k = 1, q = z²).
 */
import { log } from '../numerics.ts';
import { digamma, logGamma, trigamma } from './gammaFunctions.ts';
import type { GarchInfluence } from './garchErrors.ts';
import { influenceError, meanProduct } from './garchErrors.ts';

export interface TailFit {
  /** ν; null where the likelihood still rises at 1,000: normal as far as these data tell. */
  readonly degreesOfFreedom: number | null;
  /** One standard deviation of ν; null where ν is, or lies on the lower bound. */
  readonly standardError: number | null;
  /** Of the t (of the normal where ν is null), and of the normal. */
  readonly logLikelihood: number;
  readonly gaussianLogLikelihood: number;
  readonly observations: number;
  /** Whether ν is the least that is allowed: the data are heavier still. */
  readonly atLowerBound: boolean;
}

/** Least ν fitted; a model needs ν > 2, and just above it the unit variance is all in the tail. */
export const LEAST_FITTED_DEGREES = 2.05;
/** Above it the law is not told from the normal. */
export const GREATEST_FITTED_DEGREES = 1000;
const GRID = 24;

/**
 * @param forms q of each observation, ≥ 0, finite, at least one
 * @param k number of factors in each
 * @param logDeterminant ln|R|
 * The standard error is from the observed information: R, and what the z were divided by, are taken as known.
 */
export function fitStudentT(forms: Float64Array, k: number, logDeterminant: number): TailFit {
  const n = forms.length;
  const gaussianLogLikelihood = gaussian(forms, k, logDeterminant);
  const score = (inverse: number): number => meanScore(forms, k, 1 / inverse);
  const inverse = bestInverse(score, (x) => shapeLikelihood(forms, k, 1 / x));
  const common = { gaussianLogLikelihood, observations: n };
  if (inverse === 0) {
    return {
      ...common,
      degreesOfFreedom: null,
      standardError: null,
      logLikelihood: gaussianLogLikelihood,
      atLowerBound: false,
    };
  }
  const nu = 1 / inverse;
  const atLowerBound = inverse >= 1 / LEAST_FITTED_DEGREES;
  const information = -meanCurvature(forms, k, nu) * n;
  return {
    ...common,
    degreesOfFreedom: atLowerBound ? LEAST_FITTED_DEGREES : nu,
    standardError: atLowerBound || !(information > 0) ? null : 1 / Math.sqrt(information),
    logLikelihood: shapeLikelihood(forms, k, nu) - 0.5 * n * logDeterminant,
    atLowerBound,
  };
}

/**
 * Standard error of a factor's own ν where the z come from a GARCH fit: the errors of σ̄², α and β go into it (two-step estimation: W. K.
 * Newey and D. McFadden, Handbook of Econometrics 4, 1994, theorem 6.1).
 * @param squares z² of the fit, one an observation of `first`
 */
export function twoStepTailError(
  squares: Float64Array,
  nu: number,
  first: GarchInfluence,
): number | null {
  const information = -meanCurvature(squares, 1, nu);
  if (!(information > 0)) return null;
  // ∂(score of ν)/∂ln h = −q·∂/∂q, since q = r²/h.
  const byLogVariance = squares.map((q) => -q * scoreSlope(q, 1, nu));
  const [e, p, r] = first.slopes.map((slope) => meanProduct(byLogVariance, slope));
  const influence = squares.map(
    (q, t) =>
      (scoreOf(q, 1, nu) + e! * first.variance[t]! + p! * first.alpha[t]! + r! * first.beta[t]!) /
      information,
  );
  return influenceError(influence);
}

/** 1/ν that maximises, on a grid and then by bisection of the score between its neighbours; 0 where it is below 1/1000. */
function bestInverse(
  score: (inverse: number) => number,
  likelihood: (inverse: number) => number,
): number {
  const [low, high] = [1 / GREATEST_FITTED_DEGREES, 1 / LEAST_FITTED_DEGREES];
  const at = (i: number): number => low + ((high - low) * i) / GRID;
  let best = 0;
  let greatest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i <= GRID; i++) {
    const value = likelihood(at(i));
    if (value > greatest) [greatest, best] = [value, i];
  }
  let [left, right] = [at(Math.max(0, best - 1)), at(Math.min(GRID, best + 1))];
  // The score is that of ν: it falls through 0, seen from small 1/ν, as a rise of 1/ν is a fall of ν.
  if (!(score(left) < 0)) return best === 0 ? 0 : at(best);
  if (!(score(right) > 0)) return best === GRID ? high : at(best);
  for (let step = 0; step < 60 && right - left > 1e-13; step++) {
    const middle = (left + right) / 2;
    if (score(middle) < 0) left = middle;
    else right = middle;
  }
  return (left + right) / 2;
}

/** Log-likelihood without ½ ln|R|. */
function shapeLikelihood(forms: Float64Array, k: number, nu: number): number {
  let sum = 0;
  for (let t = 0; t < forms.length; t++) sum += log(1 + forms[t]! / (nu - 2));
  const constant = logGamma((nu + k) / 2) - logGamma(nu / 2) - 0.5 * k * log(Math.PI * (nu - 2));
  return forms.length * constant - 0.5 * (nu + k) * sum;
}

function gaussian(forms: Float64Array, k: number, logDeterminant: number): number {
  let sum = 0;
  for (let t = 0; t < forms.length; t++) sum += forms[t]!;
  return -0.5 * (sum + forms.length * (k * 1.8378770664093453 + logDeterminant));
}

/** What of ∂ln f/∂ν does not depend on q. */
function scoreLevel(k: number, nu: number): number {
  return 0.5 * (digamma((nu + k) / 2) - digamma(nu / 2)) - k / (2 * (nu - 2));
}

function scorePart(q: number, k: number, nu: number): number {
  const m = nu - 2;
  return -0.5 * log(1 + q / m) + (0.5 * (nu + k) * q) / (m * (m + q));
}

/** ∂²ln f/∂ν∂q. */
export function scoreSlope(q: number, k: number, nu: number): number {
  const m = nu - 2;
  return -0.5 / (m + q) + (0.5 * (nu + k)) / ((m + q) * (m + q));
}

/** ∂ln f/∂ν of one observation. */
export function scoreOf(q: number, k: number, nu: number): number {
  return scoreLevel(k, nu) + scorePart(q, k, nu);
}

function meanScore(forms: Float64Array, k: number, nu: number): number {
  let sum = 0;
  for (let t = 0; t < forms.length; t++) sum += scorePart(forms[t]!, k, nu);
  return scoreLevel(k, nu) + sum / forms.length;
}

/** Mean of ∂²ln f/∂ν². */
export function meanCurvature(forms: Float64Array, k: number, nu: number): number {
  const m = nu - 2;
  let sum = 0;
  for (let t = 0; t < forms.length; t++) {
    const q = forms[t]!;
    const ratio = q / (m * (m + q));
    sum += ratio - (0.5 * (nu + k) * ratio * (2 * m + q)) / (m * (m + q));
  }
  const level = 0.25 * (trigamma((nu + k) / 2) - trigamma(nu / 2)) + k / (2 * m * m);
  return level + sum / forms.length;
}
