/**
 * Least squares of a few variables between bounds: Levenberg–Marquardt (D. Marquardt, J. SIAM 11, 1963) with steps cut at the bounds and
 * variables that press against one held still. Differences stand for derivatives. The same bits on every engine: +, −, ×, ÷ and √ only.
 */

export interface LeastSquaresProblem {
  /** Number of residuals. */
  readonly size: number;
  /** Writes `size` residuals of the variables; finite between the bounds. */
  readonly residuals: (variables: Float64Array, out: Float64Array) => void;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  /** A typical size of each variable, > 0. */
  readonly scale: Float64Array;
}

const STEPS_MAX = 60;
const DAMPING_MAX = 1e12;
/** Where a step lowers the sum of squares by less than this share of it, the search ends. */
const PROGRESS_MIN = 1e-10;

interface State {
  variables: Float64Array;
  residuals: Float64Array;
  cost: number;
}

/** @param start between the bounds @returns the variables of the least sum of squares that was found, and that sum */
export function leastSquares(
  problem: LeastSquaresProblem,
  start: Float64Array,
): { readonly variables: Float64Array; readonly cost: number } {
  let now = stateAt(problem, start.slice());
  let damping = 1e-3;
  for (let step = 0; step < STEPS_MAX && now.cost > 0; step++) {
    const { matrix, gradient } = normalEquations(problem, now);
    holdPressed(problem, now.variables, matrix, gradient);
    let better: State | null = null;
    while (better === null && damping < DAMPING_MAX) {
      const trial = stateAt(problem, stepped(problem, now.variables, matrix, gradient, damping));
      if (trial.cost < now.cost) better = trial;
      else damping *= 8;
    }
    if (better === null) break;
    damping = Math.max(damping / 8, 1e-12);
    const progress = now.cost - better.cost;
    now = better;
    if (progress < PROGRESS_MIN * now.cost) break;
  }
  return now;
}

function stateAt({ size, residuals }: LeastSquaresProblem, variables: Float64Array): State {
  const values = new Float64Array(size);
  residuals(variables, values);
  let cost = 0;
  for (let i = 0; i < size; i++) cost += values[i]! * values[i]!;
  return { variables, residuals: values, cost };
}

/** JᵀJ (rows one after another) and Jᵀr, J by one-sided differences that stay between the bounds. */
function normalEquations(
  problem: LeastSquaresProblem,
  { variables, residuals }: State,
): { readonly matrix: Float64Array; readonly gradient: Float64Array } {
  const { size, upper, scale } = problem;
  const n = variables.length;
  const columns: Float64Array[] = [];
  for (let j = 0; j < n; j++) {
    const moved = variables.slice();
    const width = 1e-7 * Math.max(Math.abs(moved[j]!), scale[j]!);
    moved[j] = moved[j]! + width <= upper[j]! ? moved[j]! + width : moved[j]! - width;
    const column = new Float64Array(size);
    problem.residuals(moved, column);
    const h = moved[j]! - variables[j]!;
    for (let i = 0; i < size; i++) column[i] = (column[i]! - residuals[i]!) / h;
    columns.push(column);
  }
  const matrix = new Float64Array(n * n);
  const gradient = new Float64Array(n);
  for (let j = 0; j < n; j++) {
    gradient[j] = dot(columns[j]!, residuals);
    for (let l = 0; l <= j; l++) {
      const value = dot(columns[j]!, columns[l]!);
      matrix[j * n + l] = value;
      matrix[l * n + j] = value;
    }
  }
  return { matrix, gradient };
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** A variable at a bound whose step would leave it is taken out of the equations. */
function holdPressed(
  { lower, upper }: LeastSquaresProblem,
  variables: Float64Array,
  matrix: Float64Array,
  gradient: Float64Array,
): void {
  const n = variables.length;
  for (let j = 0; j < n; j++) {
    const out = gradient[j]! > 0 ? variables[j]! <= lower[j]! : variables[j]! >= upper[j]!;
    if (!out) continue;
    gradient[j] = 0;
    for (let l = 0; l < n; l++) {
      matrix[j * n + l] = 0;
      matrix[l * n + j] = 0;
    }
  }
}

function stepped(
  { lower, upper }: LeastSquaresProblem,
  variables: Float64Array,
  matrix: Float64Array,
  gradient: Float64Array,
  damping: number,
): Float64Array {
  const n = variables.length;
  const damped = matrix.slice();
  for (let j = 0; j < n; j++) {
    const own = matrix[j * n + j]!;
    damped[j * n + j] = own > 0 ? own * (1 + damping) : 1;
  }
  const step = solvePositive(damped, gradient);
  return variables.map((value, j) => Math.min(Math.max(value - step[j]!, lower[j]!), upper[j]!));
}

/** Solves A x = b, A symmetric (rows one after another), by Cholesky; a pivot that rounding left at or below 0 drops its variable. */
export function solvePositive(matrix: Float64Array, right: Float64Array): Float64Array {
  const n = right.length;
  const lower = matrix.slice();
  const x = right.slice();
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = lower[i * n + j]!;
      for (let l = 0; l < j; l++) sum -= lower[i * n + l]! * lower[j * n + l]!;
      if (i === j) lower[j * n + j] = sum > 0 ? Math.sqrt(sum) : 0;
      else lower[i * n + j] = lower[j * n + j] === 0 ? 0 : sum / lower[j * n + j]!;
    }
  }
  for (let j = 0; j < n; j++) {
    let sum = x[j]!;
    for (let l = 0; l < j; l++) sum -= lower[j * n + l]! * x[l]!;
    x[j] = lower[j * n + j] === 0 ? 0 : sum / lower[j * n + j]!;
  }
  for (let j = n - 1; j >= 0; j--) {
    let sum = x[j]!;
    for (let l = j + 1; l < n; l++) sum -= lower[l * n + j]! * x[l]!;
    x[j] = lower[j * n + j] === 0 ? 0 : sum / lower[j * n + j]!;
  }
  return x;
}
