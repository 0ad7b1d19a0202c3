/** One factor's volatility through time: what was known before each of its changes, and what is known after the last. */
import { PlimsollError } from '../errors.ts';
import { log } from '../numerics.ts';
import { ewmaVolatilityPath } from './ewma.ts';
import { fitGarch, type GarchFit, meanSquare } from './garch.ts';
import type { GarchInfluence } from './garchErrors.ts';

export type VolatilityModel = 'ewma' | 'garch';

export interface VolatilityFit {
  /** Rows of the changes that the factor has and that were fitted, ascending. */
  readonly rows: readonly number[];
  /** Standard deviation of the change of each row as known the row before, per step, one a row of the history's changes; NaN: none yet. */
  readonly forecasts: Float64Array;
  /** Per step: of the change after the last one. */
  readonly next: number;
  /** Mean square of the changes fitted, per step. */
  readonly longRunVariance: number;
  /** Gaussian, of the changes that have a forecast; null where there are none. */
  readonly logLikelihood: number | null;
  readonly forecastCount: number;
  /** Null for EWMA, and for a factor that never moves. */
  readonly garch: { readonly fit: GarchFit; readonly influence: GarchInfluence | null } | null;
}

/** Fewest changes of a GARCH fit: below, α and β are hardly told apart from a constant variance. */
export const GARCH_MINIMUM_CHANGES = 250;

/**
 * @param changes one a row, NaN is a gap: it is passed over, the variance stays
 * @param from first row taken
 * @throws INSUFFICIENT_HISTORY for GARCH on fewer than 250 changes
 */
export function fitVolatility(
  id: string,
  changes: Float64Array,
  from: number,
  model: VolatilityModel,
  lambda: number,
): VolatilityFit {
  const rows: number[] = [];
  for (let row = from; row < changes.length; row++) if (!Number.isNaN(changes[row])) rows.push(row);
  const present = Float64Array.from(rows, (row) => changes[row]!);
  const longRunVariance = meanSquare(present);
  const { known, next, garch } =
    model === 'garch' && longRunVariance > 0 ? garchPath(id, present) : ewmaPath(present, lambda);
  const forecasts = new Float64Array(changes.length).fill(Number.NaN);
  rows.forEach((row, i) => {
    forecasts[row] = known[i]!;
  });
  return { rows, forecasts, next, longRunVariance, garch, ...likelihood(present, known) };
}

interface Path {
  /** Of each change, as known before it. */
  readonly known: Float64Array;
  readonly next: number;
  readonly garch: VolatilityFit['garch'];
}

function garchPath(id: string, present: Float64Array): Path {
  if (present.length < GARCH_MINIMUM_CHANGES) {
    throw new PlimsollError(
      'INSUFFICIENT_HISTORY',
      `${id} has ${present.length} changes, GARCH needs ${GARCH_MINIMUM_CHANGES}`,
      { path: id },
    );
  }
  const { fit, variances, influence } = fitGarch(present);
  return {
    known: variances.map(Math.sqrt),
    next: Math.sqrt(fit.nextVariance),
    garch: { fit, influence },
  };
}

function ewmaPath(present: Float64Array, lambda: number): Path {
  const after = ewmaVolatilityPath(present, lambda);
  const known = new Float64Array(present.length).fill(Number.NaN);
  // A volatility of a few returns is hardly one: the first two time constants of the decay are not taken for forecasts.
  const skipped = Math.ceil(2 / (1 - lambda) - 1e-9);
  for (let i = skipped; i < present.length; i++) known[i] = after[i - 1]!;
  return { known, next: after.at(-1) ?? Number.NaN, garch: null };
}

function likelihood(
  present: Float64Array,
  known: Float64Array,
): { logLikelihood: number | null; forecastCount: number } {
  let [sum, count] = [0, 0];
  known.forEach((volatility, i) => {
    if (!(volatility > 0)) return;
    const variance = volatility * volatility;
    sum += 1.8378770664093453 + log(variance) + (present[i]! * present[i]!) / variance;
    count++;
  });
  return { logLikelihood: count === 0 ? null : -0.5 * sum, forecastCount: count };
}

/** Changes divided by their forecasts, in the rows in which all of the factors have both; the rows close together. */
export interface StandardisedRows {
  readonly rows: readonly number[];
  /** rows.length × n, row-major. */
  readonly values: Float64Array;
}

/** @param columns changes of each factor, as long as the forecasts */
export function standardise(
  columns: readonly Float64Array[],
  fits: readonly VolatilityFit[],
): StandardisedRows {
  const n = columns.length;
  const length = columns[0]?.length ?? 0;
  const rows: number[] = [];
  const values = new Float64Array(length * n);
  for (let row = 0; row < length; row++) {
    const at = rows.length * n;
    let usable = true;
    for (let i = 0; i < n && usable; i++) {
      const forecast = fits[i]!.forecasts[row]!;
      const value = columns[i]![row]! / forecast;
      usable = forecast > 0 && Number.isFinite(value);
      values[at + i] = value;
    }
    if (usable) rows.push(row);
  }
  return { rows, values: values.slice(0, rows.length * n) };
}
