/** What a timeline is asked for, and what it says. */
import Type, { type Static } from 'typebox';
import { LIMITS } from '../../limits.ts';
import { ACCOUNT_STATES } from '../../margin/requirement.ts';
import { InstantSchema } from '../../market/instruments.ts';
import { type Reader, reader } from '../../schema.ts';

const closed = { additionalProperties: false } as const;
/** A century: beyond it dates are a mistake. */
export const DAYS_MAX = 36_500;

export const TimelineRequestSchema = Type.Object(
  {
    days: Type.Optional(
      Type.Array(Type.Number({ exclusiveMinimum: 0, maximum: DAYS_MAX }), {
        maxItems: LIMITS.timelineDatesMax,
        description:
          'Calendar days from the asOf. Default 1, 2, 3, 7, 14, 30 where no dates are given either.',
      }),
    ),
    dates: Type.Optional(
      Type.Array(InstantSchema('later than the asOf'), { maxItems: LIMITS.timelineDatesMax }),
    ),
    expiries: Type.Optional(
      Type.Boolean({
        description:
          'Also a minute before and at each expiry of the account, where the requirement jumps. Default true.',
      }),
    ),
  },
  { ...closed, title: 'TimelineRequest' },
);

export type TimelineRequest = Static<typeof TimelineRequestSchema>;
export const readTimelineRequest: Reader<TimelineRequest> = reader(TimelineRequestSchema);

const stateSchema = Type.Enum([...ACCOUNT_STATES]);

const PointSchema = Type.Object(
  {
    date: Type.String({ description: 'Instant in UTC.' }),
    days: Type.Number({ description: 'Calendar days from the asOf.' }),
    equity: Type.Number(),
    initialMargin: Type.Number({ description: 'Before credit.' }),
    maintenanceMargin: Type.Number({ description: 'Before credit.' }),
    freeCollateral: Type.Number({
      description: 'Equity less the initial requirement after credit.',
    }),
    marginRatio: Type.Union([Type.Number(), Type.Null()]),
    state: stateSchema,
    components: Type.Array(
      Type.Object(
        { name: Type.String(), initial: Type.Number(), maintenance: Type.Number() },
        closed,
      ),
    ),
    settled: Type.Array(
      Type.Object(
        {
          instrument: Type.String(),
          size: Type.Number(),
          price: Type.Number({
            description: 'Spot of a future, payoff of an option; coin in coin.',
          }),
          asset: Type.String(),
          amount: Type.Number({ description: 'Paid into the collateral.' }),
        },
        closed,
      ),
      { description: 'What expired since the date before.' },
    ),
    lapsed: Type.Array(Type.String(), {
      description: 'Instruments whose open orders ended with them.',
    }),
  },
  closed,
);

export type TimelinePoint = Static<typeof PointSchema>;

export const TimelineSchema = Type.Object(
  {
    account: Type.String(),
    currency: Type.String(),
    asOf: Type.String(),
    points: Type.Array(PointSchema, { description: 'The first is now.' }),
    marginCall: Type.Union(
      [
        Type.Object(
          {
            date: Type.String({ description: 'To the minute, rounded up.' }),
            days: Type.Number(),
            state: stateSchema,
            equity: Type.Number(),
            initialMargin: Type.Number(),
            settled: Type.Array(Type.String(), {
              description: 'Instruments that expire within that minute.',
            }),
          },
          closed,
        ),
        Type.Null(),
      ],
      {
        description:
          'When equity first falls below the initial requirement: found by bisection in the first interval between two dates that ends below it. Null where no date does.',
      },
    ),
    scenarioSet: Type.String(),
    methodology: Type.String(),
    market: Type.String(),
    engine: Type.String(),
  },
  { ...closed, title: 'Timeline' },
);

export type Timeline = Static<typeof TimelineSchema>;
