/** Kernels over a memory of their own, and regions to work in that do not alias. */
import {
  compileKernels,
  createMemory,
  instantiateKernels,
  type Kernels,
} from '../workers/kernels.ts';

export interface Desk {
  readonly kernels: Kernels;
  /** A fresh array of n doubles: its byte offset and a view. */
  array(n: number): { readonly at: number; readonly values: Float64Array };
}

/** Arrays a multiple of 4 KiB apart share cache sets; these are 320 bytes off. */
const STAGGER = 320;

export function openDesk(bytes: number): Desk {
  const memory = createMemory(bytes + (1 << 18));
  const kernels = instantiateKernels(compileKernels(), memory);
  let next = kernels.heapBase();
  return {
    kernels,
    array(n) {
      const at = Math.ceil(next / 64) * 64;
      next = at + n * 8 + STAGGER;
      if (next > memory.buffer.byteLength) throw new Error(`no room for ${n} doubles`);
      return { at, values: new Float64Array(memory.buffer, at, n) };
    },
  };
}
