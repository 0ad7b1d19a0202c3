/** What a change of an account would do to its margin; of a booked one, its orders placed in the same step. */
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import {
  type WhatIfRequest,
  WhatIfRequestSchema,
  WhatIfSchema,
} from '../../engine/studies/whatIfSchema.ts';
import { PlimsollError } from '../../errors.ts';
import type { ServerContext } from '../context.ts';
import { deskOf } from './accounts.ts';
import { studyRoute } from './study.ts';

const asked = Type.Object({
  ...WhatIfRequestSchema.properties,
  reserve: Type.Optional(
    Type.Boolean({
      description:
        'Of a booked account: the orders are placed where every one of them is allowed, and nothing comes between. The change has only orders then, each with its id.',
    }),
  ),
});

const answer = Type.Object(
  {
    ...WhatIfSchema.properties,
    reserved: Type.Optional(
      Type.Boolean({ description: 'With `reserve`: whether they were placed.' }),
    ),
    records: Type.Optional(
      Type.Array(Type.String(), { description: 'With `reserve`: kinds of the records made.' }),
    ),
    seq: Type.Optional(Type.Integer({ description: 'With `reserve`: as of other commands.' })),
  },
  { additionalProperties: false, title: 'WhatIf' },
);

export function whatIfRoutes(app: FastifyInstance, context: ServerContext): void {
  const { engine } = context;
  studyRoute(app, context, {
    url: '/v1/what-if',
    summary: 'Margin before and after a change of an account',
    description:
      'Fills, orders, cancellations, deposits, another margin mode. Each new order is judged: it is allowed where equity covers the initial requirement with it open and with it filled, or where it reduces risk, whatever the state. The account itself stays as it is, unless it is a booked one and `reserve` is asked for; then `Idempotency-Key` is honoured.',
    asked,
    example: {
      change: {
        orders: [{ instrument: 'BTC-PERPETUAL', side: 'sell', size: 5_000, price: 88_000 }],
      },
    },
    answer,
    booked: true,
    long: false,
    run: async (account, { reserve, ...rest }, signal, keyed) => {
      const { change } = rest as WhatIfRequest;
      if (typeof account !== 'string') {
        if (reserve !== true) return engine.whatIfText(account, { change }, { signal });
        const message = 'reserve is for booked accounts: name one by its id';
        throw new PlimsollError('INVALID_FIELD', message, { path: 'reserve' });
      }
      const desk = deskOf(context);
      if (reserve === true) return desk.reserve(account, change, keyed());
      return engine.whatIfText(desk.account(account), { change }, { signal });
    },
  });
}
