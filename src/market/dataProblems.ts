/** What is wrong with a history, named column by column: nothing is mended here or anywhere else. */
import { ewmaVolatilityPath } from './ewma.ts';
import type { History } from './history.ts';
import type { Spacing } from './periods.ts';

export type DataProblemKind =
  | 'late-start'
  | 'early-end'
  | 'gap'
  | 'stale'
  | 'outlier'
  | 'constant'
  | 'irregular-spacing';

export interface DataProblem {
  readonly kind: DataProblemKind;
  /** The factor, or `date`. */
  readonly factor: string;
  /** How many rows; `dates` names the first 20 of them. */
  readonly count: number;
  readonly dates: readonly string[];
  readonly message: string;
}

/** A return beyond so many EWMA volatilities of the day before is an outlier, given so many returns to judge by. */
const OUTLIER_DEVIATIONS = 8;
const OUTLIER_HISTORY = 20;
const OUTLIER_DECAY = 0.94;
const DATES_NAMED = 20;

interface ColumnCheck {
  readonly id: string;
  /** Levels, one a row; NaN is a gap. */
  readonly levels: Float64Array;
  /** Changes from the row before, one fewer. */
  readonly changes: Float64Array;
}

/** Problems of one column, in a fixed order of kinds. */
export function columnProblems(history: History, column: ColumnCheck): DataProblem[] {
  const { id, levels } = column;
  const problems: DataProblem[] = [];
  const report = (kind: DataProblemKind, rows: readonly number[], message: string): void => {
    if (rows.length === 0) return;
    const dates = rows.slice(0, DATES_NAMED).map((row) => history.dates[row]!);
    problems.push({ kind, factor: id, count: rows.length, dates, message });
  };
  const first = levels.findIndex((level) => !Number.isNaN(level));
  const last = levels.findLastIndex((level) => !Number.isNaN(level));
  const before = range(0, first === -1 ? levels.length : first);
  report('late-start', before, `${id} has no value before ${history.dates[first] ?? 'the end'}`);
  report('early-end', range(last + 1, first === -1 ? 0 : levels.length), `${id} ends early`);
  const inner = range(Math.max(first, 0), last + 1);
  report(
    'gap',
    inner.filter((row) => Number.isNaN(levels[row])),
    `${id} has gaps`,
  );
  const stale = inner.filter((row) => row > 0 && levels[row] === levels[row - 1]);
  report('stale', stale, `${id} repeats the value of the row before`);
  report(
    'outlier',
    outliers(column.changes).map((change) => change + 1),
    `${id} moved by more than ${OUTLIER_DEVIATIONS} of its EWMA volatilities`,
  );
  if (inner.length > 1 && column.changes.every((change) => !(Math.abs(change) > 0))) {
    report('constant', inner, `${id} never moves: volatility 0, taken as uncorrelated`);
  }
  return problems;
}

function outliers(changes: Float64Array): number[] {
  const path = ewmaVolatilityPath(changes, OUTLIER_DECAY);
  const found: number[] = [];
  let seen = 0;
  for (let t = 0; t < changes.length; t++) {
    const change = changes[t]!;
    if (Number.isNaN(change)) continue;
    const limit = OUTLIER_DEVIATIONS * path[t - 1]!;
    if (seen >= OUTLIER_HISTORY && limit > 0 && Math.abs(change) > limit) found.push(t);
    seen++;
  }
  return found;
}

/** Rows that follow the one before by more than is usual: a change across them is of a longer period. */
export function spacingProblems(
  history: History,
  times: readonly number[],
  { median, tolerance }: Spacing,
): DataProblem[] {
  const rows = range(1, times.length).filter(
    (row) => times[row]! - times[row - 1]! > tolerance * median,
  );
  if (rows.length === 0) return [];
  return [
    {
      kind: 'irregular-spacing',
      factor: 'date',
      count: rows.length,
      dates: rows.slice(0, DATES_NAMED).map((row) => history.dates[row]!),
      message: `rows come later than ${tolerance} times the usual spacing; their changes span a longer period`,
    },
  ];
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
}
