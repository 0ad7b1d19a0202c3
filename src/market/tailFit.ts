/** Tails of the standardised changes: each factor's own degrees of freedom, and one common to all, each with its standard error. */

import { log } from '../numerics.ts';
import { factorise } from './correlation.ts';
import {
  fitStudentT,
  meanCurvature,
  scoreOf,
  scoreSlope,
  type TailFit,
  twoStepTailError,
} from './studentT.ts';
import { type StandardisedRows, standardise, type VolatilityFit } from './volatilityFit.ts';

/** ν of one factor. The standard error holds the errors of the GARCH fit behind it; of EWMA volatilities, which have no error of fit, only its own. */
export function factorTail(changes: Float64Array, fit: VolatilityFit): TailFit | null {
  const { rows, values } = standardise([changes], [fit]);
  if (rows.length === 0) return null;
  const squares = values.map((z) => z * z);
  const tail = fitStudentT(squares, 1, 0);
  const influence = fit.garch?.influence ?? null;
  if (tail.standardError === null || influence === null) return tail;
  return { ...tail, standardError: twoStepTailError(squares, tail.degreesOfFreedom!, influence) };
}

export interface CommonTail extends TailFit {
  /** Factors, by their place in the list, that the others determine: they add nothing to the likelihood. */
  readonly leftOut: readonly number[];
}

/**
 * One ν for all factors, by the multivariate t likelihood of the standardised rows.
 * @param correlation of the rows, n × n, positive semi-definite, unit diagonal
 */
export function commonTail(
  standardised: StandardisedRows,
  correlation: Float64Array,
  fits: readonly VolatilityFit[],
): CommonTail {
  const n = fits.length;
  const solver = solverOf(correlation, n);
  const weighted = standardised.values.slice();
  const forms = new Float64Array(standardised.rows.length);
  for (let t = 0; t < forms.length; t++) {
    forms[t] = solver.form(weighted.subarray(t * n, t * n + n));
  }
  const tail = fitStudentT(forms, n - solver.leftOut.length, solver.logDeterminant);
  const nu = tail.degreesOfFreedom;
  if (nu === null || tail.standardError === null) return { ...tail, leftOut: solver.leftOut };
  const standardError = commonError(
    { standardised, weighted, forms, correlation, fits },
    nu,
    n - solver.leftOut.length,
  );
  return { ...tail, standardError, leftOut: solver.leftOut };
}

/** Below this a factor's part that the ones before it leave unexplained is rounding. */
const PIVOT_MIN = 1e-6;

interface Solver {
  readonly logDeterminant: number;
  readonly leftOut: readonly number[];
  /** Replaces z by R⁻¹z and returns z′R⁻¹z; entries left out become 0. */
  form(z: Float64Array): number;
}

function solverOf(correlation: Float64Array, n: number): Solver {
  const lower = factorise(correlation, n).factorisation!.lower;
  const leftOut: number[] = [];
  let logDeterminant = 0;
  for (let i = 0; i < n; i++) {
    const pivot = lower[i * n + i]!;
    if (pivot > PIVOT_MIN) logDeterminant += 2 * log(pivot);
    else leftOut.push(i);
  }
  const skipped = new Set(leftOut);
  const form = (z: Float64Array): number => {
    let sum = 0;
    for (let i = 0; i < n; i++) {
      if (skipped.has(i)) {
        z[i] = 0;
        continue;
      }
      let value = z[i]!;
      for (let j = 0; j < i; j++) value -= lower[i * n + j]! * z[j]!;
      z[i] = value / lower[i * n + i]!;
      sum += z[i]! * z[i]!;
    }
    for (let i = n - 1; i >= 0; i--) {
      if (skipped.has(i)) continue;
      let value = z[i]!;
      for (let j = i + 1; j < n; j++) value -= lower[j * n + i]! * z[j]!;
      z[i] = value / lower[i * n + i]!;
    }
    return sum;
  };
  return { logDeterminant, leftOut, form };
}

interface CommonData {
  readonly standardised: StandardisedRows;
  /** R⁻¹z of each row. */
  readonly weighted: Float64Array;
  readonly forms: Float64Array;
  readonly correlation: Float64Array;
  readonly fits: readonly VolatilityFit[];
}

/**
 * Two-step standard error of the common ν: its score, and what the errors of the correlations and of every factor's GARCH fit do to that
 * score, summed date by date, since on one date they go together.
 */
function commonError(data: CommonData, nu: number, k: number): number | null {
  const { standardised, forms, fits } = data;
  const information = -meanCurvature(forms, k, nu);
  if (!(information > 0)) return null;
  const count = forms.length;
  const slopes = forms.map((q) => scoreSlope(q, k, nu));
  const parts = new Float64Array(fits[0]!.forecasts.length);
  const byCorrelation = correlationPart(data, slopes);
  standardised.rows.forEach((row, t) => {
    parts[row] = (scoreOf(forms[t]!, k, nu) + byCorrelation[t]!) / count;
  });
  for (const [i, fit] of fits.entries()) addGarchPart(parts, data, slopes, fit, i);
  let sum = 0;
  for (const part of parts) sum += part * part;
  return Math.sqrt(sum) / information;
}

/** With M = mean of slope·ww′ (w = R⁻¹z): −Σ M_ij·(z_i z_j − ½ρ_ij(z_i² + z_j²)), the influence of a row through the sample correlations. */
function correlationPart(
  { standardised, weighted, correlation, fits }: CommonData,
  slopes: Float64Array,
): Float64Array {
  const n = fits.length;
  const m = new Float64Array(n * n);
  slopes.forEach((slope, t) => {
    for (let i = 0; i < n; i++) {
      const scaled = (slope * weighted[t * n + i]!) / slopes.length;
      for (let j = 0; j < n; j++) m[i * n + j]! += scaled * weighted[t * n + j]!;
    }
  });
  const own = Float64Array.from({ length: n }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < n; j++) sum += m[i * n + j]! * correlation[i * n + j]!;
    return sum;
  });
  return slopes.map((_, t) => {
    const z = standardised.values.subarray(t * n, t * n + n);
    let sum = 0;
    for (let i = 0; i < n; i++) {
      sum -= own[i]! * z[i]! * z[i]!;
      for (let j = 0; j < n; j++) sum += m[i * n + j]! * z[i]! * z[j]!;
    }
    return -sum;
  });
}

/** A change of ln h_i moves q by −z_i(R⁻¹z)_i. */
function addGarchPart(
  parts: Float64Array,
  { standardised, weighted, fits }: CommonData,
  slopes: Float64Array,
  { garch, rows }: VolatilityFit,
  i: number,
): void {
  const influence = garch?.influence ?? null;
  if (influence === null) return;
  const n = fits.length;
  const place = new Map(rows.map((row, at) => [row, at]));
  const effect = [0, 0, 0];
  standardised.rows.forEach((row, t) => {
    const at = t * n + i;
    const scale = (-slopes[t]! * standardised.values[at]! * weighted[at]!) / slopes.length;
    influence.slopes.forEach((slope, p) => {
      effect[p]! += scale * slope[place.get(row)!]!;
    });
  });
  const { variance, alpha, beta } = influence;
  rows.forEach((row, at) => {
    const moved = effect[0]! * variance[at]! + effect[1]! * alpha[at]! + effect[2]! * beta[at]!;
    parts[row]! += moved / rows.length;
  });
}
