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

/** Rows of a history that make one day: 24 of an hourly one, 1 of a daily one whether or not it has weekends. */
export function rowsPerDay(history: History): number {
  const times = history.dates.map((date) => Date.parse(date));
  const steps = times.slice(1).map((time, i) => time - times[i]!);
  const median = steps.sort((a, b) => a - b)[Math.floor(steps.length / 2)] ?? DAY_MS;
  return Math.max(1, Math.round(DAY_MS / median));
}

/** @throws INVALID_FIELD for a horizon that is no whole number of rows, INSUFFICIENT_HISTORY without a single change */
export function replayHistory(
  history: History,
  parameters: { readonly horizonDays: number; readonly maxLogShock: number },
): Replay {
  const { horizonDays, maxLogShock } = parameters;
  const step = horizonDays * rowsPerDay(history);
  if (!Number.isInteger(step)) {
    const message = `historical needs a horizon of whole rows of the history; ${horizonDays} days are ${step} rows`;
    throw new PlimsollError('INVALID_FIELD', message, { path: 'horizonDays' });
  }
  const ids = history.columns.map((column) => column.id);
  const changes = usableChanges(logChanges(history, ids, step), ids.length);
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
