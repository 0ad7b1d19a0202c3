/**
 * P&L by underlying, remembered: rows in a memory of the worker's own, each found again by the positions that it was summed from. When there
 * is no more room the row that was not asked for the longest makes way.
 */
import { createMemory, instantiateKernels, type Kernels } from '../../workers/kernels.ts';
import { LIMITS } from '../limits.ts';
import type { BookSegment } from '../margin/books.ts';
import type { TailMeasures, TailRanks } from '../risk/tail.ts';
import { BOOKS_PER_PASS, RECORD_BYTES, TILE_BYTES } from './arena.ts';
import { BookMemory, tailBytes, type Views, viewsOf } from './bookMemory.ts';
import type { Session } from './sessionData.ts';

/** Scenarios of one step of the kernels. */
const STEP = 16;
/** Rows a multiple of 4 KiB apart share cache sets. */
const STAGGER = 320;
/** What a book takes beside its entries and its tail. */
const BOOK_BYTES = 2 * BOOKS_PER_PASS * RECORD_BYTES + TILE_BYTES + 16 * 1024;
/** An entry of a book: in double and in single precision. */
const ENTRY_BYTES = 24;

/** What a row is the P&L of. */
export interface RowName {
  /** Of the scenario set, and the order of its scenarios. */
  readonly cube: string;
  readonly order: number;
  /** As an index. */
  readonly underlying: number;
  /** Differs for most segments that differ. */
  readonly sum: number;
}

interface Kept {
  readonly underlying: number;
  readonly segment: BookSegment;
  readonly at: number;
}

export class Subtotals {
  private readonly kernels: Kernels;
  private readonly views: Views;
  private readonly books: BookMemory;
  private readonly rows: readonly number[];
  private free: number[];
  /** The one that was asked for last stands last. */
  private readonly kept = new Map<string, Kept>();

  /**
   * @param scenarios of the largest set whose rows come here
   * @param least rows that must be here at a time: those of one book
   */
  constructor({ module, layout }: Session, scenarios: number, least: number) {
    const rowBytes = Math.ceil(scenarios / STEP) * STEP * 8 + STAGGER;
    const wanted = Math.floor(LIMITS.subtotalBytes / rowBytes);
    const count = Math.max(least, wanted);
    const start = Math.ceil(layout.heapBase / 64) * 64;
    const end = start + count * rowBytes;
    const region = { start: end, bytes: BOOK_BYTES + count * ENTRY_BYTES + tailBytes(scenarios) };
    // Shared only by name: kernels are compiled for shared memory. Nobody else sees it.
    const memory = createMemory(region.start + region.bytes);
    this.kernels = instantiateKernels(module, memory);
    this.views = viewsOf(memory);
    this.books = new BookMemory(this.views, region, 1);
    this.rows = Array.from({ length: count }, (_, i) => start + i * rowBytes);
    this.free = [...this.rows];
  }

  /** Rows that can be here at a time. */
  get room(): number {
    return this.rows.length;
  }

  forget(): void {
    this.kept.clear();
    this.free = [...this.rows];
  }

  /** Forgets the P&L of positions in these underlyings (indices). */
  forgetMoved(moved: readonly number[]): void {
    for (const [name, { underlying, at }] of this.kept) {
      if (!moved.includes(underlying)) continue;
      this.kept.delete(name);
      this.free.push(at);
    }
  }

  /** Where the P&L of these positions stands under this name; null where it does not. */
  find(name: RowName, segment: BookSegment): number | null {
    const key = keyOf(name);
    const known = this.kept.get(key);
    if (known === undefined || !sameSegment(known.segment, segment)) return null;
    this.kept.delete(key);
    this.kept.set(key, known);
    return known.at;
  }

  keep(name: RowName, segment: BookSegment, pnl: Float64Array): number {
    const key = keyOf(name);
    const at = this.makeRoom(key);
    this.views.f64.set(pnl, at / 8);
    this.kept.set(key, { underlying: name.underlying, segment, at });
    return at;
  }

  /** The tail of the sum of some rows, added up in their order. */
  tail(rows: readonly number[], n: number, ranks: TailRanks): TailMeasures {
    // 1 · x is x.
    this.books.clear(1);
    const sizes = rows.map(() => 1);
    const number = this.books.add({ segments: [{ rows, sizes }] }, ranks.keep);
    this.kernels.tailOfRows(0, n, this.books.record(number), this.books.slot);
    return this.books.measures(number, ranks);
  }

  private makeRoom(name: string): number {
    // Another segment of the same name goes: its row is free.
    const same = this.kept.get(name);
    if (same !== undefined) {
      this.kept.delete(name);
      return same.at;
    }
    const free = this.free.pop();
    if (free !== undefined) return free;
    const [oldest, { at }] = this.kept.entries().next().value!;
    this.kept.delete(oldest);
    return at;
  }
}

function keyOf({ cube, order, underlying, sum }: RowName): string {
  return `${cube} ${order} ${underlying} ${sum}`;
}

export function sameSegment(a: BookSegment, b: BookSegment): boolean {
  if (a.rows.length !== b.rows.length) return false;
  for (let i = 0; i < a.rows.length; i++) {
    if (a.rows[i] !== b.rows[i] || a.sizes[i] !== b.sizes[i]) return false;
  }
  return true;
}
