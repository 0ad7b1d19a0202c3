/** What a client is told of the book. */
import Type, { type Static, type TSchema } from 'typebox';
import { LiquidationStepSchema } from '../../book/marginEvents.ts';
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
    amount: Type.Number({
      description: 'What brought equity to the release level when it was opened, in currency.',
    }),
    openedAt: Type.String(),
    deadline: Type.String(),
    acknowledged: Type.Union([
      Type.Object({ at: Type.String(), by: Type.String() }, closed),
      Type.Null(),
    ]),
  },
  closed,
);

const nullable = <T extends TSchema>(schema: T, description: string) =>
  Type.Union([schema, Type.Null()], { description });
const fact = (description: string) => nullable(Type.String(), description);
const money = (description: string) => nullable(Type.Number(), description);

const liquidationFields = {
  liquidation: Type.Integer({ minimum: 1, description: 'Its number, within the account.' }),
  cause: Type.Enum(['maintenance', 'call-expired'], {
    description: 'Equity fell below the maintenance requirement, or a margin call was not met.',
  }),
  startedAt: Type.String(),
  stepsDone: Type.Integer({ minimum: 0 }),
};

const RunningSchema = Type.Object(
  {
    ...liquidationFields,
    planned: Type.Boolean({ description: 'Whether GET …/plan has its plan already.' }),
  },
  closed,
);

const BookedPlanSchema = Type.Object(
  {
    seq: seq('Its record in the log.'),
    at: Type.String(),
    level: fact('The requirement that it restores, times the release level.'),
    outcome: fact(
      'As the outcome of a LiquidationPlan; the fund and counterparties are not asked.',
    ),
    cost: money('Of all steps, in currency.'),
    shortfall: money('What the account owes when all is closed, in currency.'),
    steps: Type.Array(LiquidationStepSchema, { description: 'In their order.' }),
    stepsLeft: Type.Integer({ description: 'Steps beyond those that a record can have.' }),
    plan: fact('Hash of the whole plan, as POST /v1/liquidation answers it.'),
    market: fact('Of the prices that it is made on, as in a margin result.'),
    asOf: fact('Of these prices.'),
    changedSeq: nullable(
      Type.Integer(),
      'Record that last changed the account before it: another one now means that holdings have changed since.',
    ),
  },
  closed,
);

export const AccountPlanSchema = Type.Object(
  {
    account: Type.String(),
    heldState: Type.Enum([...ACCOUNT_STATES]),
    changedSeq: seq('Record that last changed what the margin depends on.'),
    ...liquidationFields,
    plan: nullable(BookedPlanSchema, 'Null while it is being computed.'),
  },
  { ...closed, title: 'AccountPlan' },
);
export type AccountPlan = Static<typeof AccountPlanSchema>;

const held = {
  heldState: Type.Enum([...ACCOUNT_STATES], {
    description: 'The state with memory: it leaves a band only past the release level.',
  }),
  heldSince: Type.String(),
  call: nullable(CallSchema, 'The open margin call.'),
  liquidation: nullable(RunningSchema, 'The liquidation that is under way.'),
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
