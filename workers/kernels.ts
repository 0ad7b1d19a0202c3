/**
 * The typed door to the numerical core: what the WebAssembly module exports, and how an instance is made. Every pointer is
 * a byte offset into the memory that the instance was given; every array holds f64 unless said otherwise and begins at a
 * multiple of 16. What each kernel computes, its source and its error bound stand in `kernels/`.
 */
import { readFileSync } from 'node:fs';

type Pointer = number;

export interface Kernels {
  /** The first byte that kernels do not use themselves. */
  heapBase(): Pointer;

  // --- maths.ts: one value
  exp(x: number): number;
  log(x: number): number;
  /** Φ(x). */
  normalCdf(x: number): number;
  /** Φ⁻¹(p), 0 < p < 1 (Wichura's AS241). */
  inverseNormalCdf(p: number): number;
  // --- maths.ts: arrays of n values
  expArray(input: Pointer, output: Pointer, n: number): void;
  logArray(input: Pointer, output: Pointer, n: number): void;
  normalCdfArray(input: Pointer, output: Pointer, n: number): void;
  inverseNormalCdfArray(input: Pointer, output: Pointer, n: number): void;

  // --- random.ts
  /** Two u64 words of Threefry2x64-20 at `out`. */
  threefry(key0: bigint, key1: bigint, counter0: bigint, counter1: bigint, out: Pointer): void;
  /** Opens the stream (key, purpose; index, block): 128 bytes of xoshiro256++ state, four lanes. */
  openStream(state: Pointer, key: bigint, purpose: bigint, index: number, block: number): void;
  /** n u64 of raw bits, n a multiple of 4; the state moves on. */
  fillBits(state: Pointer, out: Pointer, n: number): void;

  // --- normal.ts: `scratch` is 16 KiB; the first n values do not depend on n
  normals(state: Pointer, out: Pointer, n: number, scratch: Pointer): void;
  normalsByInversion(state: Pointer, out: Pointer, n: number, scratch: Pointer): void;
  /** n draws of χ²(ν), ν > 0. */
  chiSquares(
    state: Pointer,
    out: Pointer,
    n: number,
    degreesOfFreedom: number,
    scratch: Pointer,
  ): void;

  // --- shocks.ts: rows of n scenarios, factor after factor
  /** x[f] = Σ_{g ≤ f} lower[f·factors + g] · z[g], g ascending; rows are n apart; z and x do not overlap. */
  correlate(lower: Pointer, z: Pointer, x: Pointer, factors: number, n: number): void;
  /** out = √((ν−2)/χ²), the covariance-matched mixing variable of the multivariate t. */
  mixing(chiSquares: Pointer, out: Pointer, n: number, degreesOfFreedom: number): void;
  /** x ← clamp(mean + volatility · mix · x, ±limit) in place; `mix` 0 is none; limit ∞ is no clamp. Returns how many were clamped. */
  scaleShocks(
    x: Pointer,
    mix: Pointer,
    n: number,
    volatility: number,
    mean: number,
    limit: number,
  ): number;

  // --- pricing.ts
  /** Undiscounted Black-76 call (right 1) or put (right −1), v = σ√T. */
  black76(forward: number, strike: number, v: number, right: number): number;
  /** Arrays of n: undiscounted prices of calls and puts; either output may be 0. */
  black76Array(
    forward: Pointer,
    strike: Pointer,
    v: Pointer,
    callOut: Pointer,
    putOut: Pointer,
    n: number,
  ): void;
  /** spot₁ = spot₀·e^shock, or spot₀ + shock where `absolute` is 1. */
  spotScenarios(shock: Pointer, out: Pointer, n: number, spot0: number, absolute: number): void;
  /**
   * The state of one expiry: logMove = shock + T·basis, forward₁ = forward₀·e^logMove, up = e^(scale·vol), down = e^(−scale·vol),
   * conversion = e^(−T·basis). `basis` and `vol` may be 0 (held still).
   */
  expiryScenarios(
    shock: Pointer,
    basis: Pointer,
    vol: Pointer,
    n: number,
    forward0: number,
    maturity: number,
    volScale: number,
    logMove: Pointer,
    forward: Pointer,
    up: Pointer,
    down: Pointer,
    conversion: Pointer,
  ): void;
  /**
   * P&L of one strike: scale · conversion · B(forward, strike, v0·up) − base, for the call and the put (an output of 0 is not
   * written). Rows are scattered: scenario s goes to out + (s div blockSize)·blockStride + (s mod blockSize)·8; n is a multiple of
   * blockSize, a multiple of 16. logMoneyness0 = ln(forward₀/strike).
   */
  optionRows(
    n: number,
    logMove: Pointer,
    forward: Pointer,
    up: Pointer,
    down: Pointer,
    conversion: Pointer,
    logMoneyness0: number,
    strike: number,
    v0: number,
    scale: number,
    callBase: number,
    callOut: Pointer,
    putBase: number,
    putOut: Pointer,
    blockSize: number,
    blockStride: number,
  ): void;
  /** P&L of an option that expires inside the horizon: scale · max(±(spot − strike), 0) − base. */
  payoffRow(
    n: number,
    spot: Pointer,
    strike: number,
    right: number,
    scale: number,
    base: number,
    out: Pointer,
    blockSize: number,
    blockStride: number,
  ): void;
  /** scale · (level − mark). */
  linearRow(
    n: number,
    level: Pointer,
    mark: number,
    scale: number,
    out: Pointer,
    blockSize: number,
    blockStride: number,
  ): void;
  /** scale · (1/mark − 1/level) · spot. */
  inverseRow(
    n: number,
    level: Pointer,
    spot: Pointer,
    mark: number,
    scale: number,
    out: Pointer,
    blockSize: number,
    blockStride: number,
  ): void;

  // --- accumulation.ts and tail.ts: the records are described in kernels/accumulation.ts
  /** Leaves the `keep` worst P&L of each book over `scenarios` scenarios sorted in its buffer. `slot` has room for one block of sums. */
  accumulate(
    cube: Pointer,
    blockBytes: number,
    blockSize: number,
    scenarios: number,
    books: Pointer,
    bookCount: number,
    slot: Pointer,
  ): void;
  /**
   * The same sums for one book over contiguous rows (entries are offsets from `rows`), kept: n scenarios, a multiple of 2, at `out`;
   * `spare` is 4 KiB.
   */
  sumRows(rows: Pointer, n: number, book: Pointer, out: Pointer, spare: Pointer): void;
  /** Copies a contiguous row into blocks of `blockSize` values, `blockStride` bytes apart. */
  packRow(row: Pointer, blocks: number, blockSize: number, out: Pointer, blockStride: number): void;
  /** The tail of n P&L values that are already there; fills the book's buffer as accumulate does. */
  tailOf(book: Pointer, values: Pointer, n: number): void;
  /** The greatest |value| of n values, NaN if one is not finite. */
  rowBound(values: Pointer, n: number): number;
}

export const PAGE_BYTES = 65_536;
export const MAXIMUM_PAGES = 65_536;

/** The compiled kernels beside this module's build: `dist/workers/kernels.wasm`. */
export function kernelBytes(): Uint8Array<ArrayBuffer> {
  const here = import.meta.url;
  const built = here.endsWith('.ts')
    ? new URL('../dist/workers/kernels.wasm', here)
    : new URL('kernels.wasm', here);
  return new Uint8Array(readFileSync(built));
}

export function compileKernels(): WebAssembly.Module {
  return new WebAssembly.Module(kernelBytes());
}

/** Shared memory of at least so many bytes; it never grows while in use. */
export function createMemory(bytes: number): WebAssembly.Memory {
  const pages = Math.max(1, Math.ceil(bytes / PAGE_BYTES));
  return new WebAssembly.Memory({ initial: pages, maximum: MAXIMUM_PAGES, shared: true });
}

export function instantiateKernels(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
): Kernels {
  const abort = (_message: number, _file: number, line: number, column: number): never => {
    throw new Error(`kernel trap at ${line}:${column}`);
  };
  const instance = new WebAssembly.Instance(module, { env: { memory, abort } });
  return instance.exports as unknown as Kernels;
}
