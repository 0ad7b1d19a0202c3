import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { normalCdf } from '../../src/numerics.ts';
import { openKernels } from '../kernels.ts';
import { correlate, mixing, scaleShocks } from '../reference/shocks.ts';
import { distanceAtQuantiles, KOLMOGOROV_BOUND } from './statistics.ts';

interface Fixture {
  probabilities: number[];
  studentT: { degreesOfFreedom: number; quantiles: number[] }[];
}
const fixture: Fixture = JSON.parse(
  readFileSync(new URL('../fixtures/quantiles.json', import.meta.url), 'utf8'),
);

const open = openKernels(1 << 26);
const { kernels } = open;
const state = open.allocate(128);
const scratch = open.allocate(16_384);

/** n normals of stream (7, purpose; index, 0). */
function normals(purpose: bigint, index: number, n: number): Float64Array {
  const out = open.allocate(8 * n);
  kernels.openStream(state, 7n, purpose, index, 0);
  kernels.normals(state, out, n, scratch);
  return open.floats(out, n);
}

function correlateRows(lower: number[][], z: number[][]): number[][] {
  const n = z[0]!.length;
  const x = open.allocate(8 * n * z.length);
  kernels.correlate(open.place(lower.flat()), open.place(z.flat()), x, z.length, n);
  return z.map((_, f) => [...open.floats(x + 8 * n * f, n)]);
}

describe('correlate', () => {
  it.each([
    [1, 2],
    [2, 2],
    [3, 130],
    [5, 10],
    [8, 1024],
    [13, 130],
  ])('equals its twin bit for bit, %i factors in %i scenarios', (factors, n) => {
    const rows = Array.from({ length: factors }, (_, f) => [...normals(1n, f, n)]);
    // The upper triangle holds what must not be read.
    const lower = rows.map((_, f) =>
      [...normals(2n, f, factors)].map((v, g) => (g <= f ? v : Number.NaN)),
    );
    expect(correlateRows(lower, rows)).toEqual(correlate(lower, rows));
  });

  it('sums exactly what is exact', () => {
    // L of ones and z_g = g + 1 in every scenario: the triangular numbers.
    const factors = 7;
    const ones = Array.from({ length: factors }, () => new Array<number>(factors).fill(1));
    const rows = ones.map((_, g) => new Array<number>(18).fill(g + 1));
    expect(correlateRows(ones, rows)).toEqual(
      rows.map((row, f) => row.map(() => ((f + 1) * (f + 2)) / 2)),
    );
  });

  it('gives a scenario the same bits wherever it stands', () => {
    const lower = [[1], [0.3, 0.9], [-0.2, 0.7, 0.6]].map((r) => [...r, 0, 0, 0].slice(0, 3));
    const rows = [0, 1, 2].map((f) => [...normals(3n, f, 64)]);
    const whole = correlateRows(lower, rows);
    for (const [first, last] of [
      [2, 4],
      [6, 30],
      [50, 64],
    ]) {
      const part = correlateRows(
        lower,
        rows.map((row) => row.slice(first, last)),
      );
      expect(part).toEqual(whole.map((row) => row.slice(first, last)));
    }
  });

  it('does not hide a NaN behind a zero weight', () => {
    const x = correlateRows(
      [
        [1, 0],
        [0, 1],
      ],
      [
        [Number.NaN, 1],
        [1, 1],
      ],
    );
    expect(x[1]).toEqual([Number.NaN, 1]);
  });

  it('gives normals the covariance L·Lᵀ', () => {
    const n = 200_000;
    const rho = -0.6;
    const [x, y] = correlateRows(
      [
        [1, 0],
        [rho, 0.8],
      ],
      [[...normals(4n, 0, n)], [...normals(4n, 1, n)]],
    );
    const moment = (a: number[], b: number[]) => a.reduce((s, v, i) => s + v * b[i]!, 0) / n;
    // E XY = ρ with Var(XY) = 1 + ρ²; E Y² = ρ² + 0.64 = 1 with variance 2. 4.5 standard errors.
    expect(Math.abs(moment(x!, y!) - rho)).toBeLessThan(4.5 * Math.sqrt((1 + rho * rho) / n));
    expect(Math.abs(moment(y!, y!) - 1)).toBeLessThan(4.5 * Math.sqrt(2 / n));
  });
});

describe('mixing', () => {
  it('equals its twin bit for bit, in place too', () => {
    const draws = [...normals(5n, 0, 130)].map((z) => z * z + 0.01);
    const pointer = open.place([...draws, 0, 1]);
    kernels.mixing(pointer, pointer, 132, 4);
    const expected = [...mixing(draws, 4), Number.POSITIVE_INFINITY, Math.SQRT2];
    expect([...open.floats(pointer, 132)]).toEqual(expected);
  });

  it.each(fixture.studentT)('makes t with ν = $degreesOfFreedom of variance 1', (law) => {
    const n = 100_000;
    const nu = law.degreesOfFreedom;
    const chi = open.allocate(8 * n);
    kernels.openStream(state, 7n, 6n, 0, 0);
    kernels.chiSquares(state, chi, n, nu, scratch);
    const mix = open.allocate(8 * n);
    kernels.mixing(chi, mix, n, nu);
    const z = normals(7n, 0, n);
    const clamped = kernels.scaleShocks(z.byteOffset, mix, n, 1, 0, Number.POSITIVE_INFINITY);
    expect(clamped).toBe(0);
    // A t of ν degrees has variance ν/(ν − 2).
    const scale = Math.sqrt((nu - 2) / nu);
    const sorted = z.slice().sort();
    const quantiles = law.quantiles.map((q) => q * scale);
    expect(distanceAtQuantiles(sorted, fixture.probabilities, quantiles)).toBeLessThan(
      KOLMOGOROV_BOUND,
    );
  });
});

describe('scaleShocks', () => {
  const n = 1024;
  const x = [...normals(8n, 0, n)];
  const mix = [...normals(8n, 1, n)].map((z) => Math.abs(z) + 0.1);
  const scaled = (
    values: number[],
    mixed: number[] | undefined,
    v: number,
    m: number,
    l: number,
  ) => {
    const pointer = open.place(values);
    const mixPointer = mixed === undefined ? 0 : open.place(mixed);
    const clamped = kernels.scaleShocks(pointer, mixPointer, values.length, v, m, l);
    return { shocks: [...open.floats(pointer, values.length)], clamped };
  };

  it.each([
    [0.03, 0.001, 3],
    [0.7, -0.2, 0.5],
    [1, 0, 0],
    [2, 0.1, Number.POSITIVE_INFINITY],
  ])('equals its twin: volatility %d, mean %d, limit %d', (volatility, mean, limit) => {
    const scaling = { volatility, mean, limit };
    for (const mixed of [undefined, mix]) {
      const result = scaled(x, mixed, volatility, mean, limit);
      const expected = scaleShocks(x, mixed, scaling);
      expect(result.clamped).toBe(expected.clamped);
      // −0 of the twin's sign·0 at limit 0 is the kernel's −limit: equal as numbers.
      expect(result.shocks.map((v) => v + 0)).toEqual(expected.shocks.map((v) => v + 0));
    }
  });

  it('clamps the share that the normal law says', () => {
    const many = [...normals(9n, 0, 100_000)];
    const p = 2 * normalCdf(-2);
    const { clamped, shocks } = scaled(many, undefined, 0.5, 0, 1);
    // Binomial: standard deviation √(n p (1 − p)); 4.5 of them.
    const bound = 4.5 * Math.sqrt(many.length * p * (1 - p));
    expect(Math.abs(clamped - many.length * p)).toBeLessThan(bound);
    expect(clamped).toBe(shocks.filter((v) => Math.abs(v) === 1).length);
  });

  it('clamps infinities, counts a value at the limit as inside, and leaves a NaN alone', () => {
    const { POSITIVE_INFINITY: up, NEGATIVE_INFINITY: down, NaN: nan } = Number;
    const { shocks, clamped } = scaled([up, down, nan, 2, -2, 0], undefined, 1, 0, 2);
    expect(shocks).toEqual([2, -2, nan, 2, -2, 0]);
    expect(clamped).toBe(2);
  });
});
