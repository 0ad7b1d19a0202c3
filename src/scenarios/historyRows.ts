/** Rows of a history as h-day changes: how many rows a day has, which changes leap over a hole, which rows can be used. */
import { ensure, PlimsollError } from '../errors.ts';
import { hashOf } from '../json.ts';
import { MILLISECONDS_PER_DAY } from '../market/dates.ts';
import { defaultKind, parseFactorId } from '../market/factorIds.ts';
import { type History, logChanges } from '../market/history.ts';

/** A weekend with a holiday does not interrupt a daily history; any other hole of more than a row and a half interrupts one. */
const DAILY_HOLE_MS = 4.5 * MILLISECONDS_PER_DAY;

interface Spacing {
  /** Rows that make one day: 24 of an hourly history, 1 of a daily one whether or not it has weekends, 1/7 of a weekly one. */
  readonly rowsPerDay: number;
  /** For each step from a row to the next: whether it leaps over a hole. */
  readonly holes: readonly boolean[];
}

/** Changes over `step` rows of all factors of a history, those rows only in which a factor changed from one known level to another. */
export interface HistoryChanges {
  readonly step: number;
  readonly factorIds: readonly string[];
  readonly absolute: Uint8Array;
  /** Rows × factors, row-major; NaN where one of the two levels is missing or the change leaps over a hole. */
  readonly changes: Float64Array;
  /** For each row of changes the row of the history where it begins; it ends `step` rows on. */
  readonly begins: Int32Array;
}

function spacingOf(history: History): Spacing {
  const times = history.dates.map((date) => Date.parse(date));
  const steps = times.slice(1).map((time, i) => time - times[i]!);
  const sorted = steps.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(steps.length / 2)] ?? MILLISECONDS_PER_DAY;
  const longest = median === MILLISECONDS_PER_DAY ? DAILY_HOLE_MS : 1.5 * median;
  return {
    rowsPerDay: MILLISECONDS_PER_DAY / median,
    holes: steps.map((step) => step > longest),
  };
}

/**
 * How many rows a horizon is.
 * @param model named in the message
 * @throws INVALID_FIELD where it is no whole number
 */
export function horizonRows(history: History, horizonDays: number, model: string): number {
  const { rowsPerDay } = spacingOf(history);
  const step = Math.round(horizonDays * rowsPerDay);
  if (Math.abs(horizonDays * rowsPerDay - step) < 1e-9 && step >= 1) return step;
  const message = `${model} needs a horizon of whole rows of the history; ${horizonDays} days are ${horizonDays * rowsPerDay} rows`;
  throw new PlimsollError('INVALID_FIELD', message, { path: 'horizonDays' });
}

/** The least whole number of rows that is no shorter than a horizon. */
export function coveringRows(history: History, horizonDays: number): number {
  return Math.max(1, Math.ceil(horizonDays * spacingOf(history).rowsPerDay - 1e-9));
}

const latest = new WeakMap<History, readonly HistoryChanges[]>();
const KEPT_STEPS = 2;

/**
 * Remembers the latest steps of each history, which is never changed once it was read: every new market asks for the same again. Nobody
 * writes into what it returns.
 * @throws INSUFFICIENT_HISTORY without a single change
 */
export function changesOver(history: History, step: number): HistoryChanges {
  const known = latest.get(history) ?? [];
  const found = known.find((rows) => rows.step === step) ?? changesAnew(history, step);
  const others = known.filter((rows) => rows !== found);
  latest.set(history, [found, ...others].slice(0, KEPT_STEPS));
  return found;
}

function changesAnew(history: History, step: number): HistoryChanges {
  const factorIds = history.columns.map((column) => column.id);
  if (history.dates.length <= step) {
    const message = `the history has ${history.dates.length} rows; a change over ${step} needs ${step + 1}`;
    throw new PlimsollError('INSUFFICIENT_HISTORY', message);
  }
  const all = logChanges(history, factorIds, step);
  blankHoles(all, factorIds.length, spacingOf(history).holes, step);
  const begins = usableRows(all, factorIds.length);
  if (begins.length === 0) {
    throw new PlimsollError('INSUFFICIENT_HISTORY', `the history has no change over ${step} rows`);
  }
  const absolute = Uint8Array.from(factorIds, (id) =>
    defaultKind(parseFactorId(id).type) === 'absolute' ? 1 : 0,
  );
  return { step, factorIds, absolute, changes: takeRows(all, factorIds.length, begins), begins };
}

/** When a change happened: the row that it ends at, or from which to which where it is over several. */
export function periodName({ dates }: History, begin: number, step: number): string {
  const [first, last] = [dates[begin], dates[begin + step]];
  ensure(first !== undefined && last !== undefined, 'a change lies within its history');
  return step === 1 ? last : `${first}..${last}`;
}

/** A change that leaps over a hole in the dates is no change over the horizon: it becomes a gap. */
function blankHoles(
  changes: Float64Array,
  factors: number,
  holes: readonly boolean[],
  step: number,
): void {
  let last = -1;
  for (let end = 0; end < holes.length; end++) {
    if (holes[end]) last = end;
    const row = end + 1 - step;
    if (row >= 0 && last >= row) changes.fill(Number.NaN, row * factors, (row + 1) * factors);
  }
}

/** A row in which no factor at all moved from one known level to another is no scenario. */
export function usableRows(all: Float64Array, factors: number): Int32Array {
  const usable: number[] = [];
  for (let row = 0; row * factors < all.length; row++) {
    const values = all.subarray(row * factors, (row + 1) * factors);
    if (values.some((x) => !Number.isNaN(x))) usable.push(row);
  }
  return Int32Array.from(usable);
}

export function takeRows(
  all: Float64Array,
  factors: number,
  rows: ArrayLike<number>,
): Float64Array {
  const taken = new Float64Array(rows.length * factors);
  for (let i = 0; i < rows.length; i++) {
    taken.set(all.subarray(rows[i]! * factors, (rows[i]! + 1) * factors), i * factors);
  }
  return taken;
}

/** By factor: 1 for each row that lacks it; null where none does. */
export function gapsOf(changes: Float64Array, factors: number): readonly (Uint8Array | null)[] {
  return Array.from({ length: factors }, (_, f) => {
    const mask = new Uint8Array(changes.length / factors);
    for (let s = 0; s < mask.length; s++) {
      mask[s] = Number.isNaN(changes[s * factors + f]!) ? 1 : 0;
    }
    return mask.includes(1) ? mask : null;
  });
}

const hashes = new WeakMap<History, string>();

/** The identity of a history: dates, columns and levels. A history is never changed once it was read, so it is hashed once. */
export function historyHash(history: History): string {
  const known = hashes.get(history);
  if (known !== undefined) return known;
  const hash = hashOf({
    dates: history.dates,
    columns: history.columns.map(({ id, values }) => ({
      id,
      values: Array.from(values, (value) => (Number.isNaN(value) ? null : value)),
    })),
  });
  hashes.set(history, hash);
  return hash;
}
