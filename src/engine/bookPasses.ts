/**
 * Tails of many books over all arrangements of a session. Books are entered until the room is full, then each arrangement's cube is
 * passed over once for all of them; few books are summed one by one from contiguous rows instead: the same sums.
 */
import { ensure, PlimsollError } from '../errors.ts';
import type { Book } from '../margin/books.ts';
import { noShortfalls } from '../margin/charge.ts';
import type { Shortfalls } from '../margin/components/context.ts';
import type { TailMeasures, TailRanks } from '../risk/tail.ts';
import { roundedBytes } from './arena.ts';
import { type Arrangement, arrangementsOf } from './arrangements.ts';
import { BookMemory } from './bookMemory.ts';
import { cubeOf } from './sessionData.ts';
import type { Bench } from './shards.ts';
import { SingleBook, slotRegions } from './singleBook.ts';

/** Beyond this the sums of an account might overflow on the way. */
const LARGEST_SUM = 1e300;
/** Up to so many accounts the rows of the cube are always read one book at a time, and its blocks never. */
export const FEW_ACCOUNTS = 16;
/**
 * A pass reads the whole cube, whoever holds what; a book alone reads what it holds. Measured with books of 20 rows: alone one costs what so many
 * rows of a pass do.
 */
const ROWS_PER_BOOK = 12;

/** A book that has been entered: where its figures will stand. */
export interface EnteredBook {
  readonly book: Book;
  /** Its number in the pass. */
  readonly number: number;
  /** Whether all arrangements are wanted, or its tail over the scenario set alone. */
  readonly all: boolean;
  shortfalls: Shortfalls;
  tail: TailMeasures | null;
  readonly ranks: TailRanks;
}

export class BookPasses {
  /** Whether a book did not fit. */
  full = false;
  private readonly bench: Bench;
  private readonly arrangements: readonly Arrangement[];
  private readonly memory: BookMemory;
  /** The kernels' own, while they pass over the books. */
  private readonly room: number;
  private readonly bounds: Float64Array;
  private readonly single: SingleBook;
  private readonly singles: ReadonlyMap<Arrangement, SingleBook>;
  private few = true;
  private entered: EnteredBook[] = [];

  constructor(bench: Bench, slot: number) {
    const { session, views } = bench;
    const { layout, valuation } = session;
    this.bench = bench;
    this.arrangements = arrangementsOf(session, views);
    const { start, bytes } = slotRegions(layout, slot).region;
    const rounded = layout.cube === 0 ? 0 : roundedBytes(valuation.plan.rows);
    const region = { start: start + rounded, bytes: bytes - rounded };
    this.room = start;
    this.memory = new BookMemory(views, region, layout.blockSize * 8);
    this.bounds = views.f64.subarray(layout.bounds / 8, layout.bounds / 8 + valuation.plan.rows);
    this.single = new SingleBook(bench, slot);
    this.singles = new Map(
      this.arrangements.flatMap((arrangement) => {
        const { name } = arrangement;
        if (name === 'base' || name === 'zero' || name === 'perfect') return [];
        return [[arrangement, new SingleBook(bench, slot, cubeOf(session, name))]];
      }),
    );
  }

  /** Forgets the books of the pass before. */
  begin(accounts: number): void {
    const { layout, valuation } = this.bench.session;
    const few = Math.max(FEW_ACCOUNTS, valuation.plan.rows / ROWS_PER_BOOK);
    this.few = accounts <= few || layout.cube === 0;
    this.full = false;
    this.entered = [];
    this.memory.clear(this.bench.session.layout.blockSize * 8);
  }

  /** A point to come back to when the books of one account do not all fit. */
  mark(): { readonly books: number; readonly memory: ReturnType<BookMemory['mark']> } {
    return { books: this.entered.length, memory: this.memory.mark() };
  }

  rewind(mark: ReturnType<BookPasses['mark']>): void {
    this.full = false;
    this.entered.length = mark.books;
    this.memory.rewind(mark.memory);
  }

  /**
   * @param all over all arrangements, or over the scenario set alone
   * @throws NUMERIC_OVERFLOW where its P&L could leave the range of double precision
   */
  add(book: Book, all: boolean): EnteredBook {
    this.checkRange(book);
    const ranks = this.arrangements[0]!.ranksOf(book.masks);
    const wanted = all ? this.wanted(book) : this.arrangements.slice(0, 1);
    let keep = 0;
    for (const { ranksOf } of wanted) keep = Math.max(keep, ranksOf(book.masks).keep);
    let number = -1;
    if (!this.few && !this.full) {
      number = this.memory.add(book, keep);
      this.full = number === -1;
    }
    const entered = { book, number, all, ranks, tail: null, shortfalls: noShortfalls() };
    this.entered.push(entered);
    return entered;
  }

  /** Fills in the figures of all books that were entered. */
  run(): void {
    if (this.few) for (const entered of this.entered) this.sumOne(entered);
    else if (this.entered.length > 0) for (const one of this.arrangements) this.pass(one);
  }

  /** ES of one unit of each row, long and short, over each set that has units of its own. */
  units(name: 'base' | 'longRun' | 'stressed' | 'stress'): Float64Array | null {
    const { session, views } = this.bench;
    if (name !== 'base' && session.sides[name] === null) return null;
    const at = cubeOf(session, name).layout.units / 8;
    return views.f64.subarray(at, at + 2 * session.valuation.plan.rows);
  }

  /** Reordering the scenarios of one underlying alone changes nothing. */
  private wanted(book: Book): readonly Arrangement[] {
    if (book.segments.length > 1) return this.arrangements;
    return this.arrangements.filter(({ name }) => name !== 'zero' && name !== 'perfect');
  }

  private checkRange({ segments }: Book): void {
    let bound = 0;
    for (const { rows, sizes } of segments) {
      for (let i = 0; i < rows.length; i++) bound += Math.abs(sizes[i]!) * this.bounds[rows[i]!]!;
    }
    if (bound < LARGEST_SUM) return;
    const message = `the P&L of the account may reach ${bound}, beyond ${LARGEST_SUM}`;
    throw new PlimsollError('NUMERIC_OVERFLOW', message);
  }

  private pass({ name, cube, scales, scenarios, ranksOf }: Arrangement): void {
    const reordered = name === 'zero' || name === 'perfect';
    const books =
      name === 'base'
        ? this.entered
        : this.entered.filter(({ all, book }) => all && (!reordered || book.segments.length > 1));
    if (books.length === 0) return;
    const { kernels, session } = this.bench;
    const { blockBytes, blockSize } = session.layout;
    for (const { number, book } of books) this.memory.keep(number, ranksOf(book.masks).keep);
    const everyone = books.length === this.entered.length;
    const records = everyone
      ? this.memory.records
      : this.memory.select(books.map(({ number }) => number));
    const { rows } = session.valuation.plan;
    kernels.accumulate(
      cube,
      blockBytes,
      blockSize,
      scenarios,
      rows,
      scales,
      records,
      books.length,
      this.room,
    );
    for (const entered of books) {
      const ranks = ranksOf(entered.book.masks);
      const measures = this.memory.measures(entered.number, ranks);
      if (name === 'base') entered.tail = measures;
      entered.shortfalls[name] = measures.expectedShortfall;
    }
  }

  private sumOne(entered: EnteredBook): void {
    const { book, all, shortfalls, ranks } = entered;
    const [, zero, perfect] = this.arrangements;
    if (all && book.segments.length > 1 && zero?.name === 'zero' && perfect !== undefined) {
      const tails = this.single.reordered(book, {
        base: ranks,
        zero: zero.ranksOf(book.masks),
        perfect: perfect.ranksOf(book.masks),
      });
      entered.tail = tails.base;
      shortfalls.zero = tails.zero.expectedShortfall;
      shortfalls.perfect = tails.perfect.expectedShortfall;
    } else {
      entered.tail = this.single.measures(book, ranks);
    }
    ensure(entered.tail !== null, 'a book has a tail');
    shortfalls.base = entered.tail.expectedShortfall;
    if (!all) return;
    for (const [{ name, ranksOf }, single] of this.singles) {
      shortfalls[name] = single.measures(book, ranksOf(book.masks)).expectedShortfall;
    }
  }
}
