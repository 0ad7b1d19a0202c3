// Jumps of a jump-diffusion: how many a scenario has, and their sum (Merton, "Option pricing when underlying stock returns are
// discontinuous", Journal of Financial Economics 3, 1976).

import { exp } from './maths';
import { fillBits } from './random';

/** `scratch`: 2,048 words. */
const SCRATCH_WORDS: i32 = 2048;
const UNIT: u64 = 0x3FF0000000000000;
const BELOW_UNIT: f64 = 1.0 - 1.1102230246251565e-16;

/**
 * n Poisson counts, as f64, of the given mean, 0 ≤ mean ≤ 500, by inversion: the least k with u ≤ P(N ≤ k), u = (j + ½)·2^-52 of the top
 * 52 bits of one word. One word a draw, so that the first n values do not depend on n, and the count rises with the word.
 *
 * P(N ≤ k) is summed from k = 0: its error is below 2^-52·(k + 3). The search ends at mean + 12·√mean + 60, beyond which lies less than 2^-60.
 */
export function poissons(state: usize, out: usize, n: i32, mean: f64, scratch: usize): void {
  const none = exp(-mean);
  const most = mean + 12 * Math.sqrt(mean) + 60;
  for (let done = 0; done < n; done += SCRATCH_WORDS) {
    const count = n - done < SCRATCH_WORDS ? n - done : SCRATCH_WORDS;
    fillBits(state, scratch, (count + 3) & ~3);
    const end = scratch + (usize(count) << 3);
    for (let word = scratch; word < end; word += 8, out += 8) {
      const u = reinterpret<f64>((load<u64>(word) >> 12) | UNIT) - BELOW_UNIT;
      let k: f64 = 0;
      let probability = none;
      let sum = none;
      while (u > sum && k < most) {
        k += 1;
        probability *= mean / k;
        sum += probability;
      }
      store<f64>(out, k);
    }
  }
}

/**
 * out = count · mean + (√count · volatility) · z: the sum of `count` normal jumps of that mean and standard deviation, exact in law.
 * n is a multiple of 2; may be done in place of either.
 */
export function jumpSums(counts: usize, z: usize, out: usize, n: i32, mean: f64, volatility: f64): void {
  const shift = f64x2.splat(mean);
  const scale = f64x2.splat(volatility);
  const end = counts + (usize(n) << 3);
  for (; counts < end; counts += 16, z += 16, out += 16) {
    const count = v128.load(counts);
    const spread = f64x2.mul(f64x2.mul(f64x2.sqrt(count), scale), v128.load(z));
    v128.store(out, f64x2.add(f64x2.mul(count, shift), spread));
  }
}

/** x ← x + scale · y; n is a multiple of 2. */
export function addScaled(x: usize, y: usize, n: i32, scale: f64): void {
  const factor = f64x2.splat(scale);
  const end = x + (usize(n) << 3);
  for (; x < end; x += 16, y += 16) {
    v128.store(x, f64x2.add(v128.load(x), f64x2.mul(factor, v128.load(y))));
  }
}
