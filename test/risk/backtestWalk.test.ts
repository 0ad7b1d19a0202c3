/** The walk forward, against plain numpy on a made-up history (test/fixtures/backtest.py), closed forms, and its own future. */
import { describe, expect, it } from 'vitest';
import { type BacktestRequest, backtest } from '../../src/engine/backtest.ts';
import type { PlimsollError } from '../../src/errors.ts';
import { LIMITS } from '../../src/limits.ts';
import type { History } from '../../src/market/history.ts';
import { exp, expArray, inverseNormalCdf } from '../../src/numerics.ts';
import type { BacktestReport } from '../../src/risk/backtest/report.ts';
import { lowest } from '../../src/risk/backtest/tailOfBook.ts';
import { fixture, type HistoricalMethod } from './backtestFixture.ts';

const dayOf = (row: number): string =>
  new Date(Date.UTC(2020, 0, 1 + row)).toISOString().slice(0, 10);

function historyOf(columns: Record<string, readonly (number | null)[]>): History {
  const entries = Object.entries(columns);
  return {
    dates: entries[0]![1].map((_, row) => dayOf(row)),
    columns: entries.map(([id, levels]) => ({
      id: `${id}:spot`,
      values: Float64Array.from(levels, (level) => level ?? Number.NaN),
    })),
  };
}

const [first, second] = fixture.walk.levels as unknown as [number[], number[]];
const HISTORY = historyOf({ AAA: first, BBB: second });
const BOOK = [
  { underlying: 'AAA', exposure: 1000 },
  { underlying: 'BBB', exposure: -500, units: 40 },
];

const near = (value: number, expected: number, relative: number): void =>
  expect(Math.abs(value - expected), `${value} against ${expected}`).toBeLessThanOrEqual(
    relative * Math.abs(expected),
  );

const methodOf = (report: BacktestReport, name: string) =>
  report.methods.find(({ method }) => method === name)!;

describe('the historical methods', () => {
  it.each(fixture.walk.cases)('are numpy’s, over a horizon of case %#', async (sample) => {
    const { horizonDays, days, checked, means, exceedances } = sample;
    const { lambda, window, minimumRows, confidence } = fixture.walk;
    const report = await backtest({
      history: HISTORY,
      book: BOOK,
      methods: ['historical', 'filtered-historical'],
      horizonDays,
      lambda,
      window,
      minimumRows,
      confidence,
      antiProcyclicality: true,
      series: true,
    });
    expect(report).toMatchObject({ observations: days, overlap: horizonDays });
    // A log, an exp and a volatility of hundreds of terms: 1e-15 of a price, over a VaR of some 5% of it, and sums in another order.
    const relative = 1e-11;
    for (const { method: name, tests, margins, forecasts } of report.methods) {
      const method = name as HistoricalMethod;
      expect(tests.exceedances).toBe(exceedances[method]);
      for (const day of checked) {
        const i = report.series!.dates.indexOf(dayOf(day.date));
        near(report.series!.pnl[i]!, day.pnl, 1e-12);
        const expected = day[method];
        near(forecasts!.valueAtRisk[i]!, expected.valueAtRisk!, relative);
        near(forecasts!.expectedShortfall[i]!, expected.expectedShortfall!, relative);
      }
      expect(margins.map(({ measures }) => measures)).toEqual(['none', 'a', 'b', 'c', 'all']);
      for (const { measures, mean } of margins) {
        near(mean, means[method][measures === 'none' ? 'expectedShortfall' : measures]!, relative);
      }
    }
  });
});

describe('the drawn methods', () => {
  /** A price of constant volatility: EWMA knows it exactly, whatever λ. */
  const SIGMA = 0.02;
  const levels = Array.from({ length: 400 }, (_, row) => 100 * exp(row % 2 === 0 ? 0 : SIGMA));
  const common = { history: historyOf({ AAA: levels }), window: 100, minimumRows: 100 };
  const asked = (more: Partial<BacktestRequest>): Promise<BacktestReport> =>
    backtest({ ...common, book: [{ underlying: 'AAA', exposure: -1000 }], series: true, ...more });

  it('have the VaR of the log-normal and the log-t price in closed form', async () => {
    for (const tail of [0.01, 0.025]) {
      const normal = { nu: null, unit: -inverseNormalCdf(tail) };
      const laws = [normal, ...fixture.studentQuantiles.filter(({ p }) => p === tail)];
      for (const { nu, unit } of laws) {
        const report = await asked({
          methods: [nu === null ? 'gaussian' : 'student-t'],
          confidence: 1 - tail,
          scenarios: 40_960,
          ...(nu === null ? {} : { degreesOfFreedom: nu }),
          to: dayOf(140),
        });
        const { forecasts } = report.methods[0]!;
        // A short loses 1000(e^(σ·unit) − 1). se of a quantile: √(p/n)/f. From ∫_q x f = f·(ν+q²)/(ν−1) follows f ≥ p·q(ν−1)/(ν+q²), for the
        // normal f ≥ p·q; then 4 se, in units of the variance-matched law.
        const scale = nu === null ? 1 : Math.sqrt((nu - 2) / nu);
        const q = unit / scale;
        const overDensity = nu === null ? 1 / q : (nu + q * q) / (q * (nu - 1));
        const four = (4 * scale * overDensity) / Math.sqrt(tail * 40_960);
        const expected = 1000 * (exp(SIGMA * unit) - 1);
        const bound = 1000 * (exp(SIGMA * (unit + four)) - exp(SIGMA * unit));
        for (const value of forecasts!.valueAtRisk) {
          expect(Math.abs(value - expected), `${nu} ${tail}`).toBeLessThan(bound);
        }
      }
    }
  });

  it('forecast over h days with √h, and know perfect dependence', async () => {
    const [one, four] = await Promise.all(
      [1, 4].map((horizonDays) => asked({ methods: ['gaussian'], horizonDays, to: dayOf(150) })),
    );
    const log = (report: BacktestReport): number =>
      Math.log1p(report.methods[0]!.forecasts!.valueAtRisk[0]! / 1000);
    // The same draw, twice as far: exact but for rounding of exp and log.
    near(log(four!), 2 * log(one!), 1e-12);
    const twins = await backtest({
      ...common,
      history: historyOf({ AAA: levels, BBB: levels.map((level) => level / 7) }),
      book: [
        { underlying: 'AAA', exposure: 500 },
        { underlying: 'BBB', exposure: -500 },
      ],
      methods: ['gaussian', 'student-t', 'filtered-historical'],
      degreesOfFreedom: 4,
      series: true,
    });
    for (const { forecasts, margins } of twins.methods) {
      // Volatilities of the twins differ by the rounding of level/7: 1e-14 of 500.
      for (const value of forecasts!.valueAtRisk) expect(Math.abs(value)).toBeLessThan(1e-10);
      expect(margins[0]!.measures).toBe('none');
    }
  });

  it('fit ν on rows before the day', async () => {
    const report = await backtest({
      history: HISTORY,
      book: BOOK,
      methods: ['student-t'],
      window: 300,
      scenarios: 1000,
    });
    const { least, greatest } = report.methods[0]!.degreesOfFreedom!;
    // The history was drawn with ν = 5 (and a mixture of two for BBB, nearer to normal); 300 rows tell it to within a factor of two or so.
    expect(least).toBeGreaterThan(2.5);
    expect(greatest === null || greatest! > 4).toBe(true);
    const given = await backtest({
      history: HISTORY,
      book: BOOK,
      methods: ['student-t'],
      degreesOfFreedom: 6,
      scenarios: 1000,
    });
    expect(given.methods[0]!.degreesOfFreedom).toEqual({ least: 6, greatest: 6 });
  });
});

describe('no look-ahead', () => {
  const request = {
    book: BOOK,
    window: 200,
    scenarios: 512,
    antiProcyclicality: true,
    series: true,
  };

  it.each([
    1, 3,
  ])('changing the future changes no earlier forecast, h = %i', async (horizonDays) => {
    const cut = 500;
    const changed = historyOf({
      AAA: first.map((level, row) => (row > cut ? level * (row % 2 === 0 ? 3 : 0.4) : level)),
      BBB: second.map((level, row) => (row > cut ? 1 + (row % 7) : level)),
    });
    const [before, after] = await Promise.all(
      [HISTORY, changed].map((history) => backtest({ ...request, history, horizonDays })),
    );
    // A forecast for the window that ends at row r is made at row r − h: those made by the cut know nothing else.
    const known = before!.series!.dates.filter((date) => date <= dayOf(cut + horizonDays)).length;
    expect(known).toBeGreaterThan(100);
    for (const { method, forecasts } of before!.methods) {
      const other = methodOf(after!, method).forecasts!;
      for (const name of ['valueAtRisk', 'expectedShortfall'] as const) {
        expect(other[name].slice(0, known), method).toEqual(forecasts![name].slice(0, known));
        expect(other[name].slice(known + 5), method).not.toEqual(forecasts![name].slice(known + 5));
      }
    }
    // Margins too, stressed set and long run included: the whole report of the period before.
    const [short, same] = await Promise.all(
      [HISTORY, changed].map((history) =>
        backtest({ ...request, history, horizonDays, to: dayOf(cut) }),
      ),
    );
    const { longRunRows: _, ...rest } = short!;
    expect(same).toMatchObject(rest);
  });

  it('a later beginning, and more methods, change no forecast', async () => {
    const whole = await backtest({ ...request, history: HISTORY });
    const late = await backtest({
      ...request,
      history: HISTORY,
      from: dayOf(450),
      methods: ['student-t'],
    });
    const all = methodOf(whole, 'student-t').forecasts!.valueAtRisk;
    const { valueAtRisk } = late.methods[0]!.forecasts!;
    expect(late.from).toBe(dayOf(450));
    expect(valueAtRisk).toEqual(all.slice(all.length - valueAtRisk.length));
  });
});

describe('what it refuses', () => {
  const good = { history: HISTORY, book: BOOK };

  it.each([
    [{ ...good, book: [] }, 'INVALID_FIELD', 'book'],
    [{ ...good, book: [{ underlying: 'AAA' }] }, 'INVALID_FIELD', 'book[0]'],
    [{ ...good, book: [BOOK[0]!, BOOK[0]!] }, 'DUPLICATE_ID', 'book[1].underlying'],
    [{ ...good, book: [{ underlying: 'ZZZ', units: 1 }] }, 'MISSING_HISTORY', undefined],
    [{ ...good, from: 'yesterday' }, 'INVALID_FIELD', 'from'],
    [{ ...good, from: '2021-01-01', to: '2020-01-01' }, 'INVALID_FIELD', 'from'],
    [{ ...good, from: '2035-01-01' }, 'INSUFFICIENT_HISTORY', 'history'],
    [{ ...good, window: 100, minimumRows: 101 }, 'INVALID_FIELD', 'minimumRows'],
    [{ ...good, horizonDays: 0.5 }, 'INVALID_FIELD', 'horizonDays'],
    [{ ...good, lambda: 1 }, 'INVALID_FIELD', 'lambda'],
    [{ ...good, confidence: Number.NaN }, 'INVALID_FIELD', 'confidence'],
    [{ ...good, methods: ['guess'] }, 'INVALID_FIELD', 'methods[0]'],
    [{ ...good, workMax: 1000 }, 'TOO_LARGE', undefined],
    [{ ...good, other: 1 }, 'UNKNOWN_FIELD', 'other'],
  ])('case %#', async (request, code, path) => {
    const refused = backtest(request as BacktestRequest);
    await expect(refused).rejects.toMatchObject({ code, path });
  });

  it('a history that is too short, and a price that never moves', async () => {
    const short = historyOf({ AAA: first.slice(0, 200) });
    const still = historyOf({ AAA: first.map(() => 7) });
    const book = [{ underlying: 'AAA', units: 1 }];
    for (const history of [short, still]) {
      await expect(backtest({ history, book })).rejects.toMatchObject({
        code: 'INSUFFICIENT_HISTORY',
      });
    }
    const rows = { dates: Array.from({ length: LIMITS.backtestRowsMax + 1 }, () => '2020-01-01') };
    const long = { ...HISTORY, ...rows } as History;
    await expect(backtest({ history: long, book })).rejects.toMatchObject({ code: 'TOO_LARGE' });
  });

  it('stops when it is cancelled, and says how far it is', async () => {
    const controller = new AbortController();
    let steps = 0;
    const work = backtest({
      history: HISTORY,
      book: BOOK,
      scenarios: 200_000,
      signal: controller.signal,
      onProgress: ({ done, total }) => {
        expect(done).toBeLessThanOrEqual(total);
        steps += 1;
        if (steps === 3) controller.abort();
      },
    });
    await expect(work).rejects.toSatisfy((error: PlimsollError) => error.code === 'CANCELLED');
    expect(steps).toBe(3);
  });
});

describe('pieces', () => {
  it('days without a P&L are counted, and rows across a hole in the dates are none', async () => {
    const rows = HISTORY.dates.map((_, row) => row).filter((row) => row < 600 || row > 604);
    const history: History = {
      dates: rows.map((row) => HISTORY.dates[row]!),
      columns: HISTORY.columns.map(({ id, values }) => ({
        id,
        values: Float64Array.from(rows, (row) => values[row]!),
      })),
    };
    const whole = await backtest({ history: HISTORY, book: BOOK, methods: ['historical'] });
    const holed = await backtest({ history, book: BOOK, methods: ['historical'] });
    // Two gaps lose two changes each (a day into them, a day out); both after the first forecast or not, they are equal in both runs.
    expect(holed.skippedDays - whole.skippedDays).toBe(1);
    expect(whole.observations - holed.observations).toBe(6);
  });

  it('exponentials of arrays are those of single values, bit for bit', () => {
    const values = Float64Array.from({ length: 10_001 }, (_, i) => (i - 5000) / 777);
    const expected = values.map(exp);
    expArray(values);
    expect(values).toEqual(expected);
  });

  it('selection finds the lowest, whatever the order and the ties', () => {
    for (let n = 1; n < 60; n++) {
      const values = Float64Array.from({ length: n }, (_, i) => (i * 7919) % (1 + (n % 13)));
      const sorted = values.slice().sort();
      for (const keep of [1, Math.ceil(n / 3), n]) {
        expect(lowest(values.slice(), keep)).toEqual(sorted.subarray(0, keep));
      }
    }
  });
});
