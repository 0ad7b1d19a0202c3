/** What is fitted on demand: a factor model from a history, and SVI slices to the market's own quotes. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import Type, { type Static } from 'typebox';
import { PlimsollError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import { type CalibrationOptions, calibrationSteps } from '../../market/calibration.ts';
import { FactorModelSchema } from '../../market/factorModel.ts';
import { surfaceReport } from '../../market/surfaceReport.ts';
import { reader } from '../../schema.ts';
import type { ServerContext } from '../context.ts';
import { hangUpSignal, withJson } from '../plugins/bodies.ts';
import { HistorySchema, historyOf } from '../schemas/history.ts';
import { problems } from '../schemas/problem.ts';

const closed = { additionalProperties: false } as const;
const record = (description: string) => Type.Record(Type.String(), Type.Unknown(), { description });

const CalibrateSchema = Type.Object(
  {
    history: HistorySchema,
    volatility: Type.Optional(Type.Enum(['ewma', 'garch'], { description: 'Default ewma.' })),
    correlation: Type.Optional(
      Type.Enum(['ewma', 'ledoit-wolf'], { description: 'Default ewma.' }),
    ),
    fitDegreesOfFreedom: Type.Optional(
      Type.Enum(['common', 'factors', 'both'], { description: 'Default: none is fitted.' }),
    ),
    lambda: Type.Optional(Type.Number({ description: 'Decay a row, 0 … 1. Default 0.94.' })),
    periodsPerYear: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: LIMITS.periodsPerYearMax,
        description: 'Rows in a year. Default: inferred from the dates.',
      }),
    ),
    underlyings: Type.Optional(
      Type.Array(Type.String({ maxLength: LIMITS.idLengthMax }), {
        maxItems: LIMITS.historyColumnsMax,
      }),
    ),
  },
  closed,
);

const readCalibrate = reader(CalibrateSchema);

const DAYS = 40;
const EXAMPLE = {
  history: {
    dates: Array.from({ length: DAYS }, (_, i) =>
      new Date(Date.UTC(2025, 0, 1 + i)).toISOString().slice(0, 10),
    ),
    levels: { BTC: Array.from({ length: DAYS }, (_, i) => 90_000 + 700 * ((i * 7) % 11)) },
  },
  correlation: 'ledoit-wolf',
};

const calibrateRoute = {
  summary: 'A factor model from a history of prices',
  description:
    'Volatilities by EWMA or GARCH(1,1), correlations by EWMA or Ledoit–Wolf, degrees of freedom by likelihood; with every assumption, repair and problem of the data.',
  tags: ['risk'],
  body: {
    content: { 'application/json': { schema: { ...CalibrateSchema, examples: [EXAMPLE] } } },
  },
  response: {
    200: Type.Object(
      { model: FactorModelSchema, report: record('What was fitted, and how.') },
      { ...closed, title: 'Calibration' },
    ),
    ...problems(400, 408, 413, 415, 422, 503),
  },
};

const surfaceRoute = {
  summary: 'SVI slices fitted to the current market',
  description:
    'Per expiry: parameters, errors, butterfly and calendar conditions of the fit and of the quotes.',
  tags: ['market'],
  response: {
    200: Type.Object(
      { asOf: Type.String(), underlyings: Type.Array(record('One underlying, slice by slice.')) },
      { ...closed, title: 'SurfaceReport' },
    ),
    ...problems(422, 503),
  },
};

export function modelRoutes(app: FastifyInstance, context: ServerContext): void {
  const { engine, limits, reports } = context;
  app.post(
    '/v1/calibrate',
    { schema: calibrateRoute, config: { accepts: ['json'] } },
    (request, reply) =>
      withJson(request, limits.jsonBytes, context, async (value) => {
        const asked = readCalibrate(value);
        const signal = hangUpSignal(reply);
        const leave = await reports.enter(signal);
        try {
          return await calibrated(asked, signal);
        } finally {
          leave();
        }
      }),
  );

  app.get('/v1/surface', { schema: surfaceRoute }, async () =>
    surfaceReport(await engine.market()),
  );
}

/** A factor at a time, others' requests between them. */
async function calibrated(
  { history, ...options }: Static<typeof CalibrateSchema>,
  signal: AbortSignal,
) {
  const steps = calibrationSteps(historyOf(history), options as CalibrationOptions);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    await nextTurn();
    if (signal.aborted) throw new PlimsollError('CANCELLED', 'the caller has gone');
  }
}
