/** The rows of what ticks moved, computed anew: first as rows, then in blocks. */
import { drawBlocks } from '../scenarios/scenarioSet.ts';
import { costOf, partOf } from '../valuation/rowParts.ts';
import type { Executor } from './executor.ts';
import { type CubeName, cubeOf, cubesOf, type Session } from './sessionData.ts';

/** The shortest task, about: what its way to the worker and back costs is small beside it. */
const TASK_US = 1_000;
/** So that a worker which is held up does not hold up the others. */
const TASKS_PER_WORKER = 2;

/**
 * Revalues what moved and measures its rows, while nothing else runs on the memory. A task does both for its own rows, over all scenarios:
 * none waits for another.
 */
export async function refill(
  session: Session,
  moved: ReadonlySet<number>,
  executor: Executor,
): Promise<void> {
  const underlyings = [...moved];
  const most = TASKS_PER_WORKER * executor.workers;
  const parts = Math.max(1, Math.min(most, Math.floor(refillCost(session, underlyings) / TASK_US)));
  const options = { urgent: true, through: true };
  await Promise.all(
    Array.from({ length: parts }, (_, part) =>
      executor.run({ kind: 'refill', underlyings, part, parts }, session, options),
    ),
  );
}

/** Rows that one task packs: it is short, so that what is urgent does not wait for it. */
const PACKED_ROWS = 16;

/** The same rows in the cubes in blocks, which nothing but large batches reads. */
export async function repack(
  session: Session,
  moved: readonly number[],
  executor: Executor,
): Promise<void> {
  const { plan } = session.valuation;
  const rows = moved.flatMap((u) => {
    const planned = plan.underlyings[u];
    return planned ? partOf([planned], 0, 1).flatMap((part) => part.rows) : [];
  });
  const pack = (cube: CubeName, some: readonly number[]) =>
    executor.run({ kind: 'pack', cube, rows: some }, session, { urgent: true, through: true });
  await Promise.all(
    cubesOf(session).flatMap((cube) =>
      Array.from({ length: Math.ceil(rows.length / PACKED_ROWS) }, (_, i) =>
        pack(cube, rows.slice(i * PACKED_ROWS, (i + 1) * PACKED_ROWS)),
      ),
    ),
  );
}

/** Microseconds, without the measuring. */
function refillCost(session: Session, underlyings: readonly number[]): number {
  const rows = underlyings.flatMap((u) => session.valuation.plan.underlyings[u] ?? []);
  const blocks = cubesOf(session).map((cube) => drawBlocks(cubeOf(session, cube).set.scenarios));
  const once = rows.reduce((sum, one) => sum + costOf(one), 0);
  return once * blocks.reduce((sum, count) => sum + count, 0);
}
