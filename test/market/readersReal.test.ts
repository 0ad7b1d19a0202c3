/** The readers on whole Deribit chains of 30–31 December 2025 and January 2026; skipped where the data is not at hand. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { baseValue, compileMarket, type Instrument, type Market } from '../../src/market/market.ts';
import { readMarketFiles, readMarketTexts } from '../../src/market/readers/marketFiles.ts';

const DATA =
  process.env.PLIMSOLL_TEST_DATA ?? fileURLToPath(new URL('../../../shared/data', import.meta.url));
const folder = join(DATA, 'deribit');
const absent = !existsSync(folder);
const title = absent ? 'real chains (skipped: no PLIMSOLL_TEST_DATA)' : 'real chains';

interface Row {
  readonly [column: string]: string;
}

/** A plain reading of the file, without quotes or escapes, which these files do not have. */
function rowsOf(name: string): Row[] {
  const lines = gunzipSync(readFileSync(join(folder, name)))
    .toString()
    .trim()
    .split(/\r?\n/);
  const header = lines[0]!.split(',');
  return lines.slice(1).map((line) => {
    const fields = line.split(',');
    return Object.fromEntries(header.map((column, i) => [column, fields[i]!]));
  });
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1]!;

/** |value in coin − mark in coin| of every option, which has to have a value. */
function gapsOf(market: Market, rows: readonly Row[]): number[] {
  return rows.map((row) => {
    const instrument = market.instruments[market.instrumentIndex.get(row.instrument_name!)!]!;
    expect(instrument.problem).toBeNull();
    const value = baseValue(instrument, market) / market.underlyings[instrument.underlying]!.spot;
    expect(value).toBeGreaterThanOrEqual(0);
    const gap = Math.abs(value - Number(row.mark_price));
    expect(gap).toBeLessThan(gapMax(instrument, Number(row.underlying)));
    return gap;
  });
}

/**
 * What may lie between our value and the exchange's mark. Its forward moved while the chain was read, ours is one an expiry; and its
 * mark lags its own forward by up to 5e-4 of it (in these files a row's own figures are apart by up to 3.7e-4). A value in coin moves by
 * at most max(1, K/F) per unit of ln F. The volatility is rounded to 1e-4, which is 5e-5 · 0.4 √T, at most 2e-5 coin a year out.
 */
function gapMax({ forward, strike }: Instrument, rowForward: number): number {
  const drift = Math.abs(Math.log(rowForward / forward)) + 5e-4;
  return drift * Math.max(1, strike / forward) + 2e-5;
}

const SNAPSHOTS = [
  ['deribit_options_snapshot_20251230T173115Z.csv.gz', 630, 674, '2025-12-30T17:31:15.944Z'],
  ['deribit_options_snapshot_20251230T211751Z.csv.gz', 630, 674, '2025-12-30T21:17:51.988Z'],
  ['deribit_options_snapshot_20251231T091828Z.csv.gz', 620, 666, '2025-12-31T09:18:28.589Z'],
] as const;

describe.skipIf(absent)(title, () => {
  it.each(
    SNAPSHOTS,
  )('%s: every option is there and worth its mark', async (name, btc, eth, asOf) => {
    const rows = rowsOf(name);
    const snapshot = await readMarketFiles([join(folder, name)]);
    expect(snapshot.asOf).toBe(asOf);
    const market = compileMarket(snapshot);
    expect(market.underlyings.map((underlying) => underlying.id)).toEqual(['BTC', 'ETH']);
    const counts = [0, 1].map((u) => market.instruments.filter((i) => i.underlying === u).length);
    expect(counts).toEqual([btc, eth]);
    // On a row's own forward Black-76 gives the mark to a median of 5e-6 coin (the data's own note): twice that with a shared one.
    expect(median(gapsOf(market, rows))).toBeLessThan(1e-5);
  });

  it('the daily layout of the same instant gives the same market, to its rounding', async () => {
    const full = await readMarketFiles([join(folder, SNAPSHOTS[0][0])]);
    const daily = await readMarketFiles([join(folder, 'deribit_options_daily_2025-12.csv.gz')], {
      at: '2025-12-30T17:31:15Z',
    });
    expect(daily.instruments).toEqual(full.instruments);
    daily.underlyings.forEach((underlying, u) => {
      const twin = full.underlyings[u]!;
      expect(underlying.spot).toBe(twin.spot);
      underlying.forwards!.forEach((forward, i) => {
        expect(forward.expiry).toBe(twin.forwards![i]!.expiry);
        // The daily file has four decimals of the forward, and four of the volatility.
        expect(Math.abs(forward.price - twin.forwards![i]!.price)).toBeLessThanOrEqual(5.1e-5);
      });
      underlying.surface!.forEach((slice, i) => {
        slice.quotes.forEach((quote, n) => {
          const other = twin.surface![i]!.quotes[n]!;
          expect(quote.strike).toBe(other.strike);
          expect(Math.abs(quote.iv - other.iv)).toBeLessThanOrEqual(5.1e-5);
        });
      });
    });
  });

  it('a month of daily chains: the last by default, each day by its instant', async () => {
    const path = join(folder, 'deribit_options_daily_2026-01.csv.gz');
    const last = await readMarketFiles([path]);
    expect(last.asOf).toBe('2026-01-31T09:21:02Z');
    expect(last.instruments).toHaveLength(706 + 746);
    const rows = rowsOf('deribit_options_daily_2026-01.csv.gz');
    const file = { name: path, bytes: readFileSync(path) };
    for (const at of ['2026-01-01T09:18:35Z', '2026-01-05T09:25:11Z', '2026-01-31T09:21:02Z']) {
      const market = compileMarket(readMarketTexts([file], { at }));
      const day = rows.filter((row) => row.snapshot_utc === at);
      expect(market.instruments).toHaveLength(day.length);
      expect(median(gapsOf(market, day))).toBeLessThan(1e-5);
    }
  });

  it('the same chain as JSON-RPC answers gives the same market', () => {
    const rows = rowsOf(SNAPSHOTS[2][0]);
    const file = (name: string, result: unknown) => ({
      name,
      bytes: Buffer.from(
        JSON.stringify({ jsonrpc: '2.0', result, usIn: 1, usOut: 2, testnet: false }),
      ),
    });
    const number = (text: string) => (text === '' ? null : Number(text));
    const files = ['BTC', 'ETH'].flatMap((currency) => {
      const own = rows.filter((row) => row.currency === currency);
      const summaries = own.map((row) => ({
        instrument_name: row.instrument_name,
        base_currency: currency,
        quote_currency: currency,
        creation_timestamp: Date.parse(`${row.timestamp!.slice(0, 23)}Z`),
        mark_price: Number(row.mark_price),
        mark_iv: 100 * Number(row.implied_volatility),
        underlying_price: Number(row.underlying),
        underlying_index: row.underlying_name,
        estimated_delivery_price: Number(row.index_price),
        bid_price: number(row.bid_price!),
        ask_price: number(row.ask_price!),
        volume: Number(row.volume),
        interest_rate: 0,
      }));
      const instruments = own.map((row) => ({
        instrument_name: row.instrument_name,
        kind: 'option',
        option_type: row.option_type,
        strike: Number(row.strike),
        expiration_timestamp: Date.parse(row.expiry_datetime!),
        contract_size: 1,
        instrument_type: 'reversed',
        settlement_currency: currency,
        is_active: true,
      }));
      return [file(`${currency} summary`, summaries), file(`${currency} instruments`, instruments)];
    });
    const fromJson = readMarketTexts(files);
    const bytes = readFileSync(join(folder, SNAPSHOTS[2][0]));
    const fromCsv = readMarketTexts([{ name: 'chain', bytes }]);
    expect(fromJson.instruments).toEqual(fromCsv.instruments);
    expect(fromJson.underlyings.map((u) => [u.spot, u.asOf, u.forwards])).toEqual(
      fromCsv.underlyings.map((u) => [u.spot, u.asOf, u.forwards]),
    );
    fromJson.underlyings.forEach((underlying, u) => {
      const quotes = underlying.surface!.flatMap((slice) => slice.quotes);
      const twins = fromCsv.underlyings[u]!.surface!.flatMap((slice) => slice.quotes);
      // × 100 here and / 100 in the reader: two roundings.
      quotes.forEach((quote, i) => {
        expect(quote.strike).toBe(twins[i]!.strike);
        expect(Math.abs(quote.iv - twins[i]!.iv)).toBeLessThanOrEqual(2.3e-16 * twins[i]!.iv);
      });
    });
  });
});
