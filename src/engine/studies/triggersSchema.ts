/** What triggers are: the question, its parts, and what is found. */
import Type, { type Static } from 'typebox';
import { LIMITS } from '../../limits.ts';
import { MARGIN_MODES } from '../../margin/account.ts';
import { ACCOUNT_STATES, type AccountState } from '../../margin/requirement.ts';
import type { MarginResult } from '../../margin/result.ts';
import { type Reader, reader } from '../../schema.ts';

const closed = { additionalProperties: false } as const;
const stateSchema = Type.Enum([...ACCOUNT_STATES]);

export const TriggersRequestSchema = Type.Object(
  {
    heldState: Type.Optional(
      Type.Enum([...ACCOUNT_STATES], {
        description:
          'The state that the account is held in: it is left for a better one only past the release level. Not in isolated mode. Default: the memoryless band.',
      }),
    ),
    approximate: Type.Optional(
      Type.Boolean({
        description:
          'Follow the model of the search alone, without full revaluation: some four times cheaper, for a first look at many accounts. Default false.',
      }),
    ),
  },
  { ...closed, title: 'TriggersRequest' },
);

export type TriggersRequest = Static<typeof TriggersRequestSchema>;
export const readTriggersRequest: Reader<TriggersRequest> = reader(TriggersRequestSchema);

/** One part of the work on one account. */
export const TriggersPartSchema = Type.Object(
  {
    ...TriggersRequestSchema.properties,
    part: Type.Integer({ minimum: 0 }),
    parts: Type.Integer({ minimum: 1, maximum: LIMITS.workersMax }),
  },
  closed,
);
export type TriggersPart = Static<typeof TriggersPartSchema>;

export const TriggerCrossingSchema = Type.Object(
  {
    price: Type.Number({ description: "The underlying's spot, in currency." }),
    move: Type.Number({ description: 'price / spot − 1.' }),
    to: Type.Enum([...ACCOUNT_STATES], { description: 'The state just beyond.' }),
    equity: Type.Number({ description: 'At this price, in currency.' }),
    initialRequirement: Type.Number({ description: 'At this price, after credit.' }),
    maintenanceRequirement: Type.Number({ description: 'At this price, after credit.' }),
    standardError: Type.Union([Type.Number(), Type.Null()], {
      description: 'Of the price, from that of the ES; null where both run alongside each other.',
    }),
    jump: Type.Optional(
      Type.Literal(true, {
        description:
          'Equity less requirement leaps over the level here, as where a binary option changes its payoff: both are those just beyond the price, and do not meet.',
      }),
    ),
  },
  { ...closed, title: 'TriggerCrossing' },
);

const crossing = (description: string) =>
  Type.Union([TriggerCrossingSchema, Type.Null()], { description });

export const TriggerSchema = Type.Object(
  {
    underlying: Type.String(),
    instrument: Type.Optional(Type.String({ description: 'Isolated mode: the position.' })),
    spot: Type.Number({ description: "Today's, in currency." }),
    state: Type.Enum([...ACCOUNT_STATES], { description: 'That is left.' }),
    below: crossing('The nearest price below; null where there is none down to −95%.'),
    above: crossing('The nearest price above; null where there is none up to +400%.'),
  },
  { ...closed, title: 'Trigger' },
);

export const TriggersSchema = Type.Object(
  {
    account: Type.String(),
    mode: Type.Enum([...MARGIN_MODES]),
    currency: Type.String(),
    computedAt: Type.String({ description: 'When it was asked for, by the clock of the service.' }),
    asOf: Type.String({ description: 'Of the market that it holds for.' }),
    state: stateSchema,
    exact: Type.Boolean({ description: 'Whether each price was revalued in full.' }),
    nearest: Type.Union([Type.Number(), Type.Null()], {
      description: 'The least |move| of all; null where there is none.',
    }),
    triggers: Type.Array(TriggerSchema, {
      description:
        'By underlying id: where the state changes while only this price moves. In isolated mode by position, each on its own collateral.',
    }),
    market: Type.String({ description: 'sha256:…, as in the margin result.' }),
    scenarioSet: Type.String(),
    methodology: Type.String(),
    engine: Type.String(),
  },
  { ...closed, title: 'Triggers' },
);

export type TriggerCrossing = Static<typeof TriggerCrossingSchema>;
export type Trigger = Static<typeof TriggerSchema>;
export type Triggers = Static<typeof TriggersSchema>;

/** What one part found: the target's number, and of the sides those that were its own. */
export interface FoundTrigger {
  readonly target: number;
  readonly trigger: Trigger;
  readonly sides: readonly ('below' | 'above')[];
}

export interface FoundTriggers {
  /** Of the account today: of the first part alone. */
  readonly margin: MarginResult | null;
  /** The account's own, from the state that it is held in: of the first part alone. */
  readonly state: AccountState | null;
  readonly found: readonly FoundTrigger[];
}
