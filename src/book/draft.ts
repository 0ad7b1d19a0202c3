/** A decision in the making: events are tried on a copy of the account as they are decided, so that each one is decided on what the ones before it left. */
import { type ErrorCode, PlimsollError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { AccountInput } from '../margin/account.ts';
import { foldAccountEvent } from './accountFold.ts';
import { accountOf, type Book, type BookAccount, copyAccount } from './book.ts';
import type { BookEvent, EventOf } from './events.ts';
import { type DecisionContext, Listings } from './listings.ts';

type Tried = Parameters<typeof foldAccountEvent>[1];

export class Draft {
  readonly book: Book;
  readonly context: DecisionContext;
  /** The account as it is after the events so far. */
  readonly account: BookAccount;
  readonly listings: Listings;
  /** Ids of fills of this draft. */
  readonly fills = new Set<string>();
  private readonly events: BookEvent[] = [];

  /** @throws NOT_FOUND; CURRENCY_MISMATCH where the market is in another currency than the account */
  constructor(book: Book, id: string, context: DecisionContext) {
    this.book = book;
    this.context = context;
    this.account = copyAccount(accountOf(book, id));
    this.listings = new Listings(book, context);
    const currency = context.market?.currency ?? this.account.currency;
    if (currency !== this.account.currency) {
      const message = `the account's currency is ${this.account.currency}, the market's ${currency}`;
      throw this.fault('CURRENCY_MISMATCH', message, 'currency');
    }
  }

  /** A new one, or that of the decisions before. @throws as the constructor */
  static of(book: Book, id: string, context: DecisionContext): Draft {
    return context.draft ?? new Draft(book, id, context);
  }

  emit(decided: Tried): void {
    this.events.push(decided as EventOf<Tried['kind']>);
    const place = { seq: this.book.seq, at: this.book.at };
    foldAccountEvent(this.account, decided, this.listings, place);
  }

  /** @throws UNKNOWN_ASSET */
  checkAsset(asset: string, path: string): void {
    const { currency, collateral } = this.account;
    if (asset === currency || collateral.has(asset)) return;
    if (this.context.market?.underlyingIndex.has(asset) === true) return;
    const message = `${asset} is neither the currency ${currency} nor an underlying with a spot`;
    throw this.fault('UNKNOWN_ASSET', message, path);
  }

  fault(code: ErrorCode, message: string, path: string): PlimsollError {
    return new PlimsollError(code, message, { path, account: this.account.id });
  }

  /** The events of one decision; the next one may follow. @throws NUMERIC_OVERFLOW, INVALID_FIELD where the account would leave its bounds */
  finish(): readonly BookEvent[] {
    checkAccount(this.account);
    return [...this.listings.events.splice(0), ...this.events.splice(0)];
  }
}

/** Bounds that hold for an account whatever happened to it. @throws NUMERIC_OVERFLOW, INVALID_FIELD */
export function checkAccount({ id, collateral, positions, orders }: BookAccount): void {
  const counts: readonly [keyof AccountInput, number, number][] = [
    ['collateral', collateral.size, LIMITS.collateralMax],
    ['positions', positions.size, LIMITS.positionsMax],
    ['orders', orders.size, LIMITS.ordersMax],
  ];
  for (const [path, count, most] of counts) {
    if (count <= most) continue;
    const message = `the account would have ${count} ${path}, the most is ${most}`;
    throw new PlimsollError('INVALID_FIELD', message, { path, account: id });
  }
  for (const [asset, amount] of collateral) checkFinite(amount, `collateral of ${asset}`, id);
  for (const [instrument, { size, entryPrice, allocated }] of positions) {
    checkFinite(size, `size in ${instrument}`, id);
    if (!Number.isNaN(entryPrice)) checkFinite(entryPrice, `entry price of ${instrument}`, id);
    if (!Number.isNaN(allocated)) checkFinite(allocated, `allocation of ${instrument}`, id);
  }
}

export function checkFinite(value: number, what: string, account: string): void {
  if (Number.isFinite(value)) return;
  throw new PlimsollError('NUMERIC_OVERFLOW', `the ${what} would be ${value}`, { account });
}
