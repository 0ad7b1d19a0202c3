// The tail of a book's P&L: exact order statistics without a sort of all scenarios, and without keeping them.
//
// A book (screening.ts has its record) collects values strictly below its threshold, +∞ at first, in a buffer. Two things lower the
// threshold to a value that the buffer holds, and drop what lies above it:
//   - the buffer is full: to the keep-th worst value, which cannot be wrong;
//   - at a milestone, after n of N scenarios: to the r-th worst, r = q + 3.5√q + 2 with q = keep·n/N. For scenarios in random order the
//     chance that fewer than `keep` values of all N then fall below one of these is about 1e-3. It is noticed at the end (closeTail).
// At any time all values seen and not in the buffer are ≥ threshold ≥ all values in it. So a buffer that ends with at least `keep`
// values holds the `keep` worst exactly, whatever the order in which they came: thresholds decide time, never bits.

/** Values that are sorted by rank; a buffer has this much room, and four, beyond `keep`. */
// @ts-ignore: decorator
@inline const RUN: u32 = 256;

/** Empties the tail of a book. */
export function openTail(book: usize): void {
  store<u32>(book, 0, 12);
  store<f64>(book, Infinity, 16);
}

/** Takes those of the 16 values at `values` that lie below the book's threshold; only the first `valid` of them exist. */
// @ts-ignore: decorator
@inline
export function keepSixteen(book: usize, values: usize, valid: i32): void {
  const threshold = v128.load64_splat(book, 16);
  const a = f64x2.lt(v128.load(values), threshold);
  const b = f64x2.lt(v128.load(values, 16), threshold);
  const c = f64x2.lt(v128.load(values, 32), threshold);
  const d = f64x2.lt(v128.load(values, 48), threshold);
  const e = f64x2.lt(v128.load(values, 64), threshold);
  const f = f64x2.lt(v128.load(values, 80), threshold);
  const g = f64x2.lt(v128.load(values, 96), threshold);
  const h = f64x2.lt(v128.load(values, 112), threshold);
  const low = v128.or(v128.or(a, b), v128.or(c, d));
  const high = v128.or(v128.or(e, f), v128.or(g, h));
  if (v128.any_true(v128.or(low, high))) {
    let hits: u32 =
      i64x2.bitmask(a) | (i64x2.bitmask(b) << 2) | (i64x2.bitmask(c) << 4) | (i64x2.bitmask(d) << 6) |
      (i64x2.bitmask(e) << 8) | (i64x2.bitmask(f) << 10) | (i64x2.bitmask(g) << 12) | (i64x2.bitmask(h) << 14);
    if (valid < 16) hits &= valid > 0 ? (1 << valid) - 1 : 0;
    keepHits(book, values, hits);
  }
}

/** Takes one value. */
export function keepOne(book: usize, value: f64): void {
  if (!(value < load<f64>(book, 16))) return;
  makeRoom(book);
  const count = load<u32>(book, 12);
  put(load<u32>(book, 8), count, value);
  store<u32>(book, count + 1, 12);
}

/** Lowers the threshold where fewer than sixteen values have room. */
// @ts-ignore: decorator
@inline
function makeRoom(book: usize): void {
  const keep = load<u32>(book, 24);
  const count = load<u32>(book, 12);
  if (count + 16 > load<u32>(book, 28) && count > keep) lower(book, keep);
}

function keepHits(book: usize, values: usize, hits: u32): void {
  makeRoom(book);
  let count = load<u32>(book, 12);
  let end = <usize>load<u32>(book, 8) + (<usize>count << 3);
  count += popcnt(hits);
  if (hits == 0xffff) {
    memory.copy(end, values, 128);
  } else {
    while (hits != 0) {
      store<f64>(end, load<f64>(values + (<usize>ctz(hits) << 3)));
      hits &= hits - 1;
      end += 8;
    }
  }
  store<u32>(book, count, 12);
}

/** Keeps the `rank` worst of the buffer and makes the last of them the threshold. */
function lower(book: usize, rank: u32): void {
  const buffer: usize = load<u32>(book, 8);
  select(buffer, 0, load<u32>(book, 12) - 1, rank - 1);
  store<f64>(book, at(buffer, rank - 1), 16);
  store<u32>(book, rank, 12);
}

/** A milestone: after `seen` of `total` scenarios, lowers the threshold to where the tail is expected to begin, with room. */
export function tighten(book: usize, seen: u32, total: u32): void {
  const expected = <f64>load<u32>(book, 24) * <f64>seen / <f64>total;
  const rank = <u32>(expected + 3.5 * Math.sqrt(expected) + 2);
  if (rank < load<u32>(book, 12)) lower(book, rank);
}

/** Ends a tail: true with the `keep` worst values sorted, worst first; false when fewer were collected. */
export function closeTail(book: usize): bool {
  const keep = load<u32>(book, 24);
  const count = load<u32>(book, 12);
  if (count < keep) return false;
  const buffer: usize = load<u32>(book, 8);
  if (count > keep) select(buffer, 0, count - 1, keep - 1);
  store<u32>(book, keep, 12);
  if (keep > 1) sort(buffer, 0, keep - 1, buffer + (<usize>keep << 3));
  return true;
}

/** The tail of n given values (a whole row of P&L): fills the book's buffer as accumulate does. Slots up to a multiple of 16 are read. */
export function tailOf(book: usize, values: usize, n: u32): void {
  openTail(book);
  let milestone: u32 = 128;
  for (let i: u32 = 0; i < n; i += 16) {
    keepSixteen(book, values + (<usize>i << 3), <i32>(n - i));
    if (i + 16 >= milestone && i + 16 < n) {
      milestone = (i + 16) * 2;
      tighten(book, i + 16, n);
    }
  }
  if (closeTail(book)) return;
  openTail(book);
  for (let i: u32 = 0; i < n; i += 16) keepSixteen(book, values + (<usize>i << 3), <i32>(n - i));
  closeTail(book);
}

// @ts-ignore: decorator
@inline
function at(buffer: usize, i: u32): f64 {
  return load<f64>(buffer + (<usize>i << 3));
}

// @ts-ignore: decorator
@inline
function put(buffer: usize, i: u32, value: f64): void {
  store<f64>(buffer + (<usize>i << 3), value);
}

/** The median of the first, the middle and the last value. */
function pivotOf(buffer: usize, low: u32, high: u32): f64 {
  const a = at(buffer, low);
  const b = at(buffer, (low + high) >> 1);
  const c = at(buffer, high);
  return a < b ? (b < c ? b : a < c ? c : a) : a < c ? a : b < c ? c : b;
}

/** Moves what is less than the pivot to the front of [low, high] without a branch (Lomuto's scheme); returns the first index behind it. */
function gatherLess(buffer: usize, low: u32, high: u32, pivot: f64): u32 {
  let end = low;
  for (let i = low; i <= high; i++) {
    const value = at(buffer, i);
    put(buffer, i, at(buffer, end));
    put(buffer, end, value);
    end += <u32>(value < pivot);
  }
  return end;
}

/** The same for what equals the pivot. */
function gatherEqual(buffer: usize, low: u32, high: u32, pivot: f64): u32 {
  let end = low;
  for (let i = low; i <= high; i++) {
    const value = at(buffer, i);
    put(buffer, i, at(buffer, end));
    put(buffer, end, value);
    end += <u32>(value == pivot);
  }
  return end;
}

/** Quickselect (Hoare 1961), three-way so that ties end it: afterwards [low, k] holds the lowest values, the greatest of them at k. */
function select(buffer: usize, low: u32, high: u32, k: u32): void {
  while (low < high) {
    const pivot = pivotOf(buffer, low, high);
    const less = gatherLess(buffer, low, high, pivot);
    if (k < less) {
      high = less - 1;
      continue;
    }
    const equal = gatherEqual(buffer, less, high, pivot);
    if (k < equal) return;
    low = equal;
  }
}

/**
 * Sorts [low, high]: quicksort down to runs of 256, each finished by ranks. The recursion into the smaller part bounds its depth by
 * log₂ n. `spare` is room for 260 values.
 */
function sort(buffer: usize, low: u32, high: u32, spare: usize): void {
  while (high >= low + RUN) {
    const pivot = pivotOf(buffer, low, high);
    const less = gatherLess(buffer, low, high, pivot);
    const equal = gatherEqual(buffer, less, high, pivot);
    if (less - low < high + 1 - equal) {
      if (less > low) sort(buffer, low, less - 1, spare);
      low = equal;
    } else {
      if (equal <= high) sort(buffer, equal, high, spare);
      if (less == low) return;
      high = less - 1;
    }
  }
  if (high >= low) sortByRank(buffer + (<usize>low << 3), high - low + 1, spare);
}

/**
 * Sorts n ≤ 256 values by counting, for each, how many are less: n²/2 vector compares without a branch to mispredict, which for n = 129
 * take a third of a quicksort's time. Equal values share a rank; the slots behind it are filled with the same value.
 */
function sortByRank(values: usize, n: u32, spare: usize): void {
  const bytes = <usize>n << 3;
  memory.copy(spare, values, bytes);
  const none = f64x2.splat(Infinity);
  v128.store(spare + bytes, none);
  v128.store(spare + bytes, none, 16);
  for (let i: usize = 0; i < bytes; i += 8) store<f64>(values + i, Infinity);
  for (let i: usize = 0; i < bytes; i += 8) {
    const value = v128.load64_splat(spare + i);
    let less = i64x2.splat(0);
    let more = less;
    for (let j: usize = 0; j < bytes; j += 32) {
      less = i64x2.sub(less, f64x2.lt(v128.load(spare + j), value));
      more = i64x2.sub(more, f64x2.lt(v128.load(spare + j, 16), value));
    }
    less = i64x2.add(less, more);
    const rank = <usize>(i64x2.extract_lane(less, 0) + i64x2.extract_lane(less, 1));
    store<f64>(values + (rank << 3), load<f64>(spare + i));
  }
  let last = load<f64>(values);
  for (let i: usize = 8; i < bytes; i += 8) {
    const value = load<f64>(values + i);
    if (value == Infinity) store<f64>(values + i, last);
    else last = value;
  }
}
