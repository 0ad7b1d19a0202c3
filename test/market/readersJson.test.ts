import { describe, expect, it } from 'vitest';
import { compileMarket, marketHash } from '../../src/market/market.ts';
import { writeSnapshot } from '../../src/market/readers/snapshotText.ts';
import type { MarketSnapshot } from '../../src/market/snapshot.ts';

import { failure, file, read } from './marketTexts.ts';

const HEADER = 'timestamp,instrument_name,underlying,implied_volatility,index_price';
const T = '2025-12-30T17:31:15.944181+00:00';
const answer = (result: unknown) => ({
  jsonrpc: '2.0',
  result,
  usIn: 1,
  usOut: 2,
  usDiff: 1,
  testnet: false,
});
const summary = (instrument_name: string, rest: object = {}) => ({
  instrument_name,
  base_currency: 'BTC',
  quote_currency: 'BTC',
  creation_timestamp: 1_767_115_875_944,
  mark_price: 0.04,
  mid_price: null,
  bid_price: null,
  ask_price: 0.05,
  last: null,
  volume: 3.1,
  open_interest: 10,
  interest_rate: 0,
  estimated_delivery_price: 88530.23,
  ...rest,
});
const quoted = (
  name: string,
  underlying_price: number,
  mark_iv: number | null,
  rest: object = {},
) => summary(name, { underlying_price, mark_iv, underlying_index: 'SYN', ...rest });
const listed = (instrument_name: string, contract_size: number, rest: object = {}) => ({
  instrument_name,
  kind: 'option',
  contract_size,
  instrument_type: 'linear',
  expiration_timestamp: Date.UTC(2026, 2, 27, 8),
  is_active: true,
  tick_size: 0.0005,
  ...rest,
});

describe('Deribit’s JSON-RPC answers', () => {
  const options = answer([
    quoted('BTC-27MAR26-100000-C', 89500.1, 46.25),
    quoted('BTC-27MAR26-100000-P', 89500.1, 46.25),
    quoted('BTC-27MAR26-20000-P', 89500.1, null),
    quoted('BTC-27MAR26-30000-P', 89500.1, 0),
  ]);
  const futures = answer([
    summary('BTC-PERPETUAL', {
      mark_price: 88540,
      bid_price: 88539.5,
      ask_price: 88540.5,
      volume: 4000,
      creation_timestamp: 1_767_115_876_000,
      estimated_delivery_price: 88531,
    }),
    summary('BTC-26JUN26', { mark_price: 90500, volume: 100 }),
    summary('BTC-FS-26JUN26_PERP', { mark_price: -12 }),
    summary('BTC_USDC', { mark_price: 88530 }),
  ]);

  it('merges summaries of options and futures, and passes over spot and combinations', () => {
    const snapshot = read(options, futures);
    expect(snapshot.underlyings).toEqual([
      {
        id: 'BTC',
        spot: 88531,
        asOf: '2025-12-30T17:31:16Z',
        forwards: [
          { expiry: '2026-03-27T08:00:00Z', price: 89500.1 },
          { expiry: '2026-06-26T08:00:00Z', price: 90500 },
        ],
        surface: [{ expiry: '2026-03-27T08:00:00Z', quotes: [{ strike: 100000, iv: 0.4625 }] }],
        // (88540.5 − 88539.5) / (88540.5 + 88539.5)
        liquidity: { halfSpread: 1 / 177080, dailyVolume: 4100 },
      },
    ]);
    expect(
      snapshot.instruments.map((item) => [
        item.id,
        item.type,
        item.settlement,
        item.multiplier,
        item.mark,
      ]),
    ).toEqual([
      ['BTC-26JUN26', 'future', 'inverse', 1, 90500],
      ['BTC-27MAR26-100000-C', 'option', 'coin', 1, undefined],
      ['BTC-27MAR26-100000-P', 'option', 'coin', 1, undefined],
      ['BTC-27MAR26-20000-P', 'option', 'coin', 1, undefined],
      ['BTC-27MAR26-30000-P', 'option', 'coin', 1, undefined],
      ['BTC-PERPETUAL', 'perpetual', 'inverse', 1, 88540],
    ]);
    const market = compileMarket(snapshot);
    expect(market.instruments.every((instrument) => instrument.problem === null)).toBe(true);
  });

  it('takes sizes of linear contracts, and the hour of expiry, from the list of instruments', () => {
    const at15 = Date.UTC(2026, 2, 27, 15);
    const snapshot = read(
      answer([
        quoted('XRP_USDC-27MAR26-0d55-C', 0.56, 85, { estimated_delivery_price: 0.551 }),
        summary('XRP_USDC-PERPETUAL', { mark_price: 0.552, estimated_delivery_price: 0.551 }),
      ]),
      answer([
        listed('XRP_USDC-27MAR26-0d55-C', 1000, {
          strike: 0.55,
          option_type: 'call',
          expiration_timestamp: at15,
        }),
        listed('XRP_USDC-27MAR26-0d6-C', 1000, {
          strike: 0.6,
          option_type: 'call',
          expiration_timestamp: at15,
        }),
        listed('XRP_USDC-PERPETUAL', 1, {
          kind: 'future',
          expiration_timestamp: 32_503_708_800_000,
        }),
        { instrument_name: 'XRP_USDC', kind: 'spot', base_currency: 'XRP' },
      ]),
    );
    expect(
      snapshot.instruments.map((item) => [
        item.id,
        item.expiry,
        item.strike,
        item.settlement,
        item.multiplier,
      ]),
    ).toEqual([
      ['XRP_USDC-27MAR26-0d55-C', '2026-03-27T15:00:00Z', 0.55, 'linear', 1000],
      ['XRP_USDC-27MAR26-0d6-C', '2026-03-27T15:00:00Z', 0.6, 'linear', 1000],
      ['XRP_USDC-PERPETUAL', undefined, undefined, 'linear', 1],
    ]);
    expect(snapshot.underlyings[0]).toMatchObject({
      id: 'XRP',
      forwards: [{ expiry: '2026-03-27T15:00:00Z', price: 0.56 }],
    });
    // The listed strike without a quote reads the smile.
    expect(compileMarket(snapshot).instruments[1]).toMatchObject({
      volatility: 0.85,
      problem: null,
    });
  });

  it('lets the inverse book lead where an underlying has both', () => {
    const snapshot = read(
      answer([
        quoted('BTC-27MAR26-100000-C', 89500, 46),
        quoted('BTC_USDC-27MAR26-100000-C', 89520, 47, { estimated_delivery_price: 88550 }),
        quoted('BTC_USDC-26JUN26-100000-C', 90520, 48, { estimated_delivery_price: 88550 }),
      ]),
      answer([
        listed('BTC_USDC-27MAR26-100000-C', 1),
        listed('BTC_USDC-26JUN26-100000-C', 1, { expiration_timestamp: Date.UTC(2026, 5, 26, 8) }),
      ]),
    );
    expect(snapshot.underlyings).toMatchObject([
      {
        id: 'BTC',
        spot: 88530.23,
        forwards: [{ price: 89500 }, { price: 90520 }],
        surface: [{ quotes: [{ iv: 0.46 }] }, { quotes: [{ iv: 0.48 }] }],
      },
    ]);
  });

  it.each([
    [
      'an error',
      { jsonrpc: '2.0', error: { code: 10028, message: 'too_many_requests' } },
      'INVALID_FIELD',
      'error',
    ],
    ['no list', { jsonrpc: '2.0', result: {} }, 'INVALID_FIELD', 'result'],
    ['an empty list', answer([]), 'MISSING_FIELD', 'market'],
    [
      'iv as text',
      answer([quoted('BTC-27MAR26-1-C', 1, '46' as never)]),
      'INVALID_FIELD',
      'result[0].mark_iv',
    ],
    [
      'a volatility of 2100%',
      answer([quoted('BTC-27MAR26-1-C', 1, 2100)]),
      'INVALID_FIELD',
      'result[0].mark_iv',
    ],
    [
      'no timestamp',
      answer([{ instrument_name: 'BTC-27MAR26-1-C' }]),
      'MISSING_FIELD',
      'result[0].creation_timestamp',
    ],
    ['an unknown name', answer([summary('BTC')]), 'INVALID_FIELD', 'result[0].instrument_name'],
    [
      'a future without mark',
      answer([summary('BTC-27MAR26', { mark_price: null })]),
      'INVALID_FIELD',
      'result[0].mark_price',
    ],
    [
      'no index',
      answer([quoted('BTC-27MAR26-1-C', 1, 46, { estimated_delivery_price: null })]),
      'MISSING_FIELD',
      'BTC',
    ],
    [
      'a summary twice',
      answer([summary('BTC-27MAR26-1-C'), summary('BTC-27MAR26-1-C')]),
      'DUPLICATE_ID',
      'BTC-27MAR26-1-C',
    ],
  ])('refuses %s', (_name, document, code, path) => {
    const error = failure([file(document, 'answer.json')]);
    expect([error.code, error.path]).toEqual([code, path]);
  });

  it('refuses a list of instruments that contradicts the names or has no prices', () => {
    const prices = answer([
      quoted('SOL_USDC-27MAR26-150-C', 150, 80, { estimated_delivery_price: 149 }),
    ]);
    const contradiction = answer([listed('SOL_USDC-27MAR26-150-C', 10, { strike: 151 })]);
    expect(failure([file(prices), file(contradiction)]).path).toBe('result[0].strike');
    const inverse = answer([listed('SOL_USDC-27MAR26-150-C', 10, { instrument_type: 'reversed' })]);
    expect(failure([file(prices), file(inverse)]).path).toBe('result[0].instrument_type');
    const day = answer([
      listed('SOL_USDC-27MAR26-150-C', 10, { expiration_timestamp: Date.UTC(2026, 2, 28, 8) }),
    ]);
    expect(failure([file(prices), file(day)]).path).toBe('result[0].expiration_timestamp');
    const [one, two] = [10, 100].map((size) => answer([listed('SOL_USDC-27MAR26-150-C', size)]));
    expect(failure([file(prices), file(one!), file(two!)]).path).toBe('SOL_USDC-27MAR26-150-C');
    expect(read(prices, one!, one!).instruments[0]!.multiplier).toBe(10);
    const other = answer([listed('XRP_USDC-27MAR26-1-C', 1000)]);
    expect(failure([file(options), file(other)])).toMatchObject({
      code: 'MISSING_FIELD',
      path: 'XRP_USDC-27MAR26-1-C',
    });
  });

  it('refuses one underlying from CSV and JSON, and `at` without a CSV file', () => {
    const csv = `${HEADER}\n${T},BTC-27MAR26-100-C,100,0.5,100`;
    expect(failure([file(csv), file(options)])).toMatchObject({
      code: 'INVALID_FIELD',
      path: 'BTC',
    });
    expect(failure([file(options)], { at: '2026-01-01T00:00:00Z' }).path).toBe('at');
  });
});

describe('our own JSON', () => {
  const csv = `${HEADER}\n${T},BTC-27MAR26-100-C,100,0.5,100\n${T},BTC-27MAR26-90-P,100,0.52,100`;

  it('survives writing and reading, hash and all', () => {
    const snapshot = read(csv);
    const text = writeSnapshot(snapshot);
    const back = read(text);
    expect(back).toEqual(snapshot);
    expect(writeSnapshot(back)).toBe(text);
    expect(marketHash(compileMarket(back), [0])).toBe(marketHash(compileMarket(snapshot), [0]));
    expect(text).toContain('{ "strike": 90, "iv": 0.52 },\n');
  });

  it('is written the same whatever the order of its keys', () => {
    const snapshot = read(csv);
    const shuffled = Object.fromEntries(Object.entries(snapshot).reverse()) as MarketSnapshot;
    expect(writeSnapshot(shuffled)).toBe(writeSnapshot(snapshot));
  });

  it('is not written where it has no JSON form', () => {
    const snapshot = read(csv);
    snapshot.underlyings[0]!.spot = Number.NaN;
    expect(() => writeSnapshot(snapshot)).toThrow('underlyings[0].spot');
  });

  it('stands alone, and names its file in errors', () => {
    const text = writeSnapshot(read(csv));
    expect(failure([file(text, 'a'), file(csv, 'b')]).message).toMatch(/^a is a market snapshot/);
    expect(failure([file(text, 'a')], { at: '2026-01-01T00:00:00Z' }).code).toBe('INVALID_FIELD');
    expect(failure([file('{"asOf":', 'a.json')])).toMatchObject({ code: 'MALFORMED_JSON' });
    expect(failure([file('{"asOf":', 'a.json')]).message).toMatch(/^a\.json: /);
    expect(failure([file('[]', 'a.json')]).code).toBe('INVALID_FIELD');
  });
});
