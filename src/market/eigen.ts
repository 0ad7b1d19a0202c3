/**
 * Eigenvalues and eigenvectors of a real symmetric matrix: Householder tridiagonalisation, then implicit QR with Wilkinson's shift
 * (G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed. 2013, algorithms 8.3.1 to 8.3.3). Only + − × ÷ and square root
 * in one fixed order, so the bits are the same on every engine.
 */
import { ensure } from '../errors.ts';

export interface Eigen {
  /** Ascending. */
  readonly values: Float64Array;
  /** Row k (n values from k·n) is the unit eigenvector of values[k]. */
  readonly vectors: Float64Array;
}

interface Tridiagonal {
  readonly diagonal: Float64Array;
  /** n − 1 values, then one unused. */
  readonly off: Float64Array;
  /** Rows: the orthogonal basis in which the matrix is tridiagonal. */
  readonly basis: Float64Array;
}

/**
 * @param matrix n × n, row-major, finite; only its lower triangle is read, and it is left as it is.
 * Eigenvalues are right to about n · 2.2e-16 · ‖A‖ absolutely; 10/3 n³ multiplications and what QR takes, about 3n³.
 */
export function symmetricEigen(matrix: Float64Array, n: number): Eigen {
  ensure(
    matrix.length === n * n && matrix.every(Number.isFinite),
    'a finite square matrix is expected',
  );
  const { diagonal, off, basis } = tridiagonalise(matrix, n);
  diagonalise(diagonal, off, basis, n);
  const order = Array.from(diagonal.keys()).sort((a, b) => diagonal[a]! - diagonal[b]! || a - b);
  const vectors = new Float64Array(n * n);
  order.forEach((from, to) => {
    vectors.set(basis.subarray(from * n, from * n + n), to * n);
  });
  return { values: Float64Array.from(order, (index) => diagonal[index]!), vectors };
}

function tridiagonalise(matrix: Float64Array, n: number): Tridiagonal {
  const a = matrix.slice();
  const off = new Float64Array(n);
  const scales = new Float64Array(n);
  const reflectors: Float64Array[] = [];
  for (let k = 0; k < n - 2; k++) {
    const v = new Float64Array(n);
    for (let i = k + 1; i < n; i++) v[i] = a[i * n + k]!;
    off[k] = makeReflector(v, k + 1, n);
    const vv = dot(v, v, k + 1, n);
    scales[k] = vv > 0 ? 2 / vv : 0;
    if (scales[k]! > 0) reflect(a, v, scales[k]!, k + 1, n);
    reflectors.push(v);
  }
  if (n > 1) off[n - 2] = a[(n - 1) * n + n - 2]!;
  const diagonal = Float64Array.from({ length: n }, (_, i) => a[i * n + i]!);
  return { diagonal, off, basis: accumulate(reflectors, scales, n) };
}

/** Turns the column x into v with (I − 2vvᵀ/vᵀv) x = value · e₁, and returns the value. */
function makeReflector(v: Float64Array, first: number, n: number): number {
  const rest = dot(v, v, first + 1, n);
  const head = v[first]!;
  if (rest === 0) {
    v[first] = 0;
    return head;
  }
  const norm = Math.sqrt(head * head + rest);
  const value = head > 0 ? -norm : norm;
  v[first] = head - value;
  return value;
}

/** A ← HAH on rows and columns from `first`, H = I − scale·vvᵀ; the lower triangle only. */
function reflect(a: Float64Array, v: Float64Array, scale: number, first: number, n: number): void {
  const p = new Float64Array(n);
  for (let i = first; i < n; i++) {
    const row = i * n;
    const vi = v[i]!;
    let sum = 0;
    for (let j = first; j < i; j++) {
      const x = a[row + j]!;
      sum += x * v[j]!;
      p[j] = p[j]! + x * vi;
    }
    p[i] = p[i]! + sum + a[row + i]! * vi;
  }
  for (let i = first; i < n; i++) p[i] = p[i]! * scale;
  const half = (scale / 2) * dot(p, v, first, n);
  for (let i = first; i < n; i++) p[i] = p[i]! - half * v[i]!;
  for (let i = first; i < n; i++) {
    const row = i * n;
    const vi = v[i]!;
    const pi = p[i]!;
    for (let j = first; j <= i; j++) a[row + j] = a[row + j]! - vi * p[j]! - pi * v[j]!;
  }
}

/** Rows of Qᵀ, Q = H₀H₁…: A = Q T Qᵀ. The reflectors are applied from the last to the first, each on rows it can touch. */
function accumulate(
  reflectors: readonly Float64Array[],
  scales: Float64Array,
  n: number,
): Float64Array {
  const q = new Float64Array(n * n);
  for (let i = 0; i < n; i++) q[i * n + i] = 1;
  for (let k = reflectors.length - 1; k >= 0; k--) {
    const v = reflectors[k]!;
    // Rows of Qᵀ are columns of Q: Q ← HQ is Qᵀ ← QᵀH, one dot product and one update a row.
    for (let row = k + 1; row < n; row++) {
      let s = 0;
      for (let j = k + 1; j < n; j++) s += q[row * n + j]! * v[j]!;
      s *= scales[k]!;
      if (s === 0) continue;
      for (let j = k + 1; j < n; j++) q[row * n + j] = q[row * n + j]! - s * v[j]!;
    }
  }
  return q;
}

function diagonalise(d: Float64Array, e: Float64Array, basis: Float64Array, n: number): void {
  let norm = 0;
  for (let i = 0; i < n; i++) norm = Math.max(norm, Math.abs(d[i]!) + Math.abs(e[i]!));
  // An absolute threshold: the matrix may be singular, and then a relative one is never met.
  const negligible = Number.EPSILON * norm;
  let high = n - 1;
  let steps = 60 * n + 60;
  while (high > 0) {
    if (Math.abs(e[high - 1]!) <= negligible) {
      e[--high] = 0;
      continue;
    }
    let low = high - 1;
    while (low > 0 && Math.abs(e[low - 1]!) > negligible) low--;
    qrStep(d, e, basis, n, low, high);
    ensure(--steps > 0, 'the eigenvalue iteration did not converge');
  }
}

/** One implicit QR step with Wilkinson's shift on the unreduced block low … high. */
function qrStep(
  d: Float64Array,
  e: Float64Array,
  basis: Float64Array,
  n: number,
  low: number,
  high: number,
): void {
  const b = e[high - 1]!;
  const delta = (d[high - 1]! - d[high]!) / 2;
  const root = Math.sqrt(delta * delta + b * b);
  const shift = d[high]! - (b * b) / (delta >= 0 ? delta + root : delta - root);
  let x = d[low]! - shift;
  let y = e[low]!;
  for (let k = low; k < high; k++) {
    const r = Math.sqrt(x * x + y * y);
    const c = r > 0 ? x / r : 1;
    const s = r > 0 ? y / r : 0;
    if (k > low) e[k - 1] = r;
    const d1 = d[k]!;
    const d2 = d[k + 1]!;
    const f = e[k]!;
    d[k] = c * c * d1 + 2 * c * s * f + s * s * d2;
    d[k + 1] = s * s * d1 - 2 * c * s * f + c * c * d2;
    e[k] = c * s * (d2 - d1) + (c * c - s * s) * f;
    if (k < high - 1) {
      x = e[k]!;
      y = s * e[k + 1]!;
      e[k + 1] = c * e[k + 1]!;
    }
    rotate(basis, k * n, n, c, s);
  }
}

/** Rows `from` and the next one: (u, v) ← (cu + sv, cv − su). */
function rotate(basis: Float64Array, from: number, n: number, c: number, s: number): void {
  for (let j = from; j < from + n; j++) {
    const u = basis[j]!;
    const v = basis[j + n]!;
    basis[j] = c * u + s * v;
    basis[j + n] = c * v - s * u;
  }
}

function dot(a: Float64Array, b: Float64Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += a[i]! * b[i]!;
  return sum;
}
