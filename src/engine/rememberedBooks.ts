/**
 * Tails of books of which a worker has seen the like: a book that was summed before is not summed anew, and of a new one only the
 * underlyings whose positions changed are. P&L by underlying is added in the canonical order, so that every figure has the bits that it has
 * on its own.
 */
import { LIMITS } from '../limits.ts';
import type { Book, BookSegment } from '../margin/books.ts';
import type { TailMeasures, TailRanks } from '../risk/tail.ts';
import { type ArrangementName, arrangementsOf, orderAddress } from './arrangements.ts';
import { BookMemory } from './bookMemory.ts';
import { BookPasses, type EnteredBook } from './bookPasses.ts';
import { type Cube, type CubeName, cubeOf, cubesOf, type Session } from './sessionData.ts';
import type { Bench } from './shards.ts';
import { slotRegions } from './singleBook.ts';
import { Subtotals, sameSegment } from './subtotals.ts';

/** Orders of the session's own scenarios, as they are first. */
const ORDERS = ['base', 'zero', 'perfect'] as const;

/** What a worker remembers of the session that it was asked about last. */
interface Memory {
  readonly session: Session;
  readonly scenarios: number;
  readonly subtotals: Subtotals;
  readonly books: Map<number, EnteredBook[]>;
}

let latest: Memory | null = null;

function memoryOf(session: Session): Memory {
  if (latest?.session === session) return latest;
  const { step } = session;
  if (step !== null && latest?.session.id === step.from) {
    // Ticks moved some underlyings on the same memory: of the others all rows are as they were.
    latest.subtotals.forgetMoved(step.moved);
    latest = { ...latest, session, books: new Map() };
    return latest;
  }
  // All underlyings, in all orders.
  const least = ORDERS.length * session.valuation.market.underlyings.length;
  const sets = cubesOf(session).map((name) => cubeOf(session, name).set.scenarios);
  const scenarios = Math.max(...sets);
  const fits = latest?.scenarios === scenarios && latest.subtotals.room >= least;
  const subtotals = fits ? latest!.subtotals : new Subtotals(session, scenarios, least);
  subtotals.forget();
  latest = { session, scenarios, subtotals, books: new Map() };
  return latest;
}

export class RememberedBooks extends BookPasses {
  private fresh: EnteredBook[] = [];
  private readonly remembered: Memory;
  private readonly sums: ReadonlyMap<CubeName, SummedCube>;
  private readonly ranksOf: ReadonlyMap<ArrangementName, (masks: readonly number[]) => TailRanks>;

  constructor(bench: Bench, slot: number) {
    super(bench, slot);
    // Its books are summed from whole rows, one by one.
    super.begin(1);
    const { session, views } = bench;
    this.remembered = memoryOf(session);
    const found = arrangementsOf(session, views).map(
      ({ name, ranksOf }) => [name, ranksOf] as const,
    );
    this.ranksOf = new Map(found);
    this.sums = new Map(
      cubesOf(session).map((name) => {
        const cube = { name, ...cubeOf(session, name) };
        return [name, new SummedCube(bench, slot, cube, this.remembered.subtotals)];
      }),
    );
  }

  override add(book: Book, all: boolean): EnteredBook {
    const { books } = this.remembered;
    const key = checksum(book);
    const alike = books.get(key) ?? [];
    const same = alike.find((one) => (one.all || !all) && sameBook(one.book, book));
    // One without a tail was entered by somebody who came to grief before its turn.
    if (same !== undefined && (same.tail !== null || this.fresh.includes(same))) return same;
    const entered = super.add(book, all);
    if (books.size === LIMITS.rememberedBooksMax) books.clear();
    books.set(key, [...alike.filter((one) => one !== same), entered]);
    this.fresh.push(entered);
    return entered;
  }

  override run(): void {
    for (const entered of this.fresh) this.sum(entered);
    this.fresh = [];
  }

  private sum(entered: EnteredBook): void {
    const { book, all, shortfalls } = entered;
    const tailsOf = (name: CubeName, orders: readonly ArrangementName[]): readonly TailMeasures[] =>
      this.sums.get(name)!.tails(
        book,
        orders.map((order) => this.ranksOf.get(order)!(book.masks)),
      );
    // Reordering the scenarios of one underlying alone changes nothing.
    const reordered = all && book.segments.length > 1 && this.ranksOf.has('zero');
    const orders = reordered ? ORDERS : ORDERS.slice(0, 1);
    const tails = tailsOf('base', orders);
    orders.forEach((name, i) => {
      shortfalls[name] = tails[i]!.expectedShortfall;
    });
    if (all) {
      for (const name of this.sums.keys()) {
        if (name !== 'base') shortfalls[name] = tailsOf(name, [name])[0]!.expectedShortfall;
      }
    }
    entered.tail = tails[0]!;
  }
}

/** Books summed over one scenario set. */
class SummedCube {
  private readonly bench: Bench;
  private readonly cube: Cube & { readonly name: CubeName };
  private readonly subtotals: Subtotals;
  private readonly books: BookMemory;
  /** One underlying's P&L as it is, and reordered. */
  private readonly part: number;
  private readonly turned: number;

  constructor(
    bench: Bench,
    slot: number,
    cube: Cube & { readonly name: CubeName },
    subtotals: Subtotals,
  ) {
    const { rows, region } = slotRegions(bench.session.layout, slot);
    this.bench = bench;
    this.cube = cube;
    this.subtotals = subtotals;
    [this.part, this.turned] = rows as [number, number];
    this.books = new BookMemory(bench.views, region, cube.layout.rowBytes);
  }

  /** @param ranks of the P&L as it is; then, where two more are given, with each underlying's scenarios in the zero and the perfect order */
  tails(book: Book, ranks: readonly TailRanks[]): readonly TailMeasures[] {
    const rows = ranks.map((): number[] => []);
    book.segments.forEach((segment, i) => {
      this.place(segment, book.underlyings[i]!, rows);
    });
    const n = this.cube.set.scenarios;
    return ranks.map((its, order) => this.subtotals.tail(rows[order]!, n, its));
  }

  /** Adds to the rows of each order where the P&L of one underlying's positions stands. */
  private place(segment: BookSegment, underlying: number, rows: readonly number[][]): void {
    const { subtotals } = this;
    const cube = this.cube.name;
    const sum = segmentSum(segment);
    let summed = false;
    rows.forEach((list, order) => {
      const name = { cube, order, underlying, sum };
      let at = subtotals.find(name, segment);
      if (at === null) {
        if (!summed) this.sumRows(segment);
        summed = true;
        at = subtotals.keep(name, segment, this.ordered(underlying, order));
      }
      list.push(at);
    });
  }

  /** What was summed last, in an order. */
  private ordered(underlying: number, order: number): Float64Array {
    const { kernels, views, session } = this.bench;
    const n = this.cube.set.scenarios;
    if (order === 0) return views.f64.subarray(this.part / 8, this.part / 8 + n);
    const at = orderAddress(session.layout, underlying, order === 1 ? 'zero' : 'perfect');
    kernels.packReordered(this.part, at, n, n, this.turned, 0);
    return views.f64.subarray(this.turned / 8, this.turned / 8 + n);
  }

  private sumRows(segment: BookSegment): void {
    const { kernels } = this.bench;
    const { layout, set } = this.cube;
    const even = set.scenarios + (set.scenarios % 2);
    this.books.clear(layout.rowBytes);
    const record = this.books.record(this.books.add({ segments: [segment] }, 1));
    kernels.sumRows(layout.rows, even, record, this.part, this.books.spare);
  }
}

function sameBook(a: Book, b: Book): boolean {
  return (
    a.segments.length === b.segments.length &&
    a.segments.every((segment, i) => sameSegment(segment, b.segments[i]!))
  );
}

/** Equal books have equal sums of these; few others do. */
function checksum({ segments }: Book): number {
  let sum = 0;
  for (const segment of segments) sum += segmentSum(segment);
  return sum;
}

function segmentSum({ rows, sizes }: BookSegment): number {
  let sum = 0;
  for (let i = 0; i < rows.length; i++) sum += (rows[i]! + 1) * sizes[i]!;
  return sum;
}
