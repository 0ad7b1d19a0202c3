/** Books as the kernels read them: records, segments, entries and tail buffers in one scratch slot of the shared memory. */
import { PlimsollError } from '../errors.ts';
import type { Book } from '../margin/books.ts';
import { type TailMeasures, type TailRanks, tailMeasures } from '../risk/tail.ts';
import { BOOKS_PER_PASS, RECORD_BYTES as RECORD, TILE_BYTES } from './arena.ts';

const ENTRY = 16;
/** A rough entry, and what stands before them. */
const ROUGH = 8;
const ROUGH_HEAD = 16;
/** Room beyond `keep` in a tail buffer: what is collected before a selection, and the sort's spare run. */
const TAIL_ROOM = 512;

export function tailBytes(keep: number): number {
  return (keep + Math.max(TAIL_ROOM, keep >> 1)) * 8;
}

/** Views of a shared memory. */
export interface Views {
  readonly f64: Float64Array;
  readonly u32: Uint32Array;
}

export function viewsOf(memory: WebAssembly.Memory): Views {
  return { f64: new Float64Array(memory.buffer), u32: new Uint32Array(memory.buffer) };
}

/**
 * Fills a region with books until it is full, one pass over the cube after another. `add` returns the book's number, or −1 when
 * the pass must run first.
 */
export class BookMemory {
  /** Room for sixteen sums. */
  readonly slot: number;
  /** One tile, for `sumRows`. */
  readonly spare: number;
  readonly records: number;
  /** Room for copies of records: some of the books. */
  readonly selection: number;
  count = 0;
  private readonly views: Views;
  private rowBytes: number;
  private readonly start: number;
  private readonly end: number;
  private next: number;

  constructor(
    views: Views,
    region: { readonly start: number; readonly bytes: number },
    rowBytes: number,
  ) {
    this.views = views;
    this.rowBytes = rowBytes;
    this.slot = region.start;
    this.spare = region.start + 128 + 64;
    this.records = this.spare + TILE_BYTES + 64;
    this.selection = this.records + BOOKS_PER_PASS * RECORD;
    this.start = this.selection + BOOKS_PER_PASS * RECORD;
    this.end = region.start + region.bytes;
    this.next = this.start;
  }

  /** @param rowBytes from one row to the next, in the layout that the books will be summed from */
  clear(rowBytes: number): void {
    this.rowBytes = rowBytes;
    this.count = 0;
    this.next = this.start;
  }

  /** A point to come back to when the books of one account do not all fit. */
  mark(): { readonly count: number; readonly next: number } {
    return { count: this.count, next: this.next };
  }

  rewind(mark: { readonly count: number; readonly next: number }): void {
    this.count = mark.count;
    this.next = mark.next;
  }

  add(book: Pick<Book, 'segments'>, keep: number): number {
    const { u32, f64 } = this.views;
    let entries = 0;
    for (const segment of book.segments) entries += segment.rows.length;
    const segmentBytes = Math.ceil((book.segments.length * 8) / 16) * 16;
    const roughBytes = ROUGH_HEAD + Math.ceil((entries * ROUGH) / 16) * 16;
    const buffer = tailBytes(keep);
    const bytes = segmentBytes + entries * ENTRY + roughBytes + buffer;
    if (this.count === BOOKS_PER_PASS || this.next + bytes > this.end) {
      if (this.count > 0) return -1;
      const room = this.end - this.next;
      throw new PlimsollError(
        'OUT_OF_MEMORY',
        `a book of ${entries} rows needs ${bytes} bytes of scratch, there are ${room}`,
      );
    }
    let entry = this.next + segmentBytes;
    book.segments.forEach((segment, i) => {
      u32[this.next / 4 + i * 2] = entry;
      for (let j = 0; j < segment.rows.length; j++) {
        u32[entry / 4] = segment.rows[j]! * this.rowBytes;
        u32[entry / 4 + 1] = segment.rows[j]!;
        f64[entry / 8 + 1] = segment.sizes[j]!;
        entry += ENTRY;
      }
      u32[this.next / 4 + i * 2 + 1] = entry;
    });
    const record = (this.records + this.count * RECORD) / 4;
    u32[record] = this.next;
    u32[record + 1] = book.segments.length;
    u32[record + 2] = entry + roughBytes;
    u32[record + 3] = 0;
    u32[record + 6] = keep;
    u32[record + 7] = buffer / 8;
    u32[record + 8] = entry;
    this.next = entry + roughBytes + buffer;
    return this.count++;
  }

  /** Sets how many of the worst values the next tail of a book keeps: at most as many as it was entered with. */
  keep(book: number, keep: number): void {
    this.views.u32[this.record(book) / 4 + 6] = keep;
  }

  /** Copies the records of some books behind each other, for a pass over these alone. */
  select(books: readonly number[]): number {
    const { u32 } = this.views;
    books.forEach((book, i) => {
      const from = this.record(book) / 4;
      u32.copyWithin((this.selection + i * RECORD) / 4, from, from + RECORD / 4);
    });
    return this.selection;
  }

  record(book: number): number {
    return this.records + book * RECORD;
  }

  /** The tail that the kernels left in a book's buffer. */
  measures(book: number, ranks: TailRanks): TailMeasures {
    const at = this.views.u32[this.record(book) / 4 + 2]! / 8;
    return tailMeasures(this.views.f64.subarray(at, at + ranks.keep), ranks);
  }
}
