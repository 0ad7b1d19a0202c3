/** An account on later dates, the market unchanged. */
import type { FastifyInstance } from 'fastify';
import {
  type TimelineRequest,
  TimelineRequestSchema,
  TimelineSchema,
} from '../../engine/studies/timelineSchema.ts';
import type { ServerContext } from '../context.ts';
import { studyRoute } from './study.ts';

export function timelineRoutes(app: FastifyInstance, context: ServerContext): void {
  studyRoute(app, context, {
    url: '/v1/timeline',
    summary: 'Equity and requirement on later dates, and the first margin call',
    description:
      'Spots, forwards by expiry and implied volatilities by strike as they are, less time left; what expires is settled at the spot. The first margin call is found to the minute.',
    asked: TimelineRequestSchema,
    example: { days: [1, 7, 30] },
    answer: TimelineSchema,
    long: true,
    run: (account, asked, signal) =>
      context.engine.timeline(account, asked as TimelineRequest, { signal }),
  });
}
