/** The rows of what ticks moved, computed anew. */
import { drawBlocks } from '../scenarios/scenarioSet.ts';
import type { Executor } from './executor.ts';
import { cubeOf, cubesOf, type Session } from './sessionData.ts';

/** Revalues what moved and measures its rows, while nothing else runs on the memory. */
export async function refill(
  session: Session,
  moved: ReadonlySet<number>,
  executor: Executor,
): Promise<void> {
  const underlyings = [...moved];
  const options = { urgent: true, through: true };
  const cubes = cubesOf(session);
  await Promise.all(
    cubes.flatMap((cube) =>
      Array.from({ length: drawBlocks(cubeOf(session, cube).set.scenarios) }, (_, block) =>
        executor.run({ kind: 'revalue', cube, block, underlyings }, session, options),
      ),
    ),
  );
  const rows = rowsOf(session, moved);
  const share = Math.ceil(rows.length / (2 * executor.workers));
  const pieces: number[][] = [];
  for (let first = 0; first < rows.length; first += share)
    pieces.push(rows.slice(first, first + share));
  await Promise.all(
    cubes.flatMap((cube) =>
      pieces.map((piece) => executor.run({ kind: 'units', cube, rows: piece }, session, options)),
    ),
  );
}

function rowsOf({ valuation }: Session, moved: ReadonlySet<number>): number[] {
  const { plan, market } = valuation;
  const rows: number[] = [];
  for (const u of moved) {
    const planned = plan.underlyings[u];
    if (planned) rows.push(planned.spotRow, ...planned.masks.map(({ row }) => row));
  }
  market.instruments.forEach(({ underlying }, i) => {
    if (moved.has(underlying) && plan.rowOf[i] !== -1) rows.push(plan.rowOf[i]!);
  });
  return rows.sort((a, b) => a - b);
}
