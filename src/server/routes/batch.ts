/** Margin of many accounts, streamed through: nothing of a batch is held but what the workers have under way. */
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { BatchForm } from '../../engine/engine.ts';
import { ensure } from '../../errors.ts';
import type { ServerContext } from '../context.ts';
import { hangUpSignal, streamBody } from '../plugins/bodies.ts';
import { MEDIA_TYPES } from '../plugins/mediaTypes.ts';
import { countRejected } from '../plugins/metrics.ts';
import { AnyAccountSchema, BatchElementSchema, EXAMPLE_ACCOUNT } from '../schemas/accounts.ts';
import { problems } from '../schemas/problem.ts';

const ROUTE = '/v1/margin/batch';

const lines = (what: string) => ({ type: 'string', description: what });
const binary = (what: string) => ({ type: 'string', format: 'binary', description: what });

const schema = {
  summary: 'Margin of many accounts',
  description:
    'Accounts in, results out in their order and in the form they came in, while they come: read the answer while you send (16 MiB of it wait for a reader that does not). A rejected account stands in its place with its error. The last element is the summary; an answer without it was cut. An error before the first result is a problem; after that the connection is cut.',
  tags: ['margin'],
  body: {
    content: {
      [MEDIA_TYPES.ndjson]: {
        schema: {
          ...lines('One account a line, as rows or columns.'),
          examples: [`${JSON.stringify(EXAMPLE_ACCOUNT)}\n`],
        },
      },
      [MEDIA_TYPES.json]: {
        schema: { type: 'array', items: AnyAccountSchema, examples: [[EXAMPLE_ACCOUNT]] },
      },
      [MEDIA_TYPES.arrow]: {
        schema: binary(
          'Arrow IPC stream, one row an account, columns named as the fields of the columnar form: id Utf8, instruments List<Utf8>, sizes List<Float64>, …; uncompressed.',
        ),
      },
    },
  },
  response: {
    200: {
      description: 'The results, streamed.',
      content: {
        [MEDIA_TYPES.ndjson]: { schema: lines('One result a line, the last the summary.') },
        [MEDIA_TYPES.json]: { schema: { type: 'array', items: BatchElementSchema } },
        [MEDIA_TYPES.arrow]: {
          schema: binary('Arrow IPC stream; the last row has only the summary.'),
        },
      },
    },
    ...problems(400, 408, 413, 415, 422, 503),
  },
};

export function batchRoutes(app: FastifyInstance, context: ServerContext): void {
  const { batches, limits } = context;
  const accepts = ['ndjson', 'json', 'arrow'] as const;
  app.post(ROUTE, { schema, config: { accepts } }, async (request, reply) => {
    const { form } = request;
    ensure(form !== null, 'the content type was checked');
    const signal = hangUpSignal(reply);
    const leave = await batches.enter(signal);
    reply.raw.once('close', leave);
    cutStalled(reply, limits.stallMs);
    const answer = answerBytes(streamBody(request, limits.stallMs), form, { signal, context });
    // The form's own preamble is no result: what fails before the first result is still a problem.
    const head = await take(answer, form === 'ndjson' ? 1 : 2);
    const stream = Readable.from(joined(head, answer), {
      objectMode: false,
      highWaterMark: limits.answerBytes,
    });
    return reply.type(MEDIA_TYPES[form]).send(stream);
  });
}

/** The engine's bytes, counted. */
async function* answerBytes(
  source: AsyncIterable<Uint8Array>,
  form: BatchForm,
  {
    signal,
    context: { engine, metrics },
  }: { readonly signal: AbortSignal; readonly context: ServerContext },
): AsyncGenerator<Uint8Array> {
  let counted = 0;
  let summarised = false;
  const count = (done: number): void => {
    metrics.accounts.inc({ route: ROUTE }, done - counted);
    counted = done;
  };
  try {
    const bytes = engine.marginStream(source, form, {
      signal,
      onProgress: ({ done }) => count(done),
      onSummary: ({ accounts, rejected }) => {
        summarised = true;
        metrics.batchAccounts.observe(accounts);
        if (form === 'arrow') metrics.rejected.inc({ code: 'unspecified' }, rejected);
      },
    });
    for await (const piece of bytes) {
      if (form !== 'arrow') countRejected(piece, metrics.rejected);
      if (piece.length > 0) yield piece;
    }
  } finally {
    const outcome = summarised ? 'completed' : signal.aborted ? 'cancelled' : 'failed';
    metrics.batches.inc({ outcome });
  }
}

async function take(source: AsyncGenerator<Uint8Array>, count: number): Promise<Uint8Array[]> {
  const head: Uint8Array[] = [];
  while (head.length < count) {
    const next = await source.next();
    if (next.done) break;
    head.push(next.value);
  }
  return head;
}

async function* joined(
  head: readonly Uint8Array[],
  rest: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* head;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}

/** A client that has stopped reading holds a place and the results before it; it is cut off when no byte moves for so long. */
function cutStalled(reply: FastifyReply, ms: number): void {
  reply.raw.setTimeout(ms, () => {
    if (reply.raw.writableNeedDrain) reply.raw.destroy();
  });
}
