/** Histories in every format that is read, and what is refused. Expected values are written out or come from the JavaScript engine's own log. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { DateMillisecond, Float64, Table, tableToIPC, Utf8, vectorFromArray } from 'apache-arrow';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import { parseInstant } from '../../src/market/dates.ts';
import { type History, historyColumn, logChanges, readHistory } from '../../src/market/history.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const plain = (history: History) => ({
  dates: history.dates,
  columns: history.columns.map(({ id, values }) => ({ id, values: Array.from(values) })),
});
const WIDE =
  'date,BTC,ETH:spot,BTC:vol\n2024-02-28,100,10,0.5\n2024-02-29,110,,0.6\n2024-03-01,99,12,\n';
const EXPECTED = {
  dates: ['2024-02-28', '2024-02-29', '2024-03-01'],
  columns: [
    { id: 'BTC:spot', values: [100, 110, 99] },
    { id: 'ETH:spot', values: [10, Number.NaN, 12] },
    { id: 'BTC:vol', values: [0.5, 0.6, Number.NaN] },
  ],
};

describe('readHistory, CSV', () => {
  it('reads wide tables, gaps as NaN', async () => {
    expect(plain(await readHistory(bytes(WIDE)))).toEqual(EXPECTED);
  });

  it.each([
    ['gzip', gzipSync(bytes(WIDE))],
    ['a byte order mark and CRLF', bytes(`\ufeff${WIDE.replaceAll('\n', '\r\n')}`)],
    ['quotes', bytes(WIDE.replaceAll('100', '"100"'))],
    ['spaces', bytes(WIDE.replaceAll(',', ' , '))],
    ['no last line end', bytes(WIDE.trimEnd())],
  ])('reads the same through %s', async (_, input) => {
    expect(plain(await readHistory(input))).toEqual(EXPECTED);
  });

  it('reads long tables by any order of ids, a missing pair as a gap', async () => {
    const long =
      'asset,Date,close\nBTC,2024-02-28,100\nBTC,2024-02-29,110\nBTC,2024-03-01,99\nETH,2024-02-28,10\nETH,2024-03-01,12\nBTC:vol,2024-02-28,0.5\nBTC:vol,2024-02-29,0.6\n';
    expect(plain(await readHistory(bytes(long)))).toEqual(EXPECTED);
    const [header, ...rows] = long.trimEnd().split('\n');
    rows.sort((a, b) => (a.split(',')[1]! < b.split(',')[1]! ? -1 : 1));
    expect(plain(await readHistory(bytes([header, ...rows].join('\n'))))).toEqual(EXPECTED);
  });

  it('reads an implied-volatility index in percent when told so', async () => {
    const dvol = bytes('date,currency,dvol_close\n2022-11-06,BTC,56.76\n2022-11-07,BTC,59.48\n');
    const history = await readHistory(dvol, 'dvol', {
      idColumn: 'currency',
      valueColumn: 'dvol_close',
      factor: 'vol',
      unit: 'percent',
    });
    expect(plain(history)).toEqual({
      dates: ['2022-11-06', '2022-11-07'],
      // 56.76 / 100 in double precision is the double nearest to 0.5676 here, and so is the other.
      columns: [{ id: 'BTC:vol', values: [0.5676, 0.5948] }],
    });
    await expect(readHistory(dvol)).rejects.toMatchObject({ code: 'INVALID_FIELD' });
  });

  it('keeps the time of day, in UTC', async () => {
    const hourly = bytes('open_time,BTC\n2021-01-01 23:00:00,1\n2021-01-02T02:00:00+02:00,2\n');
    const { dates } = await readHistory(hourly);
    expect(dates).toEqual(['2021-01-01T23:00:00Z', '2021-01-02T00:00:00Z']);
  });

  it.each([
    ['a repeated date', 'date,A\n2024-01-01,1\n2024-01-01,2\n', 'INVALID_FIELD', /row 2.*twice/],
    ['an earlier date', 'date,A\n2024-01-02,1\n2024-01-01,2\n', 'INVALID_FIELD', /row 2.*earlier/],
    ['a day not in the calendar', 'date,A\n2023-02-29,1\n', 'INVALID_FIELD', /row 1.*2023-02-29/],
    ['a decimal year', 'date,A\n1991.49,1\n', 'INVALID_FIELD', /row 1/],
    [
      'text for a number',
      'date,A\n2024-01-01,1\n2024-01-02,n/a\n',
      'INVALID_FIELD',
      /row 2.*"A".*"n\/a"/,
    ],
    ['NaN as text', 'date,A\n2024-01-01,NaN\n', 'INVALID_FIELD', /row 1/],
    ['hexadecimal', 'date,A\n2024-01-01,0x10\n', 'INVALID_FIELD', /row 1/],
    ['an overflow', 'date,A\n2024-01-01,1e999\n', 'INVALID_FIELD', /row 1/],
    ['a short row', 'date,A,B\n2024-01-01,1\n', 'MALFORMED_CSV', /row 1 has 2 fields/],
    ['a blank line inside', 'date,A\n\n2024-01-01,1\n', 'MALFORMED_CSV', /row 1/],
    ['two equal columns', 'date,A,A:spot\n2024-01-01,1,1\n', 'DUPLICATE_ID', /A:spot/],
    ['no date', 'A,B\n1,2\n', 'MISSING_FIELD', /date column/],
    ['bar data', 'date,open,high\n2024-01-01,1,2\n', 'INVALID_FIELD', /"open"/],
    ['an unknown factor', 'date,A:colour\n2024-01-01,1\n', 'INVALID_FIELD', /A:colour/],
    ['an unread column', 'date,asset,price,size\n2024-01-01,A,1,2\n', 'UNKNOWN_FIELD', /"size"/],
    [
      'a repeat in a long table',
      'date,asset,price\n2024-01-01,A,1\n2024-01-01,A,1\n',
      'INVALID_FIELD',
      /row 2/,
    ],
    ['an open quote', 'date,A\n2024-01-01,"1\n', 'MALFORMED_CSV', /history/],
    ['nothing', '', 'MALFORMED_CSV', /empty/],
  ])('refuses %s', async (_, text, code, message) => {
    await expect(readHistory(bytes(text))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  it('refuses bytes that are no text and damaged gzip', async () => {
    await expect(readHistory(Uint8Array.of(0x64, 0xff, 0xfe))).rejects.toMatchObject({
      code: 'MALFORMED_CSV',
    });
    await expect(readHistory(gzipSync(bytes(WIDE)).subarray(0, 30))).rejects.toMatchObject({
      code: 'MALFORMED_CSV',
    });
  });
});

describe('readHistory, binary formats', () => {
  const dates = EXPECTED.dates.map((date) => new Date(`${date}T00:00:00Z`));
  const values = (column: number) =>
    EXPECTED.columns[column]!.values.map((value) => (Number.isNaN(value) ? null : value));

  it.each(['SNAPPY', 'UNCOMPRESSED'] as const)('reads Parquet, %s', async (codec) => {
    const file = parquetWriteBuffer({
      codec,
      columnData: [
        { name: 'date', data: dates, type: 'TIMESTAMP' },
        { name: 'BTC', data: values(0), type: 'DOUBLE', nullable: true },
        { name: 'ETH', data: values(1), type: 'DOUBLE', nullable: true },
        { name: 'BTC:vol', data: values(2), type: 'DOUBLE', nullable: true },
      ],
    });
    expect(plain(await readHistory(new Uint8Array(file)))).toEqual(EXPECTED);
    const cut = new Uint8Array(file).slice(0, file.byteLength - 20);
    await expect(readHistory(cut)).rejects.toMatchObject({ code: 'MALFORMED_PARQUET' });
  });

  it('reads Parquet in long form with text dates', async () => {
    const file = parquetWriteBuffer({
      columnData: [
        { name: 'date', data: ['2024-01-01', '2024-01-02'], type: 'STRING' },
        { name: 'symbol', data: ['X', 'X'], type: 'STRING' },
        { name: 'price', data: [1.5, 2.5], type: 'DOUBLE' },
      ],
    });
    expect(plain(await readHistory(new Uint8Array(file)))).toEqual({
      dates: ['2024-01-01', '2024-01-02'],
      columns: [{ id: 'X:spot', values: [1.5, 2.5] }],
    });
  });

  it.each(['file', 'stream'] as const)('reads Arrow IPC, %s', async (form) => {
    const table = new Table({
      date: vectorFromArray(dates, new DateMillisecond()),
      BTC: vectorFromArray(values(0), new Float64()),
      ETH: vectorFromArray(values(1), new Float64()),
      'BTC:vol': vectorFromArray(values(2), new Float64()),
    });
    expect(plain(await readHistory(tableToIPC(table, form)))).toEqual(EXPECTED);
  });

  it('refuses numbers as dates and damaged Arrow', async () => {
    const table = new Table({
      date: vectorFromArray([1, 2], new Float64()),
      BTC: vectorFromArray([1, 2], new Float64()),
    });
    await expect(readHistory(tableToIPC(table, 'file'))).rejects.toMatchObject({
      code: 'INVALID_FIELD',
    });
    const texts = new Table({ date: vectorFromArray(['2024-01-01'], new Utf8()) });
    // A file ends in its footer, a stream in a mark of 8 bytes: either is cut by as much.
    for (const form of ['file', 'stream'] as const) {
      const cut = tableToIPC(texts, form).slice(0, -8);
      await expect(readHistory(cut)).rejects.toMatchObject({ code: 'MALFORMED_ARROW' });
    }
  });
});

describe('parseInstant', () => {
  it.each([
    ['2024-02-29', Date.UTC(2024, 1, 29)],
    ['2024-02-29T13:05', Date.UTC(2024, 1, 29, 13, 5)],
    ['2025-12-30T17:31:15.944181+00:00', Date.UTC(2025, 11, 30, 17, 31, 15, 944)],
    ['2025-12-30 01:00:00-02:30', Date.UTC(2025, 11, 30, 3, 30)],
  ])('reads %s', (text, expected) => {
    expect(parseInstant(text)).toBe(expected);
  });

  it.each([
    '2023-02-29',
    '2024-13-01',
    '2024-01-01T24:00',
    '24-01-01',
    '1/2/24',
    '1704067200',
    '',
  ])('refuses %j', (text) => {
    expect(parseInstant(text)).toBeNaN();
  });
});

describe('logChanges', () => {
  it('overlaps over the step and keeps gaps', async () => {
    const history = await readHistory(bytes(WIDE));
    const one = logChanges(history, ['BTC:spot', 'ETH:spot'], 1);
    // Two correctly rounded logarithms near 4.6 (half an ulp, 4.4e-16, each) and the kernel's error of about as much: 2e-15.
    expect(one[0]).toBeCloseTo(Math.log(1.1), 14);
    expect(one[2]).toBeCloseTo(Math.log(0.9), 14);
    expect([one[1], one[3]]).toEqual([Number.NaN, Number.NaN]);
    const two = logChanges(history, ['ETH:spot'], 2);
    expect(two).toHaveLength(1);
    expect(two[0]).toBeCloseTo(Math.log(1.2), 14);
  });

  it('takes differences of basis factors', async () => {
    const history = await readHistory(bytes('date,A:basis\n2024-01-01,-0.5\n2024-01-02,0.25\n'));
    expect(Array.from(logChanges(history, ['A:basis'], 1))).toEqual([0.75]);
  });

  it('refuses levels that have no logarithm, unknown factors and idle steps', async () => {
    const history = await readHistory(bytes('date,A\n2024-01-01,1\n2024-01-02,0\n'));
    expect(() => logChanges(history, ['A:spot'], 1)).toThrow(/A:spot is 0 on 2024-01-02/);
    expect(() => logChanges(history, ['B:spot'], 1)).toThrow(
      expect.objectContaining({ code: 'MISSING_HISTORY' }),
    );
    expect(() => logChanges(history, ['A:spot'], 2)).toThrow(/stepRows/);
  });
});

const DATA =
  process.env.PLIMSOLL_TEST_DATA ?? fileURLToPath(new URL('../../../shared/data', import.meta.url));
const absent = !existsSync(join(DATA, 'crypto'));
describe.skipIf(absent)(`real files${absent ? ' (skipped: no PLIMSOLL_TEST_DATA)' : ''}`, () => {
  const file = (name: string) => readFileSync(join(DATA, name));

  it('reads daily closes', async () => {
    const history = await readHistory(file('crypto/crypto_close_daily_2017_2024.csv.gz'), 'daily');
    expect(history.dates).toHaveLength(2610);
    const btc = historyColumn(history, 'BTC:spot').values;
    // The crash day's close as the exchange data's own notes have it.
    expect(btc[history.dates.indexOf('2020-03-12')]).toBeCloseTo(4970.79, 2);
  });

  it('reads 35,000 hours of 12 coins', async () => {
    const history = await readHistory(
      file('crypto/crypto_close_hourly_2021_2024.csv.gz'),
      'hourly',
    );
    expect([history.dates.length, history.columns.length]).toEqual([35_050, 12]);
    expect(history.dates[1]).toBe('2021-01-01T01:00:00Z');
  });

  it('reads a volatility index and business-day equities', async () => {
    const dvol = await readHistory(
      file('deribit/dvol_btc_daily_close_2022-11_2024-12.csv'),
      'dvol',
      { idColumn: 'currency', valueColumn: 'dvol_close', factor: 'vol', unit: 'percent' },
    );
    expect(dvol.columns.map(({ id }) => id)).toEqual(['BTC:vol']);
    expect(dvol.dates).toHaveLength(787);
    const equity = await readHistory(
      file('equity/skfolio_sp500_20stocks_adjclose_1990_2022.csv.gz'),
    );
    expect([equity.dates.length, equity.columns.length]).toEqual([8313, 20]);
  });
});
