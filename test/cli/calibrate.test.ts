/** `plimsoll calibrate` with its models, its report and real crypto closes. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { testData } from '../data.ts';
import garch from '../fixtures/market/garch.json' with { type: 'json' };
import { garchSeries } from '../market/statisticalSeries.ts';
import { place, plimsoll, temporaryFolder } from './command.ts';

const folder = temporaryFolder();
const dayOf = (i: number): string => new Date(Date.UTC(2020, 0, 1 + i)).toISOString().slice(0, 10);

/** A CSV of levels, one column a series. */
function closes(name: string, ids: readonly string[], series: readonly Float64Array[]): string {
  const levels = series.map(() => 100);
  const lines = [`date,${ids.join(',')}`, `${dayOf(0)},${levels.join(',')}`];
  series[0]!.forEach((_, t) => {
    for (const [i, changes] of series.entries()) levels[i]! *= Math.exp(changes[t]!);
    lines.push(`${dayOf(t + 1)},${levels.join(',')}`);
  });
  return place(folder, name, `${lines.join('\n')}\n`);
}

const law = { alpha: 0.08, beta: 0.9, degreesOfFreedom: 5, correlation: 0.6 };
const three = closes('three.csv', ['A', '<b>&', 'C'], garchSeries(4, 600, { ...law, factors: 3 }));
const FULL = ['--volatility', 'garch', '--correlation', 'ledoit-wolf', '--fit-degrees-of-freedom'];

describe('plimsoll calibrate', () => {
  it('prints likelihoods and standard errors, and writes a page that stands by itself', async () => {
    const page = join(folder, 'calibration.html');
    const out = join(folder, 'factors.json');
    const args = ['calibrate', '--history', three, ...FULL, 'both', '--report', page, '-o', out];
    const run = await plimsoll(args);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stdout).toMatch(/degrees of freedom\s+\d+\.\d\d ± \d\.\d\d, 600 rows/);
    expect(run.stdout).toMatch(/A:spot\s+0\.\d{4} ± 0\.\d{4}\s+0\.\d{4} ± 0\.\d{4}/);
    expect(run.stdout).toMatch(/shrinkage\s+[01]\.\d{4} towards 0\.\d{3}/);
    expect(run.stdout).not.toMatch(/NaN|undefined|Infinity/);
    const html = readFileSync(page, 'utf8');
    expect(html).toMatch(/^<!doctype html>/);
    expect(html).toContain('&lt;b&gt;&amp;:spot');
    expect(html).not.toContain('<b>');
    expect(html).not.toMatch(/(?:src|href)=|url\(|@import|NaN|undefined/);
    expect(html).toContain('prefers-color-scheme: dark');
    expect(html.match(/<svg/g)).toHaveLength(3);
    const model = JSON.parse(readFileSync(out, 'utf8')) as { degreesOfFreedom: number };
    expect(model.degreesOfFreedom).toBeGreaterThan(2);
  });

  it('takes the flag alone for one ν, and gives all of it as JSON', async () => {
    const run = await plimsoll(['calibrate', '--history', three, ...FULL, '--json', '-q']);
    expect(run.code, run.stderr).toBe(0);
    const { model, report } = JSON.parse(run.stdout) as {
      model: { degreesOfFreedom: number; factors: { longRunYears?: number }[] };
      report: {
        tail: { degreesOfFreedom: number; logLikelihood: number; gaussianLogLikelihood: number };
        factors: { garch: { standardErrors: object }; tail: null; path: { dates: string[] } }[];
        shrinkage: { rows: number };
      };
    };
    expect(model.degreesOfFreedom).toBe(report.tail.degreesOfFreedom);
    expect(report.tail.logLikelihood).toBeGreaterThan(report.tail.gaussianLogLikelihood);
    expect(report.factors[0]!.tail).toBeNull();
    expect(Object.keys(report.factors[0]!.garch.standardErrors)).toHaveLength(3);
    expect(report.factors[0]!.path.dates.at(-1)).toBe(dayOf(600));
    expect(report.shrinkage.rows).toBe(600);
    // 600 days: 600/365 years.
    expect(model.factors[0]!.longRunYears).toBeCloseTo(600 / 365, 12);
  });

  it('serves fifty columns', async () => {
    const ids = Array.from({ length: 50 }, (_, i) => `U${i}`);
    const many = closes('many.csv', ids, garchSeries(6, 400, { ...law, factors: 50 }));
    const page = join(folder, 'many.html');
    const run = await plimsoll(['calibrate', '--history', many, ...FULL, '--report', page, '-q']);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stdout).toMatch(/U49:spot/);
    expect(readFileSync(page, 'utf8').match(/<svg/g)).toHaveLength(50);
  });

  it('refuses a model that it does not know, too short a history, and files that would be lost', async () => {
    const short = closes('short.csv', ['A'], garchSeries(1, 100, law));
    const calls: [string[], RegExp][] = [
      [['--history', three, '--volatility', 'arch'], /ewma, garch/],
      [['--history', short, '--volatility', 'garch'], /A:spot has 100 changes, GARCH needs 250/],
      [['--history', three, '--report', three], /--report would overwrite the input/],
      [['--history', three, '--report', '-'], /--report needs a file/],
      [['--history', three, '--report', 'x.html', '--out', 'x.html'], /both name x\.html/],
      [['--history', three, '--fit-degrees-of-freedom', '--degrees-of-freedom', '4'], /say one/],
    ];
    for (const [args, message] of calls) {
      const run = await plimsoll(['calibrate', ...args]);
      expect(run.code).toBe(2);
      expect(run.stderr).toMatch(message);
      expect(run.stdout).toBe('');
    }
    expect(existsSync('x.html')).toBe(false);
  });
});

const file = testData === null ? '' : join(testData, 'crypto/crypto_close_daily_2017_2024.csv.gz');
const absent = !existsSync(file);

describe.skipIf(absent)(`real closes${absent ? ' (skipped: no PLIMSOLL_TEST_DATA)' : ''}`, () => {
  it('of ten coins are fitted in seconds; BTC as scipy fits it', async () => {
    const page = join(folder, 'crypto.html');
    const args = [
      'calibrate',
      '--history',
      file,
      ...FULL,
      'both',
      '--report',
      page,
      '--json',
      '-q',
    ];
    const run = await plimsoll(args);
    expect(run.code, run.stderr).toBe(0);
    const { model, report } = JSON.parse(run.stdout) as {
      model: { factors: { id: string; volatility: number; longRunVolatility?: number }[] };
      report: {
        tail: { degreesOfFreedom: number; standardError: number };
        factors: { id: string; logLikelihood: number; garch: { alpha: number; beta: number } }[];
        problems: { kind: string; factor: string }[];
      };
    };
    const bitcoin = report.factors[0]!;
    expect(bitcoin.id).toBe('BTC:spot');
    // The maximum to 1e-7 (test/market/garch.test.ts); the parameters are flatter.
    expect(Math.abs(bitcoin.logLikelihood - garch.bitcoin.logLikelihood)).toBeLessThan(1e-4);
    expect(bitcoin.garch.alpha).toBeCloseTo(garch.bitcoin.alpha, 4);
    expect(bitcoin.garch.beta).toBeCloseTo(garch.bitcoin.beta, 4);
    expect(report.factors).toHaveLength(10);
    // Crypto returns keep heavy tails after GARCH: far from normal, above the least that is fitted.
    expect(report.tail.degreesOfFreedom).toBeGreaterThan(2.05);
    expect(report.tail.degreesOfFreedom).toBeLessThan(6);
    expect(report.tail.standardError).toBeLessThan(0.5);
    for (const { id, volatility, longRunVolatility } of model.factors) {
      expect(volatility).toBeGreaterThan(0.2);
      if (id.endsWith(':spot')) expect(longRunVolatility).toBeGreaterThan(0.5);
    }
    const problems = report.problems.map(({ kind, factor }) => `${factor} ${kind}`);
    expect(problems).toContain('BTC:spot outlier');
    expect(problems).toContain('SOL:spot late-start');
    expect(readFileSync(page, 'utf8').match(/<svg/g)).toHaveLength(10);
  });
});
