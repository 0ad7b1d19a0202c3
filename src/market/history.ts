/**
 * Price and implied-volatility history, and its changes over a horizon. `readHistory` reads CSV, Parquet and Arrow IPC alike into
 * one plain table of factor levels.
 */
import { gunzipSync } from 'node:zlib';
import { ensure, PlimsollError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { log } from '../numerics.ts';
import { csvTable } from './csv.ts';
import { defaultKind, type FactorKind, parseFactorId } from './factorIds.ts';
import { type HistoryLayout, layOut, type RawTable } from './historyLayout.ts';

/** Levels of risk factors, one row a date, oldest first. NaN is a gap. */
export interface History {
  /** Strictly increasing: `2024-02-29`, or `2024-02-29T13:00:00Z` where the file has times. */
  readonly dates: readonly string[];
  /** Factor ids (`BTC:spot`, `BTC:vol`) and their levels, as many as there are dates. Volatilities are annual decimals. */
  readonly columns: readonly HistoryColumn[];
}

export interface HistoryColumn {
  readonly id: string;
  readonly values: Float64Array;
}

/**
 * Reads a history file. The form is told by its first bytes: gzip (of any of the others), Parquet (`PAR1`), Arrow IPC file (`ARROW1`)
 * or stream (a continuation mark), else CSV in UTF-8 with commas and a header line.
 *
 * Wide: the first column is the date, every other one a factor: `BTC` means `BTC:spot`, `BTC:vol` is named so. Long: a date, an id
 * (`factor`, `asset`, `symbol`, …) and a level (`value`, `price`, `close`) column. Other names, implied volatility in long form or in
 * percent are said by `layout` and never guessed. An empty cell is a gap.
 *
 * @param name what errors call the file.
 * @throws INVALID_FIELD naming row (1 is the first line of data) and column, DUPLICATE_ID, MALFORMED_CSV, MALFORMED_PARQUET,
 * MALFORMED_ARROW, TOO_LARGE. A damaged Parquet or Arrow file may keep its decoder busy for long: decode uploads in a worker with a deadline.
 */
export async function readHistory(
  bytes: Uint8Array,
  name = 'history',
  layout: HistoryLayout = {},
): Promise<History> {
  return layOut(await decode(bytes, name), name, layout);
}

/** The decoders of binary files are large: each is loaded when such a file comes. */
async function decode(bytes: Uint8Array, name: string): Promise<RawTable> {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return decode(unzip(bytes, name), name);
  if (startsWith(bytes, 'PAR1')) {
    const { parquetTable } = await import('./parquet.ts');
    return parquetTable(bytes, name);
  }
  const stream = bytes.length > 8 && bytes.subarray(0, 4).every((byte) => byte === 0xff);
  if (startsWith(bytes, 'ARROW1') || stream) {
    const { arrowTable } = await import('./arrow.ts');
    return arrowTable(bytes, name);
  }
  return csvTable(bytes, name);
}

function startsWith(bytes: Uint8Array, mark: string): boolean {
  return Buffer.from(bytes.subarray(0, mark.length)).toString('latin1') === mark;
}

function unzip(bytes: Uint8Array, name: string): Uint8Array {
  let plain: Uint8Array;
  try {
    plain = gunzipSync(bytes, { maxOutputLength: LIMITS.marketBodyBytesMax });
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new PlimsollError(
        'TOO_LARGE',
        `${name} unpacks to more than ${LIMITS.marketBodyBytesMax} bytes`,
      );
    }
    throw new PlimsollError('MALFORMED_CSV', `${name}: the gzip stream is damaged`);
  }
  if (plain[0] === 0x1f && plain[1] === 0x8b) {
    throw new PlimsollError('MALFORMED_CSV', `${name} is gzip inside gzip`);
  }
  return plain;
}

/** The column of a factor. Throws MISSING_HISTORY where the history has none. */
export function historyColumn(history: History, id: string): HistoryColumn {
  const column = history.columns.find((candidate) => candidate.id === id);
  if (column !== undefined) return column;
  throw new PlimsollError('MISSING_HISTORY', `the history has no column for ${id}`);
}

/**
 * Changes over `stepRows` rows, overlapping: out[s·n + f] = ln(level[s + h] / level[s]) for s = 0 … rows − h − 1, row-major, NaN
 * where either end is a gap. Factors that are `absolute` (by default basis, skew and curvature) give the difference instead.
 *
 * @param ids factors to take, each a column of the history (MISSING_HISTORY).
 * @param kinds one an id; each id's own default when left out.
 * @throws INVALID_FIELD for a level ≤ 0 of a log factor, or a step outside 1 … rows − 1.
 */
export function logChanges(
  history: History,
  ids: readonly string[],
  stepRows: number,
  kinds: readonly FactorKind[] = ids.map((id) => defaultKind(parseFactorId(id).type)),
): Float64Array {
  const rows = history.dates.length;
  if (!(Number.isInteger(stepRows) && stepRows >= 1 && stepRows < rows)) {
    throw new PlimsollError(
      'INVALID_FIELD',
      `stepRows must be a whole number from 1 to ${rows - 1}, got ${stepRows}`,
      { path: 'stepRows' },
    );
  }
  ensure(kinds.length === ids.length, 'one kind a factor');
  const count = rows - stepRows;
  const changes = new Float64Array(count * ids.length);
  ids.forEach((id, factor) => {
    const column = historyColumn(history, id);
    const levels = kinds[factor] === 'log' ? logLevels(history, column) : column.values;
    for (let s = 0; s < count; s++) {
      changes[s * ids.length + factor] = levels[s + stepRows]! - levels[s]!;
    }
  });
  return changes;
}

/** ln of each level, gaps kept: one logarithm a cell, whatever the step. */
function logLevels(history: History, column: HistoryColumn): Float64Array {
  return column.values.map((level, row) => {
    if (Number.isNaN(level)) return Number.NaN;
    if (level > 0) return log(level);
    throw new PlimsollError(
      'INVALID_FIELD',
      `${column.id} is ${level} on ${history.dates[row]}: a level must be > 0`,
      { path: column.id },
    );
  });
}
