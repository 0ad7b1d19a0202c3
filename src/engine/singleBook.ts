/** Tails of books one at a time, summed from contiguous rows: for single accounts and for units. */
import type { Kernels } from '../../workers/kernels.ts';
import type { Book } from '../margin/books.ts';
import type { TailMeasures, TailRanks } from '../risk/tail.ts';
import { type CubeLayout, SCRATCH_ROWS } from './arena.ts';
import { orderAddress } from './arrangements.ts';
import { BookMemory, type Views } from './bookMemory.ts';
import type { Cube, Session } from './sessionData.ts';

/** A scratch slot in two: rows of P&L, and the rest for books. */
export function slotRegions(layout: Session['layout'], slot: number) {
  const start = layout.scratch + slot * layout.scratchBytes;
  const rowBytes = layout.rowBytes;
  const books = SCRATCH_ROWS * rowBytes;
  return {
    rows: Array.from({ length: SCRATCH_ROWS }, (_, i) => start + i * rowBytes),
    region: { start: start + books, bytes: layout.scratchBytes - books },
  };
}

const even = (n: number): number => n + (n % 2);

export class SingleBook {
  private readonly session: Session;
  private readonly kernels: Kernels;
  private readonly layout: CubeLayout;
  private readonly scenarios: number;
  private readonly views: Views;
  /** One underlying's P&L, then the book's in the orders base, zero and perfect. */
  private readonly rows: readonly number[];
  private readonly books: BookMemory;

  /** @param cube whose rows books are summed from */
  constructor(
    bench: { readonly session: Session; readonly kernels: Kernels; readonly views: Views },
    slot: number,
    cube: Pick<Cube, 'layout' | 'set'> = bench.session,
  ) {
    const { rows, region } = slotRegions(bench.session.layout, slot);
    this.session = bench.session;
    this.kernels = bench.kernels;
    this.layout = cube.layout;
    this.scenarios = cube.set.scenarios;
    this.views = bench.views;
    this.rows = rows;
    this.books = new BookMemory(bench.views, region, cube.layout.rowBytes);
  }

  /** The tail over the layout's own scenarios. */
  measures(book: Book, ranks: TailRanks): TailMeasures {
    this.books.clear(this.layout.rowBytes);
    const number = this.books.add(book, ranks.keep);
    this.sum(number);
    return this.tail(number, this.rows[1]!, ranks);
  }

  /** P&L of the book by scenario, valid until the next call. */
  pnl(book: Book): Float64Array {
    this.books.clear(this.layout.rowBytes);
    this.sum(this.books.add(book, 1));
    const at = this.rows[1]! / 8;
    return this.views.f64.subarray(at, at + this.scenarios);
  }

  /**
   * Tails of a book over the session's own scenarios as they are and with each underlying's reordered: its P&L by underlying is summed
   * once, and added up in three orders.
   */
  reordered(
    book: Book,
    ranks: { readonly base: TailRanks; readonly zero: TailRanks; readonly perfect: TailRanks },
  ): { readonly base: TailMeasures; readonly zero: TailMeasures; readonly perfect: TailMeasures } {
    const { kernels } = this;
    const [part, base, zero, perfect] = this.rows as [number, number, number, number];
    const n = this.scenarios;
    const { f64 } = this.views;
    for (const row of [base, zero, perfect]) f64.fill(0, row / 8, row / 8 + even(n));
    book.segments.forEach((segment, i) => {
      this.books.clear(this.layout.rowBytes);
      const number = this.books.add({ segments: [segment] }, 1);
      kernels.sumRows(this.layout.rows, even(n), this.books.record(number), part, this.books.spare);
      const underlying = book.underlyings[i]!;
      kernels.addValues(part, even(n), base);
      for (const [name, out] of [
        ['zero', zero],
        ['perfect', perfect],
      ] as const) {
        kernels.addReordered(part, orderAddress(this.session.layout, underlying, name), n, out);
      }
    });
    this.books.clear(this.layout.rowBytes);
    const keep = Math.max(ranks.base.keep, ranks.zero.keep, ranks.perfect.keep);
    const number = this.books.add({ segments: [] }, keep);
    return {
      base: this.tail(number, base, ranks.base),
      zero: this.tail(number, zero, ranks.zero),
      perfect: this.tail(number, perfect, ranks.perfect),
    };
  }

  private sum(number: number): void {
    const record = this.books.record(number);
    const { spare } = this.books;
    this.kernels.sumRows(this.layout.rows, even(this.scenarios), record, this.rows[1]!, spare);
  }

  private tail(number: number, row: number, ranks: TailRanks): TailMeasures {
    this.books.keep(number, ranks.keep);
    this.kernels.tailOf(this.books.record(number), row, this.scenarios);
    return this.books.measures(number, ranks);
  }
}
