/**
 * One portfolio on any number of scenarios without a cube: scenario blocks are drawn, revalued and summed on the way, and only rows of
 * P&L of single books are kept. The bits are those of the kept cube: every block is a function of its number alone.
 */
import { ensure } from '../errors.ts';
import type { Account } from '../margin/account.ts';
import type { Book } from '../margin/books.ts';
import type { TailMeasures, TailRanks } from '../risk/tail.ts';
import { drawBlocks } from '../scenarios/scenarioSet.ts';
import { rankFinder } from './arrangements.ts';
import type { Executor } from './executor.ts';
import type { FillOptions } from './fill.ts';
import { openSession, type SessionRequest } from './session.ts';
import type { Session } from './sessionData.ts';

/** Rows of results that are kept at once. */
const RESULT_BYTES_MAX = 512 * 1024 * 1024;
/** Drawing blocks of one task. */
const BLOCKS_PER_TASK = 4;

/** Instruments of an account that the market knows: what its session is planned for. */
export function heldInstruments(
  account: Account,
  market: SessionRequest['market'],
): ReadonlySet<number> {
  const ids = [...account.instruments, ...account.orders.map(({ instrument }) => instrument)];
  return new Set(ids.flatMap((id) => market.instrumentIndex.get(id) ?? []));
}

export function openStreamed(
  account: Account,
  request: Omit<SessionRequest, 'kept' | 'resultRows' | 'held'>,
): Session {
  const held = heldInstruments(account, request.market);
  const scenarios = Math.max(request.methodology.scenarios, request.history?.dates.length ?? 0);
  const resultRows = Math.max(
    1,
    Math.min(2 * held.size + 8, Math.floor(RESULT_BYTES_MAX / (scenarios * 8))),
  );
  return openSession({ ...request, kept: 'nothing', held, resultRows });
}

export interface StreamedTails {
  readonly measures: readonly TailMeasures[];
  readonly ranks: readonly TailRanks[];
  readonly clamped: number;
}

/** The tails of any number of books, as many rows at a time as the session keeps. */
export async function streamTails(
  session: Session,
  executor: Executor,
  books: readonly Book[],
  options: FillOptions = {},
): Promise<StreamedTails> {
  const ranksOf = rankFinder(session);
  const ranks = books.map((book) => ranksOf(book.masks));
  const perPass = Math.max(
    1,
    Math.floor((session.layout.scratch - session.layout.results) / session.layout.resultBytes),
  );
  const measures: TailMeasures[] = [];
  let clamped = 0;
  const passes = Math.ceil(books.length / perPass);
  for (let pass = 0; pass < passes; pass++) {
    const first = pass * perPass;
    const some = books.slice(first, first + perPass);
    const count = await sumRows(session, executor, some, { ...options, pass, passes });
    if (pass === 0) clamped = session.replayClamped + count;
    measures.push(
      ...(await measure(session, executor, ranks.slice(first, first + perPass), options)),
    );
  }
  return { measures, ranks, clamped };
}

async function sumRows(
  session: Session,
  executor: Executor,
  books: readonly Book[],
  options: FillOptions & { readonly pass: number; readonly passes: number },
): Promise<number> {
  const { signal, onProgress, pass, passes } = options;
  const blocks = drawBlocks(session.set.scenarios);
  const starts = Array.from(
    { length: Math.ceil(blocks / BLOCKS_PER_TASK) },
    (_, i) => i * BLOCKS_PER_TASK,
  );
  let done = pass * blocks;
  const counts = await Promise.all(
    starts.map(async (start) => {
      const end = Math.min(blocks, start + BLOCKS_PER_TASK);
      const value = await executor.run({ kind: 'rows', books, start, end }, session, { signal });
      ensure(value.kind === 'draw', 'a row shard answers with its clamps');
      done += end - start;
      onProgress?.({ stage: 'scenarios', done, total: passes * blocks });
      return value.clamped;
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

async function measure(
  session: Session,
  executor: Executor,
  ranks: readonly TailRanks[],
  { signal }: FillOptions,
): Promise<readonly TailMeasures[]> {
  const share = Math.ceil(ranks.length / executor.workers);
  const parts: Promise<readonly TailMeasures[]>[] = [];
  for (let first = 0; first < ranks.length; first += share) {
    const body = { kind: 'tails', first, ranks: ranks.slice(first, first + share) } as const;
    parts.push(
      executor.run(body, session, { signal }).then((value) => {
        ensure(value.kind === 'tails', 'a tail shard answers with measures');
        return value.measures;
      }),
    );
  }
  return (await Promise.all(parts)).flat();
}
