/** The log as server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html */
import { Readable } from 'node:stream';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Type, { type Static } from 'typebox';
import { accountOf } from '../../book/book.ts';
import type { Desk, Followed, RecordFilter, TriggerNews } from '../../book/desk/desk.ts';
import { EVENT_KINDS } from '../../book/events.ts';
import { PlimsollError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import { ACCOUNT_STATES } from '../../margin/requirement.ts';
import type { ServerContext } from '../context.ts';
import { Gate } from '../plugins/admission.ts';
import { hangUpSignal } from '../plugins/bodies.ts';
import { AccountParamsSchema } from '../schemas/book.ts';
import { problems } from '../schemas/problem.ts';
import { deskOf } from './accounts.ts';

const closed = { additionalProperties: false } as const;
/** What is no record of the log, and has no place in it: events of this kind have no id. */
const TRIGGERS = 'triggers';
const listOf = <T extends Parameters<typeof Type.Array>[0]>(item: T, description: string) =>
  Type.Optional(Type.Union([item, Type.Array(item)], { description }));
const id = Type.String({ minLength: 1, maxLength: LIMITS.idLengthMax });

const filters = {
  kind: listOf(
    Type.Enum([...EVENT_KINDS, TRIGGERS]),
    'Only records of this kind, or `triggers`; may stand several times. Default: all records but ticks and market snapshots.',
  ),
  state: listOf(
    Type.Enum([...ACCOUNT_STATES]),
    'Only changes of the held state into this one; may stand several times.',
  ),
  after: Type.Optional(
    Type.String({
      pattern: '^[0-9]{1,15}$',
      description: 'As Last-Event-ID, for clients that cannot set a header.',
    }),
  ),
};
const streamQuery = Type.Object(
  { account: listOf(id, 'Only records of this account; may stand several times.'), ...filters },
  closed,
);
const eventsQuery = Type.Object(filters, closed);
type Filters = Static<typeof streamQuery>;

const description =
  'Records of the log as they become durable: `id` is the sequence number, `event` the kind, `data` the record. A client that sends Last-Event-ID gets every record after it once and in order; without it, those from now on; 0 is the beginning. Records of funding and settlement come to readers of any account. A `margin` record has the figures as `result` while they are the latest. With kind `triggers` come the triggers of the accounts, as GET /v1/triggers has them: all of them at the beginning, then each that is new, the latest only where the reader is slow. They have no `id`, so that Last-Event-ID still is a place in the log; `triggers: null` says that of this account nothing is known any more. A reader that falls too far behind gets the event `dropped` with the reason, and the end; `closing` comes before the end of the service.';
const headers = {
  type: 'object',
  properties: {
    'Last-Event-ID': { type: 'string', description: 'Last record that was received.' },
  },
} as const;
const response = {
  200: {
    description: 'The stream.',
    content: { 'text/event-stream': { schema: { type: 'string', description: 'Events.' } } },
  },
  ...problems(404, 422, 503),
};
const common = { description, tags: ['book'], headers, response };
const streamSchema = {
  summary: 'Margin, states, calls and all else that happens, as it happens',
  querystring: streamQuery,
  ...common,
};
const eventsSchema = {
  summary: 'The same of one account',
  params: AccountParamsSchema,
  querystring: eventsQuery,
  ...common,
};

export function streamRoutes(instance: FastifyInstance, context: ServerContext): void {
  const app = instance.withTypeProvider<TypeBoxTypeProvider>();
  const gate = new Gate('streams', LIMITS.streamsMax, 0);
  const ending = new AbortController();
  // Streams have no end of their own: the service could not close before them.
  app.addHook('preClose', async () => ending.abort());
  const open = async (request: FastifyRequest, reply: FastifyReply, query: Filters) => {
    const desk = deskOf(context);
    const after = placeOf(request, query, desk);
    const gone = hangUpSignal(reply);
    const leave = await gate.enter(gone);
    context.metrics.streamReaders.inc();
    reply.raw.once('close', () => {
      leave();
      context.metrics.streamReaders.dec();
    });
    cutStalled(reply, context);
    const signal = AbortSignal.any([gone, ending.signal]);
    const asked = { after, filter: filterOf(query), signal };
    const withTriggers = query.kind !== undefined && [query.kind].flat().includes(TRIGGERS);
    const followed = withTriggers ? desk.followWithTriggers(asked) : desk.follow(asked);
    const events = written(context, desk, followed, gone);
    return reply
      .type('text/event-stream')
      .header('cache-control', 'no-store')
      .header('x-accel-buffering', 'no')
      .send(Readable.from(events, { objectMode: false, highWaterMark: BUFFER_BYTES }));
  };
  app.get('/v1/stream', { schema: streamSchema }, (request, reply) =>
    open(request as FastifyRequest, reply as unknown as FastifyReply, request.query),
  );
  app.get('/v1/accounts/:id/events', { schema: eventsSchema }, async (request, reply) => {
    const { id: account } = request.params;
    accountOf(deskOf(context).book, account);
    const query = { ...request.query, account };
    return open(request as FastifyRequest, reply as unknown as FastifyReply, query);
  });
}

const BUFFER_BYTES = 64 * 1024;

/** @throws INVALID_FIELD for what is no place in this log */
function placeOf({ headers }: FastifyRequest, { after }: Filters, desk: Desk): number {
  const end = desk.book.seq;
  const last = headers['last-event-id'];
  const text = typeof last === 'string' && last !== '' ? last : after;
  if (text === undefined) return end;
  const place = Number(text);
  if (/^[0-9]{1,15}$/.test(text) && place <= end) return place;
  const message = `the last event must be a record of the log, 0 to ${end}, got ${JSON.stringify(text)}`;
  throw new PlimsollError('INVALID_FIELD', message, { path: 'Last-Event-ID' });
}

const OF_THE_MARKET = new Set(['ticks', 'market-replaced']);
const BY_DEFAULT = new Set<string>(EVENT_KINDS.filter((kind) => !OF_THE_MARKET.has(kind)));

function filterOf({ account, kind, state }: Filters): RecordFilter {
  const accounts = account === undefined ? {} : { accounts: new Set([account].flat()) };
  const states = state === undefined ? {} : { states: new Set<string>([state].flat()) };
  return {
    ...accounts,
    ...states,
    kinds: kind === undefined ? BY_DEFAULT : new Set<string>([kind].flat()),
  };
}

/** @param gone said when nobody reads any more */
async function* written(
  { metrics }: ServerContext,
  desk: Desk,
  events: AsyncGenerator<Followed | TriggerNews>,
  gone: AbortSignal,
): AsyncGenerator<string> {
  // Headers leave with the first byte.
  yield ': open\n\n';
  for await (const followed of events) {
    if ('beat' in followed) yield ': alive\n\n';
    else if ('triggers' in followed) yield triggersText(desk, followed);
    else if ('dropped' in followed) {
      const { dropped: reason, at } = followed;
      metrics.streamsDropped.inc({ reason: 'behind' });
      yield `event: dropped\ndata: ${JSON.stringify({ reason, after: at })}\n\n`;
    } else yield recordText(desk, followed.record);
  }
  if (!gone.aborted) yield 'event: closing\ndata: {}\n\n';
}

function recordText(
  desk: Desk,
  { seq, at, kind, body }: Extract<Followed, { readonly record: unknown }>['record'],
): string {
  // Whole markets and models are asked for by themselves.
  const { snapshot: _, model: __, ...rest } = body as { snapshot?: unknown; model?: unknown };
  const { account, figures } = rest as { readonly account?: string; readonly figures?: string };
  const latest = kind === 'margin' ? desk.latest(account!) : null;
  const result = latest !== null && latest.hash === figures ? { result: latest.result } : {};
  const data = JSON.stringify({ seq, at, kind, body: rest, ...result });
  return `id: ${seq}\nevent: ${kind}\ndata: ${data}\n\n`;
}

function triggersText(desk: Desk, { account, triggers }: TriggerNews): string {
  const known = triggers === null ? null : { ...triggers, age: desk.triggers.ageOf(account) };
  return `event: ${TRIGGERS}\ndata: ${JSON.stringify({ account, triggers: known })}\n\n`;
}

/** A reader that takes nothing for so long cannot be told why: its connection is cut. */
function cutStalled(reply: FastifyReply, { limits, metrics }: ServerContext): void {
  reply.raw.setTimeout(limits.stallMs, () => {
    if (!reply.raw.writableNeedDrain) return;
    metrics.streamsDropped.inc({ reason: 'stalled' });
    reply.raw.destroy();
  });
}
