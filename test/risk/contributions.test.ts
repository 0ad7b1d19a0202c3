import { describe, expect, it } from 'vitest';
import { demoRandom } from '../../src/market/demoRandom.ts';
import {
  addLosses,
  shareOf,
  sumBy,
  tailMean,
  tailScenarios,
  worstScenarios,
} from '../../src/risk/contributions.ts';
import { tailMeasures, tailRanks } from '../../src/risk/tail.ts';

const random = demoRandom('contributions');
const normals = (n: number): Float64Array =>
  Float64Array.from({ length: n }, () => random.normal());

/** By definition: sort by P&L, ties by number. */
const sorted = (pnl: ArrayLike<number>): number[] =>
  Array.from(pnl, (_, s) => s)
    .filter((s) => pnl[s] !== Number.POSITIVE_INFINITY)
    .sort((a, b) => pnl[a]! - pnl[b]! || a - b);

describe('the scenarios of a tail', () => {
  it('are those that sorting gives, ties by number, whatever their order', () => {
    for (const n of [1, 2, 3, 17, 1000]) {
      const rows = [
        normals(n),
        normals(n).sort(),
        normals(n).sort().reverse(),
        normals(n).map((x) => Math.round(x)),
        new Float64Array(n),
      ];
      for (const pnl of rows) {
        for (const count of new Set([0, 1, Math.ceil(n / 10), n])) {
          expect(Array.from(worstScenarios(pnl, count))).toEqual(sorted(pnl).slice(0, count));
        }
      }
    }
  });

  it('are never those that do not count', () => {
    const pnl = normals(300).map((x, s) => (s % 3 === 0 ? Number.POSITIVE_INFINITY : x));
    expect(Array.from(worstScenarios(pnl, 200))).toEqual(sorted(pnl));
    expect(() => worstScenarios(pnl, 201)).toThrow(/201 scenarios were asked for, 200 count/);
  });

  it('the last weighs what is left: 250 rows at 99% are two and a half', () => {
    const pnl = Float64Array.from({ length: 250 }, (_, s) => s - 100);
    const tail = tailScenarios(pnl, tailRanks(250, 0.99));
    expect(Array.from(tail.scenarios)).toEqual([0, 1, 2]);
    expect(Array.from(tail.masses)).toEqual([1, 1, 0.5]);
    // (100 + 99 + ½ · 98)/2.5
    expect(tailMean([100, 99, 98], tail)).toBe(99.2);
  });

  it('of less than one scenario is the worst one', () => {
    const tail = tailScenarios([3, -5, 4], tailRanks(3, 0.99));
    expect(Array.from(tail.scenarios)).toEqual([1]);
    expect(tailMean([5], tail)).toBe(5);
  });

  it('the mean of all losses is ES to the bit', () => {
    for (const [n, confidence] of [
      [250, 0.99],
      [1000, 0.975],
      [10_240, 0.99],
      [777, 0.5],
    ] as const) {
      const pnl = normals(n);
      const ranks = tailRanks(n, confidence);
      const tail = tailScenarios(pnl, ranks);
      const { expectedShortfall } = tailMeasures(Float64Array.from(pnl).sort(), ranks);
      const losses = Float64Array.from(tail.scenarios, (s) => -pnl[s]!);
      expect(tailMean(losses, tail)).toBe(expectedShortfall);
    }
  });

  it('parts sum to the whole; of comonotone parts each is its own ES', () => {
    const n = 10_240;
    const ranks = tailRanks(n, 0.99);
    const base = normals(n);
    const rows = [base, base.map((x) => x * x * x), base.map((x) => (x > 0 ? x : 3 * x))];
    const sizes = [2, 0.5, 7];
    const pnl = base.map((_, s) => rows.reduce((sum, row, i) => sum + sizes[i]! * row[s]!, 0));
    const tail = tailScenarios(pnl, ranks);
    const parts = rows.map((row, i) => {
      const losses = new Float64Array(tail.scenarios.length);
      addLosses(losses, row, sizes[i]!, tail.scenarios);
      return tailMean(losses, tail);
    });
    rows.forEach((row, i) => {
      const alone = tailMeasures(row.map((x) => sizes[i]! * x).sort(), ranks);
      // The same 103 losses, summed in the same order.
      expect(Math.abs(parts[i]! / alone.expectedShortfall - 1)).toBeLessThan(1e-14);
    });
    const whole = tailMean(
      Float64Array.from(tail.scenarios, (s) => -pnl[s]!),
      tail,
    );
    const sum = parts.reduce((a, b) => a + b, 0);
    expect(Math.abs(sum - whole)).toBeLessThan(1e-12 * parts.reduce((a, b) => a + Math.abs(b), 0));
  });

  it('of an elliptical law they are the covariance shares of ES', () => {
    // X, Y independent normal, L = −(3X + 4Y): E[−3X | tail] = ES · 9/25 (Tasche 1999, elliptical case).
    const n = 200_000;
    const [x, y] = [normals(n), normals(n)];
    const pnl = x.map((value, s) => 3 * value + 4 * y[s]!);
    const tail = tailScenarios(pnl, tailRanks(n, 0.99));
    const losses = new Float64Array(tail.scenarios.length);
    addLosses(losses, x, 3, tail.scenarios);
    const share = tailMean(losses, tail) / (5 * 2.665_214_220_3);
    // Given the sum, −3X has deviation 3 · 4/5 = 2.4; over 2,000 scenarios 2.4/√2000/13.3 = 0.004; four of them.
    expect(Math.abs(share - 9 / 25)).toBeLessThan(0.016);
  });
});

describe('groups and shares', () => {
  it('sums by key in the order of appearance; no share of what is no loss', () => {
    const sums = sumBy(
      [
        ['b', 1],
        ['a', 2],
        ['b', 4],
      ] as const,
      ([key]) => key,
      ([, amount]) => amount,
    );
    expect([...sums]).toEqual([
      ['b', 5],
      ['a', 2],
    ]);
    expect(shareOf(1, 4)).toBe(0.25);
    expect(shareOf(1, 0)).toBeNull();
    expect(shareOf(1, -4)).toBeNull();
  });
});
