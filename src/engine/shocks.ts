/** Puts replayed shocks where drawn ones would stand. */
import { DRAW_BLOCK, DRAW_STRIDE, drawBlocks, type ScenarioSet } from '../scenarios/scenarioSet.ts';
import type { CubeLayout } from './arena.ts';

/** S × factors changes, row-major, into drawing blocks; a gap is a shock of 0 and is masked. Returns how many were clamped. */
export function writeShocks(
  f64: Float64Array,
  layout: Pick<CubeLayout, 'shocks' | 'shockBytes'>,
  set: ScenarioSet,
  changes: Float64Array,
): number {
  let clamped = 0;
  const factors = set.factorIds.length;
  for (let block = 0; block < drawBlocks(set.scenarios); block++) {
    const base = (layout.shocks + block * layout.shockBytes) / 8;
    const first = block * DRAW_BLOCK;
    const count = Math.min(DRAW_BLOCK, set.scenarios - first);
    for (let f = 0; f < factors; f++) {
      const limit = set.absolute[f] === 1 ? Number.POSITIVE_INFINITY : set.maxLogShock;
      for (let s = 0; s < count; s++) {
        const x = changes[(first + s) * factors + f]!;
        if (Math.abs(x) > limit) clamped++;
        f64[base + f * DRAW_STRIDE + s] = Number.isNaN(x)
          ? 0
          : Math.min(limit, Math.max(-limit, x));
      }
    }
  }
  return clamped;
}
