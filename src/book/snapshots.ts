/** The book as bytes, exactly: every number comes back with its bits, every map in its order, so that a restored book goes on as the live one. */
import { PlimsollError } from '../errors.ts';
import { canonicalJson, decodeText } from '../json.ts';
import type { PositionState } from '../margin/positionArithmetic.ts';
import {
  type Book,
  type BookAccount,
  type BookedOrder,
  type BookMarket,
  emptyBook,
  noteHolder,
  type Postings,
} from './book.ts';
import type { EventBody } from './events.ts';
import { contractOf } from './fold.ts';

/** Changes when the form does: an old snapshot is then passed over, and the log folded from its start. */
export const SNAPSHOT_FORMAT = 'plimsoll-book/1';

type Maps = 'collateral' | 'positions' | 'orders' | 'postings';

/** JSON has no NaN: null stands for it. */
type PositionRow = readonly [string, number, number | null, number | null];

type OrderRow = readonly [string, string, BookedOrder['side'], number, number];

interface AccountForm extends Omit<BookAccount, Maps> {
  readonly collateral: readonly (readonly [string, number])[];
  readonly positions: readonly PositionRow[];
  readonly orders: readonly OrderRow[];
  readonly postings: readonly (readonly [string, Postings])[];
}

interface BookForm {
  readonly format: string;
  readonly seq: number;
  readonly at: string;
  readonly market: BookMarket | null;
  readonly feeds: readonly (readonly [string, number])[];
  readonly contracts: readonly EventBody<'contract-listed'>[];
  readonly fills: readonly string[];
  readonly closedPostings: readonly (readonly [string, Postings])[];
  readonly accounts: readonly AccountForm[];
}

/** UTF-8 JSON. Two books with the same history have the same bytes, whether they were restored on the way or not. */
export function serialise(book: Book): Uint8Array {
  const form: BookForm = {
    format: SNAPSHOT_FORMAT,
    seq: book.seq,
    at: book.at,
    market: book.market,
    feeds: [...book.feeds],
    contracts: Array.from(book.contracts.values(), ({ listed }) => keySorted(listed)),
    fills: book.fills.list(),
    closedPostings: [...book.closedPostings],
    accounts: Array.from(book.accounts.values(), accountForm),
  };
  return new TextEncoder().encode(JSON.stringify(form));
}

/** What came in an event keeps the key order of whoever wrote it, which a stored log need not. */
function keySorted<T>(value: T): T {
  return JSON.parse(canonicalJson(value)) as T;
}

function accountForm(account: BookAccount): AccountForm {
  const { liquidation } = account;
  return {
    ...account,
    collateral: [...account.collateral],
    positions: Array.from(account.positions, ([id, { size, entryPrice, allocated }]) => [
      id,
      size,
      Number.isNaN(entryPrice) ? null : entryPrice,
      Number.isNaN(allocated) ? null : allocated,
    ]),
    orders: Array.from(account.orders.values(), ({ id, instrument, side, size, price }) => [
      id,
      instrument,
      side,
      size,
      price,
    ]),
    postings: [...account.postings],
    liquidation:
      liquidation === null ? null : { ...liquidation, plan: keySorted(liquidation.plan) },
  };
}

/** @throws INVALID_RECORD where the bytes are no snapshot of this format: fold the log from its start instead */
export function restore(bytes: Uint8Array): Book {
  const form = readForm(bytes);
  const book = emptyBook();
  book.seq = form.seq;
  book.at = form.at;
  book.market = form.market;
  for (const [source, last] of form.feeds) book.feeds.set(source, last);
  for (const listed of form.contracts) book.contracts.set(listed.instrument, contractOf(listed));
  for (const id of form.fills) book.fills.add(id);
  for (const [asset, amounts] of form.closedPostings) book.closedPostings.set(asset, amounts);
  for (const one of form.accounts) {
    const account = accountFrom(one);
    book.accounts.set(account.id, account);
    for (const instrument of account.positions.keys()) noteHolder(book, instrument, account.id);
    for (const { instrument } of account.orders.values()) noteHolder(book, instrument, account.id);
  }
  return book;
}

function readForm(bytes: Uint8Array): BookForm {
  let form: BookForm | null;
  try {
    form = JSON.parse(decodeText(bytes)) as BookForm | null;
  } catch {
    form = null;
  }
  if (form?.format === SNAPSHOT_FORMAT) return form;
  throw new PlimsollError('INVALID_RECORD', `the bytes are no snapshot in ${SNAPSHOT_FORMAT}`);
}

function accountFrom(form: AccountForm): BookAccount {
  return {
    ...form,
    collateral: new Map(form.collateral),
    positions: new Map(form.positions.map(positionFrom)),
    orders: new Map(
      form.orders.map(([id, instrument, side, size, price]) => [
        id,
        { id, instrument, side, size, price },
      ]),
    ),
    postings: new Map(form.postings),
  };
}

function positionFrom([id, size, entryPrice, allocated]: PositionRow): [string, PositionState] {
  const known = (value: number | null): number => value ?? Number.NaN;
  return [id, { size, entryPrice: known(entryPrice), allocated: known(allocated) }];
}
