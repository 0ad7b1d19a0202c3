/**
 * Items of a feed as lines of JSON, and back. A line is a batch, `{"source": …, "receivedAt": …, "ticks": […]}`; or one tick by itself, with or without
 * `source` and `receivedAt`; or `{"problem": …}`.
 */
import Type from 'typebox';
import { LIMITS } from '../limits.ts';
import { IdSchema, InstantSchema, readInstant } from '../market/instruments.ts';
import { reader } from '../schema.ts';
import { type FeedItem, PROBLEMS, type ProblemKind, type SequencedTick } from './feed.ts';

const strict = { additionalProperties: false } as const;
// Any finite number: what is no price is for the gate to name.
const price = Type.Number();

const TICK = {
  sequence: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  underlying: IdSchema,
  asOf: InstantSchema('of these prices'),
  spot: Type.Optional(price),
  forwards: Type.Optional(
    Type.Array(Type.Object({ expiry: InstantSchema('of the forward'), price }, strict), {
      maxItems: LIMITS.expiriesMax,
    }),
  ),
  surface: Type.Optional(
    Type.Array(
      Type.Object(
        {
          expiry: InstantSchema('of the options'),
          quotes: Type.Array(Type.Object({ strike: price, iv: price }, strict), {
            minItems: 1,
            maxItems: LIMITS.quotesPerSliceMax,
          }),
        },
        strict,
      ),
      { maxItems: LIMITS.expiriesMax },
    ),
  ),
  marks: Type.Optional(
    Type.Array(Type.Object({ instrument: IdSchema, mark: price }, strict), {
      maxItems: LIMITS.instrumentsMax,
    }),
  ),
  quotes: Type.Optional(
    Type.Array(
      Type.Object(
        { instrument: IdSchema, bid: Type.Optional(price), ask: Type.Optional(price) },
        strict,
      ),
      { maxItems: LIMITS.instrumentsMax },
    ),
  ),
};

const ENVELOPE = { source: IdSchema, receivedAt: InstantSchema('when it came in') };

const readBatch = reader(
  Type.Object(
    {
      ...ENVELOPE,
      ticks: Type.Array(Type.Object(TICK, strict), { minItems: 1, maxItems: LIMITS.ticksMax }),
    },
    strict,
  ),
);

const readTick = reader(
  Type.Object(
    {
      source: Type.Optional(ENVELOPE.source),
      receivedAt: Type.Optional(ENVELOPE.receivedAt),
      ...TICK,
    },
    strict,
  ),
);

const range = Type.Object({ first: TICK.sequence, last: TICK.sequence }, strict);
const text = Type.String({ maxLength: LIMITS.reasonLengthMax });

const readProblem = reader(
  Type.Object(
    {
      problem: Type.Object(
        {
          kind: Type.Enum(Object.keys(PROBLEMS) as ProblemKind[]),
          source: IdSchema,
          message: text,
          at: InstantSchema('when it was noticed'),
          admitted: Type.Optional(Type.Boolean()),
          underlying: Type.Optional(IdSchema),
          sequence: Type.Optional(TICK.sequence),
          missing: Type.Optional(range),
          path: Type.Optional(text),
        },
        strict,
      ),
    },
    strict,
  ),
);

/**
 * @param value parsed JSON of a line
 * @param source of ticks by themselves that name none; they were received when they say that they are as of
 * @throws INVALID_FIELD, UNKNOWN_FIELD, MISSING_FIELD
 */
export function readItem(value: unknown, source: string): FeedItem {
  if (value !== null && typeof value === 'object') {
    if ('problem' in value) {
      const { problem } = readProblem(value);
      readInstant(problem.at, 'problem.at');
      return { problem };
    }
    if ('ticks' in value) {
      const batch = readBatch(value);
      readInstant(batch.receivedAt, 'receivedAt');
      return { batch };
    }
  }
  const { source: named = source, receivedAt, ...tick } = readTick(value);
  const batch = { source: named, receivedAt: receivedAt ?? tick.asOf, ticks: [tick] };
  readInstant(batch.receivedAt, receivedAt === undefined ? 'asOf' : 'receivedAt');
  return { batch: batch as { source: string; receivedAt: string; ticks: SequencedTick[] } };
}

/** One line, its end included. */
export function writeItem(item: FeedItem): string {
  if ('batch' in item) {
    const { source, receivedAt, ticks } = item.batch;
    return `${JSON.stringify({ source, receivedAt, ticks })}\n`;
  }
  const { problem } = item;
  const message = problem.message.slice(0, LIMITS.reasonLengthMax);
  return `${JSON.stringify({ problem: { ...problem, message } })}\n`;
}
