/** What may be asked of the book, as it arrives. */
import Type, { type Static } from 'typebox';
import { LIMITS } from '../limits.ts';
import { ACCOUNT_EVENTS } from './accountEvents.ts';
import {
  accountIdSchema,
  amountSchema,
  BookedOrderSchema,
  closed,
  countSchema,
  entryPriceSchema,
  idSchema,
  instrumentIdSchema,
  MovementSchema,
  priceSchema,
  textSchema,
} from './eventShapes.ts';

/** A trade as it is reported. */
export const FillReportSchema = Type.Object(
  {
    id: idSchema('Of the fill, unique within the account.'),
    instrument: instrumentIdSchema,
    size: amountSchema('Signed, in contracts: > 0 is bought. Not 0.'),
    price: priceSchema('of the trade (coin for coin-settled options)'),
    fee: Type.Optional(amountSchema('Paid; < 0 is a rebate. Default: none.')),
    feeAsset: Type.Optional(idSchema('What the fee is paid in; required with `fee`.')),
    order: Type.Optional(idSchema('Open order that it fills, wholly or in part.')),
    allocated: Type.Optional(
      amountSchema(
        'Isolated mode: collateral set apart for the position from then on; required where it has none.',
      ),
    ),
  },
  { ...closed, title: 'Fill' },
);

export const CollateralMoveSchema = Type.Object(
  {
    asset: idSchema('The currency, or an underlying with a spot.'),
    amount: amountSchema('In units of the asset: > 0 is deposited, < 0 withdrawn. Not 0.'),
    reason: textSchema('Why.'),
  },
  { ...closed, title: 'CollateralMove' },
);

export const CorrectionSchema = Type.Object(
  {
    refersTo: countSchema('Sequence number of the record that was wrong.'),
    reason: textSchema('Why.'),
    collateral: Type.Optional(
      Type.Array(MovementSchema, { minItems: 1, maxItems: LIMITS.bookLinesMax }),
    ),
    positions: Type.Optional(
      Type.Array(
        Type.Object(
          {
            instrument: instrumentIdSchema,
            size: amountSchema('What the size changes by.'),
            entryPrice: entryPriceSchema,
          },
          { ...closed, description: 'entryPrice is that of the position from then on.' },
        ),
        { minItems: 1, maxItems: LIMITS.bookLinesMax },
      ),
    ),
  },
  { ...closed, title: 'Correction' },
);

const lines = <T extends Parameters<typeof Type.Array>[0]>(item: T) =>
  Type.Array(item, { minItems: 1, maxItems: LIMITS.bookLinesMax });
const funding = ACCOUNT_EVENTS.funding.properties;

/** By `do`. */
export const COMMAND_SCHEMAS = {
  'put-account': Type.Object(
    { do: Type.Literal('put-account'), account: Type.Unknown() },
    { ...closed, description: 'An account in either form: see `Account`, `ColumnarAccount`.' },
  ),
  'delete-account': Type.Object(
    { do: Type.Literal('delete-account'), account: accountIdSchema },
    closed,
  ),
  fill: Type.Object(
    { do: Type.Literal('fill'), account: accountIdSchema, fills: lines(FillReportSchema) },
    closed,
  ),
  'place-orders': Type.Object(
    {
      do: Type.Literal('place-orders'),
      account: accountIdSchema,
      orders: lines(BookedOrderSchema),
    },
    closed,
  ),
  'amend-order': Type.Object(
    {
      do: Type.Literal('amend-order'),
      account: accountIdSchema,
      order: idSchema('Id of an open order.'),
      size: Type.Optional(Type.Number({ exclusiveMinimum: 0, description: 'Open from then on.' })),
      price: Type.Optional(priceSchema('limit from then on')),
    },
    closed,
  ),
  'cancel-orders': Type.Object(
    {
      do: Type.Literal('cancel-orders'),
      account: accountIdSchema,
      orders: Type.Optional(lines(idSchema('Id of an open order.'))),
      reason: textSchema('Why.'),
    },
    { ...closed, description: 'All open orders where none are named.' },
  ),
  'move-collateral': Type.Object(
    {
      do: Type.Literal('move-collateral'),
      account: accountIdSchema,
      ...CollateralMoveSchema.properties,
    },
    closed,
  ),
  fund: Type.Object(
    {
      do: Type.Literal('fund'),
      instrument: instrumentIdSchema,
      rate: funding.rate,
      mark: Type.Optional(priceSchema("that positions are valued at; default the market's")),
      payments: funding.payments,
    },
    closed,
  ),
  settle: Type.Object(
    {
      do: Type.Literal('settle'),
      instrument: instrumentIdSchema,
      price: priceSchema('of settlement'),
      mark: Type.Optional(
        priceSchema("that positions without an entry price were settled to; default the market's"),
      ),
    },
    closed,
  ),
  correct: Type.Object(
    { do: Type.Literal('correct'), account: accountIdSchema, ...CorrectionSchema.properties },
    closed,
  ),
  'acknowledge-call': Type.Object(
    {
      do: Type.Literal('acknowledge-call'),
      account: accountIdSchema,
      call: countSchema('Number of the call.'),
      by: textSchema('Who.'),
    },
    closed,
  ),
} as const;

export type CommandName = keyof typeof COMMAND_SCHEMAS;
export type CommandOf<N extends CommandName> = Static<(typeof COMMAND_SCHEMAS)[N]>;
export type Command = { [N in CommandName]: CommandOf<N> }[CommandName];
export type FillReport = Static<typeof FillReportSchema>;
