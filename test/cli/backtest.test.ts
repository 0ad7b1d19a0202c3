/** `plimsoll backtest`, as a user runs it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BacktestReport } from '../../src/risk/backtest/report.ts';
import { testData } from '../data.ts';
import { place, plimsoll, SMALL_MARKET, start, temporaryFolder } from './command.ts';

const folder = temporaryFolder();

/** A made-up price: any numbers that move will do. */
const DAYS = 400;
const LEVELS = Array.from({ length: DAYS }, (_, i) => 80_000 + 41 * ((i * 7919) % 257));
const dayOf = (i: number): string => new Date(Date.UTC(2024, 0, 1 + i)).toISOString().slice(0, 10);
const history = place(
  folder,
  'closes.csv',
  `date,BTC,ETH\n${LEVELS.map((level, i) => `${dayOf(i)},${level},${(level / 30) * (1 + (i % 3) / 50)}`).join('\n')}\n`,
);
const market = place(folder, 'market.json', SMALL_MARKET);
const common = ['--history', history, '--window', '100', '-n', '500', '-q'];

const reportOf = async (...args: string[]): Promise<BacktestReport> => {
  const run = await plimsoll(['backtest', ...common, ...args, '--json']);
  expect(run.code, run.stderr).toBe(0);
  return JSON.parse(run.stdout) as BacktestReport;
};

describe('plimsoll backtest', () => {
  it('replays the rows before each day, and nothing else', async () => {
    const args = ['--method', 'historical', '-c', '0.98', '--series'];
    const report = await reportOf('-b', 'BTC=-2', ...args);
    const [method] = report.methods;
    const { dates, pnl } = report.series!;
    expect([report.observations, dates.length, dates.at(-1)]).toEqual([
      dates.length,
      pnl.length,
      dayOf(DAYS - 1),
    ]);
    const change = (i: number): number => LEVELS[i]! / LEVELS[i - 1]! - 1;
    dates.forEach((date, i) => {
      const row = Math.round((Date.parse(date) - Date.UTC(2024, 0, 1)) / 86_400_000);
      // A hundred changes before the day; a short of 2: the second greatest loss is VaR, the mean of the two greatest ES.
      const losses = Array.from({ length: 100 }, (_, j) => 2 * change(row - 1 - j));
      const worst = losses.sort((a, b) => b - a);
      // ln and exp of the way there and back: a few 2.2e-16 of the price, over a loss of some 5% of it.
      expect(Math.abs(pnl[i]! + 2 * change(row))).toBeLessThan(1e-15);
      expect(Math.abs(method!.forecasts!.valueAtRisk[i]! - worst[1]!)).toBeLessThan(1e-14);
      const es = (worst[0]! + worst[1]!) / 2;
      expect(Math.abs(method!.forecasts!.expectedShortfall[i]! - es)).toBeLessThan(1e-14);
    });
  });

  it('shows all methods in tables, and the same figures twice', async () => {
    const args = ['backtest', ...common, '-b', 'BTC=1,ETH=-1', '--procyclicality'];
    const run = await plimsoll(args);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stdout).toMatch(/^Backtest of BTC 1 currency, ETH -1 currency: 99\.00% over 1 day/);
    for (const method of ['historical', 'filtered-historical', 'gaussian', 'student-t']) {
      expect(run.stdout).toMatch(new RegExp(`^${method} +\\d+ +1\\.2 `, 'm'));
      for (const measures of ['none', 'a', 'b', 'c', 'all']) {
        expect(run.stdout).toMatch(new RegExp(`^${method} +${measures} `, 'm'));
      }
    }
    expect(run.stderr).toBe('');
    expect((await plimsoll(args)).stdout).toBe(run.stdout);
  });

  it('reads a book off an account, and says by what it is moved', async () => {
    const account = place(folder, 'account.json', {
      id: 'one',
      collateral: [
        { asset: 'USD', amount: 5 },
        { asset: 'BTC', amount: 1 },
      ],
      positions: [{ instrument: 'BTC-LINEAR', size: 2 }],
    });
    const report = await reportOf('--account', account, '-m', market, '--method', 'historical');
    // Two linear contracts, and a coin less its haircut of 5%.
    expect(report.book).toEqual([{ underlying: 'BTC', exposure: 0, units: 2.95 }]);
    const units = await reportOf('-b', 'BTC=2.95', '--units', '--method', 'historical');
    expect(units.methods).toEqual(report.methods);
    const option = place(folder, 'option.json', {
      id: 'two',
      positions: [{ instrument: 'BTC-27MAR26-90000-P', size: 2 }],
    });
    const run = await plimsoll(['backtest', ...common, '-a', option, '-m', market, '--json']);
    expect([run.code, JSON.parse(run.stdout).error]).toEqual([
      2,
      expect.objectContaining({
        code: 'UNSUPPORTED_INSTRUMENT',
        path: 'positions[0].instrument',
      }),
    ]);
  });

  it('writes a page of its own, without a script or anything from elsewhere', async () => {
    const page = join(folder, 'report.html');
    const report = await reportOf('-b', 'BTC=1', '--horizon', '5', '--report', page);
    expect(report.series).toBeUndefined();
    expect(report.overlap).toBe(5);
    const html = readFileSync(page, 'utf8');
    expect(html.match(/<svg /g)).toHaveLength(4);
    expect(html.match(/class="hit"/g)?.length ?? 0).toBe(
      report.methods.reduce((sum, { tests }) => sum + tests.exceedances, 0),
    );
    expect(html).toContain('Windows of 5 rows overlap');
    expect(html).not.toMatch(/<script|https?:|NaN|undefined/);
  });

  it.each([
    [['-b', 'BTC'], 'USAGE'],
    [['-b', 'BTC=x'], 'USAGE'],
    [[], 'USAGE'],
    [['-b', 'BTC=1', '-m', market], 'USAGE'],
    [['-b', 'SOL=1'], 'MISSING_HISTORY'],
    [['-b', 'BTC=1', '--from', '2030-01-01'], 'INSUFFICIENT_HISTORY'],
    [['-b', 'BTC=1', '--minimum-rows', '200'], 'INVALID_FIELD'],
    [['-b', 'BTC=1', '--report', history], 'USAGE'],
    [['-b', 'BTC=1', '--method', 'guess'], 'USAGE'],
  ])('refuses %j with 2', async (args, code) => {
    const run = await plimsoll(['backtest', ...common, ...args, '--json']);
    expect([run.code, JSON.parse(run.stdout).error.code]).toEqual([2, code]);
    expect(run.stderr).not.toBe('');
  });

  it('is stopped by Ctrl-C with 130, its page not begun, and shows how far it is', async () => {
    const page = join(folder, 'never.html');
    const args = ['--history', history, '--window', '100', '-b', 'BTC=1', '--report', page];
    const run = start(['backtest', ...args, '-n', '1000000']);
    await run.saw('stderr', /backtest {2}\d+%/);
    run.child.kill('SIGINT');
    expect((await run.ended).code).toBe(130);
    expect(existsSync(page)).toBe(false);
  });

  it.skipIf(testData === null)('tests filtered-historical on real closes', async () => {
    const closes = join(testData!, 'crypto/crypto_close_daily_2017_2024.csv.gz');
    const range = ['--from', '2019-01-01', '--to', '2024-12-31'];
    const method = ['--method', 'filtered-historical'];
    const run = await plimsoll(
      ['backtest', '--history', closes, '-b', 'BTC=1', ...range, ...method, '--json'].concat('-q'),
    );
    const { observations, methods } = JSON.parse(run.stdout) as BacktestReport;
    expect(observations).toBe(2192);
    expect(methods[0]!.tests.kupiec.pValue).toBeGreaterThan(0.05);
  });
});
