/**
 * Records of the log as they come, from any place in it. A reader has a place and nothing else: what it has not read yet is in the log, so
 * that nothing is buffered for it, missed or sent twice.
 */
import { LIMITS } from '../../limits.ts';
import type { LogRecord } from '../store/store.ts';
import type { Journal } from './journal.ts';

export interface FollowOptions {
  /** Sequence number of the last record that the reader has. */
  readonly after: number;
  readonly filter?: RecordFilter;
  readonly signal: AbortSignal;
  /** A live reader that is more records behind is dropped; default: as many as memory keeps. */
  readonly lagMax?: number;
  readonly beatMs?: number;
}

/** What a reader wants; what is left out does not count. */
export interface RecordFilter {
  readonly accounts?: ReadonlySet<string>;
  readonly kinds?: ReadonlySet<string>;
  /** Of changes of state, those into one of these; no other kinds. */
  readonly states?: ReadonlySet<string>;
}

export type Followed =
  | { readonly record: LogRecord }
  /** Nothing for a while; up to here there is nothing for this reader. */
  | { readonly beat: number }
  | { readonly dropped: string; readonly at: number };

const PAGE = 1_000;

/** Ends when the signal says so, or after `dropped`. @throws as `Store.read` */
export async function* follow(
  journal: Journal,
  { after, filter = {}, signal, ...bounds }: FollowOptions,
): AsyncGenerator<Followed, void, undefined> {
  const { lagMax = journal.kept, beatMs = LIMITS.streamBeatMs } = bounds;
  let at = after;
  let live = false;
  while (!signal.aborted) {
    const behind = journal.book.seq - at;
    if (behind <= 0) {
      live = true;
      const heard = await advance(journal, at, signal, beatMs);
      if (!heard && !signal.aborted) yield { beat: at };
      continue;
    }
    if (live && behind > lagMax) {
      yield { dropped: `the reader is ${behind} records behind, ${lagMax} at most`, at };
      return;
    }
    const recent = journal.recent.after(at, PAGE);
    const records = recent ?? (await journal.store.read(at + 1, PAGE));
    for (const record of records) {
      at = record.seq;
      if (!wanted(record, filter)) continue;
      yield { record };
      if (signal.aborted) return;
    }
  }
}

/** @returns whether there is more than up to `at`; false when time is up or the signal came */
function advance(journal: Journal, at: number, signal: AbortSignal, ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      stop();
      signal.removeEventListener('abort', end);
      resolve(journal.book.seq > at);
    };
    const timer = setTimeout(end, ms);
    const stop = journal.listen(end);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
}

/** Of what concerns all holders of a contract, an account's reader gets all: whom it concerned is not in the record. */
const GENERAL = new Set(['funding', 'settlement']);

export function wanted(
  { kind, body }: Pick<LogRecord, 'kind' | 'body'>,
  { accounts, kinds, states }: RecordFilter,
): boolean {
  if (kinds !== undefined && !kinds.has(kind)) return false;
  const { account, to } = body as { readonly account?: string; readonly to?: string };
  if (states !== undefined && !(kind === 'state-changed' && states.has(to!))) return false;
  if (accounts === undefined) return true;
  return account === undefined ? GENERAL.has(kind) : accounts.has(account);
}
