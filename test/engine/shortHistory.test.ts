/** A history of too few rows for the confidence is refused by name, not answered with its worst row. */
import { describe, expect, it } from 'vitest';
import type { MethodologyInput } from '../../src/margin/methodology.ts';
import type { History } from '../../src/market/history.ts';
import type { MarketSnapshot } from '../../src/market/snapshot.ts';
import { type BacktestParameters, backtestSettings } from '../../src/risk/backtest/request.ts';
import { fillInProcess } from './inProcess.ts';

const MARKET: MarketSnapshot = {
  asOf: '2026-01-02T08:00:00Z',
  currency: 'USD',
  underlyings: ['A', 'B'].map((id) => ({ id, spot: 100 })),
  instruments: ['A', 'B'].map((id) => ({
    id: `${id}-SPOT`,
    type: 'spot' as const,
    underlying: id,
    settlement: 'linear' as const,
    multiplier: 1,
  })),
};

/** So many changes of A, the last `ofB` of them of B too. */
function historyOf(changes: number, ofB = changes): History {
  const dates = Array.from({ length: changes + 1 }, (_, i) =>
    new Date(Date.UTC(2023, 0, 1 + i)).toISOString().slice(0, 10),
  );
  const level = (i: number, step: number) => 100 + ((i * step) % 17);
  return {
    dates,
    columns: [
      { id: 'A:spot', values: Float64Array.from(dates, (_, i) => level(i, 5)) },
      {
        id: 'B:spot',
        values: Float64Array.from(dates, (_, i) => (i < changes - ofB ? Number.NaN : level(i, 3))),
      },
    ],
  };
}

function open(changes: number, methodology: MethodologyInput, ofB = changes) {
  return fillInProcess({ market: MARKET, history: historyOf(changes, ofB), methodology });
}

const plain = { preset: 'market-risk', confidence: 0.99 } as const;
const needed = (model: string, have: number, need: number) => ({
  code: 'INSUFFICIENT_HISTORY',
  message: `${model} has ${have} usable rows of history; a confidence of ${1 - 1 / need} needs ${need}`,
  path: 'history',
});
const held = (underlying: string) => ({
  id: underlying,
  positions: [{ instrument: `${underlying}-SPOT`, size: 1 }],
});

describe('a history of fewer rows than the confidence needs', () => {
  it('is refused by historical: n(1 − α) < 1', () => {
    const methodology = { ...plain, scenarioModel: 'historical' } as const;
    expect(() => open(99, methodology)).toThrow(
      expect.objectContaining(needed('historical', 99, 100)),
    );
    expect(open(100, methodology).margin(held('A')).risk).toMatchObject({
      scenarios: 100,
      standardError: { valueAtRisk: null, expectedShortfall: null },
    });
    expect(open(99, { ...methodology, confidence: 0.95 }).margin(held('A')).risk.scenarios).toBe(
      99,
    );
  });

  it('is refused by filtered-historical, however many paths are resampled from it', () => {
    // λ = 0.97: the first ⌈1/0.03⌉ = 34 changes only warm up the volatility.
    for (const more of [{}, { scenarios: 10_240 }, { horizonDays: 5, scenarios: 1_000 }]) {
      const methodology = { ...plain, ...more, scenarioModel: 'filtered-historical' } as const;
      expect(() => open(34 + 99, methodology)).toThrow(
        expect.objectContaining(needed('filtered-historical', 99, 100)),
      );
      expect(open(34 + 100, methodology).margin(held('A')).risk.expectedShortfall).toBeGreaterThan(
        0,
      );
    }
  });

  it('is refused for the account alone whose factor is too young', () => {
    const filled = open(300, { ...plain, scenarioModel: 'historical' }, 60);
    const [a, b] = filled.evaluate([held('A'), held('B')]);
    expect(a).toMatchObject({ account: 'A', risk: { scenarios: 300 } });
    expect(b).toEqual({ account: 'B', error: needed('historical', 60, 100) });
  });
});

describe('a backtest', () => {
  const book = [{ underlying: 'A', exposure: 1 }];
  const settings = (rest: Partial<BacktestParameters>) => backtestSettings({ book, ...rest });

  it('waits for as many rows as its historical methods need', () => {
    expect(settings({}).minimumRows).toBe(250);
    expect(settings({ confidence: 0.999, window: 2_000 }).minimumRows).toBe(1_000);
    expect(settings({ confidence: 0.999, methods: ['gaussian'] }).minimumRows).toBe(250);
  });

  it.each([
    [{ minimumRows: 99 }, 'minimumRows'],
    [{ confidence: 0.999 }, 'window'],
    [{ confidence: 0.999, window: 1_000, minimumRows: 500 }, 'minimumRows'],
  ])('%j is refused', (rest, path) => {
    expect(() => settings(rest)).toThrow(expect.objectContaining({ code: 'INVALID_FIELD', path }));
  });
});
