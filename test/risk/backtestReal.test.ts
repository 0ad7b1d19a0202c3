/** BTC and ETH, 2019–2024, on real closes: the claims that the methodology makes, and the table behind them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { backtest } from '../../src/engine/backtest.ts';
import { type History, readHistory } from '../../src/market/history.ts';
import type { BacktestReport } from '../../src/risk/backtest/report.ts';
import { testData } from '../data.ts';

interface Expected {
  readonly book: string;
  readonly weights: readonly [number, number];
  readonly [method: string]: unknown;
}

const cases = JSON.parse(
  readFileSync(new URL('../fixtures/backtestReal.json', import.meta.url), 'utf8'),
) as Expected[];

const bookOf = ([btc, eth]: readonly [number, number]) =>
  [
    { underlying: 'BTC', exposure: btc },
    { underlying: 'ETH', exposure: eth },
  ].filter(({ exposure }) => exposure !== 0);

const figure = (value: number, digits = 3): string => value.toFixed(digits).padStart(9);

/** One line a method: what a reader compares. */
function lines(name: string, { methods }: BacktestReport): string[] {
  return methods.map(({ method, tests, margins }) => {
    const { kupiec, christoffersen, acerbiSzekely } = tests;
    const [margin] = margins;
    return [
      name.padEnd(16),
      method.padEnd(20),
      String(tests.exceedances).padStart(4),
      figure(kupiec.pValue),
      figure(christoffersen.independence.pValue),
      figure(christoffersen.conditionalCoverage.pValue),
      tests.trafficLight.whole.zone.padEnd(6),
      figure(acerbiSzekely!.z2.pValue!),
      figure(1000 * tests.meanQuantileLoss, 4),
      figure(100 * margin!.exceedanceShare, 2),
      figure(100 * margin!.procyclicality[1]!.figure!, 1),
    ].join(' ');
  });
}

const HEAD = `${'book'.padEnd(37)} n>VaR  Kupiec    indep.     cond. zone        Z2 p  q.loss‰  >margin% 30-day%`;

describe.skipIf(testData === null)('on real closes', () => {
  let history: History;
  const reports = new Map<string, BacktestReport>();
  beforeAll(async () => {
    const file = join(testData!, 'crypto/crypto_close_daily_2017_2024.csv.gz');
    history = await readHistory(readFileSync(file));
    for (const { book, weights } of cases) {
      reports.set(
        book,
        await backtest({
          history,
          book: bookOf(weights),
          from: '2019-01-01',
          to: '2024-12-31',
          series: true,
        }),
      );
    }
    const table = [...reports].flatMap(([name, report]) => lines(name, report));
    console.log([HEAD, ...table].join('\n'));
  }, 60_000);

  it.each(cases)('$book: the historical methods count what numpy counts', ({
    book,
    ...expected
  }) => {
    const { methods, observations, skippedDays } = reports.get(book)!;
    expect(skippedDays).toBe(0);
    for (const { method, tests, margins, forecasts } of methods.slice(0, 2)) {
      const { days, beyondVar, beyondEs, lastVar, lastEs } = expected[method] as Record<
        string,
        number
      >;
      expect([observations, tests.exceedances, margins[0]!.exceedances], method).toEqual([
        days,
        beyondVar,
        beyondEs,
      ]);
      // As for the made-up history: sums of some hundred terms in another order, over a VaR of some 5% of the price.
      expect(Math.abs(forecasts!.valueAtRisk.at(-1)! / lastVar! - 1)).toBeLessThan(1e-11);
      expect(Math.abs(forecasts!.expectedShortfall.at(-1)! / lastEs! - 1)).toBeLessThan(1e-11);
    }
  });

  it.each(cases)('$book: Kupiec does not reject filtered-historical at 5%', ({ book }) => {
    const filtered = reports.get(book)!.methods[1]!;
    expect(filtered.method).toBe('filtered-historical');
    expect(filtered.tests.kupiec.pValue).toBeGreaterThan(0.05);
    // The margin, which is ES, is exceeded on 1% of the days at most.
    expect(filtered.margins[0]!.exceedanceShare).toBeLessThanOrEqual(0.01);
  });

  it('each anti-procyclicality measure lowers the 30-day figure over 2020–2024, all together most', async () => {
    const shown: string[] = [];
    for (const { book, weights } of cases) {
      const { methods } = await backtest({
        history,
        book: bookOf(weights),
        methods: ['filtered-historical'],
        from: '2020-01-01',
        to: '2024-12-31',
        antiProcyclicality: true,
      });
      const figures = Object.fromEntries(
        methods[0]!.margins.map(({ measures, procyclicality }) => [
          measures,
          procyclicality[1]!.figure!,
        ]),
      );
      const { none, a, b, c, all } = figures as Record<'none' | 'a' | 'b' | 'c' | 'all', number>;
      for (const one of [a, b, c]) expect(one, book).toBeLessThan(none);
      expect(all, book).toBeLessThan(Math.min(a, b, c));
      const text = [none, a, b, c, all].map((value) => `${(100 * value).toFixed(1)}%`.padStart(8));
      shown.push(`${book.padEnd(16)} ${text.join(' ')}`);
    }
    console.log(
      ['30-day procyclicality: none, a, b, c, all (filtered-historical, 2020–2024)', ...shown].join(
        '\n',
      ),
    );
  }, 60_000);
});
