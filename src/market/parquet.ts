/** Parquet files as columns of plain values. */
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { PlimsollError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { RawTable } from './historyLayout.ts';

/**
 * Reads a flat Parquet file whole, with any of the usual codecs. The footer's row count is checked before a page is touched.
 * @throws MALFORMED_PARQUET, TOO_LARGE
 */
export async function parquetTable(bytes: Uint8Array, name: string): Promise<RawTable> {
  try {
    // The decoder wants a buffer of its own, beginning at 0.
    const buffer = bytes.slice().buffer as ArrayBuffer;
    const metadata = parquetMetadata(buffer);
    const rows = Number(metadata.num_rows);
    const header = metadata.schema.slice(1).map((element) => element.name);
    if (!(rows <= LIMITS.historyRowsMax) || header.length > LIMITS.historyColumnsMax + 1) {
      throw new PlimsollError(
        'TOO_LARGE',
        `${name} has ${rows} rows of ${header.length} columns; the limit is ${LIMITS.historyRowsMax} rows of ${LIMITS.historyColumnsMax + 1}`,
      );
    }
    const records = await parquetReadObjects({ file: buffer, metadata, compressors });
    if (records.length !== rows)
      throw new Error(`${records.length} rows where the footer says ${rows}`);
    const columns = header.map((field) => records.map((record) => record[field] as unknown));
    return { header, columns, rows };
  } catch (error) {
    if (error instanceof PlimsollError) throw error;
    throw new PlimsollError('MALFORMED_PARQUET', `${name}: ${(error as Error).message}`);
  }
}
