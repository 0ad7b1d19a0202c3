/** The stressed set of anti-procyclicality (b): the stretch of a history that hurt an equal-weight book most. */
import { PlimsollError } from '../errors.ts';
import { hashOf } from '../json.ts';
import { parseFactorId } from '../market/factorIds.ts';
import type { History } from '../market/history.ts';
import { exp } from '../numerics.ts';
import { gapsOf } from './historyRows.ts';
import { replayHistory } from './replay.ts';
import { replayedSet } from './scenarioSet.ts';
import type { SourcedScenarios } from './source.ts';

export interface StressedWindow {
  /** The rows' first and last dates: from the first row's beginning to the last one's end. */
  readonly from: string;
  readonly to: string;
  /** Which book it is worst for, and its ES in that stretch, as a fraction of the book. */
  readonly side: 'long' | 'short';
  readonly expectedShortfall: number;
}

export interface StressedScenarios extends SourcedScenarios {
  readonly changes: Float64Array;
  readonly window: StressedWindow;
}

const ROWS = 250;

/**
 * The `stressedRows` (250) consecutive h-day changes with the largest expected shortfall of a book that holds every spot of the history
 * in equal parts, long or short, whichever is the larger; the earliest of equals. A row weighs the spots that it has; one without any
 * counts as no loss.
 *
 * @param weights by factor id (`BTC:spot`), ≥ 0; those not named weigh nothing. Default: equal
 * @throws INSUFFICIENT_HISTORY for fewer rows, MISSING_HISTORY for a history without spots, INVALID_FIELD
 */
export function stressedScenarios(
  parameters: {
    readonly horizonDays: number;
    readonly maxLogShock: number;
    readonly confidence: number;
    readonly stressedRows?: number | undefined;
  },
  history: History,
  weights?: Readonly<Record<string, number>>,
): StressedScenarios {
  const { confidence, stressedRows: count = ROWS, horizonDays, maxLogShock } = parameters;
  const replay = replayHistory(history, parameters);
  if (!(Number.isInteger(count) && count >= 1)) {
    const message = `stressedRows must be a whole number from 1, got ${count}`;
    throw new PlimsollError('INVALID_FIELD', message, { path: 'stressedRows' });
  }
  if (replay.set.scenarios < count) {
    const message = `the stressed period needs ${count} changes; the history has ${replay.set.scenarios}`;
    throw new PlimsollError('INSUFFICIENT_HISTORY', message, { path: 'stressedRows' });
  }
  const returns = bookReturns(
    { factorIds: replay.set.factorIds, changes: replay.changes },
    weights,
    maxLogShock,
  );
  const long = worstWindow(returns, count, confidence, 1);
  const short = worstWindow(returns, count, confidence, -1);
  const side = short.expectedShortfall > long.expectedShortfall ? 'short' : 'long';
  const { first, expectedShortfall } = side === 'short' ? short : long;
  const factors = replay.set.factorIds.length;
  const changes = replay.changes.slice(first * factors, (first + count) * factors);
  const { absolute, factorIds, overlap, model } = replay.set;
  const id = hashOf({ stressed: replay.set.id, first, rows: count });
  const shape = { model, scenarios: count, overlap, horizonDays, maxLogShock };
  const window = {
    from: history.dates[replay.begins[first]!]!,
    to: history.dates[replay.begins[first + count - 1]! + overlap]!,
    side,
    expectedShortfall,
  } as const;
  return {
    set: replayedSet({ ...shape, absolute, factorIds, id }),
    changes,
    gaps: gapsOf(changes, factors),
    absent: 'MISSING_HISTORY',
    window,
  };
}

/** Return of the book in each row: the weighted mean of e^x − 1 over the spots that the row has. */
export function bookReturns(
  { factorIds, changes }: { readonly factorIds: readonly string[]; readonly changes: Float64Array },
  weights: Readonly<Record<string, number>> | undefined,
  maxLogShock: number,
): Float64Array {
  const spots = factorIds.flatMap((id, f) =>
    parseFactorId(id).type === 'spot' ? [{ f, weight: weightOf(id, weights) }] : [],
  );
  if (!spots.some(({ weight }) => weight > 0)) {
    throw new PlimsollError('MISSING_HISTORY', 'the history has no spot that the book holds');
  }
  const factors = factorIds.length;
  return new Float64Array(changes.length / factors).map((_, s) => {
    let sum = 0;
    let held = 0;
    for (const { f, weight } of spots) {
      const x = changes[s * factors + f]!;
      if (Number.isNaN(x)) continue;
      sum += weight * (exp(Math.min(maxLogShock, Math.max(-maxLogShock, x))) - 1);
      held += weight;
    }
    return held > 0 ? sum / held : 0;
  });
}

function weightOf(id: string, weights: Readonly<Record<string, number>> | undefined): number {
  if (weights === undefined) return 1;
  const weight = Object.hasOwn(weights, id) ? weights[id]! : 0;
  if (weight >= 0 && weight < Number.POSITIVE_INFINITY) return weight;
  const path = `weights.${id}`;
  throw new PlimsollError('INVALID_FIELD', `${path} must be at least 0, got ${weight}`, { path });
}

/** The window of `count` rows with the largest ES of the book times `sign`: a sorted window that one row enters and one leaves. */
function worstWindow(
  returns: Float64Array,
  count: number,
  confidence: number,
  sign: 1 | -1,
): { readonly first: number; readonly expectedShortfall: number } {
  const losses = returns.map((r) => -sign * r);
  const sorted = losses.slice(0, count).sort();
  let best = { first: 0, expectedShortfall: shortfall(sorted, confidence) };
  for (let first = 1; first + count <= losses.length; first++) {
    replaceSorted(sorted, losses[first - 1]!, losses[first + count - 1]!);
    const expectedShortfall = shortfall(sorted, confidence);
    if (expectedShortfall > best.expectedShortfall) best = { first, expectedShortfall };
  }
  return best;
}

/** METHODOLOGY section 4, of losses in rising order. */
function shortfall(sorted: Float64Array, confidence: number): number {
  const n = sorted.length;
  const mass = Math.round(n * (1 - confidence) * 1e6) / 1e6;
  const k = Math.max(1, Math.ceil(mass));
  let sum = 0;
  for (let j = 1; j < k; j++) sum += sorted[n - j]!;
  return mass < 1 ? sorted[n - 1]! : (sum + (mass - (k - 1)) * sorted[n - k]!) / mass;
}

function replaceSorted(sorted: Float64Array, gone: number, come: number): void {
  const from = rankOf(sorted, gone);
  sorted.copyWithin(from, from + 1);
  // The last place is free now: what is ≥ `come` moves up by one.
  const kept = sorted.subarray(0, sorted.length - 1);
  const to = rankOf(kept, come);
  sorted.copyWithin(to + 1, to, sorted.length - 1);
  sorted[to] = come;
}

/** How many are below a value. */
function rankOf(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
