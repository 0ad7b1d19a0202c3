// Rows of P&L in double precision: books summed over them, and rows packed into the cube. Records of books stand in screening.ts.

import { closeTail, keepSixteen, openTail, tighten } from './tail';

/**
 * Sixteen scenarios of a book in eight registers, from `rows` on: the canonical sums, at `out`. Entries are offsets of rows from `rows`.
 * Error: each of the n products and sums rounds once, so |error| ≤ (n + 1)·2⁻⁵³·Σ|size·P&L|. The branch that is never taken ends a basic
 * block, so that V8 holds no more than four rows' parts beside the sums (see screening.ts).
 */
// @ts-ignore: decorator
@inline
export function sumSixteen(book: usize, rows: usize, out: usize): void {
  const segments: usize = load<u32>(book);
  const segmentsEnd = segments + ((<usize>load<u32>(book, 4)) << 3);
  let first = true;
  for (let segment = segments; segment < segmentsEnd; segment += 8) {
    let entry: usize = load<u32>(segment);
    const last: usize = load<u32>(segment, 4);
    let a = f64x2.splat(0);
    let b = a;
    let c = a;
    let d = a;
    let e = a;
    let f = a;
    let g = a;
    let h = a;
    do {
      const row = rows + load<u32>(entry);
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
      a = f64x2.add(v128.load(out), a);
      b = f64x2.add(v128.load(out, 16), b);
      c = f64x2.add(v128.load(out, 32), c);
      d = f64x2.add(v128.load(out, 48), d);
      e = f64x2.add(v128.load(out, 64), e);
      f = f64x2.add(v128.load(out, 80), f);
      g = f64x2.add(v128.load(out, 96), g);
      h = f64x2.add(v128.load(out, 112), h);
    }
    v128.store(out, a);
    v128.store(out, b, 16);
    v128.store(out, c, 32);
    v128.store(out, d, 48);
    v128.store(out, e, 64);
    v128.store(out, f, 80);
    v128.store(out, g, 96);
    v128.store(out, h, 112);
    first = false;
  }
}

/**
 * The tail of a book over n scenarios of contiguous rows, its sums not kept: for a few rows that are in the cache. What is behind the n is read
 * up to a multiple of 16. `slot` has room for 128 bytes.
 */
export function tailOfRows(rows: usize, n: u32, book: usize, slot: usize): void {
  openTail(book);
  let milestone: u32 = 128;
  for (let i: u32 = 0; i < n; i += 16) {
    sumSixteen(book, rows + (<usize>i << 3), slot);
    keepSixteen(book, slot, <i32>(n - i));
    if (i + 16 >= milestone && i + 16 < n) {
      milestone = (i + 16) * 2;
      tighten(book, i + 16, n);
    }
  }
  if (closeTail(book)) return;
  // The estimate was too strict for this book (scenarios in no random order): once more, without estimates.
  openTail(book);
  for (let i: u32 = 0; i < n; i += 16) {
    sumSixteen(book, rows + (<usize>i << 3), slot);
    keepSixteen(book, slot, <i32>(n - i));
  }
  closeTail(book);
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

/**
 * What screening.ts multiplies a row of n values by: a power of two below 1/|value| for all of them. 0 for a row of zeros and infinities alone;
 * −1 for one of which single precision can tell nothing: with a value of 1e290 or more, or with infinities among others.
 */
export function rowScale(values: usize, n: u32): f64 {
  const bound = Math.max(rowBound(values, n), 1e-290);
  if (bound < 1e290) return reinterpret<f64>((2045 - (reinterpret<u64>(bound) >> 52)) << 52);
  const end = values + (<usize>n << 3);
  for (let at = values; at < end; at += 8) {
    const value = Math.abs(load<f64>(at));
    if (value != 0 && value != Infinity) return -1;
  }
  return 0;
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
