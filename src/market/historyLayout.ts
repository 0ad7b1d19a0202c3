/**
 * From a raw table of any file format to a history: which column is the date, which are factors, wide or long, and the checks that
 * every cell passes.
 */
import { PlimsollError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { show } from '../schema.ts';
import { formatInstant, MILLISECONDS_PER_DAY, parseInstant } from './dates.ts';
import { FACTOR_TYPES, type FactorType, parseFactorId } from './factorIds.ts';
import type { History } from './history.ts';

/** A decoded file: one array a column, cells as the format gave them. */
export interface RawTable {
  readonly header: readonly string[];
  readonly columns: readonly (readonly unknown[])[];
  readonly rows: number;
}

/** How to read columns that do not say so themselves. Naming `idColumn` and `valueColumn` makes other columns unread, by intent. */
export interface HistoryLayout {
  readonly dateColumn?: string;
  readonly idColumn?: string;
  readonly valueColumn?: string;
  /** What a bare `BTC` stands for; default `spot`. A file of an implied-volatility index says `vol`. */
  readonly factor?: FactorType;
  /** `percent`: values are divided by 100 (a volatility index at 56.76 is 0.5676). Default `decimal`. */
  readonly unit?: 'decimal' | 'percent';
}

const DATE_NAMES = new Set(
  'date day time timestamp datetime open_time close_time snapshot_utc'.split(' '),
);
const ID_NAMES = new Set('factor asset symbol underlying ticker currency'.split(' '));
const VALUE_NAMES = new Set('value price close level'.split(' '));
/** Names of bar data: in a wide table they would be taken for assets called "open" and "volume". */
const BAR_NAMES = new Set(
  'open high low close volume value price level adj_close adjclose index'.split(' '),
);

export function layOut(table: RawTable, name: string, layout: HistoryLayout): History {
  const date = dateIndex(table, name, layout);
  const id = namedIndex(table, name, layout.idColumn, ID_NAMES);
  const value = namedIndex(table, name, layout.valueColumn, VALUE_NAMES);
  const times = table.columns[date]!.map((cell, row) => instant(cell, row, table, date, name));
  if (id === -1 || value === -1) return wide(table, date, times, name, layout);
  const named = layout.idColumn !== undefined && layout.valueColumn !== undefined;
  const extra = table.header.find((_, column) => ![date, id, value].includes(column));
  if (extra !== undefined && !named) {
    throw new PlimsollError(
      'UNKNOWN_FIELD',
      `${name}: column ${show(extra)} of a long table is neither date, id nor value; name idColumn and valueColumn to leave it unread`,
      { path: extra },
    );
  }
  return long(table, { id, value }, times, name, layout);
}

function dateIndex(table: RawTable, name: string, layout: HistoryLayout): number {
  const wanted = layout.dateColumn;
  const index =
    wanted === undefined
      ? table.header.findIndex((field) => DATE_NAMES.has(field.toLowerCase()))
      : table.header.indexOf(wanted);
  if (index !== -1) return index;
  throw new PlimsollError(
    'MISSING_FIELD',
    `${name} has no date column: ${wanted === undefined ? `none of ${[...DATE_NAMES].join(', ')}` : show(wanted)} is in its header`,
    { path: wanted ?? 'date' },
  );
}

function namedIndex(
  table: RawTable,
  name: string,
  wanted: string | undefined,
  usual: ReadonlySet<string>,
): number {
  if (wanted === undefined)
    return table.header.findIndex((field) => usual.has(field.toLowerCase()));
  const index = table.header.indexOf(wanted);
  if (index !== -1) return index;
  throw new PlimsollError('MISSING_FIELD', `${name} has no column ${show(wanted)}`, {
    path: wanted,
  });
}

function wide(
  table: RawTable,
  date: number,
  times: readonly number[],
  name: string,
  layout: HistoryLayout,
): History {
  if (layout.idColumn !== undefined || layout.valueColumn !== undefined) {
    throw new PlimsollError(
      'MISSING_FIELD',
      `${name}: a long table needs an id column and a value column`,
    );
  }
  if (date !== 0) {
    throw new PlimsollError(
      'INVALID_FIELD',
      `${name}: the date must be the first column of a wide table, ${show(table.header[0])} is`,
    );
  }
  requireIncreasing(times, name, (row) => row + 1);
  const seen = new Set<string>();
  const columns = table.header.slice(1).map((field, index) => {
    if (BAR_NAMES.has(field.toLowerCase().replaceAll(' ', '_'))) {
      throw new PlimsollError(
        'INVALID_FIELD',
        `${name}: column ${show(field)} is not the name of an underlying; a wide table has one column an underlying`,
        { path: field },
      );
    }
    const id = factorOf(field, layout, name);
    if (seen.has(id)) {
      throw new PlimsollError('DUPLICATE_ID', `${name}: two columns give ${id}`, { path: field });
    }
    seen.add(id);
    const cells = table.columns[index + 1]!;
    return {
      id,
      values: Float64Array.from(cells, (cell, row) => level(cell, row, field, name, layout)),
    };
  });
  return { dates: dateTexts(times), columns };
}

function long(
  table: RawTable,
  at: { readonly id: number; readonly value: number },
  times: readonly number[],
  name: string,
  layout: HistoryLayout,
): History {
  const groups = new Map<string, number[]>();
  table.columns[at.id]!.forEach((cell, row) => {
    if (typeof cell !== 'string' || cell === '') {
      throw new PlimsollError(
        'INVALID_FIELD',
        `${name}: row ${row + 1}, column ${show(table.header[at.id])}: no id, got ${show(cell)}`,
      );
    }
    const rows = groups.get(cell);
    if (rows === undefined) groups.set(cell, [row]);
    else rows.push(row);
  });
  if (groups.size > LIMITS.historyColumnsMax) {
    throw new PlimsollError(
      'TOO_LARGE',
      `${name} has ${groups.size} ids, the limit is ${LIMITS.historyColumnsMax}`,
    );
  }
  const sorted = [...new Set(times)].sort((a, b) => a - b);
  const rowOf = new Map(sorted.map((time, row) => [time, row]));
  const valueName = table.header[at.value]!;
  const seen = new Set<string>();
  const columns = [...groups].map(([field, rows]) => {
    const id = factorOf(field, layout, name);
    if (seen.has(id)) throw new PlimsollError('DUPLICATE_ID', `${name}: two ids give ${id}`);
    seen.add(id);
    requireIncreasing(
      rows.map((row) => times[row]!),
      name,
      (index) => rows[index]! + 1,
    );
    const values = new Float64Array(sorted.length).fill(Number.NaN);
    for (const row of rows) {
      const cell = table.columns[at.value]![row];
      values[rowOf.get(times[row]!)!] = level(cell, row, valueName, name, layout);
    }
    return { id, values };
  });
  return { dates: dateTexts(sorted), columns };
}

function factorOf(field: string, layout: HistoryLayout, name: string): string {
  const bare = !FACTOR_TYPES.some((type) => field.endsWith(`:${type}`));
  const id = bare && !field.includes(':') ? `${field}:${layout.factor ?? 'spot'}` : field;
  parseFactorId(id, `${name}: ${field}`);
  return id;
}

function requireIncreasing(
  times: readonly number[],
  name: string,
  rowNumber: (index: number) => number,
): void {
  for (let i = 1; i < times.length; i++) {
    if (times[i]! > times[i - 1]!) continue;
    const text = formatInstant(times[i]!, true);
    const what = times[i] === times[i - 1] ? 'occurs twice' : 'is earlier than the row before it';
    throw new PlimsollError('INVALID_FIELD', `${name}: row ${rowNumber(i)}: date ${text} ${what}`, {
      path: `[${rowNumber(i)}]`,
    });
  }
}

function instant(
  cell: unknown,
  row: number,
  table: RawTable,
  column: number,
  name: string,
): number {
  const time =
    typeof cell === 'string'
      ? parseInstant(cell)
      : cell instanceof Date
        ? cell.getTime()
        : Number.NaN;
  if (!Number.isNaN(time)) return time;
  throw new PlimsollError(
    'INVALID_FIELD',
    `${name}: row ${row + 1}, column ${show(table.header[column])}: ${show(cell)} is not an ISO-8601 date`,
    { path: `[${row + 1}]` },
  );
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** A cell as a level; an empty cell, a null and a NaN of a binary format are gaps. */
function level(
  cell: unknown,
  row: number,
  column: string,
  name: string,
  layout: HistoryLayout,
): number {
  if (cell === '' || cell === null || cell === undefined || Number.isNaN(cell)) return Number.NaN;
  let value = Number.NaN;
  if (typeof cell === 'number') value = cell;
  else if (typeof cell === 'bigint') value = Number(cell);
  else if (typeof cell === 'string' && NUMBER.test(cell)) value = Number(cell);
  if (Number.isFinite(value)) return layout.unit === 'percent' ? value / 100 : value;
  throw new PlimsollError(
    'INVALID_FIELD',
    `${name}: row ${row + 1}, column ${show(column)}: ${show(cell)} is not a finite number (leave the cell empty for a gap)`,
    { path: `[${row + 1}].${column}` },
  );
}

/** Dates alone where every instant is a midnight, else date and time. */
function dateTexts(times: readonly number[]): string[] {
  const daily = times.every((time) => time % MILLISECONDS_PER_DAY === 0);
  return times.map((time) => formatInstant(time, daily));
}
