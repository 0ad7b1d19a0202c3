/** What happens to an account and what it holds. */
import Type from 'typebox';
import { LIMITS } from '../limits.ts';
import { INSTRUMENT_TYPES, SETTLEMENTS } from '../market/instruments.ts';
import {
  AllocationSchema,
  accountIdSchema,
  amountSchema,
  BookedOrderSchema,
  bodySchema,
  closed,
  countSchema,
  entryPriceSchema,
  idSchema,
  instantSchema,
  instrumentIdSchema,
  MovementSchema,
  modeSchema,
  priceSchema,
  textSchema,
} from './eventShapes.ts';

const creditLine = Type.Number({ minimum: 0, description: "In the account's currency." });

const OpenedPositionSchema = Type.Object(
  {
    instrument: instrumentIdSchema,
    size: amountSchema('Signed, in contracts.'),
    entryPrice: entryPriceSchema,
    allocated: Type.Optional(amountSchema('Isolated mode: collateral set apart.')),
  },
  closed,
);

const CorrectedPositionSchema = Type.Object(
  {
    instrument: instrumentIdSchema,
    size: amountSchema('What the size changes by; 0 where only the entry price does.'),
    entryPrice: entryPriceSchema,
  },
  closed,
);

const listed = bodySchema(
  {
    instrument: instrumentIdSchema,
    type: Type.Enum([...INSTRUMENT_TYPES]),
    underlying: idSchema('Id of the underlying.'),
    settlement: Type.Enum([...SETTLEMENTS]),
    multiplier: priceSchema('as in the market snapshot'),
    asset: idSchema('What it pays in: the currency, or the underlying.'),
    expiry: Type.Optional(instantSchema('of the contract')),
    strike: Type.Optional(priceSchema('of the contract')),
    right: Type.Optional(Type.Enum(['call', 'put'])),
  },
  'The terms of a contract, stated before it is first held: the log needs no market to be folded.',
);

const opened = bodySchema(
  {
    account: accountIdSchema,
    mode: modeSchema,
    currency: idSchema("Of the account: the market's."),
    creditLine,
    collateral: Type.Array(MovementSchema, { maxItems: LIMITS.collateralMax }),
    positions: Type.Array(OpenedPositionSchema, { maxItems: LIMITS.positionsMax }),
    orders: Type.Array(BookedOrderSchema, { maxItems: LIMITS.ordersMax }),
  },
  'An account is opened with what it holds.',
);

const changed = bodySchema(
  {
    account: accountIdSchema,
    mode: Type.Optional(modeSchema),
    creditLine: Type.Optional(creditLine),
    allocated: Type.Optional(Type.Array(AllocationSchema, { maxItems: LIMITS.positionsMax })),
  },
  'Settings of an account from then on; what is not stated stays.',
);

const moved = bodySchema(
  {
    account: accountIdSchema,
    asset: idSchema('Asset that is deposited or withdrawn.'),
    amount: amountSchema('In units of the asset; < 0 is withdrawn.'),
    reason: textSchema('Why.'),
  },
  'A deposit or a withdrawal.',
);

const fill = bodySchema(
  {
    account: accountIdSchema,
    id: idSchema('Id of the fill, unique within the account.'),
    instrument: instrumentIdSchema,
    size: amountSchema('Signed: > 0 is bought.'),
    price: priceSchema('of the trade (coin for coin-settled options)'),
    fee: Type.Optional(amountSchema('Paid; < 0 is a rebate.')),
    feeAsset: Type.Optional(idSchema('What the fee is paid in.')),
    mark: Type.Optional(priceSchema('where the position has no entry price: it settles to this')),
    allocated: Type.Optional(
      amountSchema('Isolated mode: collateral set apart for the position from then on.'),
    ),
  },
  'A trade of the account.',
);

const order = idSchema('Id of the order.');

const funding = bodySchema(
  {
    instrument: instrumentIdSchema,
    rate: Type.Optional(amountSchema('Share of the position value that longs pay to shorts.')),
    mark: Type.Optional(priceSchema('that positions are valued at; with `rate`')),
    payments: Type.Optional(
      Type.Array(
        Type.Object(
          { account: accountIdSchema, amount: amountSchema('Received; < 0 is paid.') },
          closed,
        ),
        { maxItems: LIMITS.bookLinesMax },
      ),
    ),
  },
  'Funding of a perpetual: a rate that applies to all its holders, or stated payments in what it pays in.',
);

/** By kind. */
export const ACCOUNT_EVENTS = {
  'contract-listed': listed,
  'account-opened': opened,
  'account-changed': changed,
  'account-closed': bodySchema({ account: accountIdSchema }, 'A flat account is closed.'),
  'collateral-moved': moved,
  fill,
  'order-placed': bodySchema(
    { account: accountIdSchema, order: BookedOrderSchema },
    'An order is open.',
  ),
  'order-amended': bodySchema(
    {
      account: accountIdSchema,
      order,
      size: Type.Optional(Type.Number({ exclusiveMinimum: 0, description: 'What is open now.' })),
      price: Type.Optional(priceSchema('limit from then on')),
    },
    'An open order is changed.',
  ),
  'order-cancelled': bodySchema(
    { account: accountIdSchema, order, reason: textSchema('Why.') },
    'An open order is withdrawn.',
  ),
  'order-filled': bodySchema(
    {
      account: accountIdSchema,
      order,
      size: Type.Number({ exclusiveMinimum: 0, description: 'What of it was filled.' }),
      fill: idSchema('Id of the fill.'),
    },
    'An open order is filled, wholly or in part; at 0 it is gone.',
  ),
  funding,
  settlement: bodySchema(
    {
      instrument: instrumentIdSchema,
      price: priceSchema('of settlement'),
      mark: Type.Optional(priceSchema('that positions without an entry price were settled to')),
    },
    'A contract expires: all positions in it are paid and gone, its orders and its terms too.',
  ),
  correction: bodySchema(
    {
      account: accountIdSchema,
      refersTo: countSchema('Sequence number of the record that was wrong.'),
      reason: textSchema('Why.'),
      collateral: Type.Optional(Type.Array(MovementSchema, { maxItems: LIMITS.bookLinesMax })),
      positions: Type.Optional(
        Type.Array(CorrectedPositionSchema, { maxItems: LIMITS.bookLinesMax }),
      ),
    },
    'Compensating changes; the record that was wrong stays as it is.',
  ),
} as const;
