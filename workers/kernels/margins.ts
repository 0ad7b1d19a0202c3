// Own tails of the factors of a t-copula: a t variate with ν degrees of freedom becomes one with another number, by a table.

import { exp, log } from './maths';

/** Segments of an octave of w, and bytes of a segment: eight coefficients. */
const SEGMENT_BITS: u64 = 48;
const SEGMENTS_PER_OCTAVE: i64 = 16;
const SEGMENT_BYTES_SHIFT: i32 = 6;
const EXPONENT_OF_ONE: i64 = 1023;
const BELOW_SEGMENT: u64 = 0x0000FFFFFFFFFFFF;
const UNIT: u64 = 0x3FF0000000000000;

/**
 * x ← y·h(1 + y²), y = (scale · mix) · x, in place: y is a t variate and h the ratio of the other law's quantile to it.
 *
 * h is a polynomial of degree 7 in each sixteenth of an octave of w = 1 + y²: the exponent and the next four bits of w name the segment,
 * the other bits are the place s in it, −1 ≤ s < 1, exactly. `table` holds the coefficients of 1, s, s², … of one segment after the
 * other, `octaves` octaves of them, then the value at the end of the last and the power of w by which h goes on from there.
 * `mix` 0 stands for no mixing. A NaN stays one, and ±∞ stays what it is. n is a multiple of 2.
 */
export function studentMargins(x: usize, mix: usize, n: i32, scale: f64, table: usize, octaves: i32): void {
  const segments = i64(octaves) * SEGMENTS_PER_OCTAVE;
  const footer = table + (usize(segments) << SEGMENT_BYTES_SHIFT);
  const end = x + (usize(n) << 3);
  for (; x < end; x += 8) {
    let factor = scale;
    if (mix != 0) {
      factor = scale * load<f64>(mix);
      mix += 8;
    }
    const y = factor * load<f64>(x);
    const w = 1 + y * y;
    const bits = reinterpret<u64>(w);
    const segment = i64(bits >> SEGMENT_BITS) - EXPONENT_OF_ONE * SEGMENTS_PER_OCTAVE;
    if (segment >= segments) {
      store<f64>(x, w < Infinity ? y * beyond(w, footer, octaves) : y);
      continue;
    }
    const t = reinterpret<f64>(((bits & BELOW_SEGMENT) << 4) | UNIT);
    const s = (t - 1.5) * 2;
    store<f64>(x, y * polynomial(table + (usize(segment) << SEGMENT_BYTES_SHIFT), s));
  }
}

/** Even powers in lane 0, odd ones in lane 1, each by Horner's scheme in s². */
// @ts-ignore: decorator
@inline
function polynomial(at: usize, s: f64): f64 {
  const square = f64x2.splat(s * s);
  let sum = v128.load(at, 48);
  sum = f64x2.add(f64x2.mul(sum, square), v128.load(at, 32));
  sum = f64x2.add(f64x2.mul(sum, square), v128.load(at, 16));
  sum = f64x2.add(f64x2.mul(sum, square), v128.load(at));
  return f64x2.extract_lane(sum, 0) + s * f64x2.extract_lane(sum, 1);
}

/** h past the table: its last value times (w/w_end)^power. */
function beyond(w: f64, footer: usize, octaves: i32): f64 {
  const wEnd = reinterpret<f64>(u64(1023 + octaves) << 52);
  return load<f64>(footer) * exp(load<f64>(footer, 8) * log(w / wEnd));
}
