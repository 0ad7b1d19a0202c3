/** From a price history to a factor model: volatilities, correlation and tails, with a report of all that was fitted and all that was assumed. */
import { PlimsollError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { show } from '../schema.ts';
import type { CalibrationReport, CorrelationModel } from './calibrationReport.ts';
import { repairCorrelation, toRows } from './correlation.ts';
import { columnProblems, type DataProblem, spacingProblems } from './dataProblems.ts';
import { formatInstant, MILLISECONDS_PER_DAY, parseInstant } from './dates.ts';
import { fitDependence } from './dependenceFit.ts';
import { checkDecay, effectiveObservations, ewmaCovariance } from './ewma.ts';
import { type FittedFactor, factorRecord, factorReport, factorSentences } from './factorFit.ts';
import { parseFactorId } from './factorIds.ts';
import { type FactorModel, readFactorModel } from './factorModel.ts';
import { type History, historyColumn, logChanges } from './history.ts';
import { inferPeriods, type Periods, type Spacing, spacingOf } from './periods.ts';
import { factorTail } from './tailFit.ts';
import { assumedVols, extendCorrelation, type VolAssumption } from './volAssumption.ts';
import { fitVolatility, type VolatilityModel } from './volatilityFit.ts';

export interface CalibrationOptions {
  /** Default `ewma`. */
  readonly volatility?: VolatilityModel;
  /** Default `ewma`. */
  readonly correlation?: CorrelationModel;
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
  /** Of the Student-t, > 2, where it is known; else `fitDegreesOfFreedom`, or the model has none. */
  readonly degreesOfFreedom?: number;
  /** One ν for all factors (multivariate t), one each (t-copula), or both, by likelihood. Default: none is fitted. */
  readonly fitDegreesOfFreedom?: 'common' | 'factors' | 'both';
  /** Fewest usable rows; default 30. */
  readonly minimumRows?: number;
}

export interface Calibration {
  readonly model: FactorModel;
  readonly report: CalibrationReport;
}

/** How far a calibration is; what is done and all there is to do, in factors. */
export interface CalibrationProgress {
  readonly done: number;
  readonly total: number;
}

const MINIMUM_ROWS = 30;
/** What is equally weighted looks back no further: ten years of 365 days. */
const YEARS_MAX = 10;
const YEAR_MS = 365 * MILLISECONDS_PER_DAY;
const ASSUMED_START =
  'mean zero; the weights of the rows there are, divided by their sum, so no start value';

/**
 * Calibrates spot, vol and basis factors on the one-row changes of a history. Measured factors come first, in the order of the history's
 * columns, then the assumed vol factors. The model's `asOf` is the date of the last change used.
 *
 * EWMA volatilities and correlations are of the rows in which every factor is present. GARCH, degrees of freedom, Ledoit–Wolf's
 * correlations and the long-run volatility of each factor are equally weighted over its own changes of the last ten years.
 * @throws INSUFFICIENT_HISTORY, MISSING_HISTORY, MISSING_FIELD (periodsPerYear), INVALID_FIELD, UNSUPPORTED_FACTOR
 */
export function calibrate(history: History, options: CalibrationOptions = {}): Calibration {
  const steps = calibrationSteps(history, options);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** The same, one factor a step: between two of them the caller can show progress, let other work go first, or stop. */
export function* calibrationSteps(
  history: History,
  options: CalibrationOptions = {},
): Generator<CalibrationProgress, Calibration> {
  const settings = readSettings(options);
  const { lambda, correlationLambda } = settings;
  const ids = chooseFactors(history, options.underlyings);
  requireRows(history.dates.length - 1, settings.minimumRows);
  const changes = logChanges(history, ids, 1);
  const complete = completeRows(changes, ids.length);
  requireRows(complete.count, settings.minimumRows);
  const times = history.dates.map(parseInstant);
  const spacing = spacingOf(times);
  const periods = periodsOf(spacing, options.periodsPerYear);
  // Nothing after the model's asOf is looked at.
  const columns = ids.map((_, i) => columnOf(changes, i, ids.length, complete.last + 1));
  const from = firstRecentRow(times, complete.last);
  const covariance = ewmaCovariance(complete.rows, ids.length, lambda);
  const fitted: FittedFactor[] = [];
  for (const [i, id] of ids.entries()) {
    yield { done: i, total: ids.length };
    const fit = fitVolatility(id, columns[i]!, from, settings.volatility, lambda);
    const tail = settings.factorTails ? factorTail(columns[i]!, fit) : null;
    const ewma = Math.sqrt(covariance[i * ids.length + i]!);
    fitted.push({ id, fit, tail, next: fit.garch === null ? ewma : fit.next });
  }
  yield { done: ids.length, total: ids.length };
  const dependence = fitDependence({
    complete: complete.rows,
    columns,
    fits: fitted.map(({ fit }) => fit),
    model: settings.correlation,
    lambda: correlationLambda,
    minimumRows: settings.minimumRows,
    withTail: settings.commonTail,
  });
  const assumed = assumedVols(ids, options.defaultVol);
  const size = ids.length + assumed.spots.length;
  const repair = repairCorrelation(
    extendCorrelation(dependence.correlation, ids.length, assumed.spots, assumed.assumption),
    size,
  );
  const { tail, shrinkage } = dependence;
  const degreesOfFreedom = tail === null ? options.degreesOfFreedom : tail.degreesOfFreedom;
  const { periodsPerYear } = periods;
  const reports = fitted.map((factor) => factorReport(factor, history, times, periodsPerYear));
  const model = readFactorModel({
    asOf: formatInstant(times[complete.last + 1]!),
    periodsPerYear,
    factors: [...reports.map(factorRecord), ...assumed.factors],
    correlation: toRows(repair.matrix, size),
    ...(degreesOfFreedom === undefined || degreesOfFreedom === null ? {} : { degreesOfFreedom }),
  });
  const { frobeniusDistance, clippedEigenvalues } = repair;
  const report: CalibrationReport = {
    rows: history.dates.length,
    usableRows: complete.count,
    from: history.dates[complete.first]!,
    to: history.dates[complete.last + 1]!,
    volatility: settings.volatility,
    correlation: settings.correlation,
    lambda,
    correlationLambda,
    effectiveObservations: effectiveObservations(complete.count, lambda),
    periodsPerYear,
    periodsReason: periods.reason,
    factors: reports,
    shrinkage,
    tail: tail === null ? null : { ...tail, leftOut: tail.leftOut.map((i) => ids[i]!) },
    repair: { frobeniusDistance, clippedEigenvalues },
    assumptions: [
      ASSUMED_START,
      ...(from > 0 ? [`only the last ${YEARS_MAX} years count where rows weigh equally`] : []),
      ...(tail?.degreesOfFreedom === null ? ['the tails are normal: no degrees of freedom'] : []),
      ...factorSentences(reports),
      ...assumed.sentences,
    ],
    problems: [...spacingProblems(history, times, spacing), ...problemsOf(history, ids, changes)],
  };
  return { model, report };
}

interface Settings {
  readonly volatility: VolatilityModel;
  readonly correlation: CorrelationModel;
  readonly lambda: number;
  readonly correlationLambda: number;
  readonly minimumRows: number;
  readonly commonTail: boolean;
  readonly factorTails: boolean;
}

function readSettings(options: CalibrationOptions): Settings {
  const volatility = oneOf('volatility', options.volatility ?? 'ewma', ['ewma', 'garch']);
  const models = ['ewma', 'ledoit-wolf'] as const;
  const correlation = oneOf('correlation', options.correlation ?? 'ewma', models);
  const wanted = options.fitDegreesOfFreedom;
  if (wanted !== undefined) {
    oneOf('fitDegreesOfFreedom', wanted, ['common', 'factors', 'both']);
    if (options.degreesOfFreedom !== undefined && wanted !== 'factors') {
      throw new PlimsollError(
        'INVALID_FIELD',
        `degreesOfFreedom is given as ${options.degreesOfFreedom} and is to be fitted: say one of them`,
        { path: 'degreesOfFreedom' },
      );
    }
  }
  const lambda = checkDecay(options.lambda ?? 0.94, 'lambda');
  return {
    volatility,
    correlation,
    lambda,
    correlationLambda: checkDecay(options.correlationLambda ?? lambda, 'correlationLambda'),
    minimumRows: Math.max(1, options.minimumRows ?? MINIMUM_ROWS),
    commonTail: wanted === 'common' || wanted === 'both',
    factorTails: wanted === 'factors' || wanted === 'both',
  };
}

function oneOf<T extends string>(path: string, value: T, allowed: readonly T[]): T {
  if (allowed.includes(value)) return value;
  throw new PlimsollError(
    'INVALID_FIELD',
    `${path} must be one of ${allowed.join(', ')}, got ${show(value)}`,
    { path },
  );
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
      changes: columnOf(changes, factor, ids.length, changes.length / ids.length),
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

function requireRows(count: number, minimum: number): void {
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

/** The first row whose change began no more than ten years before the end of the last. */
function firstRecentRow(times: readonly number[], last: number): number {
  const horizon = times[last + 1]! - YEARS_MAX * YEAR_MS;
  return times.findIndex((time) => time >= horizon);
}

function columnOf(changes: Float64Array, factor: number, n: number, rows: number): Float64Array {
  return Float64Array.from({ length: rows }, (_, row) => changes[row * n + factor]!);
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
