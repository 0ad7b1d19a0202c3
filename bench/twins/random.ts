/** Plain TypeScript for random numbers: what a program does that has no kernels. 64-bit words are pairs of 32-bit halves. */

/** Box–Muller, both of the pair used (Box and Muller 1958). */
export function boxMuller(uniform: () => number, out: Float64Array): void {
  for (let i = 0; i + 1 < out.length; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    out[i] = radius * Math.cos(angle);
    out[i + 1] = radius * Math.sin(angle);
  }
}

/** Sum of two 64-bit words: the low half is `low`, the carry goes into the high one. */
function high(aHigh: number, bHigh: number, aLow: number, low: number): number {
  return (aHigh + bHigh + (low >>> 0 < aLow >>> 0 ? 1 : 0)) | 0;
}

/**
 * One generator of xoshiro256++ (Blackman and Vigna 2021): a lane of the kernels' stream.
 * @param state four words, low half first; moves on
 * @param out words, low half first, `step` words apart
 */
export function xoshiro(state: Uint32Array, out: Uint32Array, first: number, step: number): void {
  let [l0, h0, l1, h1, l2, h2, l3, h3] = state as unknown as number[] as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  for (let i = 2 * first; i < out.length; i += 2 * step) {
    const sl = (l0 + l3) | 0;
    const sh = high(h0, h3, l0, sl);
    const rl = (sl << 23) | (sh >>> 9);
    const rh = (sh << 23) | (sl >>> 9);
    const low = (rl + l0) | 0;
    out[i] = low;
    out[i + 1] = high(rh, h0, rl, low);
    const th = (h1 << 17) | (l1 >>> 15);
    const tl = l1 << 17;
    l2 ^= l0;
    h2 ^= h0;
    l3 ^= l1;
    h3 ^= h1;
    l1 ^= l2;
    h1 ^= h2;
    l0 ^= l3;
    h0 ^= h3;
    l2 ^= tl;
    h2 ^= th;
    // A rotation by 45 is one by 13 with the halves exchanged.
    const swap = (h3 << 13) | (l3 >>> 19);
    h3 = (l3 << 13) | (h3 >>> 19);
    l3 = swap;
  }
  state.set([l0, h0, l1, h1, l2, h2, l3, h3]);
}

const ROTATIONS = [16, 42, 12, 31, 16, 32, 24, 21] as const;

/**
 * Threefry2x64-20 (Salmon, Moraes, Dror and Shaw 2011).
 * @param key two words, low half first; so are `counter` and the two words at `out`
 */
export function threefry(
  key: Uint32Array,
  counter: Uint32Array,
  out: Uint32Array,
  at: number,
): void {
  const schedule = [
    ...key,
    (0xa9fc1a22 ^ key[0]! ^ key[2]!) >>> 0,
    (0x1bd11bda ^ key[1]! ^ key[3]!) >>> 0,
  ];
  let xl = (counter[0]! + schedule[0]!) | 0;
  let xh = high(counter[1]!, schedule[1]!, counter[0]!, xl);
  let yl = (counter[2]! + schedule[2]!) | 0;
  let yh = high(counter[3]!, schedule[3]!, counter[2]!, yl);
  for (let round = 0; round < 20; round++) {
    const sl = (xl + yl) | 0;
    xh = high(xh, yh, xl, sl);
    xl = sl;
    const r = ROTATIONS[round & 7]!;
    const [a, b] = r < 32 ? [yl, yh] : [yh, yl];
    const s = r & 31;
    yl = (s === 0 ? a : (a << s) | (b >>> (32 - s))) ^ xl;
    yh = (s === 0 ? b : (b << s) | (a >>> (32 - s))) ^ xh;
    if ((round & 3) !== 3) continue;
    const injection = (round + 1) >> 2;
    const i = 2 * (injection % 3);
    const j = 2 * ((injection + 1) % 3);
    const x = (xl + schedule[i]!) | 0;
    xh = high(xh, schedule[i + 1]!, xl, x);
    xl = x;
    const y = (yl + schedule[j]!) | 0;
    yh = high(yh, schedule[j + 1]!, yl, y);
    yl = (y + injection) | 0;
    yh = (yh + (yl >>> 0 < y >>> 0 ? 1 : 0)) | 0;
  }
  out[at] = xl;
  out[at + 1] = xh;
  out[at + 2] = yl;
  out[at + 3] = yh;
}
