/**
 * Elementary functions that round alike on every engine: the kernels' own, in a private instance of theirs. `Math.exp`, `Math.log`
 * and `**` may differ in the last bit between versions of V8, so nothing whose bits matter calls them.
 */
import { compileKernels, createMemory, instantiateKernels } from '../workers/kernels.ts';

const memory = createMemory(1 << 17);
const kernels = instantiateKernels(compileKernels(), memory);

export const exp: (x: number) => number = kernels.exp;
export const log: (x: number) => number = kernels.log;
/** Φ(x), the standard normal distribution function. */
export const normalCdf: (x: number) => number = kernels.normalCdf;
/** Φ⁻¹(p) for 0 < p < 1. */
export const inverseNormalCdf: (p: number) => number = kernels.inverseNormalCdf;

/** Undiscounted Black-76 price, v = σ√T, right 1 for a call and −1 for a put. */
export const black76: (forward: number, strike: number, v: number, right: 1 | -1) => number =
  kernels.black76;

/** x^y for x > 0. */
export function pow(x: number, y: number): number {
  return x === 1 || y === 0 ? 1 : exp(y * log(x));
}

/** Values that go through the kernels' memory at a time. */
const PIECE = 4096;
const piece = Math.ceil(kernels.heapBase() / 64) * 64;
const room = new Float64Array(memory.buffer, piece, PIECE);

/** e^x of each value, in place; the same bits as `exp`. */
export function expArray(values: Float64Array): void {
  for (let from = 0; from < values.length; from += PIECE) {
    const part = values.subarray(from, from + PIECE);
    room.set(part);
    kernels.expArray(piece, piece, part.length);
    part.set(part.length === PIECE ? room : room.subarray(0, part.length));
  }
}

/**
 * Value of an American option by the scenario kernel (workers/kernels/american.ts), with the bits of its rows: exercise delivers `level`, v = σ√T,
 * rateTime = rT, right 1 for a call and −1 for a put.
 */
export function americanScenarioPrice(
  option: {
    readonly level: number;
    readonly forward: number;
    readonly strike: number;
    readonly right: 1 | -1;
  },
  v: number,
  rateTime: number,
): number {
  const { level, forward, strike, right } = option;
  return kernels.americanPrice(level, forward, strike, v, rateTime, right, piece);
}
