import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openKernels } from '../kernels.ts';
import { type Pair, threefry } from '../reference/threefry.ts';
import { openingWords, streamWords, xoshiro256 } from '../reference/xoshiro.ts';

interface Fixture {
  threefry: { rounds: number; key: string[]; counter: string[]; answer: string[] }[];
  xoshiro: string[];
  streams: {
    key: string;
    purpose: string;
    index: number;
    block: number;
    opening: string[];
    words: string[];
  }[];
}

// Made by random.py, which first proves itself against the vectors published with Random123 and xoshiro256++.
const fixture: Fixture = JSON.parse(
  readFileSync(new URL('../fixtures/random.json', import.meta.url), 'utf8'),
);
const word = (hex: string): bigint => BigInt(`0x${hex}`);
const pair = (hexes: string[]): Pair => [word(hexes[0]!), word(hexes[1]!)];
const take = (next: () => bigint, n: number): bigint[] => Array.from({ length: n }, next);

const open = openKernels();
const { kernels } = open;
const state = open.allocate(128);
const out = open.allocate(8 * 4096);

function kernelThreefry([key0, key1]: Pair, [counter0, counter1]: Pair): bigint[] {
  kernels.threefry(key0, key1, counter0, counter1, out);
  return [...open.words(out, 2)];
}

describe('threefry', () => {
  it('gives the published answers and those of an independent implementation', () => {
    for (const { rounds, key, counter, answer } of fixture.threefry) {
      expect(threefry(pair(key), pair(counter), rounds)).toEqual(answer.map(word));
      if (rounds === 20) expect(kernelThreefry(pair(key), pair(counter))).toEqual(answer.map(word));
    }
  });

  it('states the answers to zeros that everyone prints', () => {
    const zero: Pair = [0n, 0n];
    expect(kernelThreefry(zero, zero)).toEqual([0xc2b6e3a8c2c69865n, 0x6f81ed42f350084dn]);
    expect(threefry(zero, zero, 13)).toEqual([0xf167b032c3b480bdn, 0xe91f9fee4b7a6fb5n]);
  });

  it('agrees with its twin on counters far apart', () => {
    let x: Pair = [1n, 2n];
    for (let i = 0; i < 500; i++) {
      const y = threefry(x, [x[1], BigInt(i)]);
      expect(kernelThreefry(x, [x[1], BigInt(i)])).toEqual(y);
      x = y;
    }
  });

  it('flips half of the bits when one bit of the counter flips', () => {
    // Each of 128·128 output bits flips with probability ½: mean 64 per flip, and the mean over 128 flips has standard deviation
    // √(128/4)/√128 = 0.5; five of them.
    const base = kernelThreefry([3n, 5n], [7n, 11n]);
    let flips = 0;
    for (let bit = 0n; bit < 128n; bit++) {
      const counter: Pair = bit < 64n ? [7n ^ (1n << bit), 11n] : [7n, 11n ^ (1n << (bit - 64n))];
      kernelThreefry([3n, 5n], counter).forEach((w, i) => {
        flips += (w ^ base[i]!).toString(2).replaceAll('0', '').length;
      });
    }
    expect(Math.abs(flips / 128 - 64)).toBeLessThan(2.5);
  });
});

describe('streams', () => {
  it('open with the sixteen words of eight encryptions, lane by lane', () => {
    for (const { key, purpose, index, block, opening } of fixture.streams) {
      kernels.openStream(state, word(key), word(purpose), index, block);
      const words = open.words(state, 16);
      const lanes = [0, 1, 2, 3].flatMap((lane) => [0, 1, 2, 3].map((k) => words[4 * k + lane]!));
      expect(lanes).toEqual(opening.map(word));
      expect(openingWords(word(key), word(purpose), index, block)).toEqual(opening.map(word));
    }
  });

  it('hold the words of an independent implementation, lanes in turn', () => {
    for (const { key, purpose, index, block, words } of fixture.streams) {
      kernels.openStream(state, word(key), word(purpose), index, block);
      kernels.fillBits(state, out, words.length);
      expect([...open.words(out, words.length)]).toEqual(words.map(word));
    }
  });

  it('agree with the twin over 4,096 words', () => {
    kernels.openStream(state, 99n, 4n, 17, 123_456);
    kernels.fillBits(state, out, 4096);
    expect([...open.words(out, 4096)]).toEqual(take(streamWords(99n, 4n, 17, 123_456), 4096));
  });

  it('differ when any part of their name differs', () => {
    const names = [
      [1n, 1n, 1, 1],
      [2n, 1n, 1, 1],
      [1n, 2n, 1, 1],
      [1n, 1n, 2, 1],
      [1n, 1n, 1, 2],
    ] as const;
    const seen = new Set<bigint>();
    for (const [key, purpose, index, block] of names) {
      kernels.openStream(state, key, purpose, index, block);
      for (const w of open.words(state, 16)) seen.add(w);
    }
    expect(seen.size).toBe(names.length * 16);
  });
});

describe('fillBits', () => {
  it('runs the published xoshiro256++ in every lane', () => {
    const words = open.words(state, 16);
    for (let i = 0; i < 16; i++) words[i] = BigInt(Math.floor(i / 4) + 1);
    kernels.fillBits(state, out, 4 * fixture.xoshiro.length);
    const expected = fixture.xoshiro.flatMap((w) => [word(w), word(w), word(w), word(w)]);
    expect([...open.words(out, expected.length)]).toEqual(expected);
    expect(take(xoshiro256([1n, 2n, 3n, 4n]), fixture.xoshiro.length)).toEqual(
      fixture.xoshiro.map(word),
    );
  });

  it('goes on where it stopped', () => {
    kernels.openStream(state, 5n, 6n, 7, 8);
    kernels.fillBits(state, out, 64);
    const whole = [...open.words(out, 64)];
    kernels.openStream(state, 5n, 6n, 7, 8);
    kernels.fillBits(state, out, 4);
    kernels.fillBits(state, out + 32, 40);
    kernels.fillBits(state, out + 352, 0);
    kernels.fillBits(state, out + 352, 20);
    expect([...open.words(out, 64)]).toEqual(whole);
  });

  it('sets each of the 64 bits half of the time', () => {
    // n = 4,096 words: a bit's share has standard deviation ½/√n = 0.0078; 4.5 of them, for 64 bits.
    kernels.openStream(state, 1n, 1n, 0, 0);
    kernels.fillBits(state, out, 4096);
    const words = [...open.words(out, 4096)];
    for (let bit = 0n; bit < 64n; bit++) {
      const share = words.filter((w) => (w >> bit) & 1n).length / words.length;
      expect(Math.abs(share - 0.5)).toBeLessThan(4.5 * 0.0078125);
    }
  });
});
