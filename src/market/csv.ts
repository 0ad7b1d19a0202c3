/** CSV (RFC 4180, UTF-8, commas, a header line) as columns of text. */
import { parse } from 'csv-parse/sync';
import { PlimsollError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { RawTable } from './historyLayout.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

/**
 * Every record must have as many fields as the header. White space around a field is not part of it.
 * @throws MALFORMED_CSV naming the line, TOO_LARGE
 */
export function csvTable(bytes: Uint8Array, name: string): RawTable {
  const records = split(decode(bytes, name), name);
  const header = records[0];
  if (header === undefined) throw new PlimsollError('MALFORMED_CSV', `${name} is empty`);
  const rows = records.length - 1;
  if (rows > LIMITS.historyRowsMax || header.length > LIMITS.historyColumnsMax + 1) {
    throw new PlimsollError(
      'TOO_LARGE',
      `${name} has ${rows} rows of ${header.length} columns; the limit is ${LIMITS.historyRowsMax} rows of ${LIMITS.historyColumnsMax + 1}`,
    );
  }
  const columns = header.map(() => new Array<string>(rows));
  for (let row = 0; row < rows; row++) {
    const record = records[row + 1]!;
    if (record.length !== header.length) {
      throw new PlimsollError(
        'MALFORMED_CSV',
        `${name}: row ${row + 1} has ${record.length} fields, the header has ${header.length}`,
      );
    }
    for (let c = 0; c < columns.length; c++) columns[c]![row] = record[c]!.trim();
  }
  return { header: header.map((field) => field.trim()), columns, rows };
}

function decode(bytes: Uint8Array, name: string): string {
  try {
    return decoder.decode(bytes.buffer instanceof SharedArrayBuffer ? bytes.slice() : bytes);
  } catch {
    throw new PlimsollError('MALFORMED_CSV', `${name} is neither UTF-8 text nor a known format`);
  }
}

/** Text without a quotation mark needs no parser: splitting it is exact and several times faster. */
function split(text: string, name: string): string[][] {
  if (text.includes('"')) return parseQuoted(text, name);
  const lines = text.split('\n');
  while (lines.length > 0 && lines.at(-1)!.trim() === '') lines.pop();
  return lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line).split(','));
}

function parseQuoted(text: string, name: string): string[][] {
  try {
    return parse(text, { relax_column_count: true, skip_empty_lines: false });
  } catch (error) {
    throw new PlimsollError('MALFORMED_CSV', `${name}: ${(error as Error).message}`);
  }
}
