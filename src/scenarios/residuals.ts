/**
 * What filtered historical simulation draws from: changes of one row, each divided by the volatility that was expected of it (Hull and White,
 * "Incorporating volatility updating into the historical simulation method for value-at-risk", Journal of Risk 1, 1998).
 */
import { PlimsollError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { MILLISECONDS_PER_DAY } from '../market/dates.ts';
import { checkDecay } from '../market/ewma.ts';
import type { History } from '../market/history.ts';
import { changesOver, takeRows, usableRows } from './historyRows.ts';
import type { VolatilityBasis } from './scenarioSet.ts';

export interface Residuals {
  readonly factorIds: readonly string[];
  readonly absolute: Uint8Array;
  /** Rows × factors, row-major, oldest first; NaN is a gap. */
  readonly values: Float64Array;
  readonly rows: number;
  /** For each row the row of the history where its change begins. */
  readonly begins: Int32Array;
  /** Per factor, of one row: the volatility that the next change starts from. */
  readonly volatility: Float64Array;
}

/** A long past ends here, as the ten years of EMIR RTS 153/2013 art. 28(1)(c). */
const LONG_RUN_DAYS = 3_652.5;

/**
 * The last `count` residual vectors. The volatility expected of a change is the EWMA of those before it (`market/ewma.ts`: weights divided
 * by their sum); a factor's first ⌈1/(1 − λ)⌉ known changes only warm it up and give no residual. A gap leaves the volatility as it was.
 * A change where none was expected at all (a price that stood still so far) has no residual either: a gap, and 0 where it went on standing.
 *
 * @param lambda λ, 0 < λ < 1
 * @throws INVALID_FIELD, INSUFFICIENT_HISTORY where no row has a residual
 */
export function residualsOf(
  history: History,
  options: {
    readonly lambda: number;
    readonly count: number;
    readonly basis: VolatilityBasis;
  },
): Residuals {
  const lambda = checkDecay(options.lambda, 'lambda');
  const count = checkCount(options.count);
  const rows = changesOver(history, 1);
  const n = rows.factorIds.length;
  const all = new Float64Array(rows.changes.length).fill(Number.NaN);
  const volatility = new Float64Array(n);
  const longRun = longRunBegin(history, rows.begins);
  for (let f = 0; f < n; f++) {
    const changes = columnOf(rows.changes, f, n);
    const today = standardise(changes, lambda, (row, residual) => {
      all[row * n + f] = residual;
    });
    volatility[f] = basisOf(options.basis, today, () => rootMeanSquare(changes.subarray(longRun)));
  }
  const usable = usableRows(all, n).slice(-count);
  if (usable.length === 0) {
    const warmUp = warmUpOf(lambda);
    const message = `the history has ${rows.begins.length} changes; the first ${warmUp} of each factor only warm up its volatility`;
    throw new PlimsollError('INSUFFICIENT_HISTORY', message);
  }
  const { factorIds, absolute } = rows;
  const values = takeRows(all, n, usable);
  const begins = usable.map((row) => rows.begins[row]!);
  return { factorIds, absolute, values, rows: usable.length, begins, volatility };
}

function checkCount(count: number): number {
  if (Number.isInteger(count) && count >= 1 && count <= LIMITS.historyRowsMax) return count;
  const message = `residuals must be a whole number from 1 to ${LIMITS.historyRowsMax}, got ${count}`;
  throw new PlimsollError('INVALID_FIELD', message, { path: 'residuals' });
}

/** 1/(1 − λ) to twelve digits: 1 − 0.98 is not 0.02 to the last bit. */
function warmUpOf(lambda: number): number {
  return Math.ceil(Math.round(1e9 / (1 - lambda)) / 1e9);
}

function columnOf(rows: Float64Array, factor: number, factors: number): Float64Array {
  return new Float64Array(rows.length / factors).map((_, i) => rows[i * factors + factor]!);
}

/** Gives each residual to `keep`; returns the volatility after the last change (NaN without one). */
function standardise(
  changes: Float64Array,
  lambda: number,
  keep: (row: number, residual: number) => void,
): number {
  const warmUp = warmUpOf(lambda);
  let sum = 0;
  let weight = 0;
  let seen = 0;
  changes.forEach((change, row) => {
    if (Number.isNaN(change)) return;
    const expected = Math.sqrt(sum / weight);
    if (seen >= warmUp && (expected > 0 || change === 0)) {
      keep(row, change === 0 ? 0 : change / expected);
    }
    sum = lambda * sum + change * change;
    weight = lambda * weight + 1;
    seen += 1;
  });
  return Math.sqrt(sum / weight);
}

function basisOf(basis: VolatilityBasis, today: number, longRun: () => number): number {
  if (basis === 'today') return today;
  return basis === 'long-run' ? longRun() : Math.max(today, longRun());
}

/** The first change of the last ten years. */
function longRunBegin(history: History, begins: Int32Array): number {
  const end = Date.parse(history.dates.at(-1)!);
  const first = end - LONG_RUN_DAYS * MILLISECONDS_PER_DAY;
  return begins.findIndex((row) => Date.parse(history.dates[row]!) >= first);
}

function rootMeanSquare(changes: Float64Array): number {
  let sum = 0;
  let count = 0;
  for (const change of changes) {
    if (Number.isNaN(change)) continue;
    sum += change * change;
    count += 1;
  }
  return Math.sqrt(sum / count);
}
