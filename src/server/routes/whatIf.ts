/** What a change of an account would do to its margin. */
import type { FastifyInstance } from 'fastify';
import {
  type WhatIfRequest,
  WhatIfRequestSchema,
  WhatIfSchema,
} from '../../engine/studies/whatIfSchema.ts';
import type { ServerContext } from '../context.ts';
import { studyRoute } from './study.ts';

export function whatIfRoutes(app: FastifyInstance, context: ServerContext): void {
  studyRoute(app, context, {
    url: '/v1/what-if',
    summary: 'Margin before and after a change of an account',
    description:
      'Fills, orders, cancellations, deposits, another margin mode. Each new order is judged: it is allowed where equity covers the initial requirement with it open and with it filled, or where it reduces risk, whatever the state. The account itself stays as it is.',
    asked: WhatIfRequestSchema,
    example: {
      change: {
        orders: [{ instrument: 'BTC-PERPETUAL', side: 'sell', size: 5_000, price: 88_000 }],
      },
    },
    answer: WhatIfSchema,
    long: false,
    run: (account, asked, signal) =>
      context.engine.whatIf(account, asked as WhatIfRequest, { signal }),
  });
}
