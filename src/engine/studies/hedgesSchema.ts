/** What hedges are asked with and what they are. */
import Type, { type Static } from 'typebox';
import { LIMITS } from '../../limits.ts';
import { AccountSchema } from '../../margin/account.ts';
import { ACCOUNT_STATES } from '../../margin/requirement.ts';
import { MarginResultSchema } from '../../margin/result.ts';
import { type Reader, reader } from '../../schema.ts';

const closed = { additionalProperties: false } as const;
const money = (description: string) => Type.Number({ description });

export const HedgesRequestSchema = Type.Object(
  {
    count: Type.Optional(
      Type.Integer({ minimum: 1, maximum: LIMITS.hedgesMax, description: 'Trades. Default 3.' }),
    ),
    instruments: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: LIMITS.idLengthMax }), {
        maxItems: LIMITS.instrumentsMax,
        description:
          'What may be traded. Default: perpetuals, futures and options of the underlyings that the account has positions in.',
      }),
    ),
    lot: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: LIMITS.priceMax,
        description: 'Contracts are traded in multiples of this. Default: fractions.',
      }),
    ),
  },
  { ...closed, title: 'HedgesRequest' },
);

export type HedgesRequest = Static<typeof HedgesRequestSchema>;
export const readHedgesRequest: Reader<HedgesRequest> = reader(HedgesRequestSchema);

export const HedgeSchema = Type.Object(
  {
    instrument: Type.String(),
    size: money('Signed, in contracts: > 0 is bought.'),
    price: money('The mark, as the contract is quoted.'),
    marginFreed: money('By how much this trade lowers the initial margin, in currency.'),
    cost: money('Spread, impact and fees of it, paid by the account.'),
    initialMargin: money('After this trade and those before it.'),
    maintenanceMargin: money('Likewise.'),
    equity: money('Likewise.'),
    state: Type.Enum([...ACCOUNT_STATES]),
  },
  { ...closed, title: 'Hedge' },
);

export const HedgesSchema = Type.Object(
  {
    before: MarginResultSchema,
    hedges: Type.Array(HedgeSchema, {
      description:
        'Empty where no trade frees more margin than it costs; and in isolated mode, where nothing offsets anything.',
    }),
    marginFreed: money('Of all of them.'),
    cost: money('Of all of them.'),
    account: AccountSchema,
    after: MarginResultSchema,
  },
  {
    ...closed,
    title: 'Hedges',
    description: '`account` is the account with all of the trades, `after` its margin.',
  },
);

export type Hedge = Static<typeof HedgeSchema>;
export type Hedges = Static<typeof HedgesSchema>;
