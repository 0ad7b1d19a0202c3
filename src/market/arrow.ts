/** Arrow IPC, file or stream, as columns of plain values. */
import { DataType, tableFromIPC, type Vector } from 'apache-arrow';
import { PlimsollError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { RawTable } from './historyLayout.ts';

/** The continuation mark and a length of 0, with which a stream ends. The format lets a writer leave it out, but then a cut goes unseen. */
const END_OF_STREAM = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0);

/** @throws MALFORMED_ARROW, for a stream without its end mark too; TOO_LARGE */
export function arrowTable(bytes: Uint8Array, name: string): RawTable {
  if (
    bytes[0] === 0xff &&
    !END_OF_STREAM.every((byte, i) => byte === bytes[bytes.length - 8 + i])
  ) {
    throw new PlimsollError('MALFORMED_ARROW', `${name}: the stream has no end mark: it was cut`);
  }
  try {
    const table = tableFromIPC(bytes);
    const header = table.schema.fields.map((field) => field.name);
    const rows = table.numRows;
    if (rows > LIMITS.historyRowsMax || header.length > LIMITS.historyColumnsMax + 1) {
      throw new PlimsollError(
        'TOO_LARGE',
        `${name} has ${rows} rows of ${header.length} columns; the limit is ${LIMITS.historyRowsMax} rows of ${LIMITS.historyColumnsMax + 1}`,
      );
    }
    const columns = header.map((_, index) => columnValues(table.getChildAt(index)!));
    return { header, columns, rows };
  } catch (error) {
    if (error instanceof PlimsollError) throw error;
    throw new PlimsollError('MALFORMED_ARROW', `${name}: ${(error as Error).message}`);
  }
}

/** The library gives dates and timestamps as milliseconds: they are marked as dates here, so that a bare number never passes for one. */
function columnValues(vector: Vector): unknown[] {
  const isDate = DataType.isTimestamp(vector.type) || DataType.isDate(vector.type);
  const values: unknown[] = [];
  for (const value of vector) {
    values.push(isDate && value !== null ? new Date(Number(value)) : value);
  }
  return values;
}
