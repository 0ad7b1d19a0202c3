/** Every test on one series of P&L and the VaR (and ES) that were forecast for it. */
import Type, { type Static } from 'typebox';
import { PlimsollError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import { reader } from '../../schema.ts';
import { christoffersen, kupiec } from './coverage.ts';
import { overlapDesignEffect } from './overlap.ts';
import { meanQuantileLoss } from './quantileLoss.ts';
import { acerbiSzekely } from './shortfall.ts';
import { trafficLight } from './trafficLight.ts';

const closed = { additionalProperties: false } as const;
const series = (description: string) =>
  Type.Array(Type.Number(), { minItems: 1, maxItems: LIMITS.backtestRowsMax, description });

export const SeriesRequestSchema = Type.Object(
  {
    pnl: series('Realised profit and loss of each day, profit positive, in currency.'),
    valueAtRisk: series('VaR forecast for each day, loss positive.'),
    expectedShortfall: Type.Optional(series('ES forecast for each day; at least VaR, and > 0.')),
    confidence: Type.Optional(
      Type.Number({
        minimum: LIMITS.confidenceMin,
        maximum: LIMITS.confidenceMax,
        description: 'α of the forecasts. Default 0.99.',
      }),
    ),
    overlap: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: LIMITS.backtestOverlapMax,
        description: 'Rows that one window of P&L covers; above 1 they overlap. Default 1.',
      }),
    ),
  },
  closed,
);

export type SeriesRequest = Static<typeof SeriesRequestSchema>;

const ZoneSchema = Type.Enum(['green', 'amber', 'red']);
const RatioSchema = Type.Object(
  {
    statistic: Type.Number({ description: 'Likelihood ratio.' }),
    pValue: Type.Number({ description: 'Probability of a greater one where the model is right.' }),
  },
  closed,
);
const LightSchema = Type.Object(
  {
    zone: ZoneSchema,
    observations: Type.Integer(),
    exceedances: Type.Integer(),
    amberFrom: Type.Integer({ description: 'Least number of exceedances that is amber.' }),
    redFrom: Type.Integer({ description: 'Least number of exceedances that is red.' }),
    cumulativeProbability: Type.Number({
      description: 'Of so many exceedances or fewer where the model is right.',
    }),
  },
  closed,
);
const ShortfallSchema = Type.Object(
  {
    statistic: Type.Number({ description: '0 is expected; negative where risk was understated.' }),
    pValue: Type.Union([Type.Number(), Type.Null()]),
  },
  closed,
);
const nullable = <S extends Type.TSchema>(schema: S) => Type.Union([schema, Type.Null()]);

export const SeriesReportSchema = Type.Object(
  {
    confidence: Type.Number(),
    overlap: Type.Integer(),
    designEffect: Type.Number({
      description: 'Variance of the number of exceedances over that of days that do not overlap.',
    }),
    observations: Type.Integer(),
    exceedances: Type.Integer({ description: 'Days whose loss was greater than VaR.' }),
    expectedExceedances: Type.Number(),
    meanQuantileLoss: Type.Number({ description: 'Of VaR, in currency: lower is better.' }),
    kupiec: RatioSchema,
    christoffersen: Type.Object(
      {
        observations: Type.Integer(),
        transitions: Type.Array(Type.Integer(), {
          description: 'n00, n01, n10, n11: n01 counts a quiet day before an exceedance.',
        }),
        independence: RatioSchema,
        conditionalCoverage: RatioSchema,
      },
      closed,
    ),
    trafficLight: Type.Object(
      {
        whole: LightSchema,
        recent: nullable(LightSchema),
        worst: nullable(LightSchema),
      },
      { ...closed, description: 'Of all days, of the last 250, and of the worst 250 in a row.' },
    ),
    acerbiSzekely: nullable(
      Type.Object(
        { z1: nullable(ShortfallSchema), z2: ShortfallSchema, replications: Type.Integer() },
        { ...closed, description: 'Null without ES.' },
      ),
    ),
  },
  { ...closed, title: 'BacktestSeriesReport' },
);

export type SeriesReport = Static<typeof SeriesReportSchema>;

const readRequest = reader(SeriesRequestSchema);

/** Days of the Basel window. */
const YEAR = 250;

/**
 * Tests forecasts against what happened: Kupiec, Christoffersen, Basel's traffic light, Acerbi–Székely (given ES), mean quantile loss. An
 * exceedance is a loss greater than VaR. Where windows of `overlap` rows overlap, each test is corrected as its own docstring says.
 * @throws INVALID_FIELD, MISSING_FIELD, UNKNOWN_FIELD with the path of the field at fault
 */
export function backtestSeries(request: SeriesRequest): SeriesReport {
  const { confidence = 0.99, overlap = 1, ...given } = readRequest(request);
  const pnl = Float64Array.from(given.pnl);
  const valueAtRisk = sameLength(given.valueAtRisk, pnl.length, 'valueAtRisk');
  const { expectedShortfall } = given;
  const shortfall =
    expectedShortfall === undefined
      ? null
      : checkedShortfall(
          sameLength(expectedShortfall, pnl.length, 'expectedShortfall'),
          valueAtRisk,
        );
  return testSeries({ pnl, valueAtRisk, shortfall, confidence, overlap });
}

export interface TestedSeries {
  readonly pnl: Float64Array;
  readonly valueAtRisk: Float64Array;
  /** ES of each day, > 0 and ≥ VaR; null where there is none. */
  readonly shortfall: Float64Array | null;
  readonly confidence: number;
  readonly overlap: number;
}

/** The same on columns that are known to be right. */
export function testSeries(columns: TestedSeries): SeriesReport {
  const { pnl, valueAtRisk, shortfall, confidence, overlap } = columns;
  const observations = pnl.length;
  // 1 − 0.99 is 0.010000000000000009: p is the decimal that was meant.
  const tail = Math.round((1 - confidence) * 1e12) / 1e12;
  const hits = Uint8Array.from(pnl, (value, t) => (-value > valueAtRisk[t]! ? 1 : 0));
  const exceedances = hits.reduce((sum, hit) => sum + hit, 0);
  const designEffect = overlapDesignEffect(observations, overlap, tail);
  return {
    confidence,
    overlap,
    designEffect,
    observations,
    exceedances,
    expectedExceedances: observations * tail,
    meanQuantileLoss: meanQuantileLoss(pnl, valueAtRisk, confidence),
    kupiec: kupiec(observations, exceedances, tail, designEffect),
    christoffersen: writable(christoffersen(hits, tail, overlap)),
    trafficLight: lights(hits, exceedances, tail, overlap),
    acerbiSzekely:
      shortfall === null
        ? null
        : acerbiSzekely({ pnl, valueAtRisk, expectedShortfall: shortfall, tail, designEffect }),
  };
}

function writable(tests: ReturnType<typeof christoffersen>): SeriesReport['christoffersen'] {
  return { ...tests, transitions: [...tests.transitions] };
}

function lights(
  hits: Uint8Array,
  exceedances: number,
  tail: number,
  overlap: number,
): SeriesReport['trafficLight'] {
  const whole = trafficLight(hits.length, exceedances, tail, overlap);
  if (hits.length < YEAR) return { whole, recent: null, worst: null };
  let count = 0;
  let most = 0;
  for (let t = 0; t < hits.length; t++) {
    count += hits[t]! - (t >= YEAR ? hits[t - YEAR]! : 0);
    if (t >= YEAR - 1) most = Math.max(most, count);
  }
  const recent = trafficLight(YEAR, count, tail, overlap);
  return { whole, recent, worst: trafficLight(YEAR, most, tail, overlap) };
}

function sameLength(values: readonly number[], length: number, path: string): Float64Array {
  if (values.length === length) return Float64Array.from(values);
  const message = `${path} has ${values.length} values, pnl has ${length}: one a day each`;
  throw new PlimsollError('INVALID_FIELD', message, { path });
}

function checkedShortfall(shortfall: Float64Array, valueAtRisk: Float64Array): Float64Array {
  const bad = shortfall.findIndex((value, t) => !(value >= valueAtRisk[t]! && value > 0));
  if (bad === -1) return shortfall;
  const path = `expectedShortfall[${bad}]`;
  const message = `${path} must be > 0 and at least VaR, got ${shortfall[bad]} with VaR ${valueAtRisk[bad]}`;
  throw new PlimsollError('INVALID_FIELD', message, { path });
}
