/** From a price history to a factor model: volatilities and correlation, exponentially weighted, with a report of all that was assumed. */
import { PlimsollError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { repairCorrelation, toRows } from './correlation.ts';
import { columnProblems, type DataProblem, spacingProblems } from './dataProblems.ts';
import { formatInstant, parseInstant } from './dates.ts';
import { checkDecay, correlationOf, effectiveObservations, ewmaCovariance } from './ewma.ts';
import { defaultKind, parseFactorId } from './factorIds.ts';
import { type FactorModel, type FactorRecord, readFactorModel } from './factorModel.ts';
import { type History, historyColumn, logChanges } from './history.ts';
import { inferPeriods, type Periods, type Spacing, spacingOf } from './periods.ts';
import { extendCorrelation, readVolAssumption, type VolAssumption } from './volAssumption.ts';

export interface CalibrationOptions {
  /** Decay per row of volatilities, 0 … 1; default 0.94. */
  readonly lambda?: number;
  /** Decay per row of correlations; default that of volatilities. */
  readonly correlationLambda?: number;
  /** Rows in a year; inferred from the dates when left out. */
  readonly periodsPerYear?: number;
  /** Underlyings to take; default all. */
  readonly underlyings?: readonly string[];
  /** For underlyings with prices but no implied-volatility column; `null` gives them no vol factor. */
  readonly defaultVol?: Partial<VolAssumption> | null;
  /** Of the Student-t, > 2; the model has none when left out. */
  readonly degreesOfFreedom?: number;
  /** Fewest usable rows; default 30. */
  readonly minimumRows?: number;
}

export interface CalibrationReport {
  /** Dates in the history, and changes between them in which every measured factor is present: only those are used. */
  readonly rows: number;
  readonly usableRows: number;
  readonly from: string;
  readonly to: string;
  readonly lambda: number;
  readonly correlationLambda: number;
  /** Equally weighted rows that would be as informative as these for volatilities. */
  readonly effectiveObservations: number;
  readonly periodsPerYear: number;
  /** `given`, or how it was inferred. */
  readonly periodsReason: string;
  readonly repair: { readonly frobeniusDistance: number; readonly clippedEigenvalues: number };
  /** Sentences for people: what was not measured. */
  readonly assumptions: readonly string[];
  readonly problems: readonly DataProblem[];
}

export interface Calibration {
  readonly model: FactorModel;
  readonly report: CalibrationReport;
}

const MINIMUM_ROWS = 30;
const ASSUMED_START =
  'mean zero; the weights of the rows there are, divided by their sum, so no start value';

/**
 * Calibrates spot, vol and basis factors on the one-row changes of a history. Measured factors come first, in the order of the history's
 * columns, then the assumed vol factors. The model's `asOf` is the date of the last change used.
 * @throws INSUFFICIENT_HISTORY, MISSING_HISTORY, MISSING_FIELD (periodsPerYear), INVALID_FIELD, UNSUPPORTED_FACTOR
 */
export function calibrate(history: History, options: CalibrationOptions = {}): Calibration {
  const lambda = checkDecay(options.lambda ?? 0.94, 'lambda');
  const correlationLambda = checkDecay(options.correlationLambda ?? lambda, 'correlationLambda');
  const ids = chooseFactors(history, options.underlyings);
  requireRows(history.dates.length - 1, options);
  const changes = logChanges(history, ids, 1);
  const { rows, first, last, count } = completeRows(changes, ids.length);
  requireRows(count, options);
  const times = history.dates.map(parseInstant);
  const spacing = spacingOf(times);
  const periods = periodsOf(spacing, options.periodsPerYear);
  const covariance = ewmaCovariance(rows, ids.length, lambda);
  const shared =
    correlationLambda === lambda ? covariance : ewmaCovariance(rows, ids.length, correlationLambda);
  const assumed = assumedVols(ids, options.defaultVol);
  const size = ids.length + assumed.spots.length;
  const repair = repairCorrelation(
    extendCorrelation(
      correlationOf(shared, ids.length),
      ids.length,
      assumed.spots,
      assumed.assumption,
    ),
    size,
  );
  const { degreesOfFreedom } = options;
  const model = readFactorModel({
    asOf: formatInstant(times[last + 1]!),
    periodsPerYear: periods.periodsPerYear,
    factors: [...measured(ids, covariance, periods.periodsPerYear), ...assumed.factors],
    correlation: toRows(repair.matrix, size),
    ...(degreesOfFreedom === undefined ? {} : { degreesOfFreedom }),
  });
  const { frobeniusDistance, clippedEigenvalues } = repair;
  const report: CalibrationReport = {
    rows: history.dates.length,
    usableRows: count,
    from: history.dates[first]!,
    to: history.dates[last + 1]!,
    lambda,
    correlationLambda,
    effectiveObservations: effectiveObservations(count, lambda),
    periodsPerYear: periods.periodsPerYear,
    periodsReason: periods.reason,
    repair: { frobeniusDistance, clippedEigenvalues },
    assumptions: [ASSUMED_START, ...assumed.sentences],
    problems: [...spacingProblems(history, times, spacing), ...problemsOf(history, ids, changes)],
  };
  return { model, report };
}

function problemsOf(
  history: History,
  ids: readonly string[],
  changes: Float64Array,
): DataProblem[] {
  return ids.flatMap((id, factor) =>
    columnProblems(history, {
      id,
      levels: historyColumn(history, id).values,
      changes: columnOf(changes, factor, ids.length),
    }),
  );
}

function chooseFactors(history: History, underlyings: readonly string[] | undefined): string[] {
  const known = new Set<string>();
  const ids: string[] = [];
  for (const { id } of history.columns) {
    const { underlying } = parseFactorId(id, id);
    known.add(underlying);
    if (underlyings === undefined || underlyings.includes(underlying)) ids.push(id);
  }
  const absent = underlyings?.find((underlying) => !known.has(underlying));
  if (absent !== undefined) {
    throw new PlimsollError('MISSING_HISTORY', `the history has no column for ${absent}`, {
      path: 'underlyings',
    });
  }
  if (ids.length > 0) return ids;
  throw new PlimsollError('MISSING_HISTORY', 'the history has no factor to calibrate');
}

function requireRows(count: number, options: CalibrationOptions): void {
  const minimum = Math.max(1, options.minimumRows ?? MINIMUM_ROWS);
  if (count >= minimum) return;
  throw new PlimsollError(
    'INSUFFICIENT_HISTORY',
    `${Math.max(0, count)} changes have every factor present, ${minimum} are needed`,
  );
}

/** The rows without a gap, close together, and the first and last of them. */
function completeRows(
  changes: Float64Array,
  n: number,
): { rows: Float64Array; first: number; last: number; count: number } {
  const rows = new Float64Array(changes.length);
  let [count, first, last] = [0, 0, 0];
  for (let row = 0; row * n < changes.length; row++) {
    const values = changes.subarray(row * n, row * n + n);
    if (values.some(Number.isNaN)) continue;
    if (count === 0) first = row;
    last = row;
    rows.set(values, count++ * n);
  }
  return { rows: rows.subarray(0, count * n), first, last, count };
}

function columnOf(changes: Float64Array, factor: number, n: number): Float64Array {
  return Float64Array.from({ length: changes.length / n }, (_, row) => changes[row * n + factor]!);
}

function periodsOf(spacing: Spacing, given: number | undefined): Periods {
  if (given === undefined) return inferPeriods(spacing);
  if (given > 0 && given <= LIMITS.periodsPerYearMax) {
    return { periodsPerYear: given, reason: 'given' };
  }
  throw new PlimsollError('INVALID_FIELD', `periodsPerYear must be > 0, got ${given}`, {
    path: 'periodsPerYear',
  });
}

function measured(
  ids: readonly string[],
  covariance: Float64Array,
  periodsPerYear: number,
): FactorRecord[] {
  return ids.map((id, i) => {
    const variance = covariance[i * ids.length + i]!;
    const record = { id, volatility: Math.sqrt(variance * periodsPerYear) };
    const kind = defaultKind(parseFactorId(id).type);
    return kind === 'log' ? record : { ...record, kind };
  });
}

function assumedVols(
  ids: readonly string[],
  option: Partial<VolAssumption> | null | undefined,
): { spots: number[]; assumption: VolAssumption; factors: FactorRecord[]; sentences: string[] } {
  const assumption = readVolAssumption(option ?? {}, 'defaultVol');
  const spots: number[] = [];
  const factors: FactorRecord[] = [];
  const sentences: string[] = [];
  if (option === null) return { spots, assumption, factors, sentences };
  ids.forEach((id, index) => {
    const { underlying, type } = parseFactorId(id);
    const vol = `${underlying}:vol`;
    if (type !== 'spot' || ids.includes(vol)) return;
    const { volatility, correlationWithSpot, commonShare } = assumption;
    spots.push(index);
    factors.push({ id: vol, volatility });
    sentences.push(
      `${vol} was not measured: volatility ${volatility}, correlation ${correlationWithSpot} with ${id}, ${commonShare} between what is left of two such factors`,
    );
  });
  return { spots, assumption, factors, sentences };
}
