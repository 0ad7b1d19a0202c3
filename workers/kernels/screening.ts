// Tails of many books over the P&L cube: where an exchange batch spends its time.
//
// A book is what one tail is taken of: a whole account, the part in one underlying, or one position. Records, little-endian:
//
//   book     64 bytes   u32 segments | u32 segmentCount | u32 values | u32 count | f64 threshold | u32 keep | u32 capacity
//                       u32 rough | u32 end of rough entries | f32 rough threshold | u32 waiting | u32 × 4 where they stand
//   segment   8 bytes   u32 first entry | u32 end of entries      one underlying's positions; segments in id order
//   entry    16 bytes   u32 byte offset of the row | u32 row | f64 size     positions in instrument-id order
//   rough             f64 1/M | f64 E·M, then for each entry   u32 byte offset of the row | f32 weight     written here
//
// A segment has at least one entry. P&L of a book in a scenario is the canonical sum: sizes × cube rows, left to right from 0 into a
// subtotal per segment, then the subtotals left to right. It is the same sum whatever the block, the worker or the batch.
//
// Only the tail is wanted, one scenario in a hundred. So each block is rounded to single precision as it comes into the cache, all books are
// summed on that first, four scenarios to a register, and the canonical sum is taken where the rough one cannot rule out that it lies
// below the book's threshold (tail.ts):
//
//   Let u = 2⁻²⁴, m_r a power of two > |row r| and M one > Σ|size·m_r|. A rounded row is fl32(row/m_r), a weight fl32(size·m_r/M), a rough sum
//   at most 1. Each of n terms errs by u of its magnitude for the row, the weight and the product, each addition by u of the sum. Hence
//   |rough − exact/M| ≤ (n + 2)·u, and E = 1.01·(n + 6)·u covers, for n ≤ 100,000, terms of second order, underflow (2⁻¹⁴⁹ each) and
//   what the canonical sum errs by itself, (n + 1)·2⁻⁵³ of Σ|size·P&L|.
//
// Rough sums decide time, never bits: like thresholds.

import { sumSixteen } from './accumulation';
import { closeTail, keepOne, keepSixteen, openTail, tighten } from './tail';

// @ts-ignore: decorator
@inline const BOOK: usize = 64;
/** What one step of the rough sums takes: 32 scenarios, 128 bytes of a rounded row, 256 of the row. */
// @ts-ignore: decorator
@inline const STEP: u32 = 32;
/** With so many scenarios of a step to sum, all of them are summed side by side. */
// @ts-ignore: decorator
@inline const MANY: i32 = 12;
/** Bytes before the rough entries. */
// @ts-ignore: decorator
@inline const HEAD: usize = 16;

/** Brings the rough threshold up to date: rounded up, for what is not below it must not be below the threshold. */
function roughen(book: usize): void {
  const rough: usize = load<u32>(book, 32);
  const threshold = (load<f64>(book, 16) + load<f64>(rough, 8)) * load<f64>(rough);
  store<f32>(book, <f32>(threshold + Math.abs(threshold) * 2.5e-7 + 1e-30), 40);
}

function open(book: usize): void {
  openTail(book);
  store<u32>(book, 0, 44);
  roughen(book);
}

/** Writes the rough entries of a book and marks its rows. Where rough sums could tell nothing there are none: no scenario is ruled out. */
function prepare(book: usize, scales: usize, rowBytes: u32, used: usize): void {
  const segments: usize = load<u32>(book);
  const segmentsEnd = segments + ((<usize>load<u32>(book, 4)) << 3);
  let bound: f64 = 0;
  for (let segment = segments; segment < segmentsEnd; segment += 8) {
    const end: usize = load<u32>(segment, 4);
    for (let entry: usize = load<u32>(segment); entry < end; entry += 16) {
      const row: usize = load<u32>(entry, 4);
      const scale = load<f64>(scales + (row << 3));
      if (scale > 0) bound += Math.abs(load<f64>(entry, 8)) / scale;
      else if (scale < 0) bound = Infinity;
      store<u8>(used + row, 1);
    }
  }
  // 1/M: the exponent of the bound, one up, negated.
  const ranged = bound > 1e-290 && bound < 1e290;
  const inverse: f64 = ranged ? reinterpret<f64>((2045 - (reinterpret<u64>(bound) >> 52)) << 52) : 1;
  const rough: usize = load<u32>(book, 32);
  let at = rough + HEAD;
  let terms: f64 = 0;
  for (let segment = segments; segment < segmentsEnd; segment += 8) {
    const end: usize = load<u32>(segment, 4);
    for (let entry: usize = load<u32>(segment); entry < end; entry += 16) {
      const row = load<u32>(entry, 4);
      const size = load<f64>(entry, 8);
      const scale = load<f64>(scales + ((<usize>row) << 3));
      // A row of zeros and infinities: its sign is all there is to it.
      const weight = scale == 0 ? copysign<f64>(1, size) : (size / scale) * inverse;
      store<u32>(at, row * rowBytes);
      store<f32>(at, <f32>weight, 4);
      at += 8;
      terms += 1;
    }
  }
  store<u32>(book, <u32>(ranged ? at : rough + HEAD), 36);
  store<f64>(rough, inverse);
  store<f64>(rough, (1.01 / 16777216) * (terms + 6) / inverse, 8);
  open(book);
}

/** Rounds one block: the rows that any book holds. Read in address order, which the hardware foresees, it is then in the cache. */
function round(block: usize, blockSize: u32, scales: usize, rowCount: u32, used: usize, out: usize): void {
  const bytes = <usize>blockSize << 3;
  for (let row: usize = 0; row < <usize>rowCount; row++) {
    if (load<u8>(used + row) != 0) {
      const scale = load<f64>(scales + (row << 3));
      const factor = f64x2.splat(scale == 0 ? 1 : scale);
      for (let i: usize = 0; i < bytes; i += 64) {
        const a = f32x4.demote_f64x2_zero(f64x2.mul(factor, v128.load(block + i)));
        const b = f32x4.demote_f64x2_zero(f64x2.mul(factor, v128.load(block + i, 16)));
        const c = f32x4.demote_f64x2_zero(f64x2.mul(factor, v128.load(block + i, 32)));
        const d = f32x4.demote_f64x2_zero(f64x2.mul(factor, v128.load(block + i, 48)));
        v128.store(out + (i >> 1), v128.shuffle<f64>(a, b, 0, 2));
        v128.store(out + (i >> 1), v128.shuffle<f64>(c, d, 0, 2), 16);
      }
    }
    block += bytes;
    out += bytes >> 1;
  }
}

/**
 * The canonical sums in the scenarios that wait, offered to the tail. Four chains of additions run side by side; where fewer than four wait
 * the first is summed again.
 */
function sumWaiting(book: usize): void {
  const count = load<u32>(book, 44);
  if (count == 0) return;
  const first: usize = load<u32>(book, 48);
  const second: usize = count > 1 ? <usize>load<u32>(book, 52) : first;
  const third: usize = count > 2 ? <usize>load<u32>(book, 56) : first;
  const fourth: usize = count > 3 ? <usize>load<u32>(book, 60) : first;
  const segments: usize = load<u32>(book);
  const segmentsEnd = segments + ((<usize>load<u32>(book, 4)) << 3);
  let a: f64 = 0;
  let b: f64 = 0;
  let c: f64 = 0;
  let d: f64 = 0;
  for (let segment = segments; segment < segmentsEnd; segment += 8) {
    let entry: usize = load<u32>(segment);
    const end: usize = load<u32>(segment, 4);
    let e: f64 = 0;
    let f: f64 = 0;
    let g: f64 = 0;
    let h: f64 = 0;
    do {
      const row: usize = load<u32>(entry);
      const size = load<f64>(entry, 8);
      e += size * load<f64>(first + row);
      f += size * load<f64>(second + row);
      g += size * load<f64>(third + row);
      h += size * load<f64>(fourth + row);
      entry += 16;
    } while (entry < end);
    a += e;
    b += f;
    c += g;
    d += h;
  }
  store<u32>(book, 0, 44);
  keepOne(book, a);
  if (count > 1) keepOne(book, b);
  if (count > 2) keepOne(book, c);
  if (count > 3) keepOne(book, d);
  roughen(book);
}

/** Those of a step's scenarios that `hits` names: they wait until there are four, or are summed at once. `first` is the step's place in row 0. */
function offer(book: usize, hits: u32, first: usize, valid: i32, slot: usize): void {
  if (popcnt<i32>(hits) >= MANY) {
    for (let half = 0; half < 2; half++) {
      sumSixteen(book, first + (<usize>half << 7), slot);
      keepSixteen(book, slot, valid - (half << 4));
    }
    return roughen(book);
  }
  if (valid < <i32>STEP) hits &= valid > 0 ? (1 << valid) - 1 : 0;
  while (hits != 0) {
    const waiting = load<u32>(book, 44);
    store<u32>(book + (<usize>waiting << 2), <u32>first + (ctz(hits) << 3), 48);
    store<u32>(book, waiting + 1, 44);
    if (waiting == 3) sumWaiting(book);
    hits &= hits - 1;
  }
}

/**
 * One book over one block, 32 scenarios at a time in eight registers. V8 moves all loads of a basic block to its start; eight rows' parts
 * beside eight sums do not fit into sixteen registers. The branch between the halves is never taken: it ends the basic block, so that
 * only four parts are on their way at a time.
 */
// @ts-ignore: decorator
@inline
function screenBlock(book: usize, block: usize, rounded: usize, blockSize: u32, left: i32, slot: usize): void {
  const start: usize = <usize>load<u32>(book, 32) + HEAD;
  const end: usize = load<u32>(book, 36);
  for (let step: u32 = 0; step < blockSize; step += STEP) {
    const place = block + (<usize>step << 3);
    const valid = left - <i32>step;
    if (start == end) {
      offer(book, 0xffffffff, place, valid, slot);
      continue;
    }
    const base = rounded + (<usize>step << 2);
    let entry = start;
    let a = f32x4.splat(0);
    let b = a;
    let c = a;
    let d = a;
    let e = a;
    let f = a;
    let g = a;
    let h = a;
    do {
      const row = base + load<u32>(entry);
      const weight = v128.load32_splat(entry, 4);
      a = f32x4.add(a, f32x4.mul(weight, v128.load(row)));
      b = f32x4.add(b, f32x4.mul(weight, v128.load(row, 16)));
      c = f32x4.add(c, f32x4.mul(weight, v128.load(row, 32)));
      d = f32x4.add(d, f32x4.mul(weight, v128.load(row, 48)));
      if (entry == 0) break; // never
      e = f32x4.add(e, f32x4.mul(weight, v128.load(row, 64)));
      f = f32x4.add(f, f32x4.mul(weight, v128.load(row, 80)));
      g = f32x4.add(g, f32x4.mul(weight, v128.load(row, 96)));
      h = f32x4.add(h, f32x4.mul(weight, v128.load(row, 112)));
      entry += 8;
    } while (entry < end);
    const threshold = v128.load32_splat(book, 40);
    a = f32x4.lt(a, threshold);
    b = f32x4.lt(b, threshold);
    c = f32x4.lt(c, threshold);
    d = f32x4.lt(d, threshold);
    e = f32x4.lt(e, threshold);
    f = f32x4.lt(f, threshold);
    g = f32x4.lt(g, threshold);
    h = f32x4.lt(h, threshold);
    const low = v128.or(v128.or(a, b), v128.or(c, d));
    const high = v128.or(v128.or(e, f), v128.or(g, h));
    if (v128.any_true(v128.or(low, high))) {
      const hits: u32 =
        i32x4.bitmask(a) | (i32x4.bitmask(b) << 4) | (i32x4.bitmask(c) << 8) | (i32x4.bitmask(d) << 12) |
        (i32x4.bitmask(e) << 16) | (i32x4.bitmask(f) << 20) | (i32x4.bitmask(g) << 24) | (i32x4.bitmask(h) << 28);
      offer(book, hits, place, valid, slot);
    }
  }
}

/**
 * Sums each of the `bookCount` books at `books` over the cube and leaves its `keep` worst values sorted in its buffer, worst first.
 * Only the first `scenarios` scenarios exist; what pads the last block is never kept. `scales` has 1/m_r of each of `rowCount` rows
 * (rowScale). `room` is the caller's own: 128 bytes for sums, rowCount·blockSize·4 for one rounded block, and rowCount.
 * The blocks are the outer loop: one block stays in the cache while all books pass over it.
 */
export function accumulate(
  cube: usize, blockBytes: u32, blockSize: u32, scenarios: u32, rowCount: u32, scales: usize, books: usize, bookCount: u32, room: usize,
): void {
  const rowBytes = blockSize << 2;
  const rounded = room + 128;
  const used = rounded + <usize>rowCount * rowBytes;
  const booksEnd = books + <usize>bookCount * BOOK;
  const blocks = (scenarios + blockSize - 1) / blockSize;
  memory.fill(used, 0, rowCount);
  for (let book = books; book < booksEnd; book += BOOK) prepare(book, scales, rowBytes, used);
  let milestone: u32 = 128;
  for (let block: u32 = 0; block < blocks; block++) {
    const base = cube + <usize>block * blockBytes;
    const seen = block * blockSize;
    const left = <i32>(scenarios - seen);
    round(base, blockSize, scales, rowCount, used, rounded);
    for (let book = books; book < booksEnd; book += BOOK) screenBlock(book, base, rounded, blockSize, left, room);
    if (seen + blockSize >= milestone && left > <i32>blockSize) {
      milestone = (seen + blockSize) * 2;
      for (let book = books; book < booksEnd; book += BOOK) {
        sumWaiting(book);
        tighten(book, seen + blockSize, scenarios);
        roughen(book);
      }
    }
  }
  for (let book = books; book < booksEnd; book += BOOK) {
    sumWaiting(book);
    if (closeTail(book)) continue;
    // The estimate was too strict for this book (scenarios in no random order): once more, without estimates, and nothing ruled out.
    open(book);
    for (let block: u32 = 0; block < blocks; block++) {
      const base = cube + <usize>block * blockBytes;
      const left = <i32>(scenarios - block * blockSize);
      for (let step: u32 = 0; step < blockSize; step += STEP) {
        offer(book, 0xffffffff, base + (<usize>step << 3), left - <i32>step, room);
      }
    }
    closeTail(book);
  }
}
