/** What tests of kernels share: an instance with memory of its own, and views into it. */
import {
  compileKernels,
  createMemory,
  instantiateKernels,
  type Kernels,
} from '../workers/kernels.ts';

export interface OpenKernels {
  readonly kernels: Kernels;
  readonly memory: WebAssembly.Memory;
  /** A fresh region of so many bytes, 64-byte aligned and apart from the last by 320 bytes, so that arrays do not alias. */
  allocate(bytes: number): number;
  /** A view of n numbers at a pointer. */
  floats(pointer: number, n: number): Float64Array;
  /** A view of n 64-bit words at a pointer. */
  words(pointer: number, n: number): BigUint64Array;
  /** Copies the values into a fresh region and returns its pointer. */
  place(values: ArrayLike<number>): number;
}

let compiled: WebAssembly.Module | undefined;

function kernelModule(): WebAssembly.Module {
  try {
    compiled ??= compileKernels();
    return compiled;
  } catch (cause) {
    throw new Error('The kernels are not built: run "npm run build" first.', { cause });
  }
}

/** Opens the kernels over a fresh memory with at least so many bytes to allocate. */
export function openKernels(bytes: number = 1 << 20): OpenKernels {
  const module = kernelModule();
  const slack = 1 << 17; // the kernels' own constants, alignment and gaps
  const memory = createMemory(bytes + slack);
  const kernels = instantiateKernels(module, memory);
  let next = kernels.heapBase();

  const allocate = (size: number): number => {
    const pointer = Math.ceil(next / 64) * 64;
    const end = pointer + size;
    if (end > memory.buffer.byteLength) throw new Error(`no room for ${size} bytes more`);
    next = end + 320;
    return pointer;
  };
  const floats = (pointer: number, n: number): Float64Array =>
    new Float64Array(memory.buffer, pointer, n);
  const words = (pointer: number, n: number): BigUint64Array =>
    new BigUint64Array(memory.buffer, pointer, n);
  const place = (values: ArrayLike<number>): number => {
    const pointer = allocate(values.length * 8);
    floats(pointer, values.length).set(values);
    return pointer;
  };
  return { kernels, memory, allocate, floats, words, place };
}
