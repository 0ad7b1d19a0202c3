/** A price history as rows of changes over one row and over the horizon. */
import { PlimsollError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import { MILLISECONDS_PER_DAY, parseInstant } from '../../market/dates.ts';
import { type History, historyColumn, logChanges } from '../../market/history.ts';
import { inferPeriods, type Spacing, spacingOf } from '../../market/periods.ts';

export interface ChangeRows {
  readonly n: number;
  /** Changes: one fewer than levels. Change r leads from level r to level r + 1. */
  readonly count: number;
  /** Dates of the levels, and the same in ms since 1970. */
  readonly dates: readonly string[];
  readonly times: readonly number[];
  /** (count + 1) × n prices, row-major; NaN is a gap. */
  readonly levels: Float64Array;
  /** count × n log changes; a row with a gap, or across a hole in the dates, is NaN throughout. */
  readonly changes: Float64Array;
  /** Rows of the horizon. */
  readonly step: number;
  /** (count − step + 1) × n sums of `step` changes from row r on, NaN throughout where one of them is. */
  readonly windows: Float64Array;
  readonly periodsPerYear: number;
}

/**
 * @param underlyings each with a column `…:spot`
 * @param periodsPerYear rows in a year; null: inferred from the dates
 * @throws MISSING_HISTORY, INSUFFICIENT_HISTORY, TOO_LARGE, INVALID_FIELD for a horizon of no whole number of rows or a level ≤ 0
 */
export function changeRows(
  history: History,
  underlyings: readonly string[],
  horizonDays: number,
  periodsPerYear: number | null,
): ChangeRows {
  const { dates } = history;
  const n = underlyings.length;
  if (dates.length > LIMITS.backtestRowsMax) {
    const message = `the history has ${dates.length} rows, a backtest walks ${LIMITS.backtestRowsMax} at most`;
    throw new PlimsollError('TOO_LARGE', message, { path: 'history' });
  }
  if (dates.length < 3) {
    const message = `the history has ${dates.length} rows: no backtest can be made of them`;
    throw new PlimsollError('INSUFFICIENT_HISTORY', message, { path: 'history' });
  }
  const times = dates.map(parseInstant);
  const spacing = spacingOf(times);
  const step = stepOf(horizonDays, spacing, dates.length);
  const ids = underlyings.map((underlying) => `${underlying}:spot`);
  const changes = logChanges(history, ids, 1);
  blankBroken(changes, n, times, spacing);
  return {
    n,
    count: dates.length - 1,
    dates,
    times,
    levels: levelsOf(history, ids),
    changes,
    step,
    windows: step === 1 ? changes : sums(changes, n, step),
    periodsPerYear: periodsPerYear ?? inferPeriods(spacing).periodsPerYear,
  };
}

function stepOf(horizonDays: number, { median }: Spacing, rows: number): number {
  const exact = (horizonDays * MILLISECONDS_PER_DAY) / median;
  const step = Math.round(exact);
  const fits = step >= 1 && step <= LIMITS.backtestOverlapMax && step < rows - 1;
  if (fits && Math.abs(exact - step) < 1e-9) return step;
  const allowed = `a whole number of rows from 1 to ${LIMITS.backtestOverlapMax}, fewer than it has`;
  const message = `horizonDays must be ${allowed}; ${horizonDays} days are ${exact} rows of the history`;
  throw new PlimsollError('INVALID_FIELD', message, { path: 'horizonDays' });
}

function levelsOf(history: History, ids: readonly string[]): Float64Array {
  const n = ids.length;
  const levels = new Float64Array(history.dates.length * n);
  ids.forEach((id, u) => {
    const { values } = historyColumn(history, id);
    for (let row = 0; row < values.length; row++) levels[row * n + u] = values[row]!;
  });
  return levels;
}

/** A row that lacks one factor, or leaps over a hole in the dates, is no change of the whole book over one row. */
function blankBroken(
  changes: Float64Array,
  n: number,
  times: readonly number[],
  { median, tolerance }: Spacing,
): void {
  for (let r = 0; r * n < changes.length; r++) {
    const row = changes.subarray(r * n, r * n + n);
    const hole = times[r + 1]! - times[r]! > tolerance * median;
    if (hole || row.some(Number.isNaN)) row.fill(Number.NaN);
  }
}

function sums(changes: Float64Array, n: number, step: number): Float64Array {
  const windows = changes.slice(0, changes.length - (step - 1) * n);
  for (let later = 1; later < step; later++) {
    for (let at = 0; at < windows.length; at++) windows[at]! += changes[at + later * n]!;
  }
  return windows;
}
