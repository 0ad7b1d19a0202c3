/** Fills a session in this thread: what `fillSession` does over the pool. For sessions of one account, and for tests. */
import { drawBlocks } from '../scenarios/scenarioSet.ts';
import { type CubeName, cubeOf, cubesOf } from './sessionData.ts';
import { type Bench, drawShard, orderShard, packShard, revalueShard, unitShard } from './shards.ts';

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

/** Revalues, orders and measures units, of shocks that stand in memory. */
export function revalueLocally(bench: Bench): void {
  const { session } = bench;
  const { plan, market } = session.valuation;
  const underlyings = market.underlyings.map((_, u) => u);
  const cubes: readonly CubeName[] = cubesOf(session);
  for (const cube of cubes) {
    for (let block = 0; block < drawBlocks(cubeOf(session, cube).set.scenarios); block++) {
      revalueShard(bench, 0, cube, { block, underlyings });
    }
  }
  if (session.layout.orders !== 0) for (const u of underlyings) orderShard(bench, 0, u);
  const rows = Array.from({ length: plan.rows }, (_, row) => row);
  for (const cube of cubes) {
    packShard(bench, cube, rows);
    unitShard(bench, 0, cube, rows);
  }
}
