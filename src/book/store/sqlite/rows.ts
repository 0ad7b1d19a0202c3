/**
 * Rows of the log out of SQLite. Text that somebody damaged need not be UTF-8, and libsql ends the whole process when it meets such
 * text: every text is read as bytes, and a page of records as one value, which is also faster than a value a column.
 */
import { isUtf8 } from 'node:buffer';
import { LIMITS } from '../../../limits.ts';
import type { RawRow } from '../verification.ts';
import type { SqliteConnection } from './driver.ts';

/** Between columns and between rows: no kind, key, instant, hash or canonical JSON holds these characters. */
const COLUMN_END = '\x00';
const ROW_END = '\x01';

/** Absent is not the same as empty. */
const optional = (column: string): string => `coalesce('=' || ${column}, '')`;
const ROW = [
  ...['seq', 'at', 'kind', 'body'],
  ...['key', 'answer', 'body_hash'].map(optional),
  'hash',
].join(' || char(0) || ');
const SIZE = 'octet_length(body) + coalesce(octet_length(answer), 0)';
const PAGE = 'FROM log WHERE seq >= ? ORDER BY seq LIMIT ?';
const TOTAL = `SELECT sum(size) FROM (SELECT ${SIZE} AS size ${PAGE})`;
const ROWS = `SELECT CAST(group_concat(row, char(1)) AS BLOB) FROM (SELECT ${ROW} AS row ${PAGE})`;

/** Rows from a number on, at most `limit` of them, fewer where they are large. A damaged one has columns that are undefined. */
export function readRows(
  connection: SqliteConnection,
  fromSeq: number,
  limit: number,
): readonly RawRow[] {
  const count = countThatFits(connection, fromSeq, limit);
  const bytes = connection.prepare(ROWS).get(fromSeq, count)?.[0];
  if (!(bytes instanceof Uint8Array)) return [];
  return decoded(bytes).split(ROW_END).map(rawRow);
}

function countThatFits(connection: SqliteConnection, fromSeq: number, limit: number): number {
  const total = connection.prepare(TOTAL).get(fromSeq, limit)?.[0];
  if (Number(total ?? 0) <= LIMITS.storePageCharsMax) return limit;
  let sum = 0;
  let count = 0;
  // To the end even so: an open statement would hold the database.
  for (const [size] of connection.prepare(`SELECT ${SIZE} ${PAGE}`).rows(fromSeq, limit)) {
    sum += Number(size);
    if (sum <= LIMITS.storePageCharsMax) count += 1;
  }
  return Math.max(1, count);
}

function rawRow(text: string): RawRow {
  const columns = text.split(COLUMN_END);
  const [seq, at, kind, body, key, answer, bodyHash, hash] = columns.length === 8 ? columns : [];
  return {
    seq: Number(seq ?? text.split(COLUMN_END)[0]),
    at,
    kind,
    body,
    key: optionalText(key),
    answer: optionalText(answer),
    bodyHash: optionalText(bodyHash),
    hash,
  };
}

function optionalText(column: string | undefined): string | null | undefined {
  return column === '' ? null : column?.slice(1);
}

/** Bytes that are no text become a text that no record has: hashes are taken of valid text. */
function decoded(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isUtf8(buffer)) return buffer.toString();
  const rows: string[] = [];
  for (let start = 0; start <= buffer.length; ) {
    const found = buffer.indexOf(ROW_END, start);
    const end = found === -1 ? buffer.length : found;
    const row = buffer.subarray(start, end);
    // Of a row that is no text only the number is kept.
    rows.push(isUtf8(row) ? row.toString() : row.toString('latin1').split(COLUMN_END)[0]!);
    start = end + 1;
  }
  return rows.join(ROW_END);
}

/** The first row of a query whose texts are cast to bytes, as texts. */
export function textsOf(row: readonly unknown[]): readonly unknown[] {
  return row.map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString() : value));
}

/** A column as bytes. */
export const bytesOf = (column: string): string => `CAST(${column} AS BLOB)`;
