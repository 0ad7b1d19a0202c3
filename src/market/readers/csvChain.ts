/**
 * Option chains as CSV with Deribit's column names, in either of two layouts: `timestamp` and `implied_volatility` (one snapshot a
 * file), or `snapshot_utc` and `mark_iv` (many snapshots a file). Volatilities are decimals in both. Other columns may stand beside.
 */
import { parse } from 'csv-parse/sync';
import { type ErrorCode, PlimsollError } from '../../errors.ts';
import { decodeText } from '../../json.ts';
import { LIMITS } from '../../limits.ts';
import { show } from '../../schema.ts';
import { readInstant } from '../instruments.ts';
import type { ChainRow } from './chain.ts';
import { type Contract, expiresOn, parseContract } from './contracts.ts';

export interface CsvChain {
  /** Rows of `snapshot_utc` are snapshots of their own; rows of `timestamp` are one snapshot, read over some seconds. */
  readonly manySnapshots: boolean;
  readonly rows: readonly ChainRow[];
}

interface Columns {
  readonly time: number;
  readonly name: number;
  readonly volatility: number;
  readonly forward: number;
  readonly index: number;
  /** −1 where the file has none: then the name says it. */
  readonly expiry: number;
  /** −1 where the file has none. Read of perpetuals and futures only: an option's is in coin, and the model's to compute. */
  readonly mark: number;
  readonly manySnapshots: boolean;
  readonly header: readonly string[];
}

/** @throws MALFORMED_CSV, or INVALID_FIELD with the path `line 7, mark_iv` */
export function readCsvChain(bytes: Uint8Array): CsvChain {
  let columns: Columns | undefined;
  const rows: ChainRow[] = [];
  const take = (record: readonly string[], line: number): null => {
    if (columns === undefined) columns = columnsOf(record);
    else {
      const row = rowOf(record, columns, line);
      if (row !== null) rows.push(row);
    }
    return null;
  };
  try {
    parse(textOf(bytes), {
      columns: false,
      relax_column_count: false,
      skip_empty_lines: true,
      // Nothing is kept by the parser: a year of chains is read row by row.
      on_record: (record: string[], { lines }) => take(record, lines),
    });
  } catch (error) {
    if (error instanceof PlimsollError) throw error;
    throw new PlimsollError('MALFORMED_CSV', (error as Error).message);
  }
  if (columns === undefined) throw new PlimsollError('MALFORMED_CSV', 'the file has no header');
  if (rows.length === 0) throw new PlimsollError('MALFORMED_CSV', 'the file has no contracts');
  return { manySnapshots: columns.manySnapshots, rows };
}

function textOf(bytes: Uint8Array): string {
  try {
    return decodeText(bytes);
  } catch {
    throw new PlimsollError('MALFORMED_CSV', 'the bytes are not UTF-8');
  }
}

function columnsOf(header: readonly string[]): Columns {
  const twice = header.find((name, i) => header.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new PlimsollError('MALFORMED_CSV', `the column ${show(twice)} occurs twice`);
  }
  const find = (...names: readonly string[]): number => {
    const found = names.filter((name) => header.includes(name));
    if (found.length === 1) return header.indexOf(found[0]!);
    const wanted = names.join(' or ');
    const text = found.length === 0 ? `has no column ${wanted}` : `has two columns of ${wanted}`;
    throw new PlimsollError('MALFORMED_CSV', `the header ${text}`);
  };
  return {
    time: find('timestamp', 'snapshot_utc'),
    name: find('instrument_name'),
    volatility: find('implied_volatility', 'mark_iv'),
    forward: find('underlying'),
    index: find('index_price'),
    expiry: header.indexOf('expiry_datetime'),
    mark: header.indexOf('mark_price'),
    manySnapshots: header.includes('snapshot_utc'),
    header,
  };
}

function rowOf(record: readonly string[], columns: Columns, line: number): ChainRow | null {
  const name = record[columns.name]!;
  const place = (column: number): string => `line ${line}, ${columns.header[column]}`;
  const contract = located(place(columns.name), () => parseContract(name));
  if (contract === null) return null;
  const number = (column: number, min: number, max: number): number | undefined =>
    readNumber(record[column]!, min, max, place(column));
  const common = {
    timeMs: readInstant(record[columns.time]!, place(columns.time)),
    index: number(columns.index, LIMITS.priceMin, LIMITS.priceMax),
  };
  if (contract.type !== 'option') {
    const { mark } = columns;
    const price = mark === -1 ? undefined : number(mark, LIMITS.priceMin, LIMITS.priceMax);
    return { ...common, contract, mark: price };
  }
  const expiryMs = expiryOf(record, columns, contract, place(columns.expiry));
  const volatility = number(columns.volatility, 0, LIMITS.impliedVolatilityMax);
  return {
    ...common,
    contract: { ...contract, expiryMs },
    forward: number(columns.forward, LIMITS.priceMin, LIMITS.priceMax),
    // A mark volatility of 0 is none: no option with time to run has it.
    volatility: volatility === 0 ? undefined : volatility,
  };
}

function expiryOf(
  record: readonly string[],
  columns: Columns,
  contract: Contract,
  place: string,
): number {
  const written = columns.expiry === -1 ? '' : record[columns.expiry]!;
  if (written === '') return contract.expiryMs;
  const expiryMs = readInstant(written, place);
  if (expiresOn(contract, expiryMs)) return expiryMs;
  return fail('INVALID_FIELD', place, `${show(written)} contradicts the name ${contract.name}`);
}

function located<T>(place: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof PlimsollError)) throw error;
    return fail(error.code, place, error.message);
  }
}

function fail(code: ErrorCode, place: string, text: string): never {
  throw new PlimsollError(code, `${place}: ${text}`, { path: place });
}

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** A number in its range; undefined for an empty field, which is "no quote". */
function readNumber(text: string, min: number, max: number, place: string): number | undefined {
  if (text === '') return undefined;
  const value = DECIMAL.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) {
    return fail(
      'INVALID_FIELD',
      place,
      `must be a number from ${min} to ${max}, got ${show(text)}`,
    );
  }
  return value;
}
