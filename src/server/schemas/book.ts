/** What a client is told of the book. */
import Type, { type Static } from 'typebox';
import { LIMITS } from '../../limits.ts';
import { AccountSchema } from '../../margin/account.ts';
import { ACCOUNT_STATES } from '../../margin/requirement.ts';
import { MarginResultSchema } from '../../margin/result.ts';

const closed = { additionalProperties: false } as const;
const seq = (description: string) => Type.Integer({ minimum: 0, description });

export const AccountParamsSchema = Type.Object(
  {
    id: Type.String({
      minLength: 1,
      maxLength: LIMITS.idLengthMax,
      description: 'Id of the account.',
    }),
  },
  closed,
);

export const AcceptedSchema = Type.Object(
  {
    account: Type.Union([Type.String(), Type.Null()], {
      description: 'Null for what concerns many accounts.',
    }),
    records: Type.Array(Type.String(), {
      description: 'Kinds of the records that the request made, in their order.',
    }),
    seq: seq('Last record of the request in the log; where it made none, of the log. Durable.'),
  },
  { ...closed, title: 'Accepted' },
);

const CallSchema = Type.Object(
  {
    call: Type.Integer({ minimum: 1 }),
    amount: Type.Number({ description: 'In currency, when it was opened.' }),
    openedAt: Type.String(),
    deadline: Type.String(),
    acknowledged: Type.Union([
      Type.Object({ at: Type.String(), by: Type.String() }, closed),
      Type.Null(),
    ]),
  },
  closed,
);

const held = {
  heldState: Type.Enum([...ACCOUNT_STATES], {
    description: 'The state with memory: it leaves a band only past the release level.',
  }),
  heldSince: Type.String(),
  call: Type.Union([CallSchema, Type.Null()], { description: 'The open margin call.' }),
};

export const BookedAccountSchema = Type.Object(
  {
    account: AccountSchema,
    ...held,
    changedSeq: seq('Record that last changed what the margin depends on.'),
  },
  { ...closed, title: 'BookedAccount' },
);
export type BookedAccount = Static<typeof BookedAccountSchema>;

export const BookedMarginSchema = Type.Object(
  {
    margin: MarginResultSchema,
    ...held,
    seq: seq('Record that published these figures.'),
    changedSeq: seq('Last record that changed the account when they were computed.'),
    marketSeq: seq('Last record that changed the market then.'),
    stale: Type.Boolean({ description: 'Whether an underlying was not heard of for too long.' }),
    staleUnderlyings: Type.Array(Type.String(), { description: 'Which.' }),
  },
  { ...closed, title: 'BookedMargin' },
);
export type BookedMargin = Static<typeof BookedMarginSchema>;

export const TicksTakenSchema = Type.Object(
  {
    source: Type.String(),
    last: seq('Sequence number of the last tick.'),
    seq: seq('Record of the log. Durable.'),
  },
  { ...closed, title: 'TicksTaken' },
);
