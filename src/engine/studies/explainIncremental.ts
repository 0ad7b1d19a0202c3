/** ES of an account without each of its positions: the very figure that margining the smaller account gives, without summing it anew. */
import { LIMITS } from '../../limits.ts';
import { holdingBook } from '../../margin/books.ts';
import { type Holding, splitParts, type UnderlyingPart } from '../../margin/holding.ts';
import { tailMean } from '../../risk/contributions.ts';
import { rankFinder } from '../arrangements.ts';
import { BookMemory } from '../bookMemory.ts';
import { SingleBook, slotRegions } from '../singleBook.ts';
import { collateralCoins, type Line, rowsOf } from './explainLines.ts';
import type { MeasuredAccount, MeasuredTail } from './explainMeasure.ts';
import type { StudyContext } from './study.ts';

/** Values of rows that are remembered by scenario. */
const REMEMBERED_MAX = 4_000_000;

/**
 * ES without the position less ES, by position in the canonical order: > 0 where the position hedges the rest. NaN beyond the
 * LIMITS.explainIncrementalMax positions with the greatest contributions.
 */
export function incrementalShortfalls(
  measured: MeasuredAccount,
  context: StudyContext,
): Float64Array {
  const { portfolio, tail, contributions } = measured;
  const n = portfolio.instruments.length;
  const increments = new Float64Array(n).fill(Number.NaN);
  if (tail === null) return increments.fill(0);
  const masked = holdingBook(portfolio, context.bench.session.valuation).masks.length > 0;
  const removal = masked ? null : new Removal(measured, tail, context);
  for (const i of greatest(contributions, n)) {
    context.checkCancelled();
    const without =
      removal === null ? summedAnew(measured, i, context) : removal.shortfallWithout(i);
    increments[i] = without - tail.expectedShortfall;
  }
  return increments;
}

/** The positions of the greatest |contribution|, as many as are computed. */
function greatest(contributions: Float64Array, positions: number): readonly number[] {
  const all = Array.from({ length: positions }, (_, i) => i);
  if (positions <= LIMITS.explainIncrementalMax) return all;
  const size = (i: number): number => Math.abs(contributions[i]!);
  return all.sort((a, b) => size(b) - size(a) || a - b).slice(0, LIMITS.explainIncrementalMax);
}

/** Rows with gaps count again when the position that needs them has gone: the smaller book is summed by itself. */
function summedAnew(measured: MeasuredAccount, i: number, { bench, slot }: StudyContext): number {
  const { valuation } = bench.session;
  const book = holdingBook(withoutPosition(measured, i, bench.session), valuation);
  if (book.segments.length === 0) return 0;
  const ranks = rankFinder(bench.session)(book.masks);
  return new SingleBook(bench, slot).measures(book, ranks).expectedShortfall;
}

function withoutPosition(
  { portfolio }: MeasuredAccount,
  i: number,
  { valuation }: StudyContext['bench']['session'],
): Holding {
  const others = (_: number, at: number): boolean => at !== i;
  const instruments = portfolio.instruments.filter(others);
  const unrealisedCoins = portfolio.unrealisedCoins.filter(others);
  const coins = collateralCoins(portfolio, valuation);
  const parts = splitParts(instruments, unrealisedCoins, coins, valuation.market);
  return { instruments, sizes: portfolio.sizes.filter(others), unrealisedCoins, parts };
}

/**
 * The account's P&L less a position's is its P&L without it up to rounding, which says which scenarios can be in the tail; these few
 * are summed again in the canonical order, so that ES has the bits of the smaller account's.
 */
class Removal {
  private readonly measured: MeasuredAccount;
  private readonly tail: MeasuredTail;
  private readonly context: StudyContext;
  /** More than rounding can make of one sum. */
  private readonly slack: number;
  private readonly coins: ReadonlyMap<number, number>;
  /** Rows of the scratch slot: the account's P&L, and less one position. */
  private readonly whole: number;
  private readonly less: number;
  /** The record of the tail that is looked for, and where its worst values are left. */
  private readonly record: number;
  private readonly buffer: number;
  /**
   * By scenario, part after part: the move of its spot and the gain of each of its positions; then, in the same places, the part's
   * subtotal and the sum before each position, which is what the smaller account's sum begins with too.
   */
  private readonly columns: (Float64Array | undefined)[] = [];
  private remembered = 0;
  private readonly sums: Float64Array;

  constructor(measured: MeasuredAccount, tail: MeasuredTail, context: StudyContext) {
    const { session, views } = context.bench;
    const { layout, valuation } = session;
    this.measured = measured;
    this.tail = tail;
    this.context = context;
    this.coins = collateralCoins(measured.portfolio, valuation);
    this.sums = new Float64Array(tail.pnl.length);
    let bound = 0;
    for (const line of measured.lines) {
      for (const { row, size } of rowsOf(line, valuation.plan)) {
        bound += Math.abs(size) * views.f64[layout.bounds / 8 + row]!;
      }
    }
    // Each of the products and sums rounds by 2⁻⁵³ of at most `bound`; twice, for the two ways of summing.
    this.slack = 2 * (measured.lines.length + 8) * Number.EPSILON * bound;
    const { rows, region } = slotRegions(layout, context.slot);
    this.whole = rows[0]!;
    this.less = rows[1]!;
    views.f64.set(tail.pnl, this.whole / 8);
    const memory = new BookMemory(views, region, layout.rowBytes);
    this.record = memory.record(memory.add({ segments: [] }, tail.ranks.valueAtRisk));
    this.buffer = views.u32[this.record / 4 + 2]! / 8;
  }

  shortfallWithout(i: number): number {
    const { measured, tail, context } = this;
    const { lines } = measured;
    if (lines.length === 1) return 0;
    const { kernels, views } = context.bench;
    const k = tail.ranks.valueAtRisk;
    this.subtract(lines[i]!);
    kernels.tailOf(this.record, this.less, tail.pnl.length);
    const limit = views.f64[this.buffer + k - 1]! + 2 * this.slack;
    const count = this.sumLikely(i, limit);
    const worst = this.sums.subarray(0, count).sort().subarray(0, k);
    return tailMean(
      worst.map((pnl) => -pnl || 0),
      tail.tail,
    );
  }

  /** Sums the scenarios up to a limit; returns how many there are. Looked at in fours, of which few have one. */
  private sumLikely(i: number, limit: number): number {
    const { views } = this.context.bench;
    const n = this.tail.pnl.length;
    const values = views.f64.subarray(this.less / 8, this.less / 8 + n);
    let count = 0;
    let s = 0;
    for (; s + 4 <= n; s += 4) {
      const none =
        values[s]! > limit &&
        values[s + 1]! > limit &&
        values[s + 2]! > limit &&
        values[s + 3]! > limit;
      if (none) continue;
      for (let t = s; t < s + 4; t++) {
        if (values[t]! <= limit) this.sums[count++] = this.sumWithout(i, t);
      }
    }
    for (; s < n; s++) if (values[s]! <= limit) this.sums[count++] = this.sumWithout(i, s);
    return count;
  }

  private subtract(line: Line): void {
    const { kernels, session, views } = this.context.bench;
    const { layout, valuation } = session;
    const n = this.tail.pnl.length;
    const even = n + (n % 2);
    views.f64.copyWithin(this.less / 8, this.whole / 8, this.whole / 8 + n);
    for (const { row, size } of rowsOf(line, valuation.plan)) {
      kernels.addScaled(this.less, layout.rows + row * layout.rowBytes, even, -size);
    }
  }

  /** The canonical sum: coins, then positions by id into a subtotal per underlying, then the subtotals. */
  private sumWithout(i: number, s: number): number {
    const { parts, unrealisedCoins } = this.measured.portfolio;
    const column = this.columns[s] ?? this.columnOf(s);
    const width = column.length / 2;
    let total = 0;
    let at = 0;
    for (const part of parts) {
      const { start, end } = part;
      let subtotal = column[width + at]!;
      if (i >= start && i < end) {
        const place = at + 1 + i - start;
        if (unrealisedCoins[i] === 0) subtotal = column[width + place]!;
        else {
          const coins = this.coinsWithout(i, part);
          subtotal = coins === 0 ? 0 : coins * column[at]!;
          for (let j = at + 1; j < place; j++) subtotal += column[j]!;
        }
        for (let j = place + 1; j <= at + end - start; j++) subtotal += column[j]!;
      }
      at += 1 + end - start;
      total += subtotal;
    }
    return total;
  }

  /** Coins of a part as the smaller account would sum them. */
  private coinsWithout(i: number, { underlying, start, end }: UnderlyingPart): number {
    const { unrealisedCoins } = this.measured.portfolio;
    let coins = this.coins.get(underlying) ?? 0;
    for (let j = start; j < end; j++) if (j !== i) coins += unrealisedCoins[j]!;
    return coins;
  }

  private columnOf(s: number): Float64Array {
    const { portfolio } = this.measured;
    const { bench } = this.context;
    const { layout, valuation } = bench.session;
    const { f64 } = bench.views;
    const valueIn = (row: number): number => f64[(layout.rows + row * layout.rowBytes) / 8 + s]!;
    const width = portfolio.parts.length + portfolio.instruments.length;
    const column = new Float64Array(2 * width);
    let at = 0;
    for (const { underlying, start, end, coins } of portfolio.parts) {
      const head = at++;
      column[head] = valueIn(valuation.plan.underlyings[underlying]!.spotRow);
      let subtotal = coins === 0 ? 0 : coins * column[head]!;
      for (let j = start; j < end; j++, at++) {
        const gain =
          portfolio.sizes[j]! * valueIn(valuation.plan.rowOf[portfolio.instruments[j]!]!);
        column[at] = gain;
        column[width + at] = subtotal;
        subtotal += gain;
      }
      column[width + head] = subtotal;
    }
    if (this.remembered + column.length > REMEMBERED_MAX) {
      this.columns.length = 0;
      this.remembered = 0;
    }
    this.remembered += column.length;
    this.columns[s] = column;
    return column;
  }
}
