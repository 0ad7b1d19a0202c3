/** Historical scenarios: h-day overlapping log changes of a history's own levels, oldest first, replayed on today's market. */
import type { History } from '../market/history.ts';
import { changesOver, gapsOf, historyHash, horizonRows, periodName } from './historyRows.ts';
import { replayedSet, type ScenarioSet, scenarioSetId } from './scenarioSet.ts';

export interface Replay {
  readonly set: ScenarioSet;
  /** S × factors log changes, row-major; NaN where one of the two levels is missing. */
  readonly changes: Float64Array;
  /** By factor: 1 for each scenario that lacks it; null where none does. */
  readonly gaps: readonly (Uint8Array | null)[];
  /** For each scenario the row of the history where it begins; it ends `set.overlap` rows on. */
  readonly begins: Int32Array;
}

/** @throws INVALID_FIELD for a horizon that is no whole number of rows, INSUFFICIENT_HISTORY without a single change */
export function replayHistory(
  history: History,
  parameters: { readonly horizonDays: number; readonly maxLogShock: number },
): Replay {
  const { horizonDays, maxLogShock } = parameters;
  const model = 'historical';
  const rows = changesOver(history, horizonRows(history, horizonDays, model));
  const { factorIds, changes, begins, absolute, step } = rows;
  const scenarios = begins.length;
  const source = historyHash(history);
  const id = scenarioSetId({ source, model, seed: '', scenarios, horizonDays, maxLogShock });
  const set = replayedSet({
    model,
    scenarios,
    overlap: step,
    horizonDays,
    maxLogShock,
    absolute,
    factorIds,
    periods: Array.from(begins, (begin) => periodName(history, begin, step)),
    id,
  });
  return { set, changes, gaps: gapsOf(changes, factorIds.length), begins };
}
