/** What a walk-forward backtest is asked for. */
import Type, { type Static } from 'typebox';
import { PlimsollError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import { parseInstant } from '../../market/dates.ts';
import { leastScenarios } from '../tail.ts';
import { HoldingSchema } from './book.ts';
import { BACKTEST_METHODS, type BacktestMethod } from './methods.ts';

const date = (description: string) => Type.Optional(Type.String({ maxLength: 40, description }));

export const BacktestParametersSchema = Type.Object(
  {
    book: Type.Array(HoldingSchema, {
      minItems: 1,
      maxItems: LIMITS.backtestUnderlyingsMax,
      description: 'The book, held all the time.',
    }),
    methods: Type.Optional(
      Type.Array(Type.Enum([...BACKTEST_METHODS]), {
        minItems: 1,
        maxItems: BACKTEST_METHODS.length,
        uniqueItems: true,
        description: 'Default: all.',
      }),
    ),
    confidence: Type.Optional(
      Type.Number({
        minimum: LIMITS.confidenceMin,
        maximum: LIMITS.confidenceMax,
        description: 'α of VaR and ES. Default 0.99.',
      }),
    ),
    horizonDays: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: LIMITS.horizonDaysMax,
        description:
          'Days; more than one row of the history makes windows that overlap. Default 1.',
      }),
    ),
    window: Type.Optional(
      Type.Integer({
        minimum: 50,
        maximum: LIMITS.backtestRowsMax,
        description: 'Rows that the historical methods replay. Default 500.',
      }),
    ),
    minimumRows: Type.Optional(
      Type.Integer({
        minimum: 50,
        maximum: LIMITS.backtestRowsMax,
        description:
          'A forecast is made once so many filtered rows stand behind it, at most `window`. Default 250, or `window` where that is less, or what the confidence needs where that is more.',
      }),
    ),
    lambda: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        exclusiveMaximum: 1,
        description: 'Decay per row of volatilities and correlations. Default 0.97.',
      }),
    ),
    degreesOfFreedom: Type.Optional(
      Type.Number({
        exclusiveMinimum: 2,
        maximum: LIMITS.degreesOfFreedomMax,
        description: 'ν of student-t. Default: fitted every 20 rows to the last `window` of them.',
      }),
    ),
    scenarios: Type.Optional(
      Type.Integer({
        minimum: 100,
        maximum: 1_000_000,
        description: 'Draws of gaussian and student-t, the same every day. Default 10,240.',
      }),
    ),
    seed: Type.Optional(
      Type.String({ maxLength: LIMITS.idLengthMax, description: 'Of the draws.' }),
    ),
    periodsPerYear: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: LIMITS.periodsPerYearMax,
        description: 'Rows in a year, for the ten years of the long run. Default: from the dates.',
      }),
    ),
    from: date('First day whose P&L is tested (ISO 8601). Default: as early as can be.'),
    to: date('Last day whose P&L is tested.'),
    antiProcyclicality: Type.Optional(
      Type.Boolean({
        description: 'Also the margins with each anti-procyclicality measure. Default false.',
      }),
    ),
    series: Type.Optional(
      Type.Boolean({ description: 'Also every day’s P&L, VaR and ES. Default false.' }),
    ),
  },
  { additionalProperties: false },
);

export type BacktestParameters = Static<typeof BacktestParametersSchema>;

/** Every parameter stated. */
export interface BacktestSettings {
  readonly methods: readonly BacktestMethod[];
  readonly confidence: number;
  readonly horizonDays: number;
  readonly window: number;
  readonly minimumRows: number;
  readonly lambda: number;
  readonly degreesOfFreedom: number | null;
  readonly scenarios: number;
  readonly seed: string;
  readonly periodsPerYear: number | null;
  /** ms since 1970, both included. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly antiProcyclicality: boolean;
}

/** @throws INVALID_FIELD for a date that is none, more minimum rows than the window has, or fewer than the confidence needs */
export function backtestSettings(given: BacktestParameters): BacktestSettings {
  const window = given.window ?? 500;
  const confidence = given.confidence ?? 0.99;
  const methods = given.methods ?? BACKTEST_METHODS;
  const least = methods.some((method) => REPLAYED.has(method)) ? leastScenarios(confidence) : 1;
  const minimumRows = given.minimumRows ?? Math.max(least, Math.min(250, window));
  checkRows('window', window, least, confidence);
  checkRows('minimumRows', minimumRows, least, confidence);
  if (minimumRows > window) {
    const message = `minimumRows must be at most window (${window}), got ${minimumRows}`;
    throw new PlimsollError('INVALID_FIELD', message, { path: 'minimumRows' });
  }
  const fromMs = instant(given.from, 'from', Number.NEGATIVE_INFINITY);
  const toMs = instant(given.to, 'to', Number.POSITIVE_INFINITY);
  if (fromMs > toMs) {
    const message = `from (${given.from}) is later than to (${given.to})`;
    throw new PlimsollError('INVALID_FIELD', message, { path: 'from' });
  }
  return {
    methods,
    confidence,
    horizonDays: given.horizonDays ?? 1,
    window,
    minimumRows,
    lambda: given.lambda ?? 0.97,
    degreesOfFreedom: given.degreesOfFreedom ?? null,
    scenarios: given.scenarios ?? 10_240,
    seed: given.seed ?? 'plimsoll',
    periodsPerYear: given.periodsPerYear ?? null,
    fromMs,
    toMs,
    antiProcyclicality: given.antiProcyclicality ?? false,
  };
}

/** Methods whose tail is made of the rows themselves: one of them at least must lie in it. */
const REPLAYED: ReadonlySet<BacktestMethod> = new Set(['historical', 'filtered-historical']);

function checkRows(path: string, rows: number, least: number, confidence: number): void {
  if (rows >= least) return;
  const message = `${path} must be at least ${least} for historical methods at a confidence of ${confidence}, got ${rows}`;
  throw new PlimsollError('INVALID_FIELD', message, { path });
}

function instant(text: string | undefined, path: string, otherwise: number): number {
  if (text === undefined) return otherwise;
  const time = parseInstant(text);
  if (!Number.isNaN(time)) return time;
  const message = `${path} must be an ISO-8601 date, got ${JSON.stringify(text)}`;
  throw new PlimsollError('INVALID_FIELD', message, { path });
}
