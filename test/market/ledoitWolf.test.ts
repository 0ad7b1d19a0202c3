/** Shrinkage against the paper's sums by numpy (fixtures/market/ledoitWolf.py). */
import { describe, expect, it } from 'vitest';
import { symmetricEigen } from '../../src/market/eigen.ts';
import { shrinkCovariance } from '../../src/market/ledoitWolf.ts';
import cases from '../fixtures/market/ledoitWolf.json' with { type: 'json' };

describe('shrinkCovariance', () => {
  it.each(cases)('$name', ({ rows, intensity, average, covariance }) => {
    const n = rows[0]!.length;
    const shrunk = shrinkCovariance(Float64Array.from(rows.flat()), n);
    // Differences of fourth moments of up to 300 rows: some 300·2.2e-16 of moments 100 times their difference.
    expect(Math.abs(shrunk.intensity - intensity)).toBeLessThan(1e-11);
    expect(Math.abs(shrunk.averageCorrelation - average)).toBeLessThan(1e-13);
    covariance.flat().forEach((value, at) => {
      expect(Math.abs(shrunk.covariance[at]! - value)).toBeLessThan(1e-10);
    });
  });

  it('makes twenty factors of twelve rows definite, which their sample covariance is not', () => {
    const { rows } = cases[3]!;
    const { covariance } = shrinkCovariance(Float64Array.from(rows.flat()), 20);
    expect(symmetricEigen(covariance, 20).values[0]).toBeGreaterThan(0.1);
  });

  it('leaves one or two factors as they are: the sample is its own target', () => {
    const pair = Float64Array.of(1, 2, -1, 0.5, 3, -2);
    expect(shrinkCovariance(pair, 2)).toMatchObject({ intensity: 0 });
    // Means of squares and products by hand: 11/3, 8.25/3, −4.5/3.
    const { covariance } = shrinkCovariance(pair, 2);
    expect(covariance[0]).toBeCloseTo(11 / 3, 14);
    expect(covariance[1]).toBeCloseTo(-4.5 / 3, 14);
    expect(covariance[3]).toBeCloseTo(8.25 / 3, 14);
    expect(shrinkCovariance(Float64Array.of(3, 4), 1).covariance[0]).toBe(12.5);
  });
});
