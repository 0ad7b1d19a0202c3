/** P&L of one account under stress scenarios. */
import type { FastifyInstance } from 'fastify';
import {
  StressReportSchema,
  type StressRequest,
  StressRequestSchema,
} from '../../engine/studies/stressSchema.ts';
import type { ServerContext } from '../context.ts';
import { studyRoute } from './study.ts';

export function stressRoutes(app: FastifyInstance, context: ServerContext): void {
  studyRoute(app, context, {
    url: '/v1/stress',
    summary: 'P&L of one account under stress scenarios',
    description:
      'Full revaluation under hypothetical moves, the worst days of the history, the caller’s own scenarios, and every cell of a price × volatility grid.',
    asked: StressRequestSchema,
    example: {
      scenarios: [
        { name: 'a bad weekend', spot: -0.3, vol: 0.5, underlyings: { BTC: { spot: -0.2 } } },
      ],
      grid: { spot: [-0.2, 0, 0.2], vol: [-0.25, 0, 0.5] },
    },
    answer: StressReportSchema,
    long: false,
    run: (account, asked, signal) =>
      context.engine.stress(account, asked as StressRequest, { signal }),
  });
}
