/**
 * GARCH(1,1) with mean zero (T. Bollerslev, J. Econometrics 31, 1986): r_t = √h_t·η_t, h_{t+1} = ω + α r_t² + β h_t, by gaussian
 * quasi-maximum likelihood with variance targeting: ω = σ̄²(1 − α − β), σ̄² the mean square of the returns, h₁ = σ̄² (C. Francq,
 * L. Horváth, J.-M. Zakoïan, "Merits and drawbacks of variance targeting in GARCH models", J. Financial Econometrics 9, 2011).
 * Everything is computed on returns divided by σ̄, so the fit does not depend on their unit.
 */
import { ensure } from '../errors.ts';
import { log } from '../numerics.ts';
import { type GarchInfluence, garchInfluence, persistenceError } from './garchErrors.ts';
import { nelderMead } from './optimiser.ts';

export interface GarchParameters {
  readonly alpha: number;
  readonly beta: number;
}

/** Where the optimum lies on the edge of what is allowed: then standard errors mean nothing. */
export type GarchBound = 'alpha' | 'beta' | 'persistence';

export interface GarchFit extends GarchParameters {
  /** Per step, in squares of the returns' unit. */
  readonly omega: number;
  /** α + β. */
  readonly persistence: number;
  /** Steps in which a departure from the long-run variance halves: ln ½ / ln(α + β); 0 where the variance is constant. */
  readonly halfLife: number;
  /** σ̄², per step. */
  readonly longRunVariance: number;
  /** h of the step after the last return. */
  readonly nextVariance: number;
  /** Gaussian, of all observations. */
  readonly logLikelihood: number;
  readonly observations: number;
  /** One standard deviation, for any law of η with a fourth moment; null on the edge, or where α and β cannot be told apart. */
  readonly standardErrors: {
    readonly alpha: number;
    readonly beta: number;
    readonly persistence: number;
  } | null;
  readonly bound: GarchBound | null;
}

export interface GarchResult {
  readonly fit: GarchFit;
  /** h_t of each return, known the step before. */
  readonly variances: Float64Array;
  /** What each observation did to the estimates; null where there are no standard errors. */
  readonly influence: GarchInfluence | null;
}

/** Above it the long-run variance is no longer seen in any history of a sensible length: half-life 6,931 steps. */
const PERSISTENCE_MAX = 0.9999;
/** Nearer to an edge than this is on it. */
const EDGE = 1e-6;
const STARTS_ALPHA = [0.02, 0.05, 0.1, 0.2];
const STARTS_PERSISTENCE = [0.6, 0.9, 0.95, 0.98, 0.995];

/**
 * @param returns per step, oldest first, finite, not all 0. The fit has four moments of the returns behind it: some hundred are the least
 * that makes sense, which is the caller's to ask for.
 */
export function fitGarch(returns: Float64Array): GarchResult {
  const n = returns.length;
  const longRunVariance = meanSquare(returns);
  ensure(longRunVariance > 0 && Number.isFinite(longRunVariance), 'returns that move are expected');
  const squares = returns.map((r) => (r * r) / longRunVariance);
  const { parameters, bound } = maximise(squares);
  const { alpha, beta } = parameters;
  const unit = varianceFilter(squares, parameters);
  const influence = bound === null ? garchInfluence(squares, unit.variances, parameters) : null;
  const persistence = alpha + beta;
  const fit: GarchFit = {
    alpha,
    beta,
    omega: longRunVariance * (1 - persistence),
    persistence,
    halfLife: persistence > 0 ? log(0.5) / log(persistence) : 0,
    longRunVariance,
    nextVariance: longRunVariance * unit.next,
    logLikelihood: gaussianLogLikelihood(unit.deviance, n, longRunVariance),
    observations: n,
    standardErrors: influence === null ? null : persistenceError(influence),
    bound,
  };
  return { fit, variances: unit.variances.map((h) => h * longRunVariance), influence };
}

/** Mean of squares; 0 for none. */
export function meanSquare(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return values.length === 0 ? 0 : sum / values.length;
}

function gaussianLogLikelihood(deviance: number, n: number, scale: number): number {
  return -0.5 * (deviance + n * (1.8378770664093453 + log(scale)));
}

/** Σ (ln h_t + x_t/h_t) of squares x with mean 1, +∞ outside the region. The same recursion as `varianceFilter`, nothing kept. */
function devianceOf(squares: Float64Array, alpha: number, beta: number): number {
  if (!(alpha >= 0 && beta >= 0 && alpha + beta <= PERSISTENCE_MAX))
    return Number.POSITIVE_INFINITY;
  const omega = 1 - alpha - beta;
  let h = 1;
  let sum = 0;
  for (let t = 0; t < squares.length; t++) {
    const x = squares[t]!;
    sum += log(h) + x / h;
    h = omega + alpha * x + beta * h;
  }
  return sum;
}

function varianceFilter(
  squares: Float64Array,
  { alpha, beta }: GarchParameters,
): { variances: Float64Array; next: number; deviance: number } {
  const variances = new Float64Array(squares.length);
  const omega = 1 - alpha - beta;
  let h = 1;
  let deviance = 0;
  for (let t = 0; t < squares.length; t++) {
    variances[t] = h;
    deviance += log(h) + squares[t]! / h;
    h = omega + alpha * squares[t]! + beta * h;
  }
  return { variances, next: h, deviance };
}

/** The best of a coarse grid, then a simplex, then scoring steps. */
function maximise(squares: Float64Array): {
  parameters: GarchParameters;
  bound: GarchBound | null;
} {
  let best: readonly number[] = [STARTS_ALPHA[0]!, 0.9];
  let least = Number.POSITIVE_INFINITY;
  for (const alpha of STARTS_ALPHA) {
    for (const persistence of STARTS_PERSISTENCE) {
      const value = devianceOf(squares, alpha, persistence - alpha);
      if (value < least) [least, best] = [value, [alpha, persistence]];
    }
  }
  // In (α, α + β) the likelihood's ridge runs along an axis.
  const simplex = nelderMead(
    ([alpha, persistence]) => devianceOf(squares, alpha!, persistence! - alpha!),
    best,
    [0.02, -0.01],
    1e-6,
  );
  const [alpha, persistence] = simplex.point as [number, number];
  const found = { alpha, beta: persistence - alpha };
  const bound = boundOf(found, squares, simplex.value);
  if (bound === 'alpha') return { parameters: { alpha: 0, beta: 0 }, bound };
  if (bound !== null) return { parameters: found, bound };
  const parameters = polish(squares, found);
  return { parameters, bound: boundOf(parameters, squares, simplex.value) };
}

function boundOf(
  { alpha, beta }: GarchParameters,
  squares: Float64Array,
  deviance: number,
): GarchBound | null {
  // With α = 0 the variance is constant whatever β: deviance n, since the squares have mean 1. A gain within rounding is none.
  if (alpha < EDGE || deviance > squares.length * (1 - 1e-9)) return 'alpha';
  if (beta < EDGE) return 'beta';
  return alpha + beta > PERSISTENCE_MAX - EDGE ? 'persistence' : null;
}

/** Scoring: steps (½Σdd′)⁻¹ Σ½(x/h − 1)d with d = ∂ln h/∂(α, β), halved until the deviance falls. */
function polish(squares: Float64Array, start: GarchParameters): GarchParameters {
  let { alpha, beta } = start;
  let deviance = devianceOf(squares, alpha, beta);
  for (let iteration = 0; iteration < 100; iteration++) {
    const [stepAlpha, stepBeta] = scoringStep(squares, alpha, beta);
    let size = 1;
    let next = Number.POSITIVE_INFINITY;
    for (; size > 1e-6; size /= 2) {
      next = devianceOf(squares, alpha + size * stepAlpha, beta + size * stepBeta);
      if (next < deviance) break;
    }
    if (!(next < deviance)) break;
    alpha += size * stepAlpha;
    beta += size * stepBeta;
    const gain = deviance - next;
    deviance = next;
    if (gain < 1e-10) break;
  }
  return { alpha, beta };
}

function scoringStep(squares: Float64Array, alpha: number, beta: number): [number, number] {
  let [h, dAlpha, dBeta] = [1, 0, 0];
  let [gAlpha, gBeta, aa, ab, bb] = [0, 0, 0, 0, 0];
  for (let t = 0; t < squares.length; t++) {
    const x = squares[t]!;
    const [p, q, excess] = [dAlpha / h, dBeta / h, x / h - 1];
    gAlpha += excess * p;
    gBeta += excess * q;
    aa += p * p;
    ab += p * q;
    bb += q * q;
    dAlpha = x - 1 + beta * dAlpha;
    dBeta = h - 1 + beta * dBeta;
    h = 1 - alpha - beta + alpha * x + beta * h;
  }
  const determinant = aa * bb - ab * ab;
  if (!(determinant > 0)) return [0, 0];
  return [(bb * gAlpha - ab * gBeta) / determinant, (aa * gBeta - ab * gAlpha) / determinant];
}
