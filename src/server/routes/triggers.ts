/** Moves at which an account's state changes. */
import type { FastifyInstance } from 'fastify';
import {
  type TriggersRequest,
  TriggersRequestSchema,
  TriggersSchema,
} from '../../engine/studies/triggersSchema.ts';
import type { ServerContext } from '../context.ts';
import { studyRoute } from './study.ts';

export function triggerRoutes(app: FastifyInstance, context: ServerContext): void {
  studyRoute(app, context, {
    url: '/v1/triggers',
    summary: 'The nearest move of each underlying at which the state changes',
    description:
      'Of each underlying the nearest price, below and above, at which the account enters a worse state or leaves its own for a better one, equity and requirements computed anew at each price; with the instant and the market that it holds for. `approximate` follows the model of the search alone.',
    asked: TriggersRequestSchema,
    example: { heldState: 'warning' },
    answer: TriggersSchema,
    long: true,
    run: (account, asked, signal) =>
      context.engine.triggers(account, asked as TriggersRequest, { signal }),
  });
}
