import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/limits.ts';
import { parseContract } from '../../src/market/readers/contracts.ts';
import { readMarketFiles, readMarketTexts } from '../../src/market/readers/marketFiles.ts';

import { failure, file, read } from './marketTexts.ts';

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
    'BTC-1YYY26-100-C',
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
