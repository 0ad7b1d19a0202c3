import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { PlimsollError } from '../../src/errors.ts';
import { LIMITS } from '../../src/limits.ts';
import { compileMarket, marketHash } from '../../src/market/market.ts';
import { parseContract } from '../../src/market/readers/contracts.ts';
import {
  type MarketFile,
  type MarketReaderOptions,
  readMarketFiles,
  readMarketTexts,
} from '../../src/market/readers/marketFiles.ts';
import { writeSnapshot } from '../../src/market/readers/snapshotText.ts';
import type { MarketSnapshot } from '../../src/market/snapshot.ts';

const file = (content: string | object, name = 'market.csv'): MarketFile => ({
  name,
  bytes: Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)),
});
const read = (...contents: (string | object)[]): MarketSnapshot =>
  readMarketTexts(contents.map((content, i) => file(content, `file ${i}`)));

function failure(files: readonly MarketFile[], options?: MarketReaderOptions): PlimsollError {
  try {
    readMarketTexts(files, options);
  } catch (error) {
    return error as PlimsollError;
  }
  throw new Error('the files were accepted');
}

describe('parseContract', () => {
  it.each([
    ['BTC-27MAR26-100000-C', 'BTC', false, 'option', Date.UTC(2026, 2, 27, 8), 100000, 'call'],
    ['ETH-3JAN26-2950-P', 'ETH', false, 'option', Date.UTC(2026, 0, 3, 8), 2950, 'put'],
    ['XRP_USDC-27MAR26-0d55-C', 'XRP', true, 'option', Date.UTC(2026, 2, 27, 8), 0.55, 'call'],
    ['AVAX_USDC-13SEP26-6d4-P', 'AVAX', true, 'option', Date.UTC(2026, 8, 13, 8), 6.4, 'put'],
    ['SOL_USDC-29FEB28-150-C', 'SOL', true, 'option', Date.UTC(2028, 1, 29, 8), 150, 'call'],
    ['BTC-27MAR26', 'BTC', false, 'future', Date.UTC(2026, 2, 27, 8), Number.NaN, null],
    ['BTC_USDC-27MAR26', 'BTC', true, 'future', Date.UTC(2026, 2, 27, 8), Number.NaN, null],
    ['BTC-PERPETUAL', 'BTC', false, 'perpetual', 0, Number.NaN, null],
    ['BTC_USDC-PERPETUAL', 'BTC', true, 'perpetual', 0, Number.NaN, null],
  ])('reads %s', (name, underlying, linear, type, expiryMs, strike, right) => {
    expect(parseContract(name)).toEqual({
      name,
      underlying,
      linear,
      type,
      expiryMs,
      strike,
      right,
    });
  });

  it.each([
    'BTC_USDC',
    'BTC-FS-27MAR26_PERP',
    'BTC-CS-27MAR26-90000_100000',
    'ETH-CSR12-9JAN26-1_2',
  ])('passes over %s', (name) => expect(parseContract(name)).toBeNull());

  it.each([
    'BTC-30FEB26-100-C',
    'BTC-1XXX26-100-C',
    'BTC-27MAR26-100-X',
    'BTC-27MAR26-0-C',
    'BTC-27MAR26-1e5-C',
    'btc-27MAR26-100-C',
    'BTC-PERPETUAL ',
    'BTC',
    '',
  ])('refuses %j', (name) => expect(() => parseContract(name)).toThrow('instrument_name'));
});

const HEADER = 'timestamp,instrument_name,underlying,implied_volatility,index_price';
const T = '2025-12-30T17:31:15.944181+00:00';
const DAILY =
  'snapshot_utc,instrument_name,underlying_name,underlying,index_price,mark_price,mark_iv';

describe('option-chain CSV', () => {
  it('takes the lower median of an expiry’s forwards and of the latest index prices', () => {
    const snapshot = read(
      [
        HEADER,
        `2025-12-30T17:31:10Z,BTC-27MAR26-100000-C,103,0.46,50`,
        `${T},BTC-27MAR26-100000-P,101,0.46,99`,
        `${T},BTC-27MAR26-90000-P,104,0.47,97`,
        `${T},BTC-27MAR26-80000-P,102,,98`,
        `${T},BTC-26JUN26-80000-P,,,96`,
      ].join('\r\n'),
    );
    expect(snapshot.asOf).toBe('2025-12-30T17:31:15.944Z');
    expect(snapshot.currency).toBe('USD');
    expect(snapshot.underlyings).toEqual([
      {
        id: 'BTC',
        spot: 97,
        asOf: '2025-12-30T17:31:15.944Z',
        forwards: [{ expiry: '2026-03-27T08:00:00Z', price: 102 }],
        surface: [
          {
            expiry: '2026-03-27T08:00:00Z',
            quotes: [
              { strike: 90000, iv: 0.47 },
              { strike: 100000, iv: 0.46 },
            ],
          },
        ],
      },
    ]);
    expect(snapshot.instruments).toHaveLength(5);
    expect(snapshot.instruments[1]).toEqual({
      id: 'BTC-27MAR26-100000-C',
      type: 'option',
      underlying: 'BTC',
      expiry: '2026-03-27T08:00:00Z',
      strike: 100000,
      right: 'call',
      settlement: 'coin',
      multiplier: 1,
    });
  });

  it('lets the out-of-the-money option decide where call and put disagree', () => {
    const row = (k: number, right: string, iv: number) =>
      `${T},BTC-27MAR26-${k}-${right},100,${iv},100`;
    const rows = [
      row(90, 'C', 0.5),
      row(90, 'P', 0.51),
      row(100, 'C', 0.52),
      row(100, 'P', 0.53),
      row(110, 'P', 0.54),
      row(110, 'C', 0.55),
    ];
    for (const order of [rows, rows.toReversed()]) {
      const quotes = read([HEADER, ...order].join('\n')).underlyings[0]!.surface![0]!.quotes;
      expect(quotes).toEqual([
        { strike: 90, iv: 0.51 },
        { strike: 100, iv: 0.52 },
        { strike: 110, iv: 0.55 },
      ]);
    }
  });

  it('does not take the settlement average of the last half hour for the index', () => {
    const rows = [`${T},BTC-30DEC25-90-C,100,0.5,90`, `${T},BTC-27MAR26-90-C,100,0.5,100`];
    const spotAt = (time: string): number =>
      read([HEADER, ...rows.map((row) => row.replace(T, time))].join('\n')).underlyings[0]!.spot;
    expect(spotAt('2025-12-30T07:29:00Z')).toBe(90);
    expect(spotAt('2025-12-30T07:31:00Z')).toBe(100);
  });

  const daily = [
    DAILY,
    '2026-01-01T09:00:00Z,BTC-27MAR26-100-C,x,101,100,0.1,0.5',
    '2026-01-02T09:00:00Z,BTC-27MAR26-100-C,x,111,110,0.1,0.6',
    '2026-01-01T09:00:00Z,ETH-27MAR26-100-C,x,11,10,0.1,0.7',
    '2026-01-02T09:00:00Z,BTC-PERPETUAL,x,,110,110.5,',
  ].join('\n');

  it('chooses the last snapshot of each underlying, or the one asked for', () => {
    const last = read(daily);
    expect(last.underlyings.map(({ id, spot, asOf }) => [id, spot, asOf])).toEqual([
      ['BTC', 110, '2026-01-02T09:00:00Z'],
      ['ETH', 10, '2026-01-01T09:00:00Z'],
    ]);
    expect(last.instruments.map(({ id, mark }) => [id, mark])).toEqual([
      ['BTC-27MAR26-100-C', undefined],
      ['BTC-PERPETUAL', 110.5],
      ['ETH-27MAR26-100-C', undefined],
    ]);
    const first = readMarketTexts([file(daily)], { at: '2026-01-01T09:00:00+00:00' });
    expect(first.underlyings.map(({ id, spot }) => [id, spot])).toEqual([
      ['BTC', 100],
      ['ETH', 10],
    ]);
    expect(first.asOf).toBe('2026-01-01T09:00:00Z');
    const error = failure([file(daily)], { at: '2026-01-03T09:00:00Z' });
    expect([error.code, error.path]).toEqual(['INVALID_FIELD', 'at']);
    expect(error.message).toContain('2 instants from 2026-01-01T09:00:00Z to 2026-01-02T09:00:00Z');
  });

  it('reads gzip by its first bytes, whatever the name', () => {
    const zipped = { name: 'x.json', bytes: gzipSync(daily) };
    expect(readMarketTexts([zipped])).toEqual(read(daily));
  });

  const line = `${T},BTC-27MAR26-100-C,100,0.5,100`;
  it.each([
    ['a missing column', 'timestamp,instrument_name,underlying\n', 'MALFORMED_CSV', undefined],
    ['a column twice', `${HEADER},underlying\n`, 'MALFORMED_CSV', undefined],
    ['both layouts at once', `${HEADER},snapshot_utc\n`, 'MALFORMED_CSV', undefined],
    ['a short line', `${HEADER}\n${T},BTC-27MAR26-100-C\n`, 'MALFORMED_CSV', undefined],
    ['an open quote', `${HEADER}\n"${line}\n`, 'MALFORMED_CSV', undefined],
    ['no rows', `${HEADER}\n`, 'MALFORMED_CSV', undefined],
    ['nothing', '', 'MALFORMED_CSV', undefined],
    [
      'a word',
      `${HEADER}\n${line}\n${line.replace('0.5', 'nan')}`,
      'INVALID_FIELD',
      'line 3, implied_volatility',
    ],
    [
      'percent',
      `${HEADER}\n${line.replace('0.5', '50')}`,
      'INVALID_FIELD',
      'line 2, implied_volatility',
    ],
    [
      'a hexadecimal',
      `${HEADER}\n${line.replace(',100,', ',0x64,')}`,
      'INVALID_FIELD',
      'line 2, underlying',
    ],
    [
      'a price of 0',
      `${HEADER}\n${line.replace(/,100$/, ',0')}`,
      'INVALID_FIELD',
      'line 2, index_price',
    ],
    [
      'local time',
      `${HEADER}\n${line.replace('+00:00', '')}`,
      'INVALID_FIELD',
      'line 2, timestamp',
    ],
    [
      'another name',
      `${HEADER}\n${line.replace('-C', '-Q')}`,
      'INVALID_FIELD',
      'line 2, instrument_name',
    ],
    ['a row twice', `${HEADER}\n${line}\n${line}`, 'DUPLICATE_ID', 'BTC-27MAR26-100-C'],
    ['no index price', `${HEADER}\n${line.replace(/,100$/, ',')}`, 'MISSING_FIELD', 'BTC'],
    [
      'a linear contract of unknown size',
      `${HEADER}\n${line.replace('BTC', 'SOL_USDC')}`,
      'MISSING_FIELD',
      'SOL_USDC-27MAR26-100-C.contract_size',
    ],
  ])('refuses %s', (_name, text, code, path) => {
    const error = failure([file(text, 'chain.csv')]);
    expect([error.code, error.path]).toEqual([code, path]);
    if (code === 'MALFORMED_CSV' || path?.startsWith('line')) {
      expect(error.message).toMatch(/^chain\.csv: /);
    }
  });

  it('reads the hour of expiry where a column has it, and refuses another day', () => {
    const chain = (expiry: string) => `${HEADER},expiry_datetime\n${line},${expiry}`;
    expect(read(chain('2026-03-27T15:00:00+00:00')).instruments[0]!.expiry).toBe(
      '2026-03-27T15:00:00Z',
    );
    expect(read(chain('')).instruments[0]!.expiry).toBe('2026-03-27T08:00:00Z');
    expect(failure([file(chain('2026-03-28T08:00:00Z'))]).path).toBe('line 2, expiry_datetime');
  });

  it('names the line of a short record', () => {
    expect(failure([file(`${HEADER}\n${line}\n${T},BTC\n`)]).message).toMatch(/line 3/);
  });

  it('refuses bytes that are not UTF-8, and gzip that is cut or a bomb', () => {
    const bytes = Buffer.from([0x74, 0xff, 0xfe]);
    expect(failure([{ name: 'x', bytes }]).code).toBe('MALFORMED_CSV');
    const cut = gzipSync(daily).subarray(0, 60);
    expect(failure([{ name: 'x', bytes: cut }]).code).toBe('MALFORMED_CSV');
    const bomb = gzipSync(Buffer.alloc(LIMITS.marketBodyBytesMax + 1), { level: 1 });
    expect(failure([{ name: 'x', bytes: bomb }])).toMatchObject({ code: 'TOO_LARGE', path: 'x' });
  });
});

/** Documents in the shape of docs.deribit.com's public/get_book_summary_by_currency and public/get_instruments. */
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

describe('readMarketFiles', () => {
  it('reads files and names the one that is not there', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'plimsoll-market-'));
    try {
      const path = join(folder, 'chain.csv.gz');
      await writeFile(path, gzipSync(`${HEADER}\n${T},BTC-27MAR26-100-C,100,0.5,100`));
      expect((await readMarketFiles([path])).instruments).toHaveLength(1);
      const missing = join(folder, 'absent.csv');
      await expect(readMarketFiles([path, missing])).rejects.toMatchObject({
        code: 'NOT_FOUND',
        path: missing,
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
