/**
 * Tails of one account's books, remembered while the account is changed a little again and again: a book that was summed before is not
 * summed anew, and of a new one only the underlyings whose positions changed are. P&L by underlying is added in the canonical order, so
 * that every figure has the bits that it has on its own.
 */
import type { Book, BookSegment } from '../margin/books.ts';
import type { Shortfalls } from '../margin/components/context.ts';
import type { TailMeasures, TailRanks } from '../risk/tail.ts';
import { type ArrangementName, arrangementsOf, orderAddress } from './arrangements.ts';
import { BookMemory } from './bookMemory.ts';
import { BookPasses, type EnteredBook } from './bookPasses.ts';
import { type Cube, type CubeName, cubeOf, cubesOf } from './sessionData.ts';
import type { Bench } from './shards.ts';
import { slotRegions } from './singleBook.ts';

/** Rows of P&L kept of each underlying and scenario set: those of the account before, and of the changes tried last. */
const SUBTOTALS_KEPT = 3;

const even = (n: number): number => n + (n % 2);

export class RememberedBooks extends BookPasses {
  private readonly known = new Map<number, EnteredBook[]>();
  private fresh: EnteredBook[] = [];
  private readonly sums: ReadonlyMap<CubeName, SummedCube>;
  private readonly ranksOf: ReadonlyMap<ArrangementName, (masks: readonly number[]) => TailRanks>;

  constructor(bench: Bench, slot: number) {
    super(bench, slot);
    // Its books are summed from whole rows, one by one.
    super.begin(1);
    const { session, views } = bench;
    const found = arrangementsOf(session, views).map(
      ({ name, ranksOf }) => [name, ranksOf] as const,
    );
    this.ranksOf = new Map(found);
    this.sums = new Map(
      cubesOf(session).map((name) => [name, new SummedCube(bench, slot, cubeOf(session, name))]),
    );
  }

  override add(book: Book, all: boolean): EnteredBook {
    const key = checksum(book);
    const alike = this.known.get(key) ?? [];
    const same = alike.find((one) => (one.all || !all) && sameBook(one.book, book));
    if (same !== undefined) return same;
    const entered = super.add(book, all);
    this.known.set(key, [...alike, entered]);
    this.fresh.push(entered);
    return entered;
  }

  override run(): void {
    for (const entered of this.fresh) this.sum(entered);
    this.fresh = [];
  }

  private sum(entered: EnteredBook): void {
    const { book, all, shortfalls } = entered;
    const base = this.sums.get('base')!;
    const wanted: (keyof Shortfalls)[] = ['base'];
    // Reordering the scenarios of one underlying alone changes nothing.
    if (all && book.segments.length > 1 && this.ranksOf.has('zero')) wanted.push('zero', 'perfect');
    const ranks = wanted.map((name) => this.ranksOf.get(name)!(book.masks));
    const tails = base.tails(book, ranks);
    entered.tail = tails[0]!;
    wanted.forEach((name, i) => {
      shortfalls[name] = tails[i]!.expectedShortfall;
    });
    if (!all) return;
    for (const [name, sums] of this.sums) {
      if (name === 'base') continue;
      const [tail] = sums.tails(book, [this.ranksOf.get(name)!(book.masks)]);
      shortfalls[name] = tail!.expectedShortfall;
    }
  }
}

/** P&L by underlying over one scenario set. */
class SummedCube {
  private readonly bench: Bench;
  private readonly cube: Cube;
  private readonly books: BookMemory;
  /** One underlying's P&L, then the book's as it is and in the two orders. */
  private readonly rows: readonly number[];
  private readonly subtotals = new Map<number, { segment: BookSegment; pnl: Float64Array }[]>();

  constructor(bench: Bench, slot: number, cube: Cube) {
    const { rows, region } = slotRegions(bench.session.layout, slot);
    this.bench = bench;
    this.cube = cube;
    this.rows = rows;
    this.books = new BookMemory(bench.views, region, cube.layout.rowBytes);
  }

  /** @param ranks of the P&L as it is; then, where two more are given, with each underlying's scenarios in the zero and the perfect order */
  tails(book: Book, ranks: readonly TailRanks[]): readonly TailMeasures[] {
    const { kernels, views, session } = this.bench;
    const n = this.cube.set.scenarios;
    const [part, ...sums] = this.rows as [number, ...number[]];
    const used = sums.slice(0, ranks.length);
    if (book.segments.length === 1 && used.length === 1) {
      // A part of a book that was summed before; if not, it will hardly be asked for again.
      this.place(book.segments[0]!, book.underlyings[0]!, used[0]!, false);
      return [this.tail(used[0]!, ranks[0]!)];
    }
    for (const row of used) views.f64.fill(0, row / 8, row / 8 + even(n));
    book.segments.forEach((segment, i) => {
      const underlying = book.underlyings[i]!;
      this.place(segment, underlying, part, true);
      kernels.addValues(part, even(n), used[0]!);
      used.slice(1).forEach((row, which) => {
        const order = orderAddress(session.layout, underlying, which === 0 ? 'zero' : 'perfect');
        kernels.addReordered(part, order, n, row);
      });
    });
    return used.map((row, i) => this.tail(row, ranks[i]!));
  }

  /** Leaves the P&L of one underlying's positions at `part`. */
  private place(segment: BookSegment, underlying: number, part: number, keep: boolean): void {
    const { f64 } = this.bench.views;
    const kept = this.subtotals.get(underlying) ?? [];
    const known = kept.find((one) => sameSegment(one.segment, segment));
    if (known !== undefined) {
      f64.set(known.pnl, part / 8);
      return;
    }
    this.sumRows(segment, part);
    if (!keep) return;
    const found = f64.subarray(part / 8, part / 8 + even(this.cube.set.scenarios));
    // The first one stays: changes are changes of it. The room of the one that goes is used again.
    const [oldest] = kept.length === SUBTOTALS_KEPT ? kept.splice(1, 1) : [];
    const pnl = oldest?.pnl ?? new Float64Array(found.length);
    pnl.set(found);
    kept.push({ segment, pnl });
    this.subtotals.set(underlying, kept);
  }

  private sumRows(segment: BookSegment, part: number): void {
    const { kernels } = this.bench;
    const { layout, set } = this.cube;
    this.books.clear(layout.rowBytes);
    const record = this.books.record(this.books.add({ segments: [segment] }, 1));
    kernels.sumRows(layout.rows, even(set.scenarios), record, part, this.books.spare);
  }

  private tail(row: number, ranks: TailRanks): TailMeasures {
    const { kernels } = this.bench;
    this.books.clear(this.cube.layout.rowBytes);
    const number = this.books.add({ segments: [] }, ranks.keep);
    kernels.tailOf(this.books.record(number), row, this.cube.set.scenarios);
    return this.books.measures(number, ranks);
  }
}

function sameBook(a: Book, b: Book): boolean {
  return (
    a.segments.length === b.segments.length &&
    a.segments.every((segment, i) => sameSegment(segment, b.segments[i]!))
  );
}

function sameSegment(a: BookSegment, b: BookSegment): boolean {
  if (a.rows.length !== b.rows.length) return false;
  for (let i = 0; i < a.rows.length; i++) {
    if (a.rows[i] !== b.rows[i] || a.sizes[i] !== b.sizes[i]) return false;
  }
  return true;
}

/** Equal books have equal sums of these; few others do. */
function checksum({ segments }: Book): number {
  let sum = 0;
  for (const { rows, sizes } of segments) {
    for (let i = 0; i < rows.length; i++) sum += (rows[i]! + 1) * sizes[i]!;
  }
  return sum;
}
