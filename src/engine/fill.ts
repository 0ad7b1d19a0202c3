/** Fills a session: shocks drawn, then instruments revalued and their rows measured; each stage sharded over the pool. */
import type { TaskBody } from '../../workers/protocol.ts';
import { ensure } from '../errors.ts';
import { drawBlocks } from '../scenarios/scenarioSet.ts';
import type { Executor } from './executor.ts';
import { fillParts } from './fillParts.ts';
import { type CubeName, cubeOf, cubesOf, type Session } from './sessionData.ts';

export interface Progress {
  readonly stage: 'scenarios' | 'revaluation' | 'accounts';
  readonly done: number;
  /** 0 where it is not known. */
  readonly total: number;
}

export interface FillOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** A filled session: where it ran on the same scenario set its shocks are copied instead of drawn again. */
  readonly previous?: { readonly session: Session; readonly clamped: number } | undefined;
}

/** The shortest task of revaluation, about. */
const TASK_US = 3_000;
/** So that workers end together. */
const TASKS_PER_WORKER = 6;

/** @returns how many shocks were clamped */
export async function fillSession(
  session: Session,
  executor: Executor,
  options: FillOptions = {},
): Promise<number> {
  const { signal, onProgress, previous } = options;
  const all = async <T>(
    stage: Progress['stage'],
    tasks: readonly (() => Promise<T>)[],
  ): Promise<readonly T[]> => {
    let done = 0;
    return Promise.all(
      tasks.map(async (task) => {
        const value = await task();
        done += 1;
        onProgress?.({ stage, done, total: tasks.length });
        return value;
      }),
    );
  };
  const run = (body: TaskBody) => () => executor.run(body, session, { signal });
  let clamped = session.replayClamped;
  const drawn = cubesOf(session).filter((cube) => cubeOf(session, cube).set.drawn);
  const fresh = drawn.filter(
    (cube) => previous === undefined || !copyShocks(previous.session, session, cube),
  );
  if (drawn.includes('base') && !fresh.includes('base')) {
    clamped = previous!.clamped;
    const { length } = blocksOf(session, 'base');
    onProgress?.({ stage: 'scenarios', done: length, total: length });
  }
  const draws = await all(
    'scenarios',
    fresh.flatMap((cube) =>
      blocksOf(session, cube).map((block) => async () => {
        const value = await run({ kind: 'draw', cube, block })();
        ensure(value.kind === 'draw', 'a draw shard answers with its clamps');
        return cube === 'base' ? value.clamped : 0;
      }),
    ),
  );
  for (const count of draws) clamped += count;
  const { underlyings } = session.valuation.plan;
  const planned = underlyings.flatMap((rows, u) => (rows === null ? [] : [u]));
  if (session.layout.orders !== 0 && !copyOrders(previous?.session, session)) {
    await Promise.all(planned.map((underlying) => run({ kind: 'order', underlying })()));
  }
  const size = { shortest: TASK_US, most: TASKS_PER_WORKER * executor.workers };
  const parts = fillParts(session, planned, size);
  await all(
    'revaluation',
    parts.map((part) => run({ ...part, whole: true })),
  );
  return clamped;
}

function blocksOf(session: Session, cube: CubeName): readonly number[] {
  const blocks = drawBlocks(cubeOf(session, cube).set.scenarios);
  return Array.from({ length: blocks }, (_, block) => block);
}

/** What the market is decides no shock: a new market on the same scenario set takes those of the old one. */
function copyShocks(from: Session, to: Session, name: CubeName): boolean {
  if (name !== 'base' && from.sides[name] === null) return false;
  const old = cubeOf(from, name);
  const fresh = cubeOf(to, name);
  if (old.set.id !== fresh.set.id || old.layout.shocks === 0) return false;
  const bytes = drawBlocks(fresh.set.scenarios) * fresh.layout.shockBytes;
  const shocks = new Uint8Array(from.memory.buffer, old.layout.shocks, bytes);
  new Uint8Array(to.memory.buffer, fresh.layout.shocks, bytes).set(shocks);
  return true;
}

/** Nor does it decide the orders of scenarios, as long as the underlyings are the same. */
function copyOrders(from: Session | undefined, to: Session): boolean {
  if (from === undefined || from.set.id !== to.set.id || from.layout.orders === 0) return false;
  const ids = ({ valuation }: Session) =>
    valuation.market.underlyings.map(({ id }) => id).join(' ');
  if (ids(from) !== ids(to)) return false;
  const bytes = to.valuation.market.underlyings.length * 2 * to.layout.orderBytes;
  const orders = new Uint8Array(from.memory.buffer, from.layout.orders, bytes);
  new Uint8Array(to.memory.buffer, to.layout.orders, bytes).set(orders);
  return true;
}
