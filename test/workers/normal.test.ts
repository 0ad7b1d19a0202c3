import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { inverseNormalCdf, normalCdf } from '../../src/numerics.ts';
import { openKernels } from '../kernels.ts';
import { streamWords, type Words } from '../reference/xoshiro.ts';
import { chiSquare, layers, normal, uniform } from '../reference/ziggurat.ts';
import {
  correlation,
  countUpTo,
  distanceAtQuantiles,
  KOLMOGOROV_BOUND,
  kolmogorov,
  pearsonScore,
  rawMoments,
} from './statistics.ts';

interface Fixture {
  probabilities: number[];
  chiSquare: { degreesOfFreedom: number; quantiles: number[] }[];
  normal: { word: string; quantile: number }[];
}
const fixture: Fixture = JSON.parse(
  readFileSync(new URL('../fixtures/quantiles.json', import.meta.url), 'utf8'),
);

const BLOCK = 10_000;
const open = openKernels();
const { kernels } = open;
const state = open.allocate(128);
const scratch = open.allocate(16_384);
const out = open.allocate(8 * BLOCK);

const KEY = 20_251_230n;
type Name = readonly [key: bigint, purpose: bigint, index: number, block: number];
type Draw = (n: number) => void;
const byZiggurat: Draw = (n) => kernels.normals(state, out, n, scratch);
const byInversion: Draw = (n) => kernels.normalsByInversion(state, out, n, scratch);
const byGamma =
  (degreesOfFreedom: number): Draw =>
  (n) =>
    kernels.chiSquares(state, out, n, degreesOfFreedom, scratch);

/** n values of one stream. */
function stream(draw: Draw, name: Name, n: number): Float64Array {
  kernels.openStream(state, ...name);
  draw(n);
  return open.floats(out, n).slice();
}

/** Blocks of 10,000, one after the other, each its own stream. */
function blocks(draw: Draw, count: number, [key, purpose, index, first]: Name): Float64Array {
  const all = new Float64Array(count * BLOCK);
  for (let b = 0; b < count; b++) {
    all.set(stream(draw, [key, purpose, index, first + b], BLOCK), b * BLOCK);
  }
  return all;
}

/** Φ of every value. */
function levels(values: Float64Array): Float64Array {
  const all = new Float64Array(values.length);
  for (let first = 0; first < values.length; first += BLOCK) {
    const part = values.subarray(first, first + BLOCK);
    open.floats(out, part.length).set(part);
    kernels.normalCdfArray(out, out, part.length);
    all.set(open.floats(out, part.length), first);
  }
  return all;
}

const twin = (draw: (next: Words) => number, name: Name, n: number): Float64Array => {
  const next = streamWords(...name);
  return Float64Array.from({ length: n }, () => draw(next));
};

/** 4.5 standard errors: 7e-6 for a law that is right. */
const Z = 4.5;

describe('the ziggurat', () => {
  const N = 1e7;
  let sample: Float64Array;
  let sorted: Float64Array;
  beforeAll(() => {
    sample = blocks(byZiggurat, N / BLOCK, [KEY, 1n, 0, 0]);
    sorted = sample.slice().sort();
  });

  it('has the layers of equal area that its authors print', () => {
    // Marsaglia and Tsang (2000), 256 layers: r = 3.6541528853610088, v = 0.00492867323399, to the digits printed.
    const { R, V, edges, heights } = layers;
    expect(R).toBe(3.6541528853610088);
    expect(V).toBeCloseTo(0.00492867323399, 13);
    for (let i = 1; i < 256; i++) {
      // Heights carry an error of 2^-53 each, which the subtraction leaves as it is and x ≤ 3.7 scales: 3.7·2^-53 + rounding < 1e-15.
      expect(Math.abs(edges[i]! * (heights[i + 1]! - heights[i]!) - V)).toBeLessThan(1e-15);
    }
  });

  it('equals its twin bit for bit', () => {
    // 10,000 draws of each take about 120 wedges; beyond R lie 2.6e-4 of them, 5 of the 20,000.
    let tails = 0;
    for (const block of [0, 1]) {
      const name: Name = [KEY, 1n, 3, block];
      const draws = stream(byZiggurat, name, BLOCK);
      expect(draws).toEqual(twin(normal, name, BLOCK));
      tails += draws.filter((z) => Math.abs(z) > layers.R).length;
    }
    expect(tails).toBeGreaterThan(0);
  });

  it('gives the same first values whatever n', () => {
    const whole = stream(byZiggurat, [KEY, 1n, 9, 9], BLOCK);
    for (const n of [0, 1, 2, 3, 4, 5, 7, 100, 1024, 2047, 2048, 2049, 5000]) {
      expect(stream(byZiggurat, [KEY, 1n, 9, 9], n)).toEqual(whole.subarray(0, n));
    }
  });

  it('writes n values and no more', () => {
    open.floats(out, 16).fill(-77);
    kernels.openStream(state, KEY, 1n, 0, 0);
    kernels.normals(state, out, 7, scratch);
    expect([...open.floats(out + 56, 9)]).toEqual(new Array(9).fill(-77));
  });

  it('has the moments of the normal law', () => {
    // Var(Z^k) = E Z^2k − (E Z^k)²: 1, 2, 15, 96.
    const [mean, square, cube, fourth] = rawMoments(sample);
    expect(Math.abs(mean)).toBeLessThan(Z * Math.sqrt(1 / N));
    expect(Math.abs(square - 1)).toBeLessThan(Z * Math.sqrt(2 / N));
    expect(Math.abs(cube)).toBeLessThan(Z * Math.sqrt(15 / N));
    expect(Math.abs(fourth - 3)).toBeLessThan(Z * Math.sqrt(96 / N));
  });

  it("passes Kolmogorov's test at 10,000,000 draws", () => {
    expect(kolmogorov(levels(sorted))).toBeLessThan(KOLMOGOROV_BOUND);
  });

  it('fills every layer as the law says', () => {
    // Cells between the edges of all layers, both signs: a fault in one layer's table or wedge shows here first.
    const cuts = [...layers.edges.slice(1), ...layers.edges.slice(1, -1).map((x) => -x)].sort(
      (a, b) => a - b,
    );
    const bounds = [Number.NEGATIVE_INFINITY, ...cuts, Number.POSITIVE_INFINITY];
    const upTo = bounds.map((x) => countUpTo(sorted, x));
    const level = bounds.map((x) => normalCdf(x));
    const counts = upTo.slice(1).map((c, i) => c - upTo[i]!);
    const expected = level.slice(1).map((p, i) => N * (p - level[i]!));
    expect(Math.abs(pearsonScore(counts, expected))).toBeLessThan(Z);
  });

  it('has the right share beyond four and five standard deviations, on both sides', () => {
    // Counts are binomial with small p: standard deviation √(N p).
    for (const x of [layers.R, 4, 4.5, 5]) {
      const expected = N * normalCdf(-x);
      const bound = Z * Math.sqrt(expected);
      expect(Math.abs(countUpTo(sorted, -x) - expected)).toBeLessThan(bound);
      expect(Math.abs(N - countUpTo(sorted, x) - expected)).toBeLessThan(bound);
    }
  });

  it('keeps neighbouring streams, and neighbours in a stream, apart', () => {
    // A correlation of n independent pairs has standard deviation 1/√n; of their squares too.
    const n = 1e6;
    const bound = Z / Math.sqrt(n);
    const first = sample.subarray(0, n);
    const others: Float64Array[] = [
      blocks(byZiggurat, n / BLOCK, [KEY, 1n, 0, 1]),
      blocks(byZiggurat, n / BLOCK, [KEY, 1n, 1, 0]),
      blocks(byZiggurat, n / BLOCK, [KEY, 2n, 0, 0]),
      blocks(byZiggurat, n / BLOCK, [KEY + 1n, 1n, 0, 0]),
      ...[1, 2, 4, 2048].map((lag) => sample.subarray(lag, lag + n)),
    ];
    const squares = first.map((z) => z * z);
    for (const other of others) {
      expect(Math.abs(correlation(first, other))).toBeLessThan(bound);
      expect(
        Math.abs(
          correlation(
            squares,
            other.map((z) => z * z),
          ),
        ),
      ).toBeLessThan(bound);
    }
  });
});

describe('inversion', () => {
  it('is Φ⁻¹ of the middle of the cell of each word', () => {
    const name: Name = [KEY, 3n, 0, 0];
    const expected = twin((next) => inverseNormalCdf(uniform(next())), name, BLOCK);
    expect(stream(byInversion, name, BLOCK)).toEqual(expected);
  });

  it('reaches its extremes', () => {
    // A state with s0 = w, s3 = −w gives the word w first. AS241 is good to 1e-16 relative in p; near p = 1, rounding r = √(−ln(1−p)) and
    // the rational leave a few ulps: 8·2^-53 = 9e-16.
    for (const { word, quantile } of fixture.normal) {
      const w = BigInt(`0x${word}`);
      const words = open.words(state, 16);
      for (let lane = 0; lane < 4; lane++) {
        words[lane] = w;
        words[4 + lane] = 1n;
        words[8 + lane] = 1n;
        words[12 + lane] = BigInt.asUintN(64, -w);
      }
      kernels.normalsByInversion(state, out, 4, scratch);
      for (const z of open.floats(out, 4)) {
        expect(Math.abs(z / quantile - 1)).toBeLessThan(9e-16);
      }
    }
  });

  it('gives the same first values whatever n, and writes no more', () => {
    const whole = stream(byInversion, [KEY, 3n, 1, 1], BLOCK);
    for (const n of [0, 1, 2, 7, 100, 1024, 2047, 2048, 2049, 5001]) {
      open.floats(out, n + 1).fill(-77);
      expect(stream(byInversion, [KEY, 3n, 1, 1], n)).toEqual(whole.subarray(0, n));
      expect(open.floats(out, n + 1)[n]).toBe(-77);
    }
  });

  it("passes Kolmogorov's test and has the moments of the normal law", () => {
    const n = 2e6;
    const sample = blocks(byInversion, n / BLOCK, [KEY, 3n, 0, 0]);
    const [mean, square, cube, fourth] = rawMoments(sample);
    expect(Math.abs(mean)).toBeLessThan(Z * Math.sqrt(1 / n));
    expect(Math.abs(square - 1)).toBeLessThan(Z * Math.sqrt(2 / n));
    expect(Math.abs(cube)).toBeLessThan(Z * Math.sqrt(15 / n));
    expect(Math.abs(fourth - 3)).toBeLessThan(Z * Math.sqrt(96 / n));
    expect(kolmogorov(levels(sample.sort()))).toBeLessThan(KOLMOGOROV_BOUND);
  });
});

describe.each(fixture.chiSquare)('chi-square with ν = $degreesOfFreedom', (law) => {
  const nu = law.degreesOfFreedom;
  const draw = byGamma(nu);

  it('equals its twin bit for bit', () => {
    const name: Name = [KEY, 4n, 0, 7];
    const n = 4000;
    expect(stream(draw, name, n)).toEqual(twin((next) => chiSquare(next, nu), name, n));
  });

  it('gives the same first values whatever n', () => {
    const whole = stream(draw, [KEY, 4n, 1, 1], BLOCK);
    for (const n of [0, 1, 7, 100, 1024]) {
      expect(stream(draw, [KEY, 4n, 1, 1], n)).toEqual(whole.subarray(0, n));
    }
  });

  it('has the mean, the variance and the quantiles of the law', () => {
    const n = 1e6;
    const sample = blocks(draw, n / BLOCK, [KEY, 4n, 0, 0]);
    const [mean, square] = rawMoments(sample);
    // Var = 2ν; the fourth central moment is 12ν² + 48ν, so the sample variance has variance (8ν² + 48ν)/n.
    expect(Math.abs(mean - nu)).toBeLessThan(Z * Math.sqrt((2 * nu) / n));
    expect(Math.abs(square - mean * mean - 2 * nu)).toBeLessThan(
      Z * Math.sqrt((8 * nu * nu + 48 * nu) / n),
    );
    const distance = distanceAtQuantiles(sample.sort(), fixture.probabilities, law.quantiles);
    expect(distance).toBeLessThan(KOLMOGOROV_BOUND);
  });
});
