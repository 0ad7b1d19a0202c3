/**
 * Walk-forward backtest of a linear book: for each day VaR, ES and margin are forecast from rows up to the day before, by several methods, and
 * compared with the P&L that came. On the calling thread, in slices, so that it can be cancelled and nobody waits long for a turn.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { PlimsollError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { antiProcyclical } from '../margin/antiProcyclicality.ts';
import type { History } from '../market/history.ts';
import { type LinearBook, linearBook } from '../risk/backtest/book.ts';
import { type BacktestMethod, dayScenarios, filteredKnown } from '../risk/backtest/methods.ts';
import { procyclicality } from '../risk/backtest/procyclicality.ts';
import {
  type BacktestReport,
  MARGIN_MEASURES,
  type MarginMeasures,
  type MarginReport,
  type MethodReport,
} from '../risk/backtest/report.ts';
import {
  type BacktestParameters,
  BacktestParametersSchema,
  type BacktestSettings,
  backtestSettings,
} from '../risk/backtest/request.ts';
import { type ChangeRows, changeRows } from '../risk/backtest/rows.ts';
import { testSeries } from '../risk/backtest/series.ts';
import { STRESSED_ROWS, stressedColumns, stressedStarts } from '../risk/backtest/stressed.ts';
import { type ScaledScenarios, TailRoom } from '../risk/backtest/tailOfBook.ts';
import { type Walk, walkOf } from '../risk/backtest/walk.ts';
import { reader } from '../schema.ts';
import { ENGINE } from './fingerprint.ts';

export interface BacktestProgress {
  readonly stage: 'backtest';
  /** Days × methods. */
  readonly done: number;
  readonly total: number;
}

export interface BacktestRequest extends BacktestParameters {
  /** Prices; a column `…:spot` for each underlying of the book. */
  readonly history: History;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: BacktestProgress) => void) | undefined;
  /** Scenarios × underlyings × days × methods, three times that with anti-procyclicality; at most `LIMITS.backtestWorkMax`. */
  readonly workMax?: number | undefined;
}

/** The event loop gets its turn after so long. */
const SLICE_MS = 10;

const readParameters = reader(BacktestParametersSchema);

/**
 * Day by day, for the methods asked for: P&L = Σ exposure (S₁/S₀ − 1) over the horizon against VaR and ES of P&L = Σ exposure (e^x − 1) on
 * scenarios x made of earlier rows alone (`risk/backtest/methods.ts`); `gaussian` and `student-t` rescale the same draws every day. All methods
 * start on the same day. Margin is ES, with anti-procyclicality measures where asked for.
 * @throws INVALID_FIELD, UNKNOWN_FIELD, MISSING_FIELD, MISSING_HISTORY, INSUFFICIENT_HISTORY, TOO_LARGE, CANCELLED
 */
export async function backtest(request: BacktestRequest): Promise<BacktestReport> {
  const { history, signal, onProgress, workMax = LIMITS.backtestWorkMax, ...given } = request;
  const parameters = readParameters(given);
  const settings = backtestSettings(parameters);
  const book = linearBook(parameters.book);
  const rows = changeRows(history, book.underlyings, settings.horizonDays, settings.periodsPerYear);
  const walk = walkOf(rows, settings.lambda);
  const { days, skipped } = testedDays(walk, settings);
  checkWork(days.length, rows.n, settings, workMax);
  const pnl = realised(rows, book, days);
  const slices = new Slices(days.length * settings.methods.length, signal, onProgress);
  const room = new TailRoom(Math.max(settings.scenarios, settings.window), settings.confidence);
  const stressed = settings.antiProcyclicality
    ? await stressedShortfalls({ walk, days, book, settings, room, slices })
    : null;
  const methods: MethodReport[] = [];
  for (const method of settings.methods) {
    const context = { walk, days, book, settings, room, slices };
    const forecasts = await forecast(method, stressed, context);
    methods.push(methodReport(method, forecasts, pnl, settings, rows.step, parameters.series));
  }
  const [first, last] = [days[0]!, days.at(-1)!];
  const dates = days.map((s) => rows.dates[s + rows.step]!);
  return {
    book: parameters.book,
    confidence: settings.confidence,
    horizonDays: settings.horizonDays,
    overlap: rows.step,
    from: dates[0]!,
    to: dates.at(-1)!,
    observations: days.length,
    skippedDays: skipped,
    window: settings.window,
    fewestRows: Math.min(settings.window, filteredKnown(walk, first)),
    lambda: settings.lambda,
    scenarios: settings.scenarios,
    seed: settings.seed,
    longRunRows: [walk.longRunRows[first]!, walk.longRunRows[last]!],
    methods,
    ...(parameters.series === true ? { series: { dates, pnl: [...pnl] } } : {}),
    engine: ENGINE,
  };
}

interface Context {
  readonly walk: Walk;
  /** Rows at whose end a forecast is made. */
  readonly days: readonly number[];
  readonly book: LinearBook;
  readonly settings: BacktestSettings;
  readonly room: TailRoom;
  readonly slices: Slices;
}

/** Days whose window ends in the period, has a P&L, and has enough rows before it. */
function testedDays(
  walk: Walk,
  { minimumRows, fromMs, toMs, antiProcyclicality }: BacktestSettings,
): { days: number[]; skipped: number } {
  const { rows } = walk;
  // The stressed set is made of 250 rows, which plain windows reach before filtered ones do.
  const needed = antiProcyclicality ? Math.max(minimumRows, STRESSED_ROWS) : minimumRows;
  const days: number[] = [];
  let skipped = 0;
  for (let s = 1; s + rows.step <= rows.count; s++) {
    const end = rows.times[s + rows.step]!;
    if (end < fromMs || end > toMs || filteredKnown(walk, s) < needed) continue;
    if (Number.isNaN(rows.windows[s * rows.n])) skipped += 1;
    else days.push(s);
  }
  if (days.length > 0) return { days, skipped };
  const known = filteredKnown(walk, rows.count);
  const message = `no day of the period has ${needed} usable rows before it and a P&L: the history has ${known} usable rows after the first 30`;
  throw new PlimsollError('INSUFFICIENT_HISTORY', message, { path: 'history' });
}

function checkWork(
  days: number,
  n: number,
  { methods, scenarios, window, antiProcyclicality }: BacktestSettings,
  limit: number,
): void {
  const drawn = methods.filter((name) => name === 'gaussian' || name === 'student-t').length;
  const once = days * n * (drawn * scenarios + (methods.length - drawn) * window);
  const work = antiProcyclicality ? 3 * once : once;
  if (work <= limit) return;
  const message = `the backtest would take ${work} scenarios × underlyings × days × methods (tripled by antiProcyclicality), ${limit} at most`;
  throw new PlimsollError('TOO_LARGE', message);
}

function exposuresAt({ exposures, units }: LinearBook, rows: ChangeRows, s: number): Float64Array {
  return exposures.map((exposure, u) => exposure + units[u]! * rows.levels[s * rows.n + u]!);
}

function realised(rows: ChangeRows, book: LinearBook, days: readonly number[]): Float64Array {
  const { levels, n, step } = rows;
  return Float64Array.from(days, (s) =>
    exposuresAt(book, rows, s).reduce((sum, exposure, u) => {
      const ratio = levels[(s + step) * n + u]! / levels[s * n + u]!;
      return sum + exposure * (ratio - 1);
    }, 0),
  );
}

interface Forecasts {
  readonly valueAtRisk: Float64Array;
  readonly expectedShortfall: Float64Array;
  readonly margins: ReadonlyMap<MarginMeasures, Float64Array>;
  /** ν of each day, NaN where it is normal; null where the method has none. */
  readonly degreesOfFreedom: Float64Array | null;
}

async function forecast(
  method: BacktestMethod,
  stressed: Float64Array | null,
  { walk, days, book, settings, room, slices }: Context,
): Promise<Forecasts> {
  const source = dayScenarios(method, walk, settings);
  const valueAtRisk = new Float64Array(days.length);
  const expectedShortfall = new Float64Array(days.length);
  const degrees = method === 'student-t' ? new Float64Array(days.length) : null;
  const measures: readonly MarginMeasures[] = stressed === null ? ['none'] : MARGIN_MEASURES;
  const margins = new Map(measures.map((name) => [name, new Float64Array(days.length)]));
  for (const [i, s] of days.entries()) {
    await slices.next();
    const scenarios = source.at(s);
    const exposures = exposuresAt(book, walk.rows, s);
    const today = room.measure(scenarios, scenarios.today, exposures);
    valueAtRisk[i] = today.valueAtRisk;
    expectedShortfall[i] = today.expectedShortfall;
    if (degrees !== null) degrees[i] = source.degreesOfFreedom ?? Number.NaN;
    const es = today.expectedShortfall;
    const figures =
      stressed === null ? null : withMeasures(es, stressed[i]!, scenarios, exposures, room);
    for (const [name, column] of margins) column[i] = figures === null ? es : figures[name];
  }
  return { valueAtRisk, expectedShortfall, margins, degreesOfFreedom: degrees };
}

/** ES with each anti-procyclicality measure, and with all of them in the order c, b, a. */
function withMeasures(
  es: number,
  esStressed: number,
  scenarios: ScaledScenarios,
  exposures: Float64Array,
  room: TailRoom,
): Record<MarginMeasures, number> {
  const { today, longRun } = scenarios;
  const floored = today.map((scale, u) => Math.max(scale, longRun[u]!));
  const esLongRun = room.measure(scenarios, longRun, exposures).expectedShortfall;
  const esFloored = room.measure(scenarios, floored, exposures).expectedShortfall;
  const plain = { es, esLongRun, esStressed };
  return {
    none: es,
    a: antiProcyclical(plain, { buffer: true, stressed: false }),
    b: antiProcyclical(plain, { buffer: false, stressed: true }),
    c: esFloored,
    all: antiProcyclical({ ...plain, es: esFloored }, { buffer: true, stressed: true }),
  };
}

/** ES of the book on the stressed set that was known on each day. */
async function stressedShortfalls({
  walk,
  days,
  book,
  settings,
  room,
  slices,
}: Context): Promise<Float64Array> {
  const starts = stressedStarts(walk, settings.confidence);
  const unscaled = new Float64Array(walk.rows.n).fill(1);
  const found = new Float64Array(days.length);
  for (const [i, s] of days.entries()) {
    await slices.breathe();
    const set = stressedColumns(walk, starts, s)!;
    const exposures = exposuresAt(book, walk.rows, s);
    found[i] = room.measure(set, unscaled, exposures).expectedShortfall;
  }
  return found;
}

function methodReport(
  method: BacktestMethod,
  forecasts: Forecasts,
  pnl: Float64Array,
  { confidence }: BacktestSettings,
  overlap: number,
  series = false,
): MethodReport {
  const { valueAtRisk, expectedShortfall, margins, degreesOfFreedom } = forecasts;
  // A book that cannot lose has no ES to be tested.
  const shortfall = expectedShortfall.every((es) => es > 0) ? expectedShortfall : null;
  return {
    method,
    degreesOfFreedom: degreesOfFreedom === null ? null : degreesSpan(degreesOfFreedom),
    tests: testSeries({ pnl, valueAtRisk, shortfall, confidence, overlap }),
    margins: [...margins].map(([measures, margin]) => marginReport(measures, margin, pnl)),
    ...(series
      ? {
          forecasts: {
            valueAtRisk: [...valueAtRisk],
            expectedShortfall: [...expectedShortfall],
          },
        }
      : {}),
  };
}

function degreesSpan(column: Float64Array): { least: number | null; greatest: number | null } {
  const known = column.filter((value) => !Number.isNaN(value));
  if (known.length === 0) return { least: null, greatest: null };
  const greatest = known.length < column.length ? null : known.reduce((a, b) => Math.max(a, b));
  return { least: known.reduce((a, b) => Math.min(a, b)), greatest };
}

function marginReport(
  measures: MarginMeasures,
  margin: Float64Array,
  pnl: Float64Array,
): MarginReport {
  const exceedances = pnl.reduce((sum, value, i) => sum + (-value > margin[i]! ? 1 : 0), 0);
  return {
    measures,
    mean: margin.reduce((sum, value) => sum + value, 0) / margin.length,
    exceedances,
    exceedanceShare: exceedances / pnl.length,
    procyclicality: procyclicality(margin),
  };
}

/** Turns for others, word of progress, and an ear for cancellation. */
class Slices {
  private done = 0;
  private readonly total: number;
  private readonly signal: AbortSignal | undefined;
  private readonly onProgress: ((progress: BacktestProgress) => void) | undefined;
  private since = performance.now();

  constructor(
    total: number,
    signal: AbortSignal | undefined,
    onProgress: ((progress: BacktestProgress) => void) | undefined,
  ) {
    this.total = total;
    this.signal = signal;
    this.onProgress = onProgress;
    this.listen();
  }

  async next(): Promise<void> {
    this.done += 1;
    await this.breathe();
  }

  async breathe(): Promise<void> {
    if (performance.now() - this.since < SLICE_MS) return;
    this.onProgress?.({ stage: 'backtest', done: this.done, total: this.total });
    await turn();
    this.since = performance.now();
    this.listen();
  }

  private listen(): void {
    if (this.signal?.aborted !== true) return;
    throw new PlimsollError('CANCELLED', 'the backtest was cancelled');
  }
}
