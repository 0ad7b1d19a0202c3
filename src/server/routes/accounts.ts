/** Booked accounts: opened, changed, read, closed; their current figures and the questions about them. */
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance, FastifyReply } from 'fastify';
import Type from 'typebox';
import { accountOf, type BookAccount, type Liquidation } from '../../book/book.ts';
import type { CurrentFigures, Desk } from '../../book/desk/desk.ts';
import { ExplanationSchema } from '../../engine/studies/explainSchema.ts';
import { LiquidationSchema } from '../../engine/studies/liquidation.ts';
import { PlimsollError } from '../../errors.ts';
import { reader } from '../../schema.ts';
import type { ServerContext } from '../context.ts';
import { hangUpSignal, withJson } from '../plugins/bodies.ts';
import { IDEMPOTENCY_HEADER, keyedBy } from '../plugins/idempotency.ts';
import { AccountInPathSchema, EXAMPLE_ACCOUNT } from '../schemas/accounts.ts';
import {
  AcceptedSchema,
  AccountParamsSchema,
  type AccountPlan,
  AccountPlanSchema,
  type BookedAccount,
  BookedAccountSchema,
  type BookedMargin,
  BookedMarginSchema,
} from '../schemas/book.ts';
import { problems } from '../schemas/problem.ts';

const closed = { additionalProperties: false } as const;
const tags = ['book'];
const params = AccountParamsSchema;
const readings = problems(404, 422, 503);

const { id: _, ...EXAMPLE } = EXAMPLE_ACCOUNT;

const PLAIN = 'true';
const liquidationQuery = Type.Object(
  {
    plan: Type.Optional(
      Type.Enum(['true', 'false'], { description: 'Also how its liquidation would go.' }),
    ),
  },
  closed,
);

const schemas = {
  put: {
    summary: 'Opens an account, or changes its settings',
    description:
      'Opens the account with what it holds. The body need not repeat its id. Of one that is booked, mode, credit line and allocations are changed; holdings that are stated then must be those of the book, which change by fills, collateral moves and corrections.',
    tags,
    params,
    headers: IDEMPOTENCY_HEADER,
    body: {
      content: {
        'application/json': { schema: { ...AccountInPathSchema, examples: [EXAMPLE] } },
      },
    },
    response: { 200: AcceptedSchema, ...problems(400, 404, 408, 413, 415, 422, 503) },
  },
  get: {
    summary: 'What an account holds, its held state, its open call',
    tags,
    params,
    response: { 200: BookedAccountSchema, ...readings },
  },
  delete: {
    summary: 'Closes a flat account',
    tags,
    params,
    headers: IDEMPOTENCY_HEADER,
    response: { 200: AcceptedSchema, ...readings },
  },
  margin: {
    summary: 'The current figures of an account',
    description:
      'Of the account and the market as the log has them; waits for the cycle of recomputation where they are not computed yet. They are published: their hash stands in record `seq` of the log. Figures on an underlying without recent ticks are marked as stale.',
    tags,
    params,
    response: { 200: BookedMarginSchema, ...readings },
  },
  explain: {
    summary: 'Why a booked account’s requirement is what it is',
    description: 'As POST /v1/explain.',
    tags,
    params,
    response: { 200: ExplanationSchema, ...readings },
  },
  plan: {
    summary: 'How the liquidation of an account is to go',
    description:
      'While the account is in liquidation or default, or has not met a call in time: what record `liquidation-planned` of the log says. It is computed when the liquidation begins, and again when it begins anew or has to restore more.',
    tags,
    params,
    response: { 200: AccountPlanSchema, ...readings },
  },
  liquidation: {
    summary: 'Liquidation prices of a booked account, and its plan',
    description: 'As POST /v1/liquidation.',
    tags,
    params,
    querystring: liquidationQuery,
    response: { 200: LiquidationSchema, ...readings },
  },
} as const;

const readBody = reader(Type.Object({ id: Type.Optional(Type.Unknown()) }));

export function accountRoutes(instance: FastifyInstance, context: ServerContext): void {
  const app = instance.withTypeProvider<TypeBoxTypeProvider>();
  const { limits, engine, reports } = context;
  const url = '/v1/accounts/:id';
  app.put(url, { schema: schemas.put, config: { accepts: ['json'] } }, (request) =>
    withJson(request, limits.accountBytes, context, async (value) => {
      const { id } = request.params;
      const { id: stated = id, ...rest } = readBody(value);
      if (stated !== id) {
        const message = `the path names ${JSON.stringify(id)}, the body ${JSON.stringify(stated)}`;
        throw new PlimsollError('INVALID_FIELD', message, { path: 'id' });
      }
      const command = { do: 'put-account', account: { id, ...rest } };
      return deskOf(context).command(command, keyedBy(request, value));
    }),
  );
  app.get(url, { schema: schemas.get }, async ({ params: { id } }) => {
    const desk = deskOf(context);
    return bookedAccount(desk, id);
  });
  app.delete(url, { schema: schemas.delete }, async (request) => {
    const command = { do: 'delete-account', account: request.params.id };
    return deskOf(context).command(command, keyedBy(request, null));
  });
  app.get(`${url}/margin`, { schema: schemas.margin }, async ({ params: { id } }) => {
    return bookedMargin(await deskOf(context).figures(id));
  });
  app.get(`${url}/explain`, { schema: schemas.explain }, async ({ params: { id } }, reply) =>
    engine.explain(deskOf(context).account(id), {}, { signal: signalOf(reply) }),
  );
  app.get(`${url}/plan`, { schema: schemas.plan }, async ({ params: { id } }) =>
    accountPlan(accountOf(deskOf(context).book, id)),
  );
  app.get(`${url}/liquidation`, { schema: schemas.liquidation }, async (request, reply) => {
    const account = deskOf(context).account(request.params.id);
    const signal = signalOf(reply);
    const leave = await reports.enter(signal);
    try {
      const asked = request.query.plan === PLAIN ? { plan: {} } : {};
      return await engine.liquidation(account, asked, { signal });
    } finally {
      leave();
    }
  });
}

/** @throws NO_STORE where the service keeps no book */
export function deskOf({ desk }: ServerContext): Desk {
  if (desk !== null) return desk;
  throw new PlimsollError('NO_STORE', 'no book is kept: start the service with --store PATH');
}

function signalOf(reply: unknown): AbortSignal {
  return hangUpSignal(reply as FastifyReply);
}

function heldBy({ heldState, heldSince, call, liquidation }: BookAccount) {
  return { heldState, heldSince, call, liquidation: runningOf(liquidation) };
}

function runningOf(running: Liquidation | null) {
  if (running === null) return null;
  const { liquidation, cause, startedAt, stepsDone, planned } = running;
  return { liquidation, cause, startedAt, stepsDone, planned: planned !== null };
}

/** @throws NOT_FOUND where the account is not being liquidated */
function accountPlan({ id, heldState, changedSeq, liquidation }: BookAccount): AccountPlan {
  const running = runningOf(liquidation);
  if (running === null) {
    throw new PlimsollError('NOT_FOUND', `${id} is not being liquidated`, { account: id });
  }
  const { planned: _, ...facts } = running;
  const { plan: steps, planned } = liquidation!;
  const plan = planned === null ? null : { ...planned, steps: [...steps] };
  return { account: id, heldState, changedSeq, ...facts, plan };
}

function bookedAccount(desk: Desk, id: string): BookedAccount {
  const account = desk.account(id);
  const booked = desk.book.accounts.get(id)!;
  return { account, ...heldBy(booked), changedSeq: booked.changedSeq };
}

/** @throws the error that the account is rejected with */
function bookedMargin(figures: CurrentFigures): BookedMargin {
  const { account, result, error, seq, changedSeq, marketSeq, staleUnderlyings } = figures;
  if (error !== null) {
    const { code, message, path } = error;
    throw new PlimsollError(code, message, { path, account: account.id });
  }
  return {
    margin: result!,
    ...heldBy(account),
    seq,
    changedSeq,
    marketSeq,
    stale: staleUnderlyings.length > 0,
    staleUnderlyings: [...staleUnderlyings],
  };
}
