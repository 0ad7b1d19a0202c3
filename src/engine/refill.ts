/** The rows of what ticks moved, computed anew: first as rows, then in blocks. */
import { partOf } from '../valuation/rowParts.ts';
import type { Executor } from './executor.ts';
import { fillParts } from './fillParts.ts';
import { type CubeName, cubesOf, type Session } from './sessionData.ts';

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
  const size = { shortest: TASK_US, most: TASKS_PER_WORKER * executor.workers };
  const options = { urgent: true, through: true };
  const parts = fillParts(session, [...moved], size);
  await Promise.all(parts.map((part) => executor.run({ ...part, whole: false }, session, options)));
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
