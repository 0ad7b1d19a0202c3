/** Eigenvalues, factor and repair against LAPACK (fixtures/market/correlation.py) and matrices whose answers are known in closed form. */
import { describe, expect, it } from 'vitest';
import { factorise, LEAST_EIGENVALUE, repairCorrelation } from '../../src/market/correlation.ts';
import { symmetricEigen } from '../../src/market/eigen.ts';
import cases from '../fixtures/market/correlation.json' with { type: 'json' };

type Case = (typeof cases)[number];
const flat = (rows: readonly (readonly number[])[]): Float64Array => Float64Array.from(rows.flat());
const greatestGap = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((gap, value, i) => Math.max(gap, Math.abs(value - b[i]!)), 0);

/** LLᵀ, by the definition. */
function square(lower: Float64Array, n: number): Float64Array {
  return Float64Array.from({ length: n * n }, (_, at) => {
    let sum = 0;
    for (let k = 0; k < n; k++)
      sum += lower[Math.floor(at / n) * n + k]! * lower[(at % n) * n + k]!;
    return sum;
  });
}

describe.each(cases)('$name', (given: Case) => {
  const n = given.matrix.length;
  const matrix = flat(given.matrix);

  it('has the eigenvalues of LAPACK and vectors that belong to them', () => {
    const { values, vectors } = symmetricEigen(matrix, n);
    // Two backward-stable methods, each off by some n·ε·‖A‖ with ‖A‖ ≤ n: 12·2.2e-16·12 = 3.2e-14 each at most.
    expect(greatestGap(values, given.eigenvalues)).toBeLessThan(1e-13);
    for (let k = 0; k < n; k++) {
      for (let i = 0; i < n; i++) {
        let product = 0;
        for (let j = 0; j < n; j++) product += matrix[i * n + j]! * vectors[k * n + j]!;
        expect(Math.abs(product - values[k]! * vectors[k * n + i]!)).toBeLessThan(1e-13);
      }
    }
  });

  it('is factored, or refused with its least eigenvalue', () => {
    const { factorisation, leastEigenvalue } = factorise(matrix, n);
    if (given.eigenvalues[0]! < LEAST_EIGENVALUE) {
      expect(factorisation).toBeUndefined();
      expect(leastEigenvalue).toBeCloseTo(given.eigenvalues[0]!, 12);
      return;
    }
    const { lower, residual } = factorisation!;
    const gap = greatestGap(square(lower, n), matrix);
    expect(gap).toBeLessThan(64 * n * Number.EPSILON);
    // The residual is of the same sums in the same order, over the lower triangle.
    expect(residual).toBe(gap);
    for (let i = 0; i < n; i++) {
      expect(lower[i * n + i]).toBeGreaterThanOrEqual(0);
      for (let j = i + 1; j < n; j++) expect(lower[i * n + j]).toBe(0);
    }
    if (given.cholesky !== undefined) {
      // The factor is as well conditioned as its matrix, here below 100: n·ε·100 = 2.7e-13.
      expect(greatestGap(lower, given.cholesky.flat())).toBeLessThan(3e-13);
    }
  });

  it('is repaired as by numpy, or left alone', () => {
    const repair = repairCorrelation(matrix, n);
    if (given.clipped === undefined) {
      expect(repair.matrix).toBe(matrix);
      expect([repair.frobeniusDistance, repair.clippedEigenvalues]).toEqual([0, 0]);
      return;
    }
    // Clipping moves each entry by as much as eigenvectors of well-separated eigenvalues are off: some 10·ε·n.
    expect(greatestGap(repair.matrix, given.clipped.flat())).toBeLessThan(1e-13);
    expect(repair.frobeniusDistance).toBeCloseTo(given.distance!, 12);
    expect(repair.clippedEigenvalues).toBe(given.count);
    expect(factorise(repair.matrix, n).factorisation).toBeDefined();
  });
});

describe('closed forms', () => {
  it('repairs the tridiagonal of ones, whose eigenvalues are 1 and 1 ± √2', () => {
    const matrix = flat([
      [1, 1, 0],
      [1, 1, 1],
      [0, 1, 1],
    ]);
    const repair = repairCorrelation(matrix, 3);
    expect(repair.leastEigenvalue).toBeCloseTo(1 - Math.SQRT2, 14);
    // The nearest correlation matrix lies 0.5278 away (N. J. Higham, IMA J. Numer. Anal. 22, 2002, section 4): none lies nearer.
    expect(repair.frobeniusDistance).toBeGreaterThan(0.5278);
    expect(repair.frobeniusDistance).toBeLessThan(0.56);
    // λ₊ = 1 + √2 with vector (½, 1/√2, ½) and 1 with (1/√2, 0, −1/√2): entries (λ₊/4 ± ½) and λ₊/(2√2), rescaled by the diagonal.
    const plus = 1 + Math.SQRT2;
    const edge = plus / 4 + 0.5;
    expect(repair.matrix[2]).toBeCloseTo((plus / 4 - 0.5) / edge, 14);
    expect(repair.matrix[1]).toBeCloseTo(
      plus / (2 * Math.SQRT2) / Math.sqrt(edge * (plus / 2)),
      14,
    );
  });

  it.each([
    [-1 / 9, true],
    [-1 / 9 - 1e-9, false],
    [-1 / 9 - 1e-12, true],
  ])('accepts ten equal correlations of %d: %s', (rho, accepted) => {
    // Least eigenvalue 1 + 9ρ: 0 at −1/9, −9e-9 and −9e-12 below it.
    const matrix = Float64Array.from({ length: 100 }, (_, at) =>
      Math.floor(at / 10) === at % 10 ? 1 : rho,
    );
    expect(factorise(matrix, 10).factorisation !== undefined).toBe(accepted);
  });

  it('factors a nearly collinear pair beside a third that tells them apart', () => {
    // Schur complement of the second: 1 − ρ² = 2e-16, lost in rounding, yet its row is 1e-8: elimination alone would miss it.
    const matrix = flat([
      [1, 1, 0.6],
      [1, 1, 0.6 + 1e-12],
      [0.6, 0.6 + 1e-12, 1],
    ]);
    const { factorisation } = factorise(matrix, 3);
    expect(greatestGap(square(factorisation!.lower, 3), matrix)).toBeLessThan(1e-10);
  });

  it('factors 400 factors of one driver', () => {
    const n = 400;
    const load = Float64Array.from({ length: n }, (_, i) => 0.5 + (0.49 * i) / n);
    const matrix = Float64Array.from({ length: n * n }, (_, at) => {
      const [i, j] = [Math.floor(at / n), at % n];
      return i === j ? 1 : load[i]! * load[j]!;
    });
    const { factorisation, leastEigenvalue } = factorise(matrix, n);
    expect(leastEigenvalue).toBeUndefined();
    expect(factorisation!.residual).toBeLessThan(64 * n * Number.EPSILON);
    // The trace of the eigenvalues is n, the sum of their squares ‖A‖²; sums of 400 terms up to 200, each off by n·ε·‖A‖ at most.
    const { values } = symmetricEigen(matrix, n);
    const squares = matrix.reduce((sum, value) => sum + value * value, 0);
    expect(values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(n, 9);
    expect(values.reduce((sum, value) => sum + value * value, 0) / squares).toBeCloseTo(1, 11);
  });
});
