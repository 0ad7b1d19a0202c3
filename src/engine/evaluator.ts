/** Margin of many accounts on a session whose cube is filled: read, resolve, sum, measure, compose. Runs in a worker. */
import type { Kernels } from '../../workers/kernels.ts';
import { asPlimsollError, ensure, PlimsollError } from '../errors.ts';
import { type Account, accountId, readAccount } from '../margin/account.ts';
import {
  type Book,
  crossBooks,
  type IsolatedExposures,
  isolatedExposures,
  portfolioBook,
} from '../margin/books.ts';
import { type Portfolio, resolvePortfolio } from '../margin/portfolio.ts';
import {
  type AccountTails,
  type MarginResult,
  marginResult,
  type RejectedAccount,
} from '../margin/result.ts';
import { type TailMeasures, type TailRanks, tailRanks } from '../risk/tail.ts';
import { BookMemory, type Views } from './bookMemory.ts';
import type { Documents } from './documents.ts';
import { type Session, usableScenarios } from './sessionData.ts';

/** Beyond this the sums of an account might overflow on the way. */
const LARGEST_SUM = 1e300;

interface PendingBook {
  readonly number: number;
  readonly ranks: TailRanks;
}

interface Pending {
  readonly index: number;
  readonly portfolio: Portfolio;
  readonly net: PendingBook | null;
  readonly cross: readonly PendingBook[];
  readonly isolated: IsolatedExposures;
  /** Of the positions that need a sum of their own. */
  readonly sums: ReadonlyMap<number, PendingBook>;
}

export type AccountOutcome = MarginResult | RejectedAccount;

/** A document to be checked, an account that has been, or the error that stands in its place. */
export type AccountDocument =
  | { readonly value: unknown }
  | { readonly account: Account }
  | { readonly error: PlimsollError };

export function rejected(error: unknown, account: string | null): RejectedAccount {
  return { account, error: asPlimsollError(error).toRecord() };
}

/** Ranks of a book's tail. Which rows count depends only on its masks, so they are found once for each set of them. */
export function rankFinder(session: Session): (masks: readonly number[]) => TailRanks {
  const known = new Map<string, TailRanks>();
  return (masks) => {
    const key = masks.join(',');
    let ranks = known.get(key);
    if (ranks === undefined) {
      const n = usableScenarios(session, masks);
      ranks = tailRanks(n, session.valuation.methodology.confidence, session.set.overlap);
      known.set(key, ranks);
    }
    return ranks;
  };
}

/** Up to so many accounts the rows of the cube are read one book at a time. */
const FEW_ACCOUNTS = 16;

/** A scratch slot in two: a row of P&L, and the rest for books. */
function slotRegions(layout: Session['layout'], slot: number) {
  const start = layout.scratch + slot * layout.scratchBytes;
  const rowBytes = layout.rowBytes;
  return { row: start, region: { start: start + rowBytes, bytes: layout.scratchBytes - rowBytes } };
}

/** Sums one book from contiguous rows and leaves its tail in its buffer. */
function sumBook(
  kernels: Kernels,
  session: Session,
  books: BookMemory,
  book: number,
  row: number,
): void {
  const { rows } = session.layout;
  const { scenarios } = session.set;
  const record = books.record(book);
  kernels.sumRows(rows, scenarios + (scenarios % 2), record, row, books.spare);
  kernels.tailOf(record, row, scenarios);
}

/** Measures books one at a time, on a filled session. */
export class SingleBook {
  private readonly session: Session;
  private readonly kernels: Kernels;
  private readonly row: number;
  private readonly books: BookMemory;

  constructor(
    bench: { readonly session: Session; readonly kernels: Kernels; readonly views: Views },
    slot: number,
  ) {
    const { row, region } = slotRegions(bench.session.layout, slot);
    this.session = bench.session;
    this.kernels = bench.kernels;
    this.row = row;
    this.books = new BookMemory(bench.views, region, bench.session.layout.rowBytes);
  }

  measures(book: Book, ranks: TailRanks): TailMeasures {
    this.books.clear(this.session.layout.rowBytes);
    const number = this.books.add(book, ranks.keep);
    sumBook(this.kernels, this.session, this.books, number, this.row);
    return this.books.measures(number, ranks);
  }
}

export class AccountEvaluator {
  private readonly session: Session;
  private readonly kernels: Kernels;
  private readonly books: BookMemory;
  /** Where the P&L of one book at a time is summed. */
  private readonly row: number;
  /** Few accounts are summed one by one from contiguous rows, many together from the cube's blocks: the same sums. */
  private few = false;
  private readonly bounds: Float64Array;
  private readonly units: Float64Array;
  private readonly ranksOf: (masks: readonly number[]) => TailRanks;

  constructor(session: Session, kernels: Kernels, views: Views, slot: number) {
    const { layout } = session;
    const { rows } = session.valuation.plan;
    this.session = session;
    this.kernels = kernels;
    const { row, region } = slotRegions(layout, slot);
    this.row = row;
    this.books = new BookMemory(views, region, layout.rowBytes);
    this.bounds = views.f64.subarray(layout.bounds / 8, layout.bounds / 8 + rows);
    this.units = views.f64.subarray(layout.units / 8, layout.units / 8 + rows * 2);
    this.ranksOf = rankFinder(session);
  }

  /** @param cancelled asked between passes; when true, CANCELLED is thrown */
  evaluate(documents: Documents, cancelled: () => boolean): readonly AccountOutcome[] {
    const outcomes = new Array<AccountOutcome>(documents.count);
    let pending: Pending[] = [];
    const { layout } = this.session;
    this.few = documents.count <= FEW_ACCOUNTS;
    const rowBytes = this.few ? layout.rowBytes : layout.blockSize * 8;
    this.books.clear(rowBytes);
    const flush = (): void => {
      if (cancelled()) throw new PlimsollError('CANCELLED', 'the caller has gone');
      this.sum();
      for (const account of pending) {
        try {
          outcomes[account.index] = this.compose(account);
        } catch (error) {
          outcomes[account.index] = rejected(error, account.portfolio.account.id);
        }
      }
      pending = [];
      this.books.clear(rowBytes);
    };
    for (let index = 0; index < documents.count; index++) {
      const document = documents.read(index);
      if ('error' in document) {
        outcomes[index] = rejected(document.error, null);
        continue;
      }
      try {
        const account = 'account' in document ? document.account : readAccount(document.value);
        const portfolio = resolvePortfolio(account, this.session.valuation);
        const net = portfolioBook(portfolio, this.session.valuation);
        this.checkRange(net, portfolio);
        // Entered first, pushed then: a flush on the way puts a new list in the place of the old one.
        const entered =
          this.enter(portfolio, net, index) ?? this.enterAfter(flush, portfolio, net, index);
        pending.push(entered);
      } catch (error) {
        if (error instanceof PlimsollError && error.code === 'CANCELLED') throw error;
        const id = 'account' in document ? document.account.id : accountId(document.value);
        outcomes[index] = rejected(error, id);
      }
    }
    flush();
    for (let i = 0; i < outcomes.length; i++) {
      ensure(outcomes[i] !== undefined, `account ${i} of a shard has no answer`);
    }
    return outcomes;
  }

  private sum(): void {
    const { layout, set } = this.session;
    const { records, count, slot } = this.books;
    if (this.few) {
      for (let book = 0; book < count; book++)
        sumBook(this.kernels, this.session, this.books, book, this.row);
    } else if (count > 0) {
      const { blockBytes, blockSize, cube } = layout;
      this.kernels.accumulate(cube, blockBytes, blockSize, set.scenarios, records, count, slot);
    }
  }

  private checkRange(book: Pick<Book, 'segments'>, portfolio: Portfolio): void {
    let bound = 0;
    for (const { rows, sizes } of book.segments) {
      for (let i = 0; i < rows.length; i++) bound += Math.abs(sizes[i]!) * this.bounds[rows[i]!]!;
    }
    if (bound < LARGEST_SUM) return;
    const message = `the P&L of the account may reach ${bound}, beyond ${LARGEST_SUM}`;
    throw new PlimsollError('NUMERIC_OVERFLOW', message, { account: portfolio.account.id });
  }

  private enterAfter(flush: () => void, portfolio: Portfolio, net: Book, index: number): Pending {
    flush();
    const entered = this.enter(portfolio, net, index);
    if (entered === null)
      throw new PlimsollError('OUT_OF_MEMORY', 'the account does not fit into a scratch slot');
    return entered;
  }

  /** Enters all books of an account; null when the pass must run first. */
  private enter(portfolio: Portfolio, net: Book, index: number): Pending | null {
    const { valuation } = this.session;
    const mark = this.books.mark();
    let full = false;
    const add = (book: Book): PendingBook => {
      const ranks = this.ranksOf(book.masks);
      const number = full ? -1 : this.books.add(book, ranks.keep);
      full ||= number === -1;
      return { number, ranks };
    };
    const isolated = isolatedExposures(portfolio, valuation);
    const sums = new Map<number, PendingBook>();
    for (const [i, book] of isolated.books) sums.set(i, add(book));
    const pending = {
      index,
      portfolio,
      net: net.segments.length === 0 ? null : add(net),
      cross: portfolio.account.mode === 'cross' ? crossBooks(portfolio, valuation).map(add) : [],
      isolated,
      sums,
    };
    if (!full) return pending;
    this.books.rewind(mark);
    return null;
  }

  private compose({ portfolio, net, cross, isolated, sums }: Pending): AccountOutcome {
    const tail = (book: PendingBook): TailMeasures => this.books.measures(book.number, book.ranks);
    const shortfalls = unitShortfalls(this.units, isolated);
    for (const [i, book] of sums) shortfalls[i] = tail(book).expectedShortfall;
    const scenarios = net?.ranks.n ?? this.session.set.scenarios;
    const tails: AccountTails = {
      portfolio: net === null ? null : tail(net),
      scenarios,
      skippedScenarios: this.session.set.scenarios - scenarios,
      cross: cross.map((book) => tail(book).expectedShortfall),
      isolated: shortfalls,
    };
    return marginResult(portfolio, tails, this.session.valuation, this.session.provenance);
  }
}

/** ES of each position from that of one unit on its side: positive homogeneity. */
export function unitShortfalls(
  units: ArrayLike<number>,
  { rows, sizes }: IsolatedExposures,
): Float64Array {
  const shortfalls = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const size = sizes[i]!;
    shortfalls[i] = Math.abs(size) * units[2 * rows[i]! + (size > 0 ? 0 : 1)]!;
  }
  return shortfalls;
}
