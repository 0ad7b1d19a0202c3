/** xoshiro256++ (Blackman, Vigna 2021) over BigInt, and the streams built on it: the twin of workers/kernels/random.ts. */
import { rotateLeft, threefry, wrap } from './threefry.ts';

export type Words = () => bigint;

/** One generator: a function that returns its next word. */
export function xoshiro256(seed: readonly bigint[]): Words {
  let [s0, s1, s2, s3] = seed as [bigint, bigint, bigint, bigint];
  return () => {
    const result = wrap(rotateLeft(wrap(s0 + s3), 23n) + s0);
    const t = wrap(s1 << 17n);
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= t;
    s3 = rotateLeft(s3, 45n);
    return result;
  };
}

/** The sixteen words that open a stream: encryption j of (index, 8·block + j) gives words 2j and 2j + 1. */
export function openingWords(
  key: bigint,
  purpose: bigint,
  index: number,
  block: number,
): readonly bigint[] {
  const words: bigint[] = [];
  for (let j = 0; j < 8; j++) {
    words.push(...threefry([key, purpose], [BigInt(index), BigInt(block) * 8n + BigInt(j)]));
  }
  return words;
}

/** The words of a stream: four generators in turn, each opened with four of the sixteen words. */
export function streamWords(key: bigint, purpose: bigint, index: number, block: number): Words {
  const opening = openingWords(key, purpose, index, block);
  const lanes = [0, 4, 8, 12].map((first) => xoshiro256(opening.slice(first, first + 4)));
  let turn = 0;
  return () => lanes[turn++ % 4]!();
}
