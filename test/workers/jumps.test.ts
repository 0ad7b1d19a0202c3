/** Poisson counts and sums of jumps: against scipy's law, plain twins, and what streams promise. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openKernels } from '../kernels.ts';
import { addScaled, jumpSums, poissons } from '../reference/jumps.ts';
import { pearsonScore } from './statistics.ts';

const { poisson } = JSON.parse(
  readFileSync(new URL('../fixtures/scenarioModels.json', import.meta.url), 'utf8'),
) as { readonly poisson: readonly { readonly mean: number; readonly cdf: readonly number[] }[] };

const open = openKernels(1 << 25);
const { kernels } = open;
const state = open.allocate(128);
const scratch = open.allocate(16_384);

function counts(mean: number, n: number, index = 0): Float64Array {
  const out = open.allocate(8 * n);
  kernels.openStream(state, 5n, 5n, index, 0);
  kernels.poissons(state, out, n, mean, scratch);
  return open.floats(out, n);
}

describe('poissons', () => {
  it.each(poisson)('follow the law of mean $mean', ({ mean, cdf }) => {
    const n = 400_000;
    const sample = counts(mean, n);
    // Pearson's statistic over cells of at least 20 to be expected, tails joined: a normal score, |z| < 4 at a fixed seed.
    const seen: number[] = [];
    const expected: number[] = [];
    let [cellSeen, cellExpected] = [0, 0];
    const frequency = new Float64Array(cdf.length + 1);
    for (const k of sample) frequency[Math.min(k, cdf.length)]! += 1;
    for (let k = 0; k <= cdf.length; k++) {
      cellSeen += frequency[k]!;
      cellExpected += n * ((cdf[k] ?? 1) - (k === 0 ? 0 : cdf[k - 1]!));
      const rest = n * (1 - (cdf[k] ?? 1));
      if (cellExpected < 20 || (rest < 20 && k < cdf.length)) continue;
      seen.push(cellSeen);
      expected.push(cellExpected);
      [cellSeen, cellExpected] = [0, 0];
    }
    expect(Math.abs(pearsonScore(seen, expected))).toBeLessThan(4);
    // Mean and variance are both λ: standard errors √(λ/n) and √((λ + 2λ²)/n).
    const average = sample.reduce((sum, k) => sum + k, 0) / n;
    const variance = sample.reduce((sum, k) => sum + (k - average) ** 2, 0) / n;
    expect(Math.abs(average - mean) / Math.sqrt(mean / n)).toBeLessThan(4);
    expect(Math.abs(variance - mean) / Math.sqrt((mean + 2 * mean * mean) / n)).toBeLessThan(4);
  });

  it.each([0, 0.011, 3, 500])('equal their twin word by word, mean %d', (mean) => {
    const n = 3000;
    const out = open.allocate(8 * n);
    const sample = counts(mean, n, 2);
    kernels.openStream(state, 5n, 5n, 2, 0);
    kernels.fillBits(state, out, n);
    expect([...sample]).toEqual(poissons(open.words(out, n), mean, kernels.exp));
  });

  it('do not depend on how many are drawn', () => {
    expect([...counts(2.5, 100)]).toEqual([...counts(2.5, 5000).subarray(0, 100)]);
  });
});

describe('jumpSums and addScaled', () => {
  it('equal their twins bit for bit', () => {
    const n = 1024;
    const number = [...counts(1.5, n)];
    const z = open.allocate(8 * n);
    kernels.openStream(state, 5n, 6n, 0, 0);
    kernels.normals(state, z, n, scratch);
    const normals = [...open.floats(z, n)];
    const sums = jumpSums(number, normals, -0.1, 0.3);
    kernels.jumpSums(open.place(number), z, z, n, -0.1, 0.3);
    expect([...open.floats(z, n)]).toEqual(sums);
    const x = open.place(normals);
    kernels.addScaled(x, z, n, -1.7);
    expect([...open.floats(x, n)]).toEqual(addScaled(normals, sums, -1.7));
  });
});
