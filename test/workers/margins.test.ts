/** Tails of a t-copula: the table's map against mpmath's quantiles, its kernel against a plain twin, draws against the law. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { studentDistribution } from '../../src/scenarios/studentDistribution.ts';
import { marginTable } from '../../src/scenarios/studentMargin.ts';
import { openKernels } from '../kernels.ts';
import { studentMargins } from '../reference/margins.ts';

interface Case {
  readonly copula: number;
  readonly own: number;
  /** Tail probability, the copula's quantile, the factor's own. */
  readonly rows: readonly (readonly [number, number, number])[];
}
const cases: readonly Case[] = JSON.parse(
  readFileSync(new URL('../fixtures/studentMargins.json', import.meta.url), 'utf8'),
);

const open = openKernels(1 << 22);

function mapped(values: readonly number[], table: ReturnType<typeof marginTable>): Float64Array {
  const padded = values.length % 2 === 0 ? values : [...values, 0];
  const x = open.place(padded);
  open.kernels.studentMargins(x, 0, padded.length, 1, open.place(table.values), table.octaves);
  return open.floats(x, values.length);
}

describe('studentDistribution', () => {
  it.each(cases)('has the tails of mpmath, ν = $copula', ({ copula, own, rows }) => {
    const [a, b] = [studentDistribution(copula), studentDistribution(own)];
    for (const [p, x, q] of rows) {
      // The continued fraction and Γ's ratio leave 1e-14; x as a double moves the tail by x·f(x)/p ≤ 45 roundings. Hill's remainder
      // at ν = 50,000 is below 1e-15.
      for (const tail of [a.tail(x), b.tail(q)]) expect(Math.abs(tail / p - 1)).toBeLessThan(1e-13);
      for (const mass of [a.central(x), b.central(q)]) {
        expect(Math.abs(mass / (0.5 - p) - 1)).toBeLessThan(p > 0.49 ? 2e-12 : 1e-13);
      }
    }
  });
});

describe('studentMargins', () => {
  it.each(cases)('maps ν = $copula to $own within 1e-9 of the quantile', ({
    copula,
    own,
    rows,
  }) => {
    const table = marginTable(copula, own);
    const scale = Math.sqrt((own - 2) / own);
    const up = mapped(
      rows.map(([, x]) => x),
      table,
    );
    const down = mapped(
      rows.map(([, x]) => -x),
      table,
    );
    rows.forEach(([p, , quantile], i) => {
      const error = Math.abs(up[i]! / (scale * quantile) - 1);
      // Asked: 1e-9. Degree 7 leaves 4e-13 where the ratio grows like e^(w/2μ) (gaussian to ν = 2.5), roundings 1e-14 elsewhere.
      expect(error, `tail ${p}`).toBeLessThan(1e-12);
      expect(down[i]).toBe(-up[i]!);
    });
  });

  it('equals its twin bit for bit, in the table and past it', () => {
    const { exp, log } = open.kernels;
    const state = open.allocate(128);
    const scratch = open.allocate(16_384);
    const n = 4096;
    const z = open.allocate(8 * n);
    const mix = open.allocate(8 * n);
    open.kernels.openStream(state, 11n, 1n, 0, 0);
    open.kernels.normals(state, z, n, scratch);
    open.kernels.openStream(state, 11n, 2n, 0, 0);
    open.kernels.chiSquares(state, mix, n, 2.1, scratch);
    open.kernels.mixing(mix, mix, n, 2.1);
    const values = [...open.floats(z, n)];
    // Edges of segments and octaves, and what lies past the table.
    const edges = [0, -0, 1e-9, 1, -1, Math.sqrt(3), 3, 65_535, 65_536, 1e5, -1e9, 1e100, 1e160];
    edges.forEach((edge, i) => {
      values[i] = edge;
    });
    open.floats(z, n).set(values);
    const table = marginTable(2.1, 6);
    const expected = studentMargins(values, [...open.floats(mix, n)], 1.5, table, { exp, log });
    open.kernels.studentMargins(z, mix, n, 1.5, open.place(table.values), table.octaves);
    expect([...open.floats(z, n)]).toEqual(expected);
  });

  it('keeps NaN and infinities, and rises', () => {
    const table = marginTable(4, 12);
    const special = mapped([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY], table);
    expect([...special]).toEqual([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
    const rising = Array.from({ length: 100_000 }, (_, i) => 1e-3 * 1.0002 ** i);
    const values = mapped(rising, table);
    expect(values.every((value, i) => i === 0 || value > values[i - 1]!)).toBe(true);
  });

  it('goes on as a power beyond the table, within 1e-6 of the law', () => {
    // P(|T₂.₁| > 10⁶) = 2·C·x^−2.1 to 1e-12, and the same for ν = 2.2: x ↦ (C′/C)^(1/2.2) x^(2.1/2.2), from the value at 4·10⁴ on.
    const table = marginTable(2.1, 2.2);
    const [near, far] = mapped([4e4, 1e6], table);
    const ratio = (1e6 / 4e4) ** (2.1 / 2.2);
    expect(Math.abs(far! / (near! * ratio) - 1)).toBeLessThan(1e-6);
  });
});
