/**
 * The typed door to the numerical core: what the WebAssembly module exports, and how an instance is made. Every pointer is
 * a byte offset into the memory that the instance was given; every array holds f64 unless said otherwise and begins at a
 * multiple of 16. What each kernel computes, its source and its error bound stand in `kernels/`.
 */
import { readFileSync } from 'node:fs';

type Pointer = number;

export interface Kernels {
  /** The memory that the instance was given. */
  readonly memory: WebAssembly.Memory;
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

  // --- margins.ts
  /** x ← (scale·mix)·x mapped to another number of degrees of freedom by a table of `scenarios/studentMargin.ts`; `mix` 0 is none. */
  studentMargins(
    x: Pointer,
    mix: Pointer,
    n: number,
    scale: number,
    table: Pointer,
    octaves: number,
  ): void;

  // --- jumps.ts
  /** n Poisson counts of a mean up to 500, one word each; `scratch` is 16 KiB. */
  poissons(state: Pointer, out: Pointer, n: number, mean: number, scratch: Pointer): void;
  /** out = count·mean + √count·volatility·z. */
  jumpSums(
    counts: Pointer,
    z: Pointer,
    out: Pointer,
    n: number,
    mean: number,
    volatility: number,
  ): void;
  /** x ← x + scale·y. */
  addScaled(x: Pointer, y: Pointer, n: number, scale: number): void;

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

  /** P&L of a binary option: scale · Φ(±d₂) − base, d₂ = x/v − v/2, x = logMoneyness0 + logMove, v = v0·up; right 1 a call, −1 a put. */
  binaryRow(
    n: number,
    logMove: Pointer,
    up: Pointer,
    logMoneyness0: number,
    v0: number,
    right: number,
    scale: number,
    base: number,
    out: Pointer,
    blockSize: number,
    blockStride: number,
  ): void;
  /** P&L of a binary that expires inside the horizon: a call pays `scale` where spot > strike, a put where spot ≤ strike. */
  binaryPayoffRow(
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
  /** scale · (√level − √mark). */
  rootRow(
    n: number,
    level: Pointer,
    mark: number,
    scale: number,
    out: Pointer,
    blockSize: number,
    blockStride: number,
  ): void;

  // --- smile.ts: the table is described there
  /**
   * What optionRows takes as `up` and `down`, with v0 = 1, where the smile moves with the forward: v·up and down/v, v = scale·√w(ln(K/F₁)) read
   * off the slice in `table`; scale = √(T₁/T). logMoneyness0 = ln(F₀/K); n even; `up` and `down` may both be 0.
   */
  sliceVolatilities(
    table: Pointer,
    n: number,
    logMove: Pointer,
    logMoneyness0: number,
    scale: number,
    up: Pointer,
    down: Pointer,
    upOut: Pointer,
    downOut: Pointer,
  ): void;

  // --- american.ts: `scratch` is 672 bytes
  /**
   * Value of one American option, right 1 a call and −1 a put, that is exercised into `level` (the spot, or the forward itself); v = σ√T,
   * rateTime = rT ≥ 0 where level ≠ forward.
   */
  americanPrice(
    level: number,
    forward: number,
    strike: number,
    v: number,
    rateTime: number,
    right: number,
    scratch: Pointer,
  ): number;
  /**
   * P&L of one American option: scale · value − base, v = v0·up. level and forward in each scenario with their log moves; `basis`, the
   * annualised shock of the carry, counts `maturity` years and may be 0. logLevel0 = ln(level₀/strike), logForward0 = ln(forward₀/strike),
   * carry0 = ln(forward₀/level₀). Scattered as by optionRows.
   */
  americanRow(
    n: number,
    level: Pointer,
    levelMove: Pointer,
    forward: Pointer,
    logMove: Pointer,
    basis: Pointer,
    up: Pointer,
    logLevel0: number,
    logForward0: number,
    carry0: number,
    maturity: number,
    strike: number,
    v0: number,
    rateTime: number,
    right: number,
    scale: number,
    base: number,
    out: Pointer,
    blockSize: number,
    blockStride: number,
    scratch: Pointer,
  ): void;

  // --- screening.ts, accumulation.ts and tail.ts: the records are described in kernels/screening.ts
  /**
   * Leaves the `keep` worst P&L of each book over `scenarios` scenarios sorted in its buffer. `scales` has each row's rowScale. `room`
   * is 128 + rows·(4·blockSize + 1) bytes.
   */
  accumulate(
    cube: Pointer,
    blockBytes: number,
    blockSize: number,
    scenarios: number,
    rows: number,
    scales: Pointer,
    books: Pointer,
    bookCount: number,
    room: Pointer,
  ): void;
  /**
   * The sums of one book over contiguous rows (entries are offsets from `rows`), kept: n scenarios, a multiple of 2, at `out`;
   * `spare` is 16 KiB.
   */
  sumRows(rows: Pointer, n: number, book: Pointer, out: Pointer, spare: Pointer): void;
  /** The tail of such sums that are not kept, of rows in the cache; n is read up to a multiple of 16. `slot` has room for 128 bytes. */
  tailOfRows(rows: Pointer, n: number, book: Pointer, slot: Pointer): void;
  /** The power of two that accumulate multiplies a row of n values by; 0 for one of zeros and infinities, −1 for one that it sums exactly. */
  rowScale(values: Pointer, n: number): number;
  /** Copies a contiguous row into blocks of `blockSize` values, `blockStride` bytes apart. */
  packRow(row: Pointer, blocks: number, blockSize: number, out: Pointer, blockStride: number): void;
  /** out[s] ← out[s] + row[s]; n even. */
  addValues(row: Pointer, n: number, out: Pointer): void;
  /** out[s] ← out[s] + row[order[s]], `order` of u32: a row whose scenarios are reordered. */
  addReordered(row: Pointer, order: Pointer, n: number, out: Pointer): void;
  /** `packRow` of the reordered row, n values in all. */
  packReordered(
    row: Pointer,
    order: Pointer,
    n: number,
    blockSize: number,
    out: Pointer,
    blockStride: number,
  ): void;
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
