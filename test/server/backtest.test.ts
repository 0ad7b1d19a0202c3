/** POST /v1/backtest. */
import { describe, expect, it } from 'vitest';
import { backtest } from '../../src/engine/backtest.ts';
import { LIMITS } from '../../src/limits.ts';
import { backtestSeries } from '../../src/risk/backtest/series.ts';
import { EXAMPLE_SERIES, EXAMPLE_WALK } from '../../src/server/schemas/backtest.ts';
import { post, service } from './support.ts';

const running = service({ loopDelayMs: 60_000 });
const ask = (body: unknown) => post(running, '/v1/backtest', JSON.stringify(body));

describe('POST /v1/backtest', () => {
  it('tests a series as the library does', async () => {
    const answer = await ask(EXAMPLE_SERIES);
    expect(answer.statusCode, answer.body).toBe(200);
    expect(answer.json()).toEqual(backtestSeries(EXAMPLE_SERIES));
  });

  it('walks a history as the library does', async () => {
    const { history, ...parameters } = EXAMPLE_WALK;
    const answer = await ask({ ...EXAMPLE_WALK, series: true });
    expect(answer.statusCode, answer.body).toBe(200);
    const columns = [{ id: 'BTC:spot', values: Float64Array.from(history.levels.BTC) }];
    const expected = await backtest({
      ...parameters,
      methods: ['historical'],
      series: true,
      history: { dates: history.dates, columns },
    });
    expect(answer.json()).toEqual(expected);
    expect(expected.observations).toBeGreaterThan(10);
  });

  const { history } = EXAMPLE_WALK;
  const gap = history.levels.BTC.map((level, i) => (i === 90 ? null : level));
  it('takes null for a gap', async () => {
    const answer = await ask({ ...EXAMPLE_WALK, history: { ...history, levels: { BTC: gap } } });
    expect([answer.statusCode, answer.json().skippedDays]).toEqual([200, 2]);
  });

  it.each([
    [[], 422, 'INVALID_FIELD', undefined],
    [{}, 422, 'MISSING_FIELD', 'pnl'],
    [{ ...EXAMPLE_SERIES, history }, 422, 'UNKNOWN_FIELD', 'history'],
    [{ ...EXAMPLE_SERIES, valueAtRisk: [1] }, 422, 'INVALID_FIELD', 'valueAtRisk'],
    [{ ...EXAMPLE_SERIES, pnl: [1, null, 3, 4, 5] }, 422, 'INVALID_FIELD', 'pnl[1]'],
    [{ ...EXAMPLE_WALK, book: undefined }, 422, 'MISSING_FIELD', 'book'],
    [{ ...EXAMPLE_WALK, horizon: 2 }, 422, 'UNKNOWN_FIELD', 'horizon'],
    [
      { ...EXAMPLE_WALK, history: { ...history, levels: { BTC: [1] } } },
      422,
      'INVALID_FIELD',
      'history.levels.BTC',
    ],
    [
      { ...EXAMPLE_WALK, history: { ...history, dates: history.dates.toReversed() } },
      422,
      'INVALID_FIELD',
      '[2]',
    ],
    [{ ...EXAMPLE_WALK, scenarios: 1e9 }, 422, 'INVALID_FIELD', 'scenarios'],
  ])('refuses case %# with a problem', async (body, status, code, path) => {
    const answer = await ask(body);
    expect([answer.statusCode, answer.json()]).toEqual([
      status,
      expect.objectContaining({ code, ...(path === undefined ? {} : { path }) }),
    ]);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
  });

  it('refuses more work than a service should do on its own thread', async () => {
    const n = 5_000;
    const dates = Array.from({ length: n }, (_, i) =>
      new Date(Date.UTC(2000, 0, 1) + i * 86_400_000).toISOString().slice(0, 10),
    );
    const levels = { BTC: dates.map((_, i) => 100 + (i % 17)) };
    const { book } = EXAMPLE_WALK;
    const walk = { history: { dates, levels }, book, methods: ['gaussian'], scenarios: 1_000_000 };
    const answer = await ask(walk);
    // 4,720 days (the first 280 have too few rows behind them) of a million scenarios.
    expect(4720 * 1_000_000).toBeGreaterThan(LIMITS.httpBacktestWorkMax);
    expect([answer.statusCode, answer.json().code]).toEqual([413, 'TOO_LARGE']);
  });
});
