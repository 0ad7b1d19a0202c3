/** Accounts and results as routes say them: the schemas of the layers below, with examples. */
import Type, { type TObject, type TString, type TUnion } from 'typebox';
import {
  type AccountInput,
  AccountSchema,
  type ColumnarAccountInput,
  ColumnarAccountSchema,
} from '../../margin/account.ts';
import { MarginResultSchema, RejectedAccountSchema } from '../../margin/result.ts';

/** Rows or columns. */
export const AnyAccountSchema: TUnion<[typeof AccountSchema, typeof ColumnarAccountSchema]> =
  Type.Union([AccountSchema, ColumnarAccountSchema]);

/** An account whose id stands in the path; where it is stated too, it must be the same. */
export const AccountInPathSchema: TUnion = Type.Union([
  inPath(AccountSchema, 'AccountInPath'),
  inPath(ColumnarAccountSchema, 'ColumnarAccountInPath'),
]);

function inPath({ properties }: TObject<{ id: TString }>, title: string): TObject {
  const fields = { ...properties, id: Type.Optional(properties.id) };
  return Type.Object(fields, { additionalProperties: false, title });
}

export const EXAMPLE_ACCOUNT: AccountInput = {
  id: 'acct-1',
  mode: 'portfolio',
  currency: 'USD',
  collateral: [{ asset: 'USD', amount: 250_000 }],
  positions: [{ instrument: 'BTC-PERPETUAL', size: 10_000, entryPrice: 87_500 }],
};

export const EXAMPLE_COLUMNS: ColumnarAccountInput = {
  id: 'acct-2',
  instruments: ['BTC-PERPETUAL'],
  sizes: [10_000],
  entryPrices: [87_500],
  collateral: [{ asset: 'USD', amount: 250_000 }],
};

export const SummarySchema = Type.Object(
  {
    summary: Type.Object(
      {
        accounts: Type.Integer(),
        rejected: Type.Integer(),
        digest: Type.String({
          description:
            'SHA-256 of the NDJSON lines before the summary, whatever the transport: sha256:…',
        }),
      },
      { additionalProperties: false },
    ),
  },
  {
    additionalProperties: false,
    title: 'Summary',
    description: 'The last element of a batch: without it the stream was cut.',
  },
);

export const BatchElementSchema = Type.Union([
  MarginResultSchema,
  RejectedAccountSchema,
  SummarySchema,
]);
