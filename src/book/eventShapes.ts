/** Pieces that events and commands are made of. */
import Type, { type TProperties } from 'typebox';
import { LIMITS } from '../limits.ts';
import { MARGIN_MODES } from '../margin/account.ts';
import { ACCOUNT_STATES } from '../margin/requirement.ts';
import { InstantSchema, PriceSchema } from '../market/instruments.ts';

export const closed = { additionalProperties: false } as const;

export const idSchema = (description: string) =>
  Type.String({ minLength: 1, maxLength: LIMITS.idLengthMax, description });
export const textSchema = (description: string) =>
  Type.String({ minLength: 1, maxLength: LIMITS.reasonLengthMax, description });
export const amountSchema = (description: string) => Type.Number({ description });
export const hashSchema = (description: string) =>
  Type.String({ minLength: 1, maxLength: LIMITS.idLengthMax, description });
export const countSchema = (description: string) =>
  Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description });
export const priceSchema = PriceSchema;
export const instantSchema = InstantSchema;
export const modeSchema = Type.Enum([...MARGIN_MODES]);
export const stateSchema = Type.Enum([...ACCOUNT_STATES]);

export const accountIdSchema = idSchema('Id of the account.');
export const instrumentIdSchema = idSchema('Id of the contract.');
export const entryPriceSchema = Type.Union([priceSchema('of entry'), Type.Null()], {
  description: 'Quote price (coin for coin-settled options); null: none.',
});

export const MovementSchema = Type.Object(
  { asset: idSchema('Asset.'), amount: amountSchema('In units of the asset; < 0 leaves.') },
  closed,
);

export const AllocationSchema = Type.Object(
  {
    instrument: instrumentIdSchema,
    amount: amountSchema("Collateral set apart for the position, in the account's currency."),
  },
  closed,
);

export const BookedOrderSchema = Type.Object(
  {
    id: idSchema('Id of the order, unique among the open ones of its account.'),
    instrument: instrumentIdSchema,
    side: Type.Enum(['buy', 'sell']),
    size: Type.Number({ exclusiveMinimum: 0, description: 'In contracts, what is still open.' }),
    price: priceSchema('limit'),
  },
  closed,
);

/** The body of an event: a version first, so that a later form can be told from this one in an old log. */
export const bodySchema = <P extends TProperties>(properties: P, description: string) =>
  Type.Object({ v: Type.Literal(1), ...properties }, { ...closed, description });
