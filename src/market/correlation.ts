/**
 * What a correlation matrix needs before scenarios can be drawn from it: is it positive semi-definite, its lower triangular factor
 * (ρ = ±1 and rank-deficient matrices included), and a repair for matrices that are not. All matrices n × n, row-major.
 */
import { ensure } from '../errors.ts';
import { type Eigen, symmetricEigen } from './eigen.ts';

/** A least eigenvalue down to here is rounding and is taken for 0. */
export const LEAST_EIGENVALUE = -1e-10;

export interface Factorisation {
  /** Lower triangular L, n × n row-major, diagonal ≥ 0; LLᵀ is the matrix, or the nearest to it with no eigenvalue below 0. */
  readonly lower: Float64Array;
  /** Greatest |LLᵀ − A| of an entry: ≤ 64·n·2.2e-16, plus 1e-10 where a negative eigenvalue was taken for 0. */
  readonly residual: number;
}

export interface SemidefiniteFactorisation {
  /** Not there where the least eigenvalue is below −1e-10. */
  readonly factorisation: Factorisation | undefined;
  /** Not there where the factor proved definiteness without eigenvalues. */
  readonly leastEigenvalue: number | undefined;
}

/**
 * Factors a symmetric matrix with unit diagonal, or says by how much it fails to be positive semi-definite. Cholesky first (n³/3, as
 * much again to check it); its residual's Frobenius norm bounds the least eigenvalue from below. Only where that does not
 * settle it, eigenvalues.
 */
export function factorise(matrix: Float64Array, n: number): SemidefiniteFactorisation {
  ensure(matrix.length === n * n, 'a square matrix is expected');
  const lower = tolerantCholesky(matrix, n);
  if (lower !== undefined) {
    const { greatest, frobenius } = residuals(matrix, lower, n);
    if (greatest <= 64 * n * Number.EPSILON && frobenius <= -LEAST_EIGENVALUE) {
      return { factorisation: { lower, residual: greatest }, leastEigenvalue: undefined };
    }
  }
  const eigen = symmetricEigen(matrix, n);
  const leastEigenvalue = eigen.values[0]!;
  if (!(leastEigenvalue >= LEAST_EIGENVALUE)) return { factorisation: undefined, leastEigenvalue };
  const factor = lowerFromEigen(eigen, n);
  const residual = residuals(matrix, factor, n).greatest;
  ensure(
    residual <= 64 * n * Number.EPSILON - LEAST_EIGENVALUE,
    `the factor misses the matrix by ${residual}`,
  );
  return { factorisation: { lower: factor, residual }, leastEigenvalue };
}

/**
 * Cholesky, row by row. A pivot lost in rounding (below 8·n·2.2e-16 of a unit diagonal) is 0 and so is its column: the factor then adds no
 * dimension, which is what ρ = ±1 means. Undefined where a pivot is clearly negative; the caller checks the residual.
 */
function tolerantCholesky(matrix: Float64Array, n: number): Float64Array | undefined {
  const lower = new Float64Array(n * n);
  const zero = 8 * n * Number.EPSILON;
  for (let i = 0; i < n; i++) {
    const row = i * n;
    for (let j = 0; j < i; j++) {
      const pivot = lower[j * n + j]!;
      if (pivot === 0) continue;
      lower[row + j] = (matrix[row + j]! - rowDot(lower, row, j * n, j)) / pivot;
    }
    const square = matrix[row + i]! - rowDot(lower, row, row, i);
    if (!(square > -zero)) return undefined;
    lower[row + i] = square > zero ? Math.sqrt(square) : 0;
  }
  return lower;
}

function residuals(
  matrix: Float64Array,
  lower: Float64Array,
  n: number,
): { greatest: number; frobenius: number } {
  let greatest = 0;
  let squares = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const gap = Math.abs(rowDot(lower, i * n, j * n, j + 1) - matrix[i * n + j]!);
      greatest = Math.max(greatest, gap);
      squares += i === j ? gap * gap : 2 * gap * gap;
    }
  }
  return { greatest, frobenius: Math.sqrt(squares) };
}

/** Σ of products of the first `count` entries of two rows. */
function rowDot(a: Float64Array, first: number, second: number, count: number): number {
  let sum = 0;
  for (let k = 0; k < count; k++) sum += a[first + k]! * a[second + k]!;
  return sum;
}

/**
 * A = BBᵀ with B = V√Λ₊; by Householder reflections from the right B becomes lower triangular without losing a digit, whatever its rank,
 * which elimination on A cannot promise.
 */
function lowerFromEigen(eigen: Eigen, n: number): Float64Array {
  const b = rootOf(eigen, n);
  const v = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    let squares = 0;
    for (let j = k; j < n; j++) {
      v[j] = b[k * n + j]!;
      squares += v[j]! * v[j]!;
    }
    const norm = Math.sqrt(squares);
    if (norm === 0) continue;
    const head = v[k]!;
    v[k] = head > 0 ? head + norm : head - norm;
    const scale = 1 / (norm * (norm + Math.abs(head)));
    for (let row = k; row < n; row++) {
      let s = 0;
      for (let j = k; j < n; j++) s += b[row * n + j]! * v[j]!;
      s *= scale;
      for (let j = k; j < n; j++) b[row * n + j] = b[row * n + j]! - s * v[j]!;
    }
    for (let j = k + 1; j < n; j++) b[k * n + j] = 0;
    // The sign is free; a diagonal ≥ 0 makes the factor the one that Cholesky gives.
    if (b[k * n + k]! < 0) for (let row = k; row < n; row++) b[row * n + k] = -b[row * n + k]!;
  }
  return b;
}

/** B with BBᵀ = the matrix, negative eigenvalues taken for 0: column k is √λₖ times eigenvector k. */
function rootOf(eigen: Eigen, n: number): Float64Array {
  const b = new Float64Array(n * n);
  for (let k = 0; k < n; k++) {
    const root = Math.sqrt(Math.max(0, eigen.values[k]!));
    for (let i = 0; i < n; i++) b[i * n + k] = root * eigen.vectors[k * n + i]!;
  }
  return b;
}

export interface Repair {
  /** Positive semi-definite, unit diagonal, exactly symmetric. The matrix itself where it needed nothing. */
  readonly matrix: Float64Array;
  /** ‖repaired − given‖ in the Frobenius norm: 0 where nothing was done. */
  readonly frobeniusDistance: number;
  readonly clippedEigenvalues: number;
  /** Of the matrix given; undefined where its factor proved it definite without eigenvalues. */
  readonly leastEigenvalue: number | undefined;
}

/**
 * Spectral clipping: negative eigenvalues become 0 and each row is rescaled to a unit diagonal (R. Rebonato, P. Jäckel, "The most general
 * methodology to create a valid correlation matrix", J. Risk 2(2), 1999). One decomposition; a little further from the given matrix than
 * Higham's nearest one, and the distance is reported.
 */
export function repairCorrelation(matrix: Float64Array, n: number): Repair {
  const { factorisation, leastEigenvalue } = factorise(matrix, n);
  if (factorisation !== undefined) {
    return { matrix, frobeniusDistance: 0, clippedEigenvalues: 0, leastEigenvalue };
  }
  const eigen = symmetricEigen(matrix, n);
  const root = rootOf(eigen, n);
  const norms = Float64Array.from({ length: n }, (_, i) =>
    Math.sqrt(rowDot(root, i * n, i * n, n)),
  );
  const repaired = new Float64Array(n * n);
  let squares = 0;
  for (let i = 0; i < n; i++) {
    repaired[i * n + i] = 1;
    for (let j = 0; j < i; j++) {
      const value = rowDot(root, i * n, j * n, n) / (norms[i]! * norms[j]!);
      const bounded = Math.max(-1, Math.min(1, value));
      repaired[i * n + j] = bounded;
      repaired[j * n + i] = bounded;
      squares += 2 * (bounded - matrix[i * n + j]!) * (bounded - matrix[i * n + j]!);
    }
  }
  const clippedEigenvalues = eigen.values.reduce((count, value) => count + (value < 0 ? 1 : 0), 0);
  return {
    matrix: repaired,
    frobeniusDistance: Math.sqrt(squares),
    clippedEigenvalues,
    leastEigenvalue,
  };
}

/** Rows of numbers, as JSON has them. */
export function toRows(matrix: Float64Array, n: number): number[][] {
  return Array.from({ length: n }, (_, i) => Array.from(matrix.subarray(i * n, i * n + n)));
}
