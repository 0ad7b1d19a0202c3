import type { Kernels } from '../../workers/kernels.ts';
import { DRAW_BLOCK, DRAW_STRIDE, PURPOSE, type ScenarioSet } from './scenarioSet.ts';

/** Bytes of working room that `drawBlock` needs: the independent normals, the mixing variable, state and raw bits. */
export function drawScratchBytes(factors: number): number {
  return (factors + 1) * DRAW_STRIDE * 8 + 256 + 16_384;
}

/**
 * Draws block `block` of a gaussian or student-t set: independent normals from the stream (factor, block), correlated by the Cholesky
 * factor, mixed by √((ν−2)/χ²) for Student's t (covariance-matched), scaled to the horizon, log shocks clamped.
 *
 * @param out where the factors' rows go, DRAW_STRIDE apart
 * @returns how many shocks were clamped among the scenarios that exist
 */
export function drawBlock(
  kernels: Kernels,
  set: ScenarioSet,
  block: number,
  memory: { readonly cholesky: number; readonly scratch: number; readonly out: number },
): number {
  const factors = set.factorIds.length;
  const row = DRAW_STRIDE * 8;
  const normals = memory.scratch;
  const mix = normals + factors * row;
  const state = mix + row;
  const bits = state + 256;
  for (let f = 0; f < factors; f++) {
    kernels.openStream(state, set.key, PURPOSE.normals, f, block);
    kernels.normals(state, normals + f * row, DRAW_BLOCK, bits);
  }
  kernels.correlate(memory.cholesky, normals, memory.out, factors, DRAW_STRIDE);
  if (set.degreesOfFreedom > 0) {
    kernels.openStream(state, set.key, PURPOSE.mixing, 0, block);
    kernels.chiSquares(state, mix, DRAW_BLOCK, set.degreesOfFreedom, bits);
    kernels.mixing(mix, mix, DRAW_BLOCK, set.degreesOfFreedom);
  }
  const mixing = set.degreesOfFreedom > 0 ? mix : 0;
  let clamped = 0;
  for (let f = 0; f < factors; f++) {
    const limit = set.absolute[f] === 1 ? Number.POSITIVE_INFINITY : set.maxLogShock;
    const x = memory.out + f * row;
    clamped += kernels.scaleShocks(x, mixing, DRAW_BLOCK, set.volatility[f]!, set.mean[f]!, limit);
  }
  return clamped;
}
