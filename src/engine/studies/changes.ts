/** Changes of an account: fills, orders, deposits and withdrawals, the margin mode. The changed account is an account like any other. */
import Type, { type Static } from 'typebox';
import { type ErrorCode, PlimsollError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import {
  type Account,
  CollateralSchema,
  MARGIN_MODES,
  type Order,
  OrderSchema,
} from '../../margin/account.ts';
import type { Instrument } from '../../market/market.ts';
import { AccountDraft, markPrice, type Quotes } from './accountDraft.ts';

const closed = { additionalProperties: false } as const;
const id = (description: string) =>
  Type.String({ minLength: 1, maxLength: LIMITS.idLengthMax, description });

export const FillSchema = Type.Object(
  {
    instrument: id('Id of an instrument of the market.'),
    size: Type.Number({ description: 'Signed, in contracts: > 0 is bought. Not 0.' }),
    price: Type.Optional(
      Type.Number({
        minimum: LIMITS.priceMin,
        maximum: LIMITS.priceMax,
        description:
          'Quote price (coin for coin-settled options). Default: the mark, so that equity does not change.',
      }),
    ),
  },
  closed,
);

export const ChangeSchema = Type.Object(
  {
    cancel: Type.Optional(
      Type.Array(id('Id of an open order.'), {
        maxItems: LIMITS.ordersMax,
        description: 'Open orders that are withdrawn, before anything else.',
      }),
    ),
    collateral: Type.Optional(
      Type.Array(CollateralSchema, {
        maxItems: LIMITS.collateralMax,
        description: 'Amounts that are deposited, or < 0 withdrawn.',
      }),
    ),
    fills: Type.Optional(
      Type.Array(FillSchema, {
        maxItems: LIMITS.ordersMax,
        description: 'Trades, in their order. They leave open orders as they are.',
      }),
    ),
    orders: Type.Optional(
      Type.Array(OrderSchema, {
        maxItems: LIMITS.changeOrdersMax,
        description: 'Orders that are added to the open ones.',
      }),
    ),
    mode: Type.Optional(
      Type.Enum([...MARGIN_MODES], { description: 'The margin mode from then on.' }),
    ),
    allocated: Type.Optional(
      Type.Array(
        Type.Object(
          {
            instrument: id('Of a position that is held after the fills.'),
            amount: Type.Number({ description: "In the account's currency." }),
          },
          closed,
        ),
        {
          maxItems: LIMITS.positionsMax,
          description:
            'Isolated mode: the collateral set apart for these positions from then on. The others keep theirs; a position that is reduced gives back its part.',
        },
      ),
    ),
  },
  { ...closed, title: 'AccountChange' },
);

export type AccountChange = Static<typeof ChangeSchema>;
export type FillRecord = Static<typeof FillSchema>;

/**
 * The account after a change: cancellations first, then collateral, fills, orders, mode and allocations (see `AccountDraft.fill` for what a
 * fill pays). Collateral may go below 0: it is owed then. A position whose size comes to 0 is gone.
 * @param quotes market and plan of the session: where a fill states no price it is filled at the mark
 * @throws with a path in the change (`change.fills[2].instrument`): UNKNOWN_INSTRUMENT and the instrument's own problem, UNKNOWN_ASSET,
 * NOT_FOUND for an order to be cancelled, DUPLICATE_ID for an order that is open already, INVALID_FIELD for a size of 0 or an allocation of
 * nothing, MISSING_FIELD where a position in isolated mode has no allocation
 */
export function applyChange(account: Account, change: AccountChange, quotes: Quotes): Account {
  const { market } = quotes;
  const draft = new AccountDraft(account, market);
  draft.orders = withOrders(account.orders, change, quotes);
  change.collateral?.forEach(({ asset, amount }, i) => {
    if (asset !== market.currency && !market.underlyingIndex.has(asset)) {
      const message = `${asset} is neither the currency ${market.currency} nor an underlying with a spot`;
      throw fault('UNKNOWN_ASSET', message, `collateral[${i}].asset`);
    }
    draft.deposit(asset, amount);
  });
  change.fills?.forEach((fill, i) => {
    const { instrument, index } = known(fill.instrument, `fills[${i}].instrument`, quotes);
    if (fill.size === 0) throw fault('INVALID_FIELD', 'a fill of 0', `fills[${i}].size`);
    const mark = markPrice(instrument, index, quotes);
    draft.fill(instrument, fill.size, fill.price ?? mark, mark);
  });
  draft.mode = change.mode ?? account.mode;
  change.allocated?.forEach(({ instrument, amount }, i) => {
    if (!draft.holds(instrument)) {
      const message = `no position in ${instrument} is left to set collateral apart for`;
      throw fault('INVALID_FIELD', message, `allocated[${i}].instrument`);
    }
    draft.allocate(instrument, amount);
  });
  const changed = draft.finish();
  if (changed.mode === 'isolated') checkAllocations(changed);
  return changed;
}

/** Whether collateral leaves the account or its margin mode changes: what no fill of an order does. */
export function movesFunds(account: Account, { collateral = [], mode }: AccountChange): boolean {
  return collateral.some(({ amount }) => amount < 0) || (mode ?? account.mode) !== account.mode;
}

/** Instruments that a change names: a session that keeps no cube must be planned for them. */
export function changedInstruments({ fills = [], orders = [] }: AccountChange): readonly string[] {
  return [...fills, ...orders].map(({ instrument }) => instrument);
}

/** The order as the trade that it would become. */
export function asFill({ instrument, side, size, price }: Order): FillRecord {
  return { instrument, size: side === 'buy' ? size : -size, price };
}

function withOrders(
  open: readonly Order[],
  { cancel = [], orders = [] }: AccountChange,
  quotes: Quotes,
): readonly Order[] {
  const gone = new Set(cancel);
  cancel.forEach((id, i) => {
    if (open.some((order) => order.id === id)) return;
    throw fault('NOT_FOUND', `no open order has the id ${id}`, `cancel[${i}]`);
  });
  const left = open.filter(({ id }) => id === undefined || !gone.has(id));
  const ids = new Set(left.map(({ id }) => id).filter((id) => id !== undefined));
  orders.forEach(({ id, instrument }, i) => {
    known(instrument, `orders[${i}].instrument`, quotes);
    if (id === undefined) return;
    if (ids.has(id)) {
      throw fault('DUPLICATE_ID', `an order with the id ${id} is open already`, `orders[${i}].id`);
    }
    ids.add(id);
  });
  return [...left, ...orders];
}

function known(
  id: string,
  path: string,
  { market, plan }: Quotes,
): { readonly instrument: Instrument; readonly index: number } {
  const index = market.instrumentIndex.get(id);
  if (index === undefined) {
    throw fault('UNKNOWN_INSTRUMENT', `the market has no instrument ${id}`, path);
  }
  const problem = plan.problems.get(index);
  if (problem !== undefined) throw fault(problem.code, problem.message, path);
  return { instrument: market.instruments[index]!, index };
}

function checkAllocations({ instruments, allocated }: Account): void {
  const bare = instruments.find((_, i) => Number.isNaN(allocated?.[i] ?? Number.NaN));
  if (bare === undefined) return;
  const message = `in isolated mode ${bare} needs collateral of its own: state it in change.allocated`;
  throw fault('MISSING_FIELD', message, 'allocated');
}

function fault(code: ErrorCode, message: string, path: string): PlimsollError {
  return new PlimsollError(code, message, { path: `change.${path}` });
}
