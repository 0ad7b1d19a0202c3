// Random bits: a counter-based generator that opens streams, and a fast one that runs inside a stream.
//
// A stream belongs to a piece of the problem, (key, purpose; index, block), never to a worker: any block can be drawn by
// anyone, in any order, and holds the same bits.
//
// The state of a stream is 128 bytes, four xoshiro256++ generators (lanes) side by side so that a vector holds a word of two:
//
//   state + 32·k + 8·l  =  word s_k of lane l,   k, l = 0..3

/** Threefish's key-schedule parity constant C240. */
const PARITY: u64 = 0x1BD11BDAA9FC1A22;

const STATE_WORDS_OF_LANES_0_1: usize = 0;
const STATE_WORDS_OF_LANES_2_3: usize = 16;

/**
 * Threefry2x64-20: encrypts a counter of two words under a key of two words; the words go to `out` and `out + stride`.
 *
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011), table 1 for the rotations.
 * Quality: a bijection of the counter for each key; passes BigCrush from 13 rounds up, 20 are the authors' margin.
 */
// @ts-ignore: decorator
@inline
function encrypt(key0: u64, key1: u64, counter0: u64, counter1: u64, out: usize, stride: usize): void {
  const key2: u64 = PARITY ^ key0 ^ key1;
  let x: u64 = counter0 + key0;
  let y: u64 = counter1 + key1;
  // A round is x += y, y = rotl(y, r) ^ x; every four rounds the key schedule is added.
  x += y; y = rotl<u64>(y, 16) ^ x;
  x += y; y = rotl<u64>(y, 42) ^ x;
  x += y; y = rotl<u64>(y, 12) ^ x;
  x += y; y = rotl<u64>(y, 31) ^ x;
  x += key1; y += key2 + 1;
  x += y; y = rotl<u64>(y, 16) ^ x;
  x += y; y = rotl<u64>(y, 32) ^ x;
  x += y; y = rotl<u64>(y, 24) ^ x;
  x += y; y = rotl<u64>(y, 21) ^ x;
  x += key2; y += key0 + 2;
  x += y; y = rotl<u64>(y, 16) ^ x;
  x += y; y = rotl<u64>(y, 42) ^ x;
  x += y; y = rotl<u64>(y, 12) ^ x;
  x += y; y = rotl<u64>(y, 31) ^ x;
  x += key0; y += key1 + 3;
  x += y; y = rotl<u64>(y, 16) ^ x;
  x += y; y = rotl<u64>(y, 32) ^ x;
  x += y; y = rotl<u64>(y, 24) ^ x;
  x += y; y = rotl<u64>(y, 21) ^ x;
  x += key1; y += key2 + 4;
  x += y; y = rotl<u64>(y, 16) ^ x;
  x += y; y = rotl<u64>(y, 42) ^ x;
  x += y; y = rotl<u64>(y, 12) ^ x;
  x += y; y = rotl<u64>(y, 31) ^ x;
  x += key2; y += key0 + 5;
  store<u64>(out, x);
  store<u64>(out + stride, y);
}

/** Two u64 words of Threefry2x64-20 of (counter0, counter1) under (key0, key1), at `out`. */
export function threefry(key0: u64, key1: u64, counter0: u64, counter1: u64, out: usize): void {
  encrypt(key0, key1, counter0, counter1, out, 8);
}

/**
 * Opens the stream (key, purpose; index, block): fills the 128 bytes at `state`.
 *
 * Encryption j = 0..7 of the counter (index, 8·block + j) under (key, purpose) gives the words 2j and 2j + 1, and lane l takes the
 * words 4l..4l + 3 as its s0..s3. Distinct streams have distinct counters; that two lanes of n streams of 2^40 draws meet
 * within the period 2^256 − 1 has probability below n²·2^-208. An all-zero lane, which would stay zero, has 2^-256.
 */
export function openStream(state: usize, key: u64, purpose: u64, index: u32, block: u32): void {
  const first = u64(block) << 3;
  for (let j: usize = 0; j < 8; ++j) {
    const firstWord = state + ((j >> 1) << 3) + ((j & 1) << 6);
    encrypt(key, purpose, u64(index), first + u64(j), firstWord, 32);
  }
}

// @ts-ignore: decorator
@inline
function rotateLeft23(x: v128): v128 {
  return v128.or(i64x2.shl(x, 23), i64x2.shr_u(x, 41));
}

// @ts-ignore: decorator
@inline
function rotateLeft45(x: v128): v128 {
  return v128.or(i64x2.shl(x, 45), i64x2.shr_u(x, 19));
}

/**
 * n u64 of raw bits at `out`, n a multiple of 4: lane 0, 1, 2, 3, 0, 1, …; the state moves on, so that two calls give what one
 * call for their sum gives.
 *
 * Source: Blackman and Vigna, "Scrambled linear pseudorandom number generators" (ACM TOMS 47, 2021), xoshiro256++.
 * Quality: each lane has period 2^256 − 1, is equidistributed in 3 dimensions, and all 64 bits are fit for use.
 */
export function fillBits(state: usize, out: usize, n: i32): void {
  let a0 = v128.load(state, STATE_WORDS_OF_LANES_0_1);
  let a1 = v128.load(state + 32, STATE_WORDS_OF_LANES_0_1);
  let a2 = v128.load(state + 64, STATE_WORDS_OF_LANES_0_1);
  let a3 = v128.load(state + 96, STATE_WORDS_OF_LANES_0_1);
  let b0 = v128.load(state, STATE_WORDS_OF_LANES_2_3);
  let b1 = v128.load(state + 32, STATE_WORDS_OF_LANES_2_3);
  let b2 = v128.load(state + 64, STATE_WORDS_OF_LANES_2_3);
  let b3 = v128.load(state + 96, STATE_WORDS_OF_LANES_2_3);

  const end = out + (usize(n) << 3);
  while (out < end) {
    v128.store(out, i64x2.add(rotateLeft23(i64x2.add(a0, a3)), a0));
    const shiftedA = i64x2.shl(a1, 17);
    a2 = v128.xor(a2, a0);
    a3 = v128.xor(a3, a1);
    a1 = v128.xor(a1, a2);
    a0 = v128.xor(a0, a3);
    a2 = v128.xor(a2, shiftedA);
    a3 = rotateLeft45(a3);

    v128.store(out, i64x2.add(rotateLeft23(i64x2.add(b0, b3)), b0), 16);
    const shiftedB = i64x2.shl(b1, 17);
    b2 = v128.xor(b2, b0);
    b3 = v128.xor(b3, b1);
    b1 = v128.xor(b1, b2);
    b0 = v128.xor(b0, b3);
    b2 = v128.xor(b2, shiftedB);
    b3 = rotateLeft45(b3);
    out += 32;
  }

  v128.store(state, a0, STATE_WORDS_OF_LANES_0_1);
  v128.store(state + 32, a1, STATE_WORDS_OF_LANES_0_1);
  v128.store(state + 64, a2, STATE_WORDS_OF_LANES_0_1);
  v128.store(state + 96, a3, STATE_WORDS_OF_LANES_0_1);
  v128.store(state, b0, STATE_WORDS_OF_LANES_2_3);
  v128.store(state + 32, b1, STATE_WORDS_OF_LANES_2_3);
  v128.store(state + 64, b2, STATE_WORDS_OF_LANES_2_3);
  v128.store(state + 96, b3, STATE_WORDS_OF_LANES_2_3);
}
