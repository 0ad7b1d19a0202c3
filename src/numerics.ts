/**
 * Elementary functions that round alike on every engine: the kernels' own, in a private instance of theirs. `Math.exp`, `Math.log`
 * and `**` may differ in the last bit between versions of V8, so nothing whose bits matter calls them.
 */
import { compileKernels, createMemory, instantiateKernels } from '../workers/kernels.ts';

const kernels = instantiateKernels(compileKernels(), createMemory(1 << 16));

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
