/**
 * The log and what it folds to, kept together: a record is folded when it is durable, in the order of the log, and only then is anybody told.
 * So what is in memory never is more than what a restart would find, and an append that fails leaves nothing to be taken back.
 */
import { setImmediate as turnOfLoop } from 'node:timers/promises';
import { asPlimsollError, PlimsollError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import { type Book, emptyBook } from '../book.ts';
import { readEvent } from '../events.ts';
import { accountsChanged, accountsTouched, foldTyped, type TypedRecord } from '../fold.ts';
import type { BookLines } from '../snapshots.ts';
import type { Draft, Head, LogRecord, Store } from '../store/store.ts';
import { GENESIS } from '../store/store.ts';
import { MarketState } from './marketState.ts';
import { RecentRecords } from './recent.ts';
import { restored, stateLines } from './state.ts';

/** Told of records in the order of the log, with the accounts whose margin they may change. */
export type Listener = (records: readonly LogRecord[], touched: readonly string[]) => void;

/** Records of the log that are folded, while it is restored. */
export interface RestoreProgress {
  readonly done: number;
  readonly total: number;
}

export class Journal {
  readonly store: Store;
  readonly book: Book;
  readonly market = new MarketState();
  /** What made the fold stop: then nothing is accepted until a restart. */
  failure: PlimsollError | null = null;
  private head: Head = { seq: 0, hash: GENESIS };
  /** The latest records, in memory. */
  readonly recent: RecentRecords;
  /** Told how many milliseconds an append took to become durable. */
  committed: (milliseconds: number) => void = () => {};
  /** A live reader that falls so many records behind is dropped. */
  readonly kept: number;
  private sinceSnapshot = 0;
  private snapshotting: Promise<void> | null = null;
  /** The book as it was, while a snapshot of it is written down. */
  private writing: BookLines | null = null;
  private readonly listeners = new Set<Listener>();

  private constructor(store: Store, book: Book, kept: number) {
    this.store = store;
    this.book = book;
    this.kept = kept;
    this.recent = new RecentRecords(kept);
  }

  /**
   * Restores the latest snapshot and folds what the log has after it.
   * @param kept records that are remembered for streams; those of before are read from the store
   * @throws STORE_CORRUPT, INVALID_RECORD
   */
  static async open(
    store: Store,
    kept: number = LIMITS.streamRecordsKept,
    onProgress: (step: RestoreProgress) => void = () => {},
  ): Promise<Journal> {
    const { seq: total } = await store.head();
    const snapshot = await store.latestSnapshot();
    const state = snapshot === null ? null : restored(snapshot.state);
    const journal = new Journal(store, state?.book ?? emptyBook(), kept);
    if (state !== null) {
      journal.market.restore(state.market, state.heard);
      journal.market.factors.restore(state.factors);
      journal.head = { seq: snapshot!.seq, hash: snapshot!.hash };
    }
    for await (const page of store.pages(journal.book.seq + 1)) {
      for (const record of page) {
        readEvent(record);
        journal.fold(record);
      }
      onProgress({ done: journal.book.seq, total });
    }
    return journal;
  }

  /** @returns how to stop listening */
  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Resolves when the records are durable and folded. @throws as `Store.append`; then nothing has happened */
  async append(drafts: readonly Draft[]): Promise<readonly LogRecord[]> {
    if (this.failure !== null) throw this.failure;
    // Nothing is awaited before this call: what was decided is decided on the book as it is.
    const start = performance.now();
    const records = await this.store.append(drafts);
    this.committed(performance.now() - start);
    if (this.failure !== null) throw this.failure;
    const touched = new Set<string>();
    try {
      for (const record of records) {
        for (const id of accountsTouched(this.book, record as TypedRecord)) touched.add(id);
        this.fold(record);
        this.recent.push(record);
      }
    } catch (error) {
      // The log has a record that the book cannot follow: whatever was answered now could be wrong.
      this.failure = asPlimsollError(error);
      throw this.failure;
    }
    const list = [...touched];
    for (const listener of this.listeners) listener(records, list);
    if (this.sinceSnapshot >= LIMITS.deskSnapshotRecords) void this.saveSnapshot().catch(() => {});
    return records;
  }

  /** Keeps what is folded so far, so that the next start reads no more than what comes after. */
  saveSnapshot(): Promise<void> {
    if (this.snapshotting !== null) return this.snapshotting;
    if (this.sinceSnapshot === 0) return Promise.resolve();
    this.sinceSnapshot = 0;
    // As of this record, although it is written down while others follow.
    const state = stateLines(this.book, this.market);
    this.writing = state.book;
    const saved = this.store.saveSnapshot({ ...this.head, state: inPieces(state.lines()) });
    this.snapshotting = saved.finally(() => {
      this.writing = null;
      this.snapshotting = null;
    });
    return this.snapshotting;
  }

  private fold(record: LogRecord): void {
    const typed = record as TypedRecord;
    if (this.writing !== null) {
      for (const id of accountsChanged(this.book, typed)) {
        const account = this.book.accounts.get(id);
        if (account !== undefined) this.writing.keep(account);
      }
    }
    foldTyped(this.book, typed);
    this.market.fold(typed, record.seq, record.at);
    this.head = { seq: record.seq, hash: record.hash };
    this.sinceSnapshot += 1;
  }
}

/** Of a fault that no request is to blame for. */
export function stopped(error: unknown): PlimsollError {
  const { code, message } = asPlimsollError(error);
  return new PlimsollError('CLOSED', `the desk stopped: ${code}: ${message}`);
}

/** Characters that are written down in one turn of the event loop: a few milliseconds of work, since nobody is answered meanwhile. */
const PIECE = 128 * 1024;

async function* inPieces(lines: Iterable<string>): AsyncGenerator<Uint8Array, void, undefined> {
  const encoder = new TextEncoder();
  let text = '';
  for (const line of lines) {
    text += `${line}\n`;
    if (text.length < PIECE) continue;
    yield encoder.encode(text);
    text = '';
    await turnOfLoop();
  }
  yield encoder.encode(text);
}
