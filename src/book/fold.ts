/** The fold: a book and the next record of the log make the next book. Pure but for the book, which is changed in place. */
import { foldAccountEvent, misfit, openAccount } from './accountFold.ts';
import {
  type Book,
  type BookAccount,
  type Contract,
  emptyPostings,
  holdersOf,
  noteHolder,
  type Postings,
} from './book.ts';
import {
  type AccountEvent,
  type BookEvent,
  type EventBody,
  type EventOf,
  type EventRecord,
  readEvent,
} from './events.ts';
import { MARGIN_EVENTS } from './marginEvents.ts';
import { applySettlement, fundingOf, post } from './positions.ts';

/** A record whose event was made or read here, so that its body is known to be well-formed. */
export type TypedRecord = BookEvent & { readonly seq: number; readonly at: string };

/**
 * Folds a record that comes from a store: its body is checked first.
 * @throws INVALID_RECORD where the record is not the next one or does not fit; then the book is as before. INVALID_FIELD, UNKNOWN_FIELD,
 * MISSING_FIELD for a malformed body
 */
export function fold(book: Book, record: EventRecord): Book {
  readEvent(record);
  return foldTyped(book, record as TypedRecord);
}

/** Folds a record that a decider made. @throws as `fold` */
export function foldTyped(book: Book, record: TypedRecord): Book {
  const { seq, at } = record;
  if (seq !== book.seq + 1) throw misfit(record, `does not follow record ${book.seq}`);
  // ISO-8601 of one form: the order of the texts is the order of the instants.
  if (!(at >= book.at)) throw misfit(record, `of ${at} comes after one of ${book.at}`);
  switch (record.kind) {
    case 'contract-listed':
      listContract(book, record);
      break;
    case 'account-opened':
      addAccount(book, record);
      break;
    case 'account-closed':
      removeAccount(book, record);
      break;
    case 'funding':
      foldFunding(book, record);
      break;
    case 'settlement':
      foldSettlement(book, record);
      break;
    case 'market-replaced':
      book.market = { seq, source: record.body.source, hash: record.body.hash };
      book.feeds.clear();
      break;
    case 'factors-replaced':
    case 'factors-updated':
      // Figures hang on it as on the market.
      if (book.market !== null) book.market = { ...book.market, seq };
      break;
    case 'ticks':
      book.market = { seq, source: record.body.source, hash: book.market?.hash ?? null };
      book.feeds.set(record.body.source, record.body.last);
      break;
    default:
      foldIntoAccount(book, record);
  }
  book.seq = seq;
  book.at = at;
  return book;
}

type Placed<E> = E & { readonly seq: number; readonly at: string };

/** The contract as the fold computes with it. */
export function contractOf(listed: EventBody<'contract-listed'>): Contract {
  const { type, settlement, multiplier, strike, right } = listed;
  return {
    type,
    settlement,
    multiplier,
    strike: strike ?? Number.NaN,
    right: right === undefined ? 0 : right === 'call' ? 1 : -1,
    listed,
  };
}

function listContract(book: Book, record: Placed<EventOf<'contract-listed'>>): void {
  const { instrument } = record.body;
  if (holdersOf(book, instrument).length > 0) {
    throw misfit(record, `changes the terms of ${instrument}, which is held`);
  }
  book.contracts.set(instrument, contractOf(record.body));
}

function addAccount(book: Book, record: Placed<EventOf<'account-opened'>>): void {
  const { account: id, positions, orders } = record.body;
  if (book.accounts.has(id)) throw misfit(record, `opens ${id} again`);
  for (const { instrument } of [...positions, ...orders]) {
    if (!book.contracts.has(instrument)) throw misfit(record, `holds ${instrument}, never listed`);
  }
  book.accounts.set(id, openAccount(record.body, record));
  for (const { instrument } of positions) noteHolder(book, instrument, id);
  for (const { instrument } of orders) noteHolder(book, instrument, id);
}

function removeAccount(book: Book, record: Placed<EventOf<'account-closed'>>): void {
  const account = mustFind(book, record.body.account, record);
  const { positions, orders, collateral } = account;
  if (positions.size + orders.size + collateral.size > 0) {
    throw misfit(record, `closes ${account.id}, which is not flat`);
  }
  for (const [asset, amounts] of account.postings) {
    const total: Postings = book.closedPostings.get(asset) ?? emptyPostings();
    book.closedPostings.set(
      asset,
      total.map((amount, i) => amount + amounts[i]!),
    );
  }
  book.accounts.delete(account.id);
}

function mustFind(book: Book, id: string, record: TypedRecord): BookAccount {
  const account = book.accounts.get(id);
  if (account === undefined) throw misfit(record, `names no account: ${id}`);
  return account;
}

function mustKnow(book: Book, instrument: string, record: TypedRecord): Contract {
  const contract = book.contracts.get(instrument);
  if (contract === undefined) throw misfit(record, `names no listed contract: ${instrument}`);
  return contract;
}

function foldFunding(book: Book, record: Placed<EventOf<'funding'>>): void {
  const { instrument, payments } = record.body;
  const contract = mustKnow(book, instrument, record);
  const { asset } = contract.listed;
  const paid = (account: BookAccount, amount: number): void => {
    post(account, asset, amount, 'funding');
    account.changedSeq = record.seq;
  };
  if (payments !== undefined) {
    const due = payments.map(({ account, amount }) => ({
      account: mustFind(book, account, record),
      amount,
    }));
    for (const { account, amount } of due) paid(account, amount);
    return;
  }
  for (const id of holdersOf(book, instrument)) {
    const account = book.accounts.get(id)!;
    if (account.positions.has(instrument)) paid(account, fundingOf(account, record.body, contract));
  }
}

function foldSettlement(book: Book, record: Placed<EventOf<'settlement'>>): void {
  const { instrument } = record.body;
  const contract = mustKnow(book, instrument, record);
  for (const id of holdersOf(book, instrument)) {
    const account = book.accounts.get(id)!;
    applySettlement(account, record.body, contract);
    account.changedSeq = record.seq;
  }
  book.holders.delete(instrument);
  book.contracts.delete(instrument);
}

function foldIntoAccount(
  book: Book,
  record: Placed<Exclude<AccountEvent, EventOf<'account-opened' | 'account-closed'>>>,
): void {
  const account = mustFind(book, record.body.account, record);
  const { kind, body } = record;
  // Of the many fills few open a position.
  const opens = kind === 'fill' && !account.positions.has(body.instrument);
  foldAccountEvent(account, record, book.contracts, record);
  if (kind === 'fill') book.fills.add(fillKey(account.id, body.id));
  if (opens) noteHolder(book, body.instrument, account.id);
  else if (kind === 'order-placed') noteHolder(book, body.order.instrument, account.id);
  else if (kind === 'correction') {
    for (const { instrument } of body.positions ?? []) noteHolder(book, instrument, account.id);
  }
}

/** A trade has two sides: an id is unique within its account. The length keeps `a` + `bc` and `ab` + `c` apart. */
export function fillKey(account: string, fill: string): string {
  return `${account.length} ${account} ${fill}`;
}

/**
 * Accounts whose margin may change by an event, in code-unit order; ask before it is folded. Of a change of the market: none, because which
 * accounts hold an underlying is the engine's to know.
 */
export function accountsTouched(book: Book, event: BookEvent): readonly string[] {
  return Object.hasOwn(MARGIN_EVENTS, event.kind) ? [] : accountsChanged(book, event);
}

/** Accounts that an event changes in any way, in code-unit order; ask before it is folded. */
export function accountsChanged(book: Book, event: BookEvent): readonly string[] {
  switch (event.kind) {
    case 'contract-listed':
    case 'market-replaced':
    case 'ticks':
    case 'factors-replaced':
    case 'factors-updated':
      return [];
    case 'funding': {
      const { payments, instrument } = event.body;
      if (payments === undefined) return holdersOf(book, instrument);
      return [...new Set(payments.map(({ account }) => account))].sort();
    }
    case 'settlement':
      return holdersOf(book, event.body.instrument);
    default:
      return [event.body.account];
  }
}
