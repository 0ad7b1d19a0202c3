/** Historical scenarios: h-day overlapping log changes of a history's own levels, oldest first, replayed on today's market. */
import { PlimsollError } from '../errors.ts';
import { hashOf } from '../json.ts';
import { defaultKind, parseFactorId } from '../market/factorIds.ts';
import { type History, logChanges } from '../market/history.ts';
import { type ScenarioSet, scenarioSetId } from './scenarioSet.ts';

export interface Replay {
  readonly set: ScenarioSet;
  /** S × factors log changes, row-major; NaN where one of the two levels is missing. */
  readonly changes: Float64Array;
  /** By factor: 1 for each scenario that lacks it; null where none does. */
  readonly gaps: readonly (Uint8Array | null)[];
}

const DAY_MS = 86_400_000;

/** A weekend with a holiday does not interrupt a daily history; any other hole of more than a row and a half interrupts one. */
const DAILY_HOLE_MS = 4.5 * DAY_MS;

interface Spacing {
  /** Rows that make one day: 24 of an hourly history, 1 of a daily one whether or not it has weekends, 1/7 of a weekly one. */
  readonly rowsPerDay: number;
  /** For each step from a row to the next: whether it leaps over a hole. */
  readonly holes: readonly boolean[];
}

function spacingOf(history: History): Spacing {
  const times = history.dates.map((date) => Date.parse(date));
  const steps = times.slice(1).map((time, i) => time - times[i]!);
  const median = steps.toSorted((a, b) => a - b)[Math.floor(steps.length / 2)] ?? DAY_MS;
  const longest = median === DAY_MS ? DAILY_HOLE_MS : 1.5 * median;
  return { rowsPerDay: DAY_MS / median, holes: steps.map((step) => step > longest) };
}

/** @throws INVALID_FIELD for a horizon that is no whole number of rows, INSUFFICIENT_HISTORY without a single change */
export function replayHistory(
  history: History,
  parameters: { readonly horizonDays: number; readonly maxLogShock: number },
): Replay {
  const { horizonDays, maxLogShock } = parameters;
  const { rowsPerDay, holes } = spacingOf(history);
  const step = Math.round(horizonDays * rowsPerDay);
  if (!(Math.abs(horizonDays * rowsPerDay - step) < 1e-9) || step < 1) {
    const message = `historical needs a horizon of whole rows of the history; ${horizonDays} days are ${horizonDays * rowsPerDay} rows`;
    throw new PlimsollError('INVALID_FIELD', message, { path: 'horizonDays' });
  }
  const ids = history.columns.map((column) => column.id);
  if (history.dates.length <= step) {
    const message = `the history has ${history.dates.length} rows; ${horizonDays} days are ${step} rows`;
    throw new PlimsollError('INSUFFICIENT_HISTORY', message);
  }
  const all = logChanges(history, ids, step);
  blankHoles(all, ids.length, holes, step);
  const changes = usableChanges(all, ids.length);
  const scenarios = changes.length / ids.length;
  if (scenarios === 0) {
    throw new PlimsollError('INSUFFICIENT_HISTORY', `the history has no change over ${step} rows`);
  }
  const gaps = ids.map((_, f) => gapsOf(changes, f, ids.length));
  const source = hashOf({
    dates: history.dates,
    columns: history.columns.map(({ id, values }) => ({
      id,
      values: Array.from(values, (value) => (Number.isNaN(value) ? null : value)),
    })),
  });
  const set: ScenarioSet = {
    model: 'historical',
    scenarios,
    overlap: step,
    horizonDays,
    key: 0n,
    maxLogShock,
    degreesOfFreedom: 0,
    volatility: new Float64Array(ids.length),
    mean: new Float64Array(ids.length),
    absolute: Uint8Array.from(ids, (id) =>
      defaultKind(parseFactorId(id).type) === 'absolute' ? 1 : 0,
    ),
    cholesky: new Float64Array(0),
    factorIds: ids,
    id: scenarioSetId({
      source,
      model: 'historical',
      seed: '',
      scenarios,
      horizonDays,
      maxLogShock,
    }),
  };
  return { set, changes, gaps };
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
function usableChanges(all: Float64Array, factors: number): Float64Array {
  const usable: Float64Array[] = [];
  for (let at = 0; at < all.length; at += factors) {
    const row = all.subarray(at, at + factors);
    if (row.some((x) => !Number.isNaN(x))) usable.push(row);
  }
  const kept = new Float64Array(usable.length * factors);
  usable.forEach((row, i) => {
    kept.set(row, i * factors);
  });
  return kept;
}

function gapsOf(changes: Float64Array, factor: number, factors: number): Uint8Array | null {
  const mask = new Uint8Array(changes.length / factors);
  for (let s = 0; s < mask.length; s++) {
    mask[s] = Number.isNaN(changes[s * factors + factor]!) ? 1 : 0;
  }
  return mask.includes(1) ? mask : null;
}
