/** What single events do to what an account holds. Each change of collateral is posted under its reason: no amount comes from nowhere. */
import {
  afterTrade,
  fundingPayment,
  isMarked,
  type PositionState,
  settlementPayment,
  sum,
} from '../margin/positionArithmetic.ts';
import { type BookAccount, type Contract, emptyPostings, POSTINGS, type Posting } from './book.ts';
import type { EventBody } from './events.ts';

const PLACE_OF = Object.fromEntries(POSTINGS.map((name, i) => [name, i])) as Record<
  Posting,
  number
>;

/** An asset whose amount comes to 0 is not held any more. */
export function post(account: BookAccount, asset: string, amount: number, reason: Posting): void {
  if (amount === 0) return;
  const { collateral } = account;
  const balance = sum(collateral.get(asset) ?? 0, amount);
  if (balance === 0) collateral.delete(asset);
  else collateral.set(asset, balance);
  let postings = account.postings.get(asset);
  if (postings === undefined) {
    postings = emptyPostings();
    account.postings.set(asset, postings);
  }
  const place = PLACE_OF[reason];
  postings[place] = sum(postings[place]!, amount);
}

function place(account: BookAccount, instrument: string, after: PositionState | null): void {
  if (after === null) account.positions.delete(instrument);
  else account.positions.set(instrument, after);
}

/** A trade: the position, what is paid or realised, the fee. */
export function applyFill(account: BookAccount, fill: EventBody<'fill'>, contract: Contract): void {
  const { instrument, size, price, fee, feeAsset, mark, allocated } = fill;
  const before = account.positions.get(instrument) ?? null;
  const trade = { size, price, mark: mark ?? Number.NaN };
  const { after, paid } = afterTrade(before, trade, contract);
  const own = after === null || allocated === undefined ? after : { ...after, allocated };
  place(account, instrument, own);
  const { asset, type } = contract.listed;
  post(account, asset, paid, isMarked(type) ? 'realised' : 'premium');
  if (fee !== undefined && feeAsset !== undefined) post(account, feeAsset, -fee, 'fee');
}

/** What a holder pays or receives; 0 without a position. */
export function fundingOf(
  account: BookAccount,
  { instrument, rate, mark }: EventBody<'funding'>,
  contract: Contract,
): number {
  const position = account.positions.get(instrument);
  if (position === undefined || rate === undefined || mark === undefined) return 0;
  return fundingPayment(position.size, rate, mark, contract);
}

/** What a holder's position is worth at expiry; 0 without one. */
export function settlementOf(
  account: BookAccount,
  { instrument, price, mark }: EventBody<'settlement'>,
  contract: Contract,
): number {
  const position = account.positions.get(instrument);
  if (position === undefined) return 0;
  return settlementPayment(position, price, mark ?? Number.NaN, contract);
}

/** The position is paid and gone, and so are the orders for the contract. */
export function applySettlement(
  account: BookAccount,
  settlement: EventBody<'settlement'>,
  contract: Contract,
): void {
  const { instrument } = settlement;
  post(account, contract.listed.asset, settlementOf(account, settlement, contract), 'settlement');
  account.positions.delete(instrument);
  for (const [id, order] of account.orders) {
    if (order.instrument === instrument) account.orders.delete(id);
  }
}

export function applyCorrection(
  account: BookAccount,
  { collateral = [], positions = [] }: EventBody<'correction'>,
): void {
  for (const { asset, amount } of collateral) post(account, asset, amount, 'correction');
  for (const { instrument, size: change, entryPrice } of positions) {
    const before = account.positions.get(instrument);
    const size = sum(before?.size ?? 0, change);
    const turned = before !== undefined && before.size * size < 0;
    const allocated = before === undefined || turned ? Number.NaN : before.allocated;
    const entry = entryPrice ?? Number.NaN;
    place(account, instrument, size === 0 ? null : { size, entryPrice: entry, allocated });
  }
}

/** What is open of an order less what was filled; gone at 0. */
export function applyOrderFilled(
  account: BookAccount,
  { order: id, size }: EventBody<'order-filled'>,
): void {
  const order = account.orders.get(id)!;
  const left = sum(order.size, -size);
  if (left > 0) account.orders.set(id, { ...order, size: left });
  else account.orders.delete(id);
}

export function applyOrderAmended(
  account: BookAccount,
  { order: id, size, price }: EventBody<'order-amended'>,
): void {
  const order = account.orders.get(id)!;
  account.orders.set(id, { ...order, size: size ?? order.size, price: price ?? order.price });
}

export function applyAllocations(
  account: BookAccount,
  allocations: readonly { readonly instrument: string; readonly amount: number }[],
): void {
  for (const { instrument, amount } of allocations) {
    const position = account.positions.get(instrument)!;
    account.positions.set(instrument, { ...position, allocated: amount });
  }
}
