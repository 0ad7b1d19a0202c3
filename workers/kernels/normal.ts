// Normal and chi-square variates out of one stream of bits (see random.ts).
//
// Every draw takes its words from the stream one after the other, so the first n values do not depend on n. Words are
// made in batches into `scratch`; what a call leaves there is dropped, so a stream serves one call only.

import { exp, inverseNormalCdfArray, log } from './maths';
import { fillBits } from './random';
import { HEIGHTS, LAYERS, TAIL_EDGE } from './ziggurat';

/** `scratch`: 2,048 words; a batch always ends where it ends, so that "empty" is one comparison. */
const SCRATCH_BYTES: usize = 16384;
const SCRATCH_WORDS: i32 = 2048;
/** Words made at a time by what needs few or an unknown number. */
const SMALL_BATCH: i32 = 64;

/**
 * The bits of a draw: 0–7 choose the layer, 13–63 are the position u in it; no bit is used for both.
 * u = (2k + 1)·2^-52 − 1/2 of the 51-bit k, made by writing the bits into the mantissa of a number in [1, 2) and setting the
 * last: symmetric about zero and never zero.
 */
const ODD_UNIT: u64 = 0x3FF0000000000001;
const UNIT: u64 = 0x3FF0000000000000;
const MAGNITUDE: u64 = 0x7FFFFFFFFFFFFFFF;
/** u − ½ and (k + ½)·2^-52 from a number in [1, 2). */
const CENTRE: f64 = 1.5;
const BELOW_UNIT: f64 = 1.0 - 1.1102230246251565e-16;

/** The vector constants of the hot loops, from memory: V8 rebuilds a v128.const at each use. */
const MASKS: usize = memory.data<u64>([ODD_UNIT, ODD_UNIT, MAGNITUDE, MAGNITUDE, UNIT, UNIT], 16);
const SHIFTS: usize = memory.data<f64>([CENTRE, CENTRE, BELOW_UNIT, BELOW_UNIT], 16);

/** Makes `words` (a multiple of 4) fresh words at the end of the scratch; returns where they begin. */
function refill(state: usize, scratch: usize, words: i32): usize {
  const first = scratch + SCRATCH_BYTES - (usize(words) << 3);
  fillBits(state, first, words);
  return first;
}

/** A uniform (k + ½)·2^-52 of the top 52 bits of a word: never 0 or 1, symmetric about ½. */
// @ts-ignore: decorator
@inline
function uniform(bits: u64): f64 {
  return reinterpret<f64>((bits >> 12) | UNIT) - BELOW_UNIT;
}

// @ts-ignore: decorator
@inline
function nextCursor(state: usize, scratch: usize, cursor: usize): usize {
  return cursor == scratch + SCRATCH_BYTES ? refill(state, scratch, SMALL_BATCH) : cursor;
}

/**
 * |Z| given |Z| > R: x = −ln(U₁)/R until −2·ln(U₂) ≥ x², then R + x (Marsaglia 1964, exact). Left at `out`; returns the cursor.
 */
function drawTail(state: usize, out: usize, scratch: usize, cursor: usize): usize {
  let x: f64, y: f64;
  do {
    cursor = nextCursor(state, scratch, cursor);
    x = -log(uniform(load<u64>(cursor))) / TAIL_EDGE;
    cursor = nextCursor(state, scratch, cursor + 8);
    y = -log(uniform(load<u64>(cursor)));
    cursor += 8;
  } while (y + y < x * x);
  store<f64>(out, TAIL_EDGE + x);
  return cursor;
}

/** One normal at `out`, whatever it takes; returns the cursor. The definition of the sequence that `normals` speeds up. */
function drawNormal(state: usize, out: usize, scratch: usize, cursor: usize): usize {
  while (true) {
    cursor = nextCursor(state, scratch, cursor);
    const bits = load<u64>(cursor);
    cursor += 8;
    const layer = usize(bits & 255);
    const u = reinterpret<f64>((bits >> 12) | ODD_UNIT) - CENTRE;
    const x = u * load<f64>(LAYERS + (layer << 4));
    if (Math.abs(u) < load<f64>(LAYERS + (layer << 4) + 8)) {
      store<f64>(out, x);
      return cursor;
    }
    if (layer == 0) {
      cursor = drawTail(state, out, scratch, cursor);
      store<f64>(out, copysign<f64>(load<f64>(out), u));
      return cursor;
    }
    // The wedge: a point between the layer's lower and upper edge in height, kept when it lies under the curve.
    cursor = nextCursor(state, scratch, cursor);
    const lower = load<f64>(HEIGHTS + (layer << 3));
    const upper = load<f64>(HEIGHTS + (layer << 3) + 8);
    const height = lower + uniform(load<u64>(cursor)) * (upper - lower);
    cursor += 8;
    if (height < exp(-0.5 * x * x)) {
      store<f64>(out, x);
      return cursor;
    }
  }
}

/** Words to make for so many more normals: 1.2% of draws need more than one, and batches are multiples of 4. */
// @ts-ignore: decorator
@inline
function wordsFor(remaining: usize): i32 {
  const wanted = (remaining + (remaining >> 5) + 11) & ~3;
  return wanted < usize(SCRATCH_WORDS) ? i32(wanted) : SCRATCH_WORDS;
}

/**
 * n standard normals at `out`, any n ≥ 0: the ziggurat of 256 layers, exact tail and wedges.
 *
 * Source: Marsaglia and Tsang, "The ziggurat method for generating random variables" (JSS 5, 2000), in the form of Doornik
 * (2005), whose layer and position come from different bits. Position has 51 bits. Four draws are tried at once; at the
 * first that is not taken at once (4.8% of the fours) those before it stand, and it goes its way alone.
 */
export function normals(state: usize, out: usize, n: i32, scratch: usize): void {
  const end = scratch + SCRATCH_BYTES;
  const last = out + (usize(n) << 3);
  const oddUnit = v128.load(MASKS);
  const magnitude = v128.load(MASKS, 16);
  const centre = v128.load(SHIFTS);
  let cursor = end;

  while (out < last) {
    if (cursor == end) cursor = refill(state, scratch, wordsFor((last - out) >> 3));
    while (cursor + 32 <= end && out + 32 <= last) {
      const layer0 = v128.load(usize(load<u8>(cursor)) << 4, LAYERS);
      const layer1 = v128.load(usize(load<u8>(cursor, 8)) << 4, LAYERS);
      const layer2 = v128.load(usize(load<u8>(cursor, 16)) << 4, LAYERS);
      const layer3 = v128.load(usize(load<u8>(cursor, 24)) << 4, LAYERS);
      const u01 = f64x2.sub(v128.or(i64x2.shr_u(v128.load(cursor), 12), oddUnit), centre);
      const u23 = f64x2.sub(v128.or(i64x2.shr_u(v128.load(cursor, 16), 12), oddUnit), centre);
      v128.store(out, f64x2.mul(u01, v128.shuffle<f64>(layer0, layer1, 0, 2)));
      v128.store(out, f64x2.mul(u23, v128.shuffle<f64>(layer2, layer3, 0, 2)), 16);
      const outside01 = f64x2.ge(v128.and(u01, magnitude), v128.shuffle<f64>(layer0, layer1, 1, 3));
      const outside23 = f64x2.ge(v128.and(u23, magnitude), v128.shuffle<f64>(layer2, layer3, 1, 3));
      const outside = i64x2.bitmask(outside01) | (i64x2.bitmask(outside23) << 2);
      if (outside != 0) {
        const taken = usize(ctz(outside)) << 3;
        cursor = drawNormal(state, out + taken, scratch, cursor + taken);
        out += taken + 8;
      } else {
        cursor += 32;
        out += 32;
      }
    }
    // Fewer than four words or places are left.
    if (out < last && cursor < end) {
      cursor = drawNormal(state, out, scratch, cursor);
      out += 8;
    }
  }
}

/**
 * n standard normals at `out`, any n ≥ 0, one word each: Φ⁻¹ of (k + ½)·2^-52, k the word's top 52 bits. |Z| ≤ 8.21.
 *
 * Source: Wichura, "The percentage points of the normal distribution" (AS241, 1988), in maths.ts. Monotone in the word, as
 * stratification and quasi-Monte Carlo need.
 */
export function normalsByInversion(state: usize, out: usize, n: i32, scratch: usize): void {
  const unit = v128.load(MASKS, 32);
  const belowUnit = v128.load(SHIFTS, 16);
  for (let done = 0; done < n; done += SCRATCH_WORDS) {
    const count = n - done < SCRATCH_WORDS ? n - done : SCRATCH_WORDS;
    fillBits(state, scratch, (count + 3) & ~3);
    const end = scratch + (usize(count) << 3);
    for (let word = scratch; word < end; word += 16) {
      v128.store(word, f64x2.sub(v128.or(i64x2.shr_u(v128.load(word), 12), unit), belowUnit));
    }
    inverseNormalCdfArray(scratch, out + (usize(done) << 3), count);
  }
}

/**
 * n draws of χ²(ν) at `out`, any n ≥ 0, ν > 0 and finite: twice a gamma variate of shape ν/2.
 *
 * Source: Marsaglia and Tsang, "A simple method for generating gamma variables" (ACM TOMS 26, 2000): with d = a − ⅓,
 * c = 1/√(9d), v = (1 + cZ)³, the value d·v is kept when ln U < Z²/2 + d(1 − v + ln v); exact for shape a ≥ 1. For ν < 2
 * the shape is raised by one and the result multiplied by U^(1/a). The draw is 0 only where it underflows (ν below 0.1).
 */
export function chiSquares(state: usize, out: usize, n: i32, degreesOfFreedom: f64, scratch: usize): void {
  const shape = 0.5 * degreesOfFreedom;
  const raised = shape < 1;
  const d = (raised ? shape + 1 : shape) - 1.0 / 3.0;
  const c = 1 / Math.sqrt(9 * d);
  const last = out + (usize(n) << 3);
  let cursor = scratch + SCRATCH_BYTES;
  for (; out < last; out += 8) {
    let v: f64;
    while (true) {
      cursor = drawNormal(state, out, scratch, cursor);
      const z = load<f64>(out);
      v = 1 + c * z;
      if (v <= 0) continue;
      v = v * v * v;
      cursor = nextCursor(state, scratch, cursor);
      const u = uniform(load<u64>(cursor));
      cursor += 8;
      const square = z * z;
      // The authors' squeeze, which spares the logarithms nearly always; it never keeps what the test below would not.
      if (u < 1 - 0.0331 * square * square) break;
      if (log(u) < 0.5 * square + d * (1 - v + log(v))) break;
    }
    let value = 2 * d * v;
    if (raised) {
      cursor = nextCursor(state, scratch, cursor);
      value *= exp(log(uniform(load<u64>(cursor))) / shape);
      cursor += 8;
    }
    store<f64>(out, value);
  }
}
