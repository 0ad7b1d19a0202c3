/** Ticks of the market. */
import type { FastifyInstance } from 'fastify';
import { TicksSchema } from '../../book/desk/ticks.ts';
import type { ServerContext } from '../context.ts';
import { withJson } from '../plugins/bodies.ts';
import { TicksTakenSchema } from '../schemas/book.ts';
import { problems } from '../schemas/problem.ts';
import { deskOf } from './accounts.ts';

const EXAMPLE = {
  source: 'feed-1',
  ticks: [{ sequence: 1, underlying: 'BTC', asOf: '2025-12-30T17:31:16Z', spot: 88_541.5 }],
};

const schema = {
  summary: 'Ticks: what moved of some underlyings',
  description:
    'Answered when they are durable: then they survive whatever happens. Each source numbers its ticks without gaps; missing, repeated, disordered and stale ones are refused by name, and the whole batch with them. The accounts that they concern are margined anew in the next cycle.',
  tags: ['market'],
  body: { content: { 'application/json': { schema: { ...TicksSchema, examples: [EXAMPLE] } } } },
  response: { 200: TicksTakenSchema, ...problems(400, 408, 413, 415, 422, 503) },
};

export function tickRoutes(app: FastifyInstance, context: ServerContext): void {
  const config: { accepts: 'json'[] } = { accepts: ['json'] };
  app.patch('/v1/market', { schema, config }, (request) =>
    withJson(request, context.limits.jsonBytes, context, (value) => deskOf(context).ticks(value)),
  );
}
