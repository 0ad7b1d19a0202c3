// Positions × P&L cube: where an exchange batch spends its time.
//
// A book is what one tail is taken of: a whole account, the part in one underlying, or one position. Records, little-endian:
//
//   book     32 bytes   u32 segments | u32 segmentCount | u32 values | u32 count | f64 threshold | u32 keep | u32 capacity
//   segment   8 bytes   u32 first entry | u32 end of entries      one underlying's positions; segments in id order
//   entry    16 bytes   u32 row offset in a block | u32 unused | f64 size     positions in instrument-id order
//
// A segment has at least one entry. P&L of a book in a scenario is the canonical sum: sizes × cube rows, left to right from 0 into a
// subtotal per segment, then the subtotals left to right. It is the same sum whatever the block, the worker or the batch.
// Sixteen scenarios run side by side in eight registers; nothing is stored but what falls into the tail.

import { closeTail, keepSixteen, openTail, tighten } from './tail';

/** Sixteen scenarios: 128 bytes. */
// @ts-ignore: decorator
@inline const STEP: usize = 128;

/**
 * Sums the book over the scenarios of one block into `out`, sixteen at a time in eight registers of sums.
 * Error: each of the n products and sums rounds once, so |error| ≤ (n + 1)·2⁻⁵³·Σ|size·P&L|.
 * V8 moves all loads of a basic block to its start; eight rows' parts beside eight sums do not fit into sixteen registers, and a sum that
 * is spilled to the stack is then what the loop waits for. The branch between the halves is never taken: it ends the basic block, so
 * that only four parts are on their way at a time. All sixteens of a segment follow each other, so that the branch predictor meets the
 * same short loop several times running.
 */
// @ts-ignore: decorator
@inline
function sumBlock(book: usize, scenarios: usize, blockEnd: usize, out: usize): void {
  let segment: usize = load<u32>(book);
  const end = segment + ((<usize>load<u32>(book, 4)) << 3);
  let first = true;
  do {
    const start: usize = load<u32>(segment);
    const last: usize = load<u32>(segment, 4);
    for (let at: usize = 0; at < blockEnd; at += 128) {
      let entry = start;
      const base = scenarios + at;
      const sums = out + at;
      let a = f64x2.splat(0);
      let b = a;
      let c = a;
      let d = a;
      let e = a;
      let f = a;
      let g = a;
      let h = a;
      do {
        const row = base + load<u32>(entry);
        const size = v128.load64_splat(entry, 8);
        a = f64x2.add(a, f64x2.mul(size, v128.load(row)));
        b = f64x2.add(b, f64x2.mul(size, v128.load(row, 16)));
        c = f64x2.add(c, f64x2.mul(size, v128.load(row, 32)));
        d = f64x2.add(d, f64x2.mul(size, v128.load(row, 48)));
        if (entry == 0) break; // never
        e = f64x2.add(e, f64x2.mul(size, v128.load(row, 64)));
        f = f64x2.add(f, f64x2.mul(size, v128.load(row, 80)));
        g = f64x2.add(g, f64x2.mul(size, v128.load(row, 96)));
        h = f64x2.add(h, f64x2.mul(size, v128.load(row, 112)));
        entry += 16;
      } while (entry < last);
      // 0 + subtotal is the subtotal: a sum that began at 0 is never −0. So the first segment is stored as it stands.
      if (!first) {
        a = f64x2.add(v128.load(sums), a);
        b = f64x2.add(v128.load(sums, 16), b);
        c = f64x2.add(v128.load(sums, 32), c);
        d = f64x2.add(v128.load(sums, 48), d);
        e = f64x2.add(v128.load(sums, 64), e);
        f = f64x2.add(v128.load(sums, 80), f);
        g = f64x2.add(v128.load(sums, 96), g);
        h = f64x2.add(v128.load(sums, 112), h);
      }
      v128.store(sums, a);
      v128.store(sums, b, 16);
      v128.store(sums, c, 32);
      v128.store(sums, d, 48);
      v128.store(sums, e, 64);
      v128.store(sums, f, 80);
      v128.store(sums, g, 96);
      v128.store(sums, h, 112);
    }
    first = false;
    segment += 8;
  } while (segment < end);
}

/** Brings a block into the cache in address order, which the hardware prefetches; the books' own order it cannot foresee. */
function touch(block: usize, bytes: usize): f64 {
  let sum: f64 = 0;
  for (let at: usize = 0; at < bytes; at += 64) sum += load<f64>(block + at);
  return sum;
}

/** One book over one block; `left` scenarios exist from its first on. */
// @ts-ignore: decorator
@inline
function offerBlock(book: usize, base: usize, blockEnd: usize, left: i32, slot: usize): void {
  sumBlock(book, base, blockEnd, slot);
  for (let at: usize = 0; at < blockEnd; at += STEP) keepSixteen(book, slot + at, left - <i32>(at >> 3));
}

/**
 * Sums each of the `bookCount` books at `books` over the cube and leaves its `keep` worst values sorted in its buffer, worst first.
 * Only the first `scenarios` scenarios exist; what pads the last block is never kept. `slot` has the caller's own room for one block of
 * sums. The blocks are the outer loop: one block stays in the cache while all books pass over it.
 */
export function accumulate(
  cube: usize, blockBytes: u32, blockSize: u32, scenarios: u32, books: usize, bookCount: u32, slot: usize,
): void {
  const blockEnd = (<usize>blockSize) << 3;
  const booksEnd = books + ((<usize>bookCount) << 5);
  const blocks = (scenarios + blockSize - 1) / blockSize;
  for (let book = books; book < booksEnd; book += 32) openTail(book);
  let milestone: u32 = 128;
  for (let block: u32 = 0; block < blocks; block++) {
    const base = cube + <usize>block * blockBytes;
    if (bookCount > 1) store<f64>(slot, touch(base, blockBytes));
    const seen = block * blockSize;
    const left = <i32>(scenarios - seen);
    for (let book = books; book < booksEnd; book += 32) offerBlock(book, base, blockEnd, left, slot);
    if (seen + blockSize >= milestone && left > <i32>blockSize) {
      milestone = (seen + blockSize) * 2;
      for (let book = books; book < booksEnd; book += 32) tighten(book, seen + blockSize, scenarios);
    }
  }
  for (let book = books; book < booksEnd; book += 32) {
    if (closeTail(book)) continue;
    // The estimate was too strict for this book (scenarios in no random order): once more, without estimates.
    openTail(book);
    for (let block: u32 = 0; block < blocks; block++) {
      const left = <i32>(scenarios - block * blockSize);
      offerBlock(book, cube + <usize>block * blockBytes, blockEnd, left, slot);
    }
    closeTail(book);
  }
}

/**
 * Bytes of one tile of `sumRows`: the sums stay in the first-level cache, and rows are read in runs of several pages, which the hardware foresees
 * better than runs of one (measured: a quarter faster on rows that are in no cache).
 */
// @ts-ignore: decorator
@inline const TILE: usize = 16384;

/** sums ← sums + size · row over `bytes`; with `fresh` the sums begin at 0. */
// @ts-ignore: decorator
@inline
function addRow(entry: usize, at: usize, sums: usize, bytes: usize, fresh: bool): void {
  const row = at + load<u32>(entry);
  const size = v128.load64_splat(entry, 8);
  const zero = f64x2.splat(0);
  if (fresh) {
    for (let i: usize = 0; i < bytes; i += 16) {
      v128.store(sums + i, f64x2.add(zero, f64x2.mul(size, v128.load(row + i))));
    }
  } else {
    for (let i: usize = 0; i < bytes; i += 16) {
      v128.store(sums + i, f64x2.add(v128.load(sums + i), f64x2.mul(size, v128.load(row + i))));
    }
  }
}

/** Four rows at once, in their order: the sums are loaded and stored a quarter as often. */
// @ts-ignore: decorator
@inline
function addFourRows(entry: usize, at: usize, sums: usize, bytes: usize): void {
  const row = at + load<u32>(entry);
  const row2 = at + load<u32>(entry, 16);
  const row3 = at + load<u32>(entry, 32);
  const row4 = at + load<u32>(entry, 48);
  const size = v128.load64_splat(entry, 8);
  const size2 = v128.load64_splat(entry, 24);
  const size3 = v128.load64_splat(entry, 40);
  const size4 = v128.load64_splat(entry, 56);
  for (let i: usize = 0; i < bytes; i += 16) {
    let sum = f64x2.add(v128.load(sums + i), f64x2.mul(size, v128.load(row + i)));
    sum = f64x2.add(sum, f64x2.mul(size2, v128.load(row2 + i)));
    sum = f64x2.add(sum, f64x2.mul(size3, v128.load(row3 + i)));
    v128.store(sums + i, f64x2.add(sum, f64x2.mul(size4, v128.load(row4 + i))));
  }
}

/**
 * The same sums for one book, kept whole: entries are offsets of rows from `rows`, each row contiguous in scenario order. P&L of n scenarios
 * (a multiple of 2) at `out`; `spare` is 16 KiB. One book alone reads its rows in address order this way; from the blocks of the cube
 * it would touch a page of memory for every few scenarios.
 */
export function sumRows(rows: usize, n: u32, book: usize, out: usize, spare: usize): void {
  const bytes = <usize>n << 3;
  const segments: usize = load<u32>(book);
  const end = segments + ((<usize>load<u32>(book, 4)) << 3);
  for (let tile: usize = 0; tile < bytes; tile += TILE) {
    const size = bytes - tile < TILE ? bytes - tile : TILE;
    for (let segment = segments; segment < end; segment += 8) {
      const sums = segment == segments ? out + tile : spare;
      let entry: usize = load<u32>(segment);
      const last: usize = load<u32>(segment, 4);
      addRow(entry, rows + tile, sums, size, true);
      for (entry += 16; entry + 48 < last; entry += 64) addFourRows(entry, rows + tile, sums, size);
      for (; entry < last; entry += 16) addRow(entry, rows + tile, sums, size, false);
      if (segment == segments) continue;
      for (let i: usize = 0; i < size; i += 16) {
        v128.store(out + tile + i, f64x2.add(v128.load(out + tile + i), v128.load(sums + i)));
      }
    }
  }
}

/** Copies a contiguous row into the blocks of the cube: piece b of `blockSize` values goes to out + b·blockStride. */
export function packRow(row: usize, blocks: u32, blockSize: u32, out: usize, blockStride: u32): void {
  const bytes = <usize>blockSize << 3;
  for (let block: u32 = 0; block < blocks; block++) {
    for (let i: usize = 0; i < bytes; i += 16) v128.store(out + i, v128.load(row + i));
    row += bytes;
    out += blockStride;
  }
}

/** out[s] ← out[s] + row[s] over n values, n even. */
export function addValues(row: usize, n: u32, out: usize): void {
  const end = <usize>n << 3;
  for (let i: usize = 0; i < end; i += 16) {
    v128.store(out + i, f64x2.add(v128.load(out + i), v128.load(row + i)));
  }
}

/** out[s] ← out[s] + row[order[s]]: a row whose scenarios are reordered, order as u32. */
export function addReordered(row: usize, order: usize, n: u32, out: usize): void {
  for (let s: usize = 0; s < <usize>n; s++) {
    const value = load<f64>(row + ((<usize>load<u32>(order + (s << 2))) << 3));
    store<f64>(out + (s << 3), load<f64>(out + (s << 3)) + value);
  }
}

/** packRow of a reordered row: of the n values that exist the s-th is row[order[s]]; what pads the last block is left as it is. */
export function packReordered(
  row: usize, order: usize, n: u32, blockSize: u32, out: usize, blockStride: u32,
): void {
  let left = n;
  while (left > 0) {
    const count = left < blockSize ? left : blockSize;
    for (let i: usize = 0; i < <usize>count; i++) {
      store<f64>(out + (i << 3), load<f64>(row + ((<usize>load<u32>(order + (i << 2))) << 3)));
    }
    order += (<usize>count) << 2;
    out += blockStride;
    left -= count;
  }
}

/** The greatest |value| of n values; NaN when one of them is not finite. */
export function rowBound(values: usize, n: u32): f64 {
  let low = f64x2.splat(0);
  let high = low;
  let ordered = f64x2.eq(low, low);
  const end = values + (<usize>(n & ~3) << 3);
  let at = values;
  for (; at < end; at += 32) {
    const a = v128.load(at);
    const b = v128.load(at, 16);
    ordered = v128.and(ordered, v128.and(f64x2.eq(a, a), f64x2.eq(b, b)));
    low = f64x2.pmax(low, f64x2.abs(a));
    high = f64x2.pmax(high, f64x2.abs(b));
  }
  low = f64x2.pmax(low, high);
  let bound = Math.max(f64x2.extract_lane(low, 0), f64x2.extract_lane(low, 1));
  for (; at < values + (<usize>n << 3); at += 8) bound = Math.max(bound, Math.abs(load<f64>(at)));
  return i64x2.all_true(ordered) && bound < Infinity ? bound : NaN;
}
