/** Each way in which an account can be wrong has its code and names its field; the accounts beside it are answered. */
import { describe, expect, it } from 'vitest';
import type { FactorModel } from '../../src/market/factorModel.ts';
import type { MarketSnapshot } from '../../src/market/snapshot.ts';
import { fillInProcess } from '../engine/inProcess.ts';

const expiry = '2026-03-27T08:00:00Z';
const option = {
  type: 'option',
  strike: 100,
  right: 'call',
  settlement: 'linear',
  multiplier: 1,
} as const;
const market: MarketSnapshot = {
  asOf: '2026-01-02T08:00:00Z',
  currency: 'USD',
  underlyings: [
    {
      id: 'A',
      spot: 100,
      forwards: [{ expiry, price: 101 }],
      surface: [{ expiry, quotes: [{ strike: 100, iv: 0.5 }] }],
    },
    { id: 'B', spot: 50 },
    { id: 'USDT', spot: 0.999 },
  ],
  instruments: [
    { id: 'A-PERP', type: 'perpetual', underlying: 'A', settlement: 'linear', multiplier: 1 },
    { id: 'A-CALL', underlying: 'A', expiry, ...option },
    { id: 'A-EARLY', underlying: 'A', ...option, expiry: '2026-01-01T08:00:00Z' },
    { id: 'A-NOFORWARD', underlying: 'A', ...option, expiry: '2026-06-26T08:00:00Z' },
    { id: 'A-AMERICAN', underlying: 'A', expiry, ...option, type: 'binary', style: 'american' },
    { id: 'B-PERP', type: 'perpetual', underlying: 'B', settlement: 'linear', multiplier: 1 },
    { id: 'A-HUGE', type: 'perpetual', underlying: 'A', settlement: 'linear', multiplier: 1e12 },
  ],
};
const bare: MarketSnapshot = {
  ...market,
  underlyings: market.underlyings.map(({ surface: _, ...underlying }) => underlying),
};
const factors: FactorModel = {
  asOf: market.asOf,
  periodsPerYear: 365,
  factors: [
    { id: 'A:spot', volatility: 0.5 },
    { id: 'A:vol', volatility: 0.9 },
  ],
  correlation: [
    [1, -0.4],
    [-0.4, 1],
  ],
};
const { evaluate } = fillInProcess({ market, factors, methodology: { scenarios: 1_000 } });
const good = { id: 'good', positions: [{ instrument: 'A-PERP', size: 1 }] };
const holding = (instrument: unknown, size: unknown = 1, more: object = {}) => ({
  id: 'bad',
  positions: [{ instrument, size, ...more }],
});

const cases: readonly [string, unknown, string, string | undefined][] = [
  ['an unknown instrument', holding('X'), 'UNKNOWN_INSTRUMENT', 'positions[0].instrument'],
  ['an expired option', holding('A-EARLY'), 'EXPIRED_INSTRUMENT', 'positions[0].instrument'],
  ['a missing forward', holding('A-NOFORWARD'), 'MISSING_FORWARD', 'positions[0].instrument'],
  [
    'an American binary',
    holding('A-AMERICAN'),
    'UNSUPPORTED_INSTRUMENT',
    'positions[0].instrument',
  ],
  ['a missing factor', holding('B-PERP'), 'MISSING_FACTOR', 'positions[0].instrument'],
  ['NaN', holding('A-PERP', Number.NaN), 'INVALID_FIELD', 'positions[0].size'],
  ['Infinity', holding('A-PERP', Number.POSITIVE_INFINITY), 'INVALID_FIELD', 'positions[0].size'],
  ['a string for a number', holding('A-PERP', '1'), 'INVALID_FIELD', 'positions[0].size'],
  ['null for a number', holding('A-PERP', null), 'INVALID_FIELD', 'positions[0].size'],
  ['true for a number', holding('A-PERP', true), 'INVALID_FIELD', 'positions[0].size'],
  ['a number for an id', holding(7), 'INVALID_FIELD', 'positions[0].instrument'],
  ['a size of 0', holding('A-PERP', 0), 'INVALID_FIELD', 'positions[0].size'],
  ['a size of −0', holding('A-PERP', -0), 'INVALID_FIELD', 'positions[0].size'],
  [
    'an entry price of 0',
    holding('A-PERP', 1, { entryPrice: 0 }),
    'INVALID_FIELD',
    'positions[0].entryPrice',
  ],
  [
    'a misspelt field',
    holding('A-PERP', 1, { entryprice: 3 }),
    'UNKNOWN_FIELD',
    'positions[0].entryprice',
  ],
  [
    'an absent size',
    { id: 'bad', positions: [{ instrument: 'A-PERP' }] },
    'MISSING_FIELD',
    'positions[0].size',
  ],
  [
    'a duplicate position',
    {
      id: 'bad',
      positions: [
        { instrument: 'A-PERP', size: 1 },
        { instrument: 'A-CALL', size: 1 },
        { instrument: 'A-PERP', size: 2 },
      ],
    },
    'DUPLICATE_POSITION',
    'positions[2].instrument',
  ],
  [
    'an unknown collateral asset',
    { id: 'bad', collateral: [{ asset: 'DOGE', amount: 1 }] },
    'UNKNOWN_ASSET',
    'collateral[0].asset',
  ],
  [
    'collateral that cannot be simulated',
    { id: 'bad', collateral: [{ asset: 'USDT', amount: 1 }] },
    'MISSING_FACTOR',
    'collateral[0].asset',
  ],
  ['a foreign currency', { ...good, id: 'bad', currency: 'EUR' }, 'CURRENCY_MISMATCH', 'currency'],
  ['a mode of its own', { ...good, id: 'bad', mode: 'gross' }, 'INVALID_FIELD', 'mode'],
  ['a negative credit line', { ...good, id: 'bad', creditLine: -1 }, 'INVALID_FIELD', 'creditLine'],
  [
    'isolated without an allocation',
    { ...good, id: 'bad', mode: 'isolated' },
    'MISSING_FIELD',
    'positions[0].allocated',
  ],
  [
    'an order in an unknown instrument',
    { ...good, id: 'bad', orders: [{ instrument: 'X', side: 'buy', size: 1, price: 1 }] },
    'UNKNOWN_INSTRUMENT',
    'orders[0].instrument',
  ],
  [
    'an order of size 0',
    { ...good, id: 'bad', orders: [{ instrument: 'A-PERP', side: 'buy', size: 0, price: 1 }] },
    'INVALID_FIELD',
    'orders[0].size',
  ],
  [
    'columns of unequal length',
    { id: 'bad', instruments: ['A-PERP', 'A-CALL'], sizes: [1] },
    'INVALID_FIELD',
    'sizes',
  ],
  [
    'a bad value in a column',
    { id: 'bad', instruments: ['A-PERP'], sizes: ['1'] },
    'INVALID_FIELD',
    'sizes[0]',
  ],
  [
    'an unknown instrument in a column',
    { id: 'bad', instruments: ['A-PERP', 'X'], sizes: [1, 1] },
    'UNKNOWN_INSTRUMENT',
    'instruments[1]',
  ],
  ['sums beyond the range of doubles', holding('A-HUGE', 1e300), 'NUMERIC_OVERFLOW', undefined],
  ['no id', { positions: [] }, 'MISSING_FIELD', 'id'],
  ['an empty id', { id: '', positions: [] }, 'INVALID_FIELD', 'id'],
  ['no object', [], 'INVALID_FIELD', undefined],
  ['null', null, 'INVALID_FIELD', undefined],
];

describe('a rejected account', () => {
  it.each(cases)('%s', (_, account, code, path) => {
    const [before, outcome, after] = evaluate([good, account, good]);
    expect(outcome).toMatchObject({ error: { code, ...(path === undefined ? {} : { path }) } });
    const id = (account as { id?: string } | null)?.id ?? null;
    expect(outcome).toHaveProperty('account', Array.isArray(account) ? null : id);
    expect((outcome as { error: { message: string } }).error.message.length).toBeGreaterThan(10);
    expect(before).toMatchObject({ account: 'good', mode: 'portfolio' });
    expect(after).toEqual(before);
  });

  it('a missing implied volatility', () => {
    const session = fillInProcess({ market: bare, factors, methodology: { scenarios: 100 } });
    expect(session.evaluate([holding('A-CALL')])).toMatchObject([
      { account: 'bad', error: { code: 'MISSING_VOLATILITY', path: 'positions[0].instrument' } },
    ]);
  });

  it('a million positions, of which none can be a second one in the same instrument', () => {
    const instruments = Array.from({ length: 1_000_000 }, () => 'A-PERP');
    const [outcome] = evaluate([{ id: 'big', instruments, sizes: instruments.map(() => 1) }]);
    expect(outcome).toMatchObject({ account: 'big', error: { code: 'DUPLICATE_POSITION' } });
    const [beyond] = evaluate([{ id: 'big', instruments: [...instruments, 'A-PERP'], sizes: [1] }]);
    expect(beyond).toMatchObject({ error: { code: 'INVALID_FIELD', path: 'instruments' } });
  });
});

describe('an account that is merely empty', () => {
  it('needs nothing', () => {
    expect(
      evaluate([
        { id: 'empty' },
        { id: 'cash', positions: [], collateral: [{ asset: 'USD', amount: 5 }] },
      ]),
    ).toMatchObject([
      {
        account: 'empty',
        initialMargin: 0,
        maintenanceMargin: 0,
        equity: 0,
        marginRatio: 0,
        state: 'healthy',
      },
      {
        account: 'cash',
        initialMargin: 0,
        equity: 5,
        marginRatio: 0,
        risk: { expectedShortfall: 0 },
      },
    ]);
  });
});

describe('a request that is wrong as a whole', () => {
  const open =
    (methodology: object, model: FactorModel = factors) =>
    () =>
      fillInProcess({ market, factors: model, methodology });

  it.each([0, -1, 1.5, Number.NaN, 1e9])('%d scenarios', (scenarios) => {
    expect(open({ scenarios })).toThrow(
      expect.objectContaining({ code: 'INVALID_SCENARIO_COUNT', path: 'scenarios' }),
    );
  });

  it('historical without a history, with a number of scenarios, without a factor', () => {
    expect(open({ scenarioModel: 'historical' })).toThrow(
      expect.objectContaining({ code: 'MISSING_HISTORY' }),
    );
    expect(open({ scenarioModel: 'historical', scenarios: 100 })).toThrow(
      expect.objectContaining({ code: 'INVALID_SCENARIO_COUNT' }),
    );
    const history = {
      dates: ['2026-01-01', '2026-01-02', '2026-01-03'],
      columns: [{ id: 'A:spot', values: Float64Array.of(1, 2, 1) }],
    };
    const session = fillInProcess({
      market,
      history,
      methodology: { scenarioModel: 'historical', confidence: 0.5 },
    });
    expect(session.evaluate([holding('A-CALL'), holding('B-PERP'), good])).toMatchObject([
      { error: { code: 'MISSING_HISTORY', path: 'positions[0].instrument' } },
      { error: { code: 'MISSING_HISTORY', path: 'positions[0].instrument' } },
      { account: 'good', risk: { scenarios: 2 } },
    ]);
  });

  it('a correlation matrix that is not positive semi-definite', () => {
    const correlation = [
      [1, 0.9, 0.9],
      [0.9, 1, -0.9],
      [0.9, -0.9, 1],
    ];
    const three = ['A:spot', 'A:vol', 'B:spot'].map((id) => ({ id, volatility: 0.5 }));
    expect(open({}, { ...factors, factors: three, correlation })).toThrow(
      expect.objectContaining({ code: 'NOT_POSITIVE_SEMIDEFINITE' }),
    );
  });

  it('student-t without degrees of freedom', () => {
    expect(open({ scenarioModel: 'student-t' })).toThrow(
      expect.objectContaining({ code: 'MISSING_FIELD' }),
    );
  });

  it('more scenarios than memory holds: with the numbers', () => {
    const wide = {
      ...market,
      instruments: Array.from({ length: 2_000 }, (_, i) => ({
        ...market.instruments[0]!,
        id: `P${i}`,
      })),
    };
    expect(() =>
      fillInProcess({ market: wide, factors, methodology: { scenarios: 1_000_000 } }),
    ).toThrow(
      expect.objectContaining({
        code: 'OUT_OF_MEMORY',
        message: expect.stringMatching(/\d+ rows × 1000000 scenarios need \d+ MiB/),
      }),
    );
  });
});
