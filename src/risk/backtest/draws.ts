/** Standard draws for the walk forward: made once, rescaled every day. The streams are those of a drawn scenario set of the same seed. */

import {
  compileKernels,
  createMemory,
  instantiateKernels,
  type Kernels,
} from '../../../workers/kernels.ts';
import { DRAW_BLOCK, drawBlocks, PURPOSE, streamKey } from '../../scenarios/scenarioSet.ts';

export class StandardDraws {
  readonly scenarios: number;
  private readonly key: bigint;
  private readonly kernels: Kernels;
  private readonly state: number;
  private readonly out: Float64Array;

  /** @param seed text of any length: equal seeds give equal draws */
  constructor(scenarios: number, seed: string) {
    const memory = createMemory(1 << 18);
    this.kernels = instantiateKernels(compileKernels(), memory);
    this.state = Math.ceil(this.kernels.heapBase() / 64) * 64;
    this.out = new Float64Array(memory.buffer, this.state + 256, DRAW_BLOCK);
    this.scenarios = scenarios;
    this.key = streamKey(seed);
  }

  /** Independent standard normals of factor f. */
  normals(f: number): Float64Array {
    return this.blocks((at, scratch, block) => {
      this.kernels.openStream(this.state, this.key, PURPOSE.normals, f, block);
      this.kernels.normals(this.state, at, DRAW_BLOCK, scratch);
    });
  }

  /** √((ν−2)/χ²_ν): times a normal vector a multivariate t with ν > 2 and the same covariance. */
  mixing(degreesOfFreedom: number): Float64Array {
    return this.blocks((at, scratch, block) => {
      this.kernels.openStream(this.state, this.key, PURPOSE.mixing, 0, block);
      this.kernels.chiSquares(this.state, at, DRAW_BLOCK, degreesOfFreedom, scratch);
      this.kernels.mixing(at, at, DRAW_BLOCK, degreesOfFreedom);
    });
  }

  private blocks(draw: (at: number, scratch: number, block: number) => void): Float64Array {
    const count = drawBlocks(this.scenarios);
    const all = new Float64Array(count * DRAW_BLOCK);
    const { byteOffset, byteLength } = this.out;
    for (let block = 0; block < count; block++) {
      draw(byteOffset, byteOffset + byteLength, block);
      all.set(this.out, block * DRAW_BLOCK);
    }
    return all.subarray(0, this.scenarios);
  }
}
