/**
 * Threefry2x64 as its paper writes it (Salmon, Moraes, Dror, Shaw 2011), over BigInt: the plain twin of `threefry` in
 * workers/kernels/random.ts. Slow, and short enough to check by eye.
 */
export type Pair = readonly [bigint, bigint];

const ROTATIONS = [16n, 42n, 12n, 31n, 16n, 32n, 24n, 21n];
const PARITY = 0x1bd11bdaa9fc1a22n;

export function wrap(x: bigint): bigint {
  return BigInt.asUintN(64, x);
}

export function rotateLeft(x: bigint, count: bigint): bigint {
  return wrap(x << count) | (x >> (64n - count));
}

/** Encrypts a counter under a key; after every fourth round a part of the key schedule is added. */
export function threefry(key: Pair, counter: Pair, rounds = 20): Pair {
  const schedule = [key[0], key[1], PARITY ^ key[0] ^ key[1]];
  let x = wrap(counter[0] + key[0]);
  let y = wrap(counter[1] + key[1]);
  for (let round = 0; round < rounds; round++) {
    x = wrap(x + y);
    y = rotateLeft(y, ROTATIONS[round % 8]!) ^ x;
    if (round % 4 === 3) {
      const s = (round + 1) / 4;
      x = wrap(x + schedule[s % 3]!);
      y = wrap(y + schedule[(s + 1) % 3]! + BigInt(s));
    }
  }
  return [x, y];
}
