/** Fills and orders. */
import { isMarked } from '../margin/positionArithmetic.ts';
import type { Book, Contract } from './book.ts';
import type { CommandOf, FillReport } from './commands.ts';
import { Draft } from './draft.ts';
import { type BookEvent, event } from './events.ts';
import { fillKey } from './fold.ts';
import type { DecisionContext } from './listings.ts';

/**
 * Trades of one account, all or none, in their order. Whether margin covers them is not asked: a trade that has happened is a fact.
 * @throws NOT_FOUND for the account or an order; UNKNOWN_INSTRUMENT, EXPIRED_INSTRUMENT, CONTRACT_CHANGED; DUPLICATE_ID for a fill that is booked
 * already; INVALID_FIELD, MISSING_FIELD, UNKNOWN_ASSET, NUMERIC_OVERFLOW
 */
export function decideFills(
  book: Book,
  { account, fills }: CommandOf<'fill'>,
  context: DecisionContext,
): readonly BookEvent[] {
  const draft = Draft.of(book, account, context);
  fills.forEach((fill, i) => {
    const path = `fills[${i}]`;
    if (draft.fills.has(fill.id) || book.fills.has(fillKey(account, fill.id))) {
      throw draft.fault('DUPLICATE_ID', `the fill ${fill.id} is booked already`, `${path}.id`);
    }
    draft.fills.add(fill.id);
    decideFill(draft, fill, path);
  });
  return draft.finish();
}

function decideFill(draft: Draft, fill: FillReport, path: string): void {
  const { id, instrument, size, price, fee, feeAsset, allocated } = fill;
  const contract = draft.listings.use(instrument, `${path}.instrument`);
  if (size === 0) throw draft.fault('INVALID_FIELD', 'a fill of 0', `${path}.size`);
  if ((fee === undefined) !== (feeAsset === undefined)) {
    const absent = fee === undefined ? 'fee' : 'feeAsset';
    const message = 'a fee is an amount and what it is paid in: both or neither';
    throw draft.fault('MISSING_FIELD', message, `${path}.${absent}`);
  }
  if (feeAsset !== undefined) draft.checkAsset(feeAsset, `${path}.feeAsset`);
  const mark = settlingMark(draft, instrument, contract, path);
  draft.emit(
    event('fill', {
      account: draft.account.id,
      id,
      instrument,
      size,
      price,
      ...(fee === undefined ? {} : { fee: fee + 0 }),
      ...(feeAsset === undefined ? {} : { feeAsset }),
      ...(mark === null ? {} : { mark }),
      ...(allocated === undefined ? {} : { allocated: allocated + 0 }),
    }),
  );
  checkAllocation(draft, fill, path);
  if (fill.order !== undefined) decideOrderFill(draft, fill, fill.order, path);
}

/** A position without an entry price settles its trades to the mark of this moment; the event has to say which that was. */
function settlingMark(
  draft: Draft,
  instrument: string,
  { type }: Contract,
  path: string,
): number | null {
  const position = draft.account.positions.get(instrument);
  if (!isMarked(type) || position === undefined || !Number.isNaN(position.entryPrice)) return null;
  const mark = draft.listings.quoted(instrument)?.mark ?? Number.NaN;
  if (mark > 0) return mark;
  const message = `the position in ${instrument} has no entry price and the market no mark to settle the trade to`;
  throw draft.fault('MISSING_FORWARD', message, `${path}.instrument`);
}

function checkAllocation(draft: Draft, fill: FillReport, path: string): void {
  const { instrument, allocated } = fill;
  const position = draft.account.positions.get(instrument);
  if (position === undefined) {
    if (allocated === undefined) return;
    const message = `the fill closes ${instrument}: nothing is left to set collateral apart for`;
    throw draft.fault('INVALID_FIELD', message, `${path}.allocated`);
  }
  if (draft.account.mode !== 'isolated' || !Number.isNaN(position.allocated)) return;
  const message = `in isolated mode ${instrument} needs collateral of its own`;
  throw draft.fault('MISSING_FIELD', message, `${path}.allocated`);
}

function decideOrderFill(draft: Draft, fill: FillReport, id: string, path: string): void {
  const { instrument, size } = fill;
  const at = `${path}.order`;
  const order = openOrder(draft, id, at);
  const side = size > 0 ? 'buy' : 'sell';
  if (order.instrument !== instrument || order.side !== side) {
    const message = `the order ${id} is a ${order.side} of ${order.instrument}, the fill a ${side} of ${instrument}`;
    throw draft.fault('INVALID_FIELD', message, at);
  }
  const filled = Math.abs(size);
  if (!(filled <= order.size)) {
    const message = `the fill is of ${filled}, of the order ${id} only ${order.size} is open`;
    throw draft.fault('INVALID_FIELD', message, `${path}.size`);
  }
  const { id: account } = draft.account;
  draft.emit(event('order-filled', { account, order: id, size: filled, fill: fill.id }));
}

function openOrder(draft: Draft, id: string, path: string) {
  const order = draft.account.orders.get(id);
  if (order === undefined) throw draft.fault('NOT_FOUND', `no open order has the id ${id}`, path);
  return order;
}

/**
 * Whether margin covers them is the pre-trade check's question, asked before.
 * @throws NOT_FOUND, UNKNOWN_INSTRUMENT, EXPIRED_INSTRUMENT, CONTRACT_CHANGED; DUPLICATE_ID for an order that is open already
 */
export function decidePlacements(
  book: Book,
  { account, orders }: CommandOf<'place-orders'>,
  context: DecisionContext,
): readonly BookEvent[] {
  const draft = Draft.of(book, account, context);
  orders.forEach((order, i) => {
    draft.listings.use(order.instrument, `orders[${i}].instrument`);
    if (draft.account.orders.has(order.id)) {
      const message = `an order with the id ${order.id} is open already`;
      throw draft.fault('DUPLICATE_ID', message, `orders[${i}].id`);
    }
    draft.emit(event('order-placed', { account, order }));
  });
  return draft.finish();
}

/** @throws NOT_FOUND; MISSING_FIELD where nothing is to be amended */
export function decideAmendment(
  book: Book,
  { account, order: id, size, price }: CommandOf<'amend-order'>,
  context: DecisionContext,
): readonly BookEvent[] {
  const draft = Draft.of(book, account, context);
  const order = openOrder(draft, id, 'order');
  if (size === undefined && price === undefined) {
    throw draft.fault('MISSING_FIELD', 'an amendment states a size, a price or both', 'size');
  }
  const same = (size ?? order.size) === order.size && (price ?? order.price) === order.price;
  if (same) return [];
  draft.emit(
    event('order-amended', {
      account,
      order: id,
      ...(size === undefined ? {} : { size }),
      ...(price === undefined ? {} : { price }),
    }),
  );
  return draft.finish();
}

/** @throws NOT_FOUND */
export function decideCancellations(
  book: Book,
  { account, orders, reason }: CommandOf<'cancel-orders'>,
  context: DecisionContext,
): readonly BookEvent[] {
  const draft = Draft.of(book, account, context);
  (orders ?? [...draft.account.orders.keys()]).forEach((order, i) => {
    openOrder(draft, order, `orders[${i}]`);
    draft.emit(event('order-cancelled', { account, order, reason }));
  });
  return draft.finish();
}
