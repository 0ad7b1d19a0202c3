/** Fills a session in this thread: what `fillSession` does over the pool. For sessions of one account, and for tests. */
import { drawBlocks } from '../scenarios/scenarioSet.ts';
import { cubeOf, cubesOf } from './sessionData.ts';
import { type Bench, drawShard, fillShard, orderShard } from './shards.ts';

/** Draws what is drawn; returns how many of the session's own shocks were clamped. */
export function drawLocally(bench: Bench): number {
  const { session } = bench;
  let clamped = session.replayClamped;
  for (const cube of cubesOf(session)) {
    const { set } = cubeOf(session, cube);
    if (!set.drawn) continue;
    for (let block = 0; block < drawBlocks(set.scenarios); block++) {
      const count = drawShard(bench, 0, cube, block);
      if (cube === 'base') clamped += count;
    }
  }
  return clamped;
}

/** Orders scenarios, revalues and measures, of shocks that stand in memory. */
export function revalueLocally(bench: Bench): void {
  const { session } = bench;
  const underlyings = session.valuation.market.underlyings.map((_, u) => u);
  if (session.layout.orders !== 0) for (const u of underlyings) orderShard(bench, 0, u);
  fillShard(bench, 0, { underlyings, part: 0, parts: 1, whole: true });
}
