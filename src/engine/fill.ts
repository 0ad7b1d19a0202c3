/** Fills a session: shocks drawn, instruments revalued, units measured; each stage sharded over the pool. */
import { ensure } from '../errors.ts';
import { drawBlocks } from '../scenarios/scenarioSet.ts';
import type { UnderlyingRows } from '../valuation/plan.ts';
import type { Executor } from './executor.ts';
import type { Session } from './sessionData.ts';

export interface Progress {
  readonly stage: 'scenarios' | 'revaluation' | 'units' | 'accounts';
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

/** Microseconds of one row over one drawing block, about: what a task's length is planned from. */
const STRIKE_US = 14;
const LEVEL_US = 2;
const TASK_US = 3_000;
const ROWS_PER_UNIT_TASK = 128;

/** @returns how many shocks were clamped */
export async function fillSession(
  session: Session,
  executor: Executor,
  options: FillOptions = {},
): Promise<number> {
  const { signal, onProgress, previous } = options;
  const blocks = Array.from({ length: drawBlocks(session.set.scenarios) }, (_, block) => block);
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
  let clamped = session.replayClamped;
  if (previous !== undefined && copyShocks(previous.session, session)) {
    clamped = previous.clamped;
    onProgress?.({ stage: 'scenarios', done: blocks.length, total: blocks.length });
  } else if (session.set.model !== 'historical') {
    const draws = await all(
      'scenarios',
      blocks.map((block) => () => executor.run({ kind: 'draw', block }, session, { signal })),
    );
    for (const value of draws) {
      ensure(value.kind === 'draw', 'a draw shard answers with its clamps');
      clamped += value.clamped;
    }
  }
  const parts = partition(session, blocks.length, executor.workers);
  await all(
    'revaluation',
    blocks.flatMap((block) =>
      parts.map(
        (underlyings) => () =>
          executor.run({ kind: 'revalue', block, underlyings }, session, { signal }),
      ),
    ),
  );
  const { rows } = session.valuation.plan;
  const ranges = Array.from(
    { length: Math.ceil(rows / ROWS_PER_UNIT_TASK) },
    (_, i) => i * ROWS_PER_UNIT_TASK,
  );
  await all(
    'units',
    ranges.map((start) => () => {
      const end = Math.min(rows, start + ROWS_PER_UNIT_TASK);
      return executor.run({ kind: 'units', start, end }, session, { signal });
    }),
  );
  return clamped;
}

/** What the market is decides no shock: a new market on the same scenario set takes those of the old one. */
function copyShocks(from: Session, to: Session): boolean {
  if (from.set.id !== to.set.id || from.layout.shocks === 0) return false;
  const bytes = drawBlocks(to.set.scenarios) * to.layout.shockBytes;
  const old = new Uint8Array(from.memory.buffer, from.layout.shocks, bytes);
  new Uint8Array(to.memory.buffer, to.layout.shocks, bytes).set(old);
  return true;
}

/**
 * Underlyings in parts, so that there are about two tasks a worker but none shorter than 3 ms. By data only: how it is cut
 * decides no bit.
 */
function partition(
  session: Session,
  blocks: number,
  workers: number,
): readonly (readonly number[])[] {
  const costs = session.valuation.plan.underlyings.map((rows) =>
    rows === null ? 0 : costOf(rows),
  );
  const total = costs.reduce((sum, cost) => sum + cost, 0);
  const wanted = Math.min(
    Math.ceil((2 * workers) / blocks),
    Math.max(1, Math.floor(total / TASK_US)),
  );
  const parts: { cost: number; readonly underlyings: number[] }[] = Array.from(
    { length: wanted },
    () => ({
      cost: 0,
      underlyings: [],
    }),
  );
  const order = costs.map((_, u) => u).sort((a, b) => costs[b]! - costs[a]! || a - b);
  for (const u of order) {
    const least = parts.reduce((a, b) => (b.cost < a.cost ? b : a));
    least.cost += costs[u]!;
    least.underlyings.push(u);
  }
  return parts.map((part) => part.underlyings).filter((part) => part.length > 0);
}

function costOf(rows: UnderlyingRows): number {
  const strikes = rows.expiries.reduce((sum, expiry) => sum + expiry.strikes.length, 0);
  return strikes * STRIKE_US + (rows.levels.length + rows.payoffs.length + 1) * LEVEL_US;
}
