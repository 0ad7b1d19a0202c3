/** Forecasts against what happened: a series of the caller's, or a walk through a history that the caller sends. */
import type { FastifyInstance } from 'fastify';
import Type, { type Static } from 'typebox';
import { backtest } from '../../engine/backtest.ts';
import { PlimsollError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import { BacktestReportSchema } from '../../risk/backtest/report.ts';
import { BacktestParametersSchema } from '../../risk/backtest/request.ts';
import {
  backtestSeries,
  SeriesReportSchema,
  type SeriesRequest,
  SeriesRequestSchema,
} from '../../risk/backtest/series.ts';
import { reader, show } from '../../schema.ts';
import type { ServerContext } from '../context.ts';
import { hangUpSignal, withJson } from '../plugins/bodies.ts';
import { EXAMPLE_SERIES, EXAMPLE_WALK } from '../schemas/backtest.ts';
import { HistorySchema, historyOf } from '../schemas/history.ts';
import { problems } from '../schemas/problem.ts';

const closed = { additionalProperties: false } as const;
const WalkSchema = Type.Object(
  { history: HistorySchema, ...BacktestParametersSchema.properties },
  closed,
);

const readWalk = reader(WalkSchema);

const schema = {
  summary: 'A backtest of VaR, ES and margin',
  description:
    'Either a series, `pnl` with the `valueAtRisk` (and `expectedShortfall`) that was forecast for each day; or a `history` of prices and a linear `book`, which is walked day by day with four methods. Kupiec, Christoffersen, Basel zones, Acerbi–Székely, quantile loss; of a walk also margins and their procyclicality. The work stops when the caller hangs up.',
  tags: ['risk'],
  body: {
    content: {
      'application/json': {
        schema: {
          ...Type.Union([SeriesRequestSchema, WalkSchema]),
          examples: [EXAMPLE_SERIES, EXAMPLE_WALK],
        },
      },
    },
  },
  response: {
    200: Type.Union([SeriesReportSchema, BacktestReportSchema]),
    ...problems(400, 408, 413, 415, 422, 503),
  },
};

export function backtestRoutes(app: FastifyInstance, context: ServerContext): void {
  const { limits, reports } = context;
  app.post('/v1/backtest', { schema, config: { accepts: ['json'] } }, (request, reply) =>
    withJson(request, limits.jsonBytes, context, async (value) => {
      const signal = hangUpSignal(reply);
      const leave = await reports.enter(signal);
      try {
        // Read by what it tests: one reader at a time says better what is wrong.
        return isSeries(value)
          ? backtestSeries(value as SeriesRequest)
          : await walked(readWalk(value), signal);
      } finally {
        leave();
      }
    }),
  );
}

function isSeries(value: unknown): boolean {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new PlimsollError('INVALID_FIELD', `the body must be an object, got ${show(value)}`);
  }
  const [series, walk] = ['pnl' in value, 'history' in value];
  if (series !== walk) return series;
  const message = 'the body has either pnl, a series to be tested, or history, a walk to be made';
  throw new PlimsollError(series ? 'UNKNOWN_FIELD' : 'MISSING_FIELD', message, {
    path: series ? 'history' : 'pnl',
  });
}

function walked({ history, ...parameters }: Static<typeof WalkSchema>, signal: AbortSignal) {
  return backtest({
    ...parameters,
    history: historyOf(history),
    signal,
    workMax: LIMITS.httpBacktestWorkMax,
  });
}
