/** What happens to booked accounts: fills, orders, collateral moves, corrections, funding, settlement. */
import type { FastifyInstance } from 'fastify';
import Type, { type TObject, type TProperties } from 'typebox';
import { COMMAND_SCHEMAS, type CommandName } from '../../book/commands.ts';
import { reader } from '../../schema.ts';
import type { ServerContext } from '../context.ts';
import { withJson } from '../plugins/bodies.ts';
import { IDEMPOTENCY_HEADER, keyedBy } from '../plugins/idempotency.ts';
import { AcceptedSchema, AccountParamsSchema } from '../schemas/book.ts';
import { problems } from '../schemas/problem.ts';
import { deskOf } from './accounts.ts';

interface CommandRoute {
  readonly name: CommandName;
  readonly url: string;
  readonly summary: string;
  readonly description: string;
  readonly example: Record<string, unknown>;
}

const ACCOUNT = '/v1/accounts/:id';

const ROUTES: readonly CommandRoute[] = [
  {
    name: 'fill',
    url: `${ACCOUNT}/fills`,
    summary: 'Trades of an account',
    description:
      'All are booked or none. A fill is a fact: it is not refused for want of margin. Its id is unique within the account.',
    example: {
      fills: [{ id: 'fill-1', instrument: 'BTC-PERPETUAL', size: 5_000, price: 88_000 }],
    },
  },
  {
    name: 'place-orders',
    url: `${ACCOUNT}/orders`,
    summary: 'Orders of an account are open',
    description:
      'Books orders that were accepted elsewhere. To have them judged and booked in one step: POST /v1/what-if with `reserve`.',
    example: {
      orders: [
        { id: 'order-1', instrument: 'BTC-PERPETUAL', side: 'buy', size: 5_000, price: 87_000 },
      ],
    },
  },
  {
    name: 'amend-order',
    url: `${ACCOUNT}/orders/amend`,
    summary: 'Size or limit of an open order changes',
    description: 'What is not stated stays.',
    example: { order: 'order-1', size: 2_500 },
  },
  {
    name: 'cancel-orders',
    url: `${ACCOUNT}/orders/cancel`,
    summary: 'Open orders are withdrawn',
    description: 'All of them where none are named.',
    example: { orders: ['order-1'], reason: 'asked for by the client' },
  },
  {
    name: 'move-collateral',
    url: `${ACCOUNT}/collateral`,
    summary: 'A deposit or a withdrawal',
    description:
      'A withdrawal must leave the asset at 0 or above and the initial requirement covered.',
    example: { asset: 'USD', amount: 10_000, reason: 'wire 4711' },
  },
  {
    name: 'correct',
    url: `${ACCOUNT}/corrections`,
    summary: 'Compensates for a record that was wrong',
    description: 'The record stays as it is.',
    example: {
      refersTo: 12,
      reason: 'booked twice',
      collateral: [{ asset: 'USD', amount: -10_000 }],
    },
  },
  {
    name: 'acknowledge-call',
    url: `${ACCOUNT}/calls/acknowledge`,
    summary: 'A margin call was seen',
    description: 'Once is enough.',
    example: { call: 1, by: 'risk desk' },
  },
  {
    name: 'fund',
    url: '/v1/funding',
    summary: 'Funding of a perpetual',
    description: 'A rate that applies to all its holders, or stated payments.',
    example: { instrument: 'BTC-PERPETUAL', rate: 0.0001 },
  },
  {
    name: 'settle',
    url: '/v1/settlements',
    summary: 'A contract expires',
    description: 'All positions in it are paid and gone, and its orders.',
    example: { instrument: 'BTC-27MAR26-100000-C', price: 98_000 },
  },
];

export function bookCommandRoutes(app: FastifyInstance, context: ServerContext): void {
  for (const route of ROUTES) commandRoute(app, context, route);
}

function commandRoute(app: FastifyInstance, context: ServerContext, route: CommandRoute): void {
  const { name, url, summary, description, example } = route;
  const ofAccount = url.startsWith(ACCOUNT);
  const asked = bodyOf(name, ofAccount);
  const read = reader(asked);
  const schema = {
    summary,
    description,
    tags: ['book'],
    ...(ofAccount ? { params: AccountParamsSchema } : {}),
    headers: IDEMPOTENCY_HEADER,
    body: { content: { 'application/json': { schema: { ...asked, examples: [example] } } } },
    response: { 200: AcceptedSchema, ...problems(400, 404, 408, 413, 415, 422, 503) },
  };
  app.post(url, { schema, config: { accepts: ['json'] } }, (request) =>
    withJson(request, context.limits.jsonBytes, context, async (value) => {
      const body = read(value) as Record<string, unknown>;
      const { id } = request.params as { readonly id?: string };
      const command = { do: name, ...(id === undefined ? {} : { account: id }), ...body };
      return deskOf(context).command(command, keyedBy(request, value));
    }),
  );
}

/** The command's fields but for its name and the account, which the path names. */
function bodyOf(name: CommandName, ofAccount: boolean): TObject {
  const { properties } = COMMAND_SCHEMAS[name] as unknown as { readonly properties: TProperties };
  const { do: _do, account, ...rest } = properties;
  const fields = ofAccount || account === undefined ? rest : { account, ...rest };
  return Type.Object(fields, { additionalProperties: false });
}
