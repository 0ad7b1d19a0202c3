/** Random numbers for what is made where the session opens: the streams of the kernels, in a private instance of theirs. */
import { compileKernels, createMemory, instantiateKernels } from '../../workers/kernels.ts';
import { DRAW_BLOCK } from './scenarioSet.ts';

const STATE_BYTES = 128;
const kernels = instantiateKernels(compileKernels(), createMemory(1 << 18));
const state = Math.ceil(kernels.heapBase() / 64) * 64;
const out = state + STATE_BYTES;
const words = new Uint32Array(kernels.memory.buffer, out, 2 * DRAW_BLOCK);

/**
 * DRAW_BLOCK whole numbers of 0 … count − 1, all as likely (to 2⁻⁵³·count), from the stream (key, purpose; index, block).
 * @param into where they go
 */
export function drawIndices(
  stream: {
    readonly key: bigint;
    readonly purpose: bigint;
    readonly index: number;
    readonly block: number;
  },
  count: number,
  into: Int32Array,
): void {
  kernels.openStream(state, stream.key, stream.purpose, stream.index, stream.block);
  kernels.fillBits(state, out, DRAW_BLOCK);
  for (let i = 0; i < DRAW_BLOCK; i++) {
    // The top 53 bits as a fraction in [0, 1).
    const unit = (words[2 * i + 1]! * 2_097_152 + (words[2 * i]! >>> 11)) * 2 ** -53;
    into[i] = Math.floor(unit * count);
  }
}
