/**
 * The book as lines of JSON, exactly: every number comes back with its bits, every map in its order, so that a restored book goes on as the live
 * one. First the head, which says how many lines of each sort follow: contracts, ids of fills, accounts. A live book is written down a few lines
 * at a time, between its changes.
 */
import { PlimsollError } from '../errors.ts';
import { canonicalJson, decodeText } from '../json.ts';
import type { PositionState } from '../margin/positionArithmetic.ts';
import {
  type Book,
  type BookAccount,
  type BookedOrder,
  type BookMarket,
  type Contract,
  emptyBook,
  noteHolder,
  type Postings,
} from './book.ts';
import type { EventBody } from './events.ts';
import { contractOf } from './fold.ts';

/** Changes when the form does: an old snapshot is then passed over, and the log folded from its start. */
export const SNAPSHOT_FORMAT = 'plimsoll-book/2';

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

interface Head {
  readonly format: string;
  readonly seq: number;
  readonly at: string;
  readonly market: BookMarket | null;
  readonly feeds: readonly (readonly [string, number])[];
  readonly closedPostings: readonly (readonly [string, Postings])[];
  /** Lines that follow: a contract each, then so many lists of ids, then an account each. */
  readonly contracts: number;
  readonly fills: number;
  readonly accounts: number;
}

/** Ids of fills on a line. */
const FILLS = 1_000;

/** A book as it is when this is made, however it changes while it is written down: `keep` is told of what is about to change. */
export class BookLines {
  private readonly head: string;
  private readonly contracts: readonly Contract[];
  private readonly fills: readonly (readonly string[])[];
  /** In the order of the book, until they are written; with their line where they had to be written down before their turn. */
  private readonly accounts: Map<BookAccount, string | null>;

  constructor(book: Book) {
    this.contracts = [...book.contracts.values()];
    this.fills = chunks(book.fills.list(), FILLS);
    this.accounts = new Map(Array.from(book.accounts.values(), (account) => [account, null]));
    const { seq, at, market } = book;
    const head: Head = {
      format: SNAPSHOT_FORMAT,
      seq,
      at,
      market,
      feeds: [...book.feeds],
      closedPostings: [...book.closedPostings],
      contracts: this.contracts.length,
      fills: this.fills.length,
      accounts: this.accounts.size,
    };
    this.head = JSON.stringify(head);
  }

  /** Before the account changes. */
  keep(account: BookAccount): void {
    if (this.accounts.get(account) === null) this.accounts.set(account, lineOf(account));
  }

  /** Once, in order. */
  *[Symbol.iterator](): Generator<string, void, undefined> {
    yield this.head;
    for (const { listed } of this.contracts) yield canonicalJson(listed);
    for (const ids of this.fills) yield JSON.stringify(ids);
    for (const [account, kept] of this.accounts) {
      this.accounts.delete(account);
      yield kept ?? lineOf(account);
    }
  }
}

/** UTF-8. Two books with the same history have the same bytes, whether they were restored on the way or not. */
export function serialise(book: Book): Uint8Array {
  return new TextEncoder().encode([...new BookLines(book), ''].join('\n'));
}

function chunks<T>(list: readonly T[], size: number): readonly (readonly T[])[] {
  const count = Math.ceil(list.length / size);
  return Array.from({ length: count }, (_, i) => list.slice(i * size, (i + 1) * size));
}

/** What came in an event keeps the key order of whoever wrote it, which a stored log need not. */
function keySorted<T>(value: T): T {
  return JSON.parse(canonicalJson(value)) as T;
}

function lineOf(account: BookAccount): string {
  return JSON.stringify(accountForm(account));
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
  return bookFrom(linesIn(bytes));
}

/** Takes the lines of a book; those behind them are left. @throws as `restore` */
export function bookFrom(lines: Iterator<string>): Book {
  const head = readHead(lines.next().value);
  const book = emptyBook();
  book.seq = head.seq;
  book.at = head.at;
  book.market = head.market;
  for (const [source, last] of head.feeds) book.feeds.set(source, last);
  for (const [asset, amounts] of head.closedPostings) book.closedPostings.set(asset, amounts);
  for (const listed of read<EventBody<'contract-listed'>>(lines, head.contracts)) {
    book.contracts.set(listed.instrument, contractOf(listed));
  }
  for (const ids of read<readonly string[]>(lines, head.fills)) {
    for (const id of ids) book.fills.add(id);
  }
  for (const form of read<AccountForm>(lines, head.accounts)) {
    const account = accountFrom(form);
    book.accounts.set(account.id, account);
    for (const instrument of account.positions.keys()) noteHolder(book, instrument, account.id);
    for (const { instrument } of account.orders.values()) noteHolder(book, instrument, account.id);
  }
  return book;
}

const LINE_END = 10;

/** What stands before each line end. */
export function* linesIn(bytes: Uint8Array): Generator<string, void, undefined> {
  for (let from = 0; ; ) {
    const end = bytes.indexOf(LINE_END, from);
    if (end === -1) return;
    yield decodeText(bytes.subarray(from, end));
    from = end + 1;
  }
}

function* read<T>(lines: Iterator<string>, count: number): Generator<T, void, undefined> {
  for (let i = 0; i < count; i++) {
    const { value } = lines.next();
    if (typeof value !== 'string') throw noSnapshot();
    yield JSON.parse(value) as T;
  }
}

function readHead(line: unknown): Head {
  let head: Head | null = null;
  try {
    head = JSON.parse(String(line)) as Head | null;
  } catch {
    // It is none.
  }
  if (head?.format === SNAPSHOT_FORMAT) return head;
  throw noSnapshot();
}

function noSnapshot(): PlimsollError {
  return new PlimsollError('INVALID_RECORD', `the bytes are no snapshot in ${SNAPSHOT_FORMAT}`);
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
