/** Moves at which an account's state changes: of an account that is sent, and of all booked ones as they are kept current. */
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { accountOf } from '../../book/book.ts';
import type { Desk } from '../../book/desk/desk.ts';
import { triggerPage } from '../../book/desk/triggerPages.ts';
import {
  type TriggersRequest,
  TriggersRequestSchema,
  TriggersSchema,
} from '../../engine/studies/triggersSchema.ts';
import { PlimsollError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import type { ServerContext } from '../context.ts';
import { problems } from '../schemas/problem.ts';
import { type TriggersPage, TriggersPageSchema, TriggersQuerySchema } from '../schemas/triggers.ts';
import { deskOf } from './accounts.ts';
import { studyRoute } from './study.ts';

const pageSchema = {
  summary: 'The triggers of all booked accounts',
  description:
    'Of each account and underlying the nearest price, below and above, at which the held state changes; by account id, page by page. They are searched in the time that figures leave: near a threshold after every change, exactly where there is time for it, the others in turn. Each says when it was computed, for which market, and for how long it has been behind the figures. In the stream: kind `triggers`.',
  tags: ['book'],
  querystring: TriggersQuerySchema,
  response: { 200: TriggersPageSchema, ...problems(404, 422, 503) },
};

export function triggerRoutes(instance: FastifyInstance, context: ServerContext): void {
  studyRoute(instance, context, {
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
  const app = instance.withTypeProvider<TypeBoxTypeProvider>();
  app.get('/v1/triggers', { schema: pageSchema }, async ({ query }): Promise<TriggersPage> => {
    const desk = deskOf(context);
    const { book, triggers } = desk;
    const asked = { accounts: setOf(query.account), underlyings: setOf(query.underlying) };
    for (const id of asked.accounts ?? []) accountOf(book, id);
    checkUnderlyings(desk, asked.underlyings);
    const within = query.within === undefined ? undefined : Number(query.within);
    const limit = limitOf(query.limit);
    const page = triggerPage(triggers, { ...asked, within, after: query.after, limit });
    return {
      accounts: book.accounts.size,
      waiting: triggers.waiting,
      greatestAge: triggers.greatestAge(),
      triggers: page.triggers.map((one) => ({ ...one, triggers: [...one.triggers] })),
      next: page.next,
    };
  });
}

function setOf(value: string | string[] | undefined): ReadonlySet<string> | undefined {
  return value === undefined ? undefined : new Set([value].flat());
}

/** @throws INVALID_FIELD */
function limitOf(text: string | undefined): number {
  const { triggersPageMax: most } = LIMITS;
  const limit = text === undefined ? most : Number(text);
  if (limit <= most) return limit;
  const message = `query.limit must be at most ${most}, got ${limit}`;
  throw new PlimsollError('INVALID_FIELD', message, { path: 'query.limit' });
}

/** @throws UNKNOWN_UNDERLYING */
function checkUnderlyings({ market }: Desk, asked: ReadonlySet<string> = new Set()): void {
  const known = new Set(market.underlyings.map(({ id }) => id));
  for (const id of asked) {
    if (known.has(id)) continue;
    const message = `${JSON.stringify(id)} is not an underlying of the market`;
    throw new PlimsollError('UNKNOWN_UNDERLYING', message, { path: 'query.underlying' });
  }
}
