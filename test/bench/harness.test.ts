/** What the figures rest on: agreement, ratios, the table, the command. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { difference, mustAgree } from '../../bench/agreement.ts';
import { contest, ratiosOf } from '../../bench/contest.ts';
import { atLeast, atMost, type Line } from '../../bench/line.ts';
import { workerCounts } from '../../bench/suites/scaling.ts';
import { durationOf, scaled, tableOf } from '../../bench/table.ts';
import { normalCdf } from '../../bench/twins/maths.ts';
import { threefry } from '../../bench/twins/random.ts';

describe('agreement', () => {
  test('a NaN, another length or a larger difference is none', () => {
    expect(difference([1, 2], [1, 2], 0)).toBe(0);
    expect(difference([1], [1, 2], 0)).toBe(Number.POSITIVE_INFINITY);
    expect(difference([Number.NaN, 1], [1, 1], 1)).toBe(Number.POSITIVE_INFINITY);
    expect(difference([1.5], [1], 0)).toBe(0.5);
    // Absolute, in units of the scale, where values are small.
    expect(difference([1e-3], [0], 10)).toBe(1e-4);
    expect(() => mustAgree('x', [1.5], [1], { bound: 0.4, scale: 0 })).toThrow(/0\.5/);
    expect(() => mustAgree('x', [Number.NaN], [1], { bound: 1, scale: 0 })).toThrow(/Infinity/);
  });
});

describe('contest', () => {
  test('the best sample of all rounds counts, for those timed elsewhere too', async () => {
    const seconds = [4, 2, 3];
    const timed = await contest(
      [
        { name: 'here', items: 10, run: () => {} },
        {
          name: 'elsewhere',
          items: 10,
          timed: async () => ({ best: seconds.shift()!, median: 5 }),
        },
      ],
      { rounds: 3, milliseconds: 1 },
    );
    expect(timed[1]).toMatchObject({ best: 2, median: 5, rate: 5 });
    expect(timed[0]!.best).toBeLessThan(1);
    expect(ratiosOf(timed).elsewhere).toBe(timed[0]!.rate / 5);
  });
});

describe('twins', () => {
  test('Threefry2x64-20 gives the published known answers', () => {
    // Random123's kat_vectors: of zeros, and of ones, words high half first.
    const out = new Uint32Array(4);
    threefry(new Uint32Array(4), new Uint32Array(4), out, 0);
    expect(words(out)).toEqual(['c2b6e3a8c2c69865', '6f81ed42f350084d']);
    const ones = new Uint32Array(4).fill(0xffffffff);
    threefry(ones, ones, out, 0);
    expect(words(out)).toEqual(['e02cb7c4d95d277a', 'd06633d0893b8b68']);
  });

  test('Φ at tabulated points', () => {
    // Abramowitz and Stegun, table 26.1, rounded there to 15 decimals.
    expect(normalCdf(0)).toBeCloseTo(0.5, 15);
    expect(Math.abs(normalCdf(1) - 0.841344746068543)).toBeLessThan(1e-15);
    expect(Math.abs(normalCdf(-2) - 0.022750131948179)).toBeLessThan(1e-15);
    expect(Math.abs(normalCdf(3) - 0.99865010196837)).toBeLessThan(1e-15);
  });
});

const words = (halves: Uint32Array): string[] =>
  [0, 2].map((i) =>
    [halves[i + 1]!, halves[i]!].map((half) => half.toString(16).padStart(8, '0')).join(''),
  );

describe('table', () => {
  const line: Line = {
    suite: 'tail',
    name: 'a line',
    rate: 12_345_678,
    unit: '/s',
    seconds: 1.5e-5,
    per: 'item',
    spread: 0.034,
    ratios: { twin: 10.04 },
    hash: 'abc',
    targets: [atLeast('rate', 12_345_678, 1e7), atMost('seconds', 1.5e-5, 1e-5)],
    notes: ['a note'],
  };

  test('a line says its rate, time, ratios, targets and hash', () => {
    const text = tableOf([line]);
    for (const part of [
      '12.3 M /s',
      '15 µs / item',
      '3%',
      'twin 10×',
      '≥ 10 M ✓',
      '≤ 10 µs ✗',
      'abc',
    ]) {
      expect(text).toContain(part);
    }
    expect(text).toContain('a line: a note');
  });

  test('numbers have three digits', () => {
    expect([1.8e9, 7123, 71_234, 0.5].map(scaled)).toEqual(['1.8 G', '7123', '71.2 k', '0.5']);
    expect([2, 0.0123, 4.5e-9].map(durationOf)).toEqual(['2 s', '12.3 ms', '4.5 ns']);
  });

  test('a NaN meets no target', () => {
    expect(atLeast('rate', Number.NaN, 1).met).toBe(false);
    expect(atMost('seconds', Number.NaN, 1).met).toBe(false);
  });
});

test('worker counts: all up to eight, then doublings, and all cores', () => {
  expect(workerCounts(1)).toEqual([1]);
  expect(workerCounts(3)).toEqual([1, 2, 3]);
  expect(workerCounts(24)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 16, 24]);
});

describe('the command', () => {
  const main = fileURLToPath(new URL('../../dist/bench/main.js', import.meta.url));
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });

  test('a wrong call ends with 2 and the reason on stderr', () => {
    const unknown = run('--only', 'nothing');
    expect([unknown.status, unknown.stdout]).toEqual([2, '']);
    expect(unknown.stderr).toContain('there is no suite nothing');
    expect(run('--fast').status).toBe(2);
  });

  test('--json prints one document and nothing else', () => {
    const { status, stdout } = run('--json', '--quick', '--no-peers', '--only', 'tail');
    expect(status).toBe(0);
    const document = JSON.parse(stdout) as { machine: { node: string }; lines: Line[] };
    expect(document.machine.node).toBe(process.version);
    expect(document.lines.map(({ suite }) => suite)).toEqual(['tail']);
  });
});
