/** The durable log of the book: few verbs, two implementations (SQLite in a file, PostgreSQL). Start here. */
import type { PlimsollError } from '../../errors.ts';
import type { Draft, Head, LogRecord } from './logRecord.ts';
import type { VerifyProgress, VerifyReport } from './verification.ts';

export type { Draft, Head, LogRecord } from './logRecord.ts';
export { GENESIS } from './logRecord.ts';
export type { Fault, Problem, Remark, VerifyProgress, VerifyReport } from './verification.ts';

/** The fold of the log up to a record. */
export interface Snapshot extends Head {
  readonly state: Uint8Array;
}

/** A snapshot to keep: its bytes, or pieces of them as they are made. */
export interface SnapshotPieces extends Head {
  readonly state: Uint8Array | AsyncIterable<Uint8Array>;
}

/** What was answered under an idempotency key. */
export interface StoredAnswer {
  /** The record that has the key. */
  readonly seq: number;
  /** Absent where the record had none. */
  readonly answer?: unknown;
  readonly bodyHash?: string;
}

export interface SnapshotInfo extends Head {
  readonly at: string;
  readonly bytes: number;
}

export interface StoreInfo {
  readonly driver: 'node:sqlite' | 'libsql' | 'postgres';
  readonly location: string;
  readonly head: Head;
  /** Instants of the first and the last record; null where there is none. */
  readonly firstAt: string | null;
  readonly lastAt: string | null;
  /** On disk, with indexes and free space. */
  readonly bytes: number;
  /** Newest first. */
  readonly snapshots: readonly SnapshotInfo[];
}

export interface VerifyOptions {
  /** An exported head that the log must contain: without one, a tail that was cut off cannot be noticed. */
  readonly head?: Head | undefined;
  readonly onProgress?: ((progress: VerifyProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Backup {
  /** Of the copy, whose chain was verified. */
  readonly head: Head;
  readonly bytes: number;
}

export interface Store {
  /** Path or URL, without a password. */
  readonly location: string;
  /** Why writes are refused; null while they are not. */
  readonly failure: PlimsollError | null;
  /**
   * Appends records, all or none, and resolves when they are durable. Concurrent calls share a transaction; they get their numbers, and
   * resolve, in the order of the calls. Where writing fails, all calls fail that had not resolved.
   * @throws DUPLICATE_KEY (only this call fails), INVALID_FIELD, MISSING_FIELD, TOO_LARGE, SATURATED, CLOSED, STORE_FULL,
   * STORE_READ_ONLY, STORE_LOCKED, STORE_FAILED, STORE_CORRUPT
   */
  append(drafts: readonly Draft[]): Promise<readonly LogRecord[]>;
  /**
   * Records from `fromSeq` (≥ 1) on, at most `limit` of them; fewer where a page would be too large, none only at the end of the log.
   * @throws STORE_CORRUPT naming the record where the chain is broken
   */
  read(fromSeq: number, limit: number): Promise<readonly LogRecord[]>;
  /** All records from `fromSeq` on, page by page; the next page is read while one is worked on. @throws as `read` */
  pages(fromSeq?: number): AsyncGenerator<readonly LogRecord[], void, undefined>;
  /** Of what is durable. */
  head(): Promise<Head>;
  /** Keys never lapse: a key that was used once answers for as long as the log is kept. */
  answerTo(key: string): Promise<StoredAnswer | null>;
  /**
   * Keeps a fold of the log; of older ones the newest few stay. It counts when all of it is durable, and not before.
   * @throws INVALID_FIELD where the log has no such record, TOO_LARGE, and what the pieces throw
   */
  saveSnapshot(snapshot: SnapshotPieces): Promise<void>;
  /** The newest snapshot that is whole and belongs to this log; damaged ones are passed over with a warning. */
  latestSnapshot(): Promise<Snapshot | null>;
  /** Looks at every record, while the store is in use, as of one instant. @throws CANCELLED, STORE_FAILED; never for what it finds */
  verify(options?: VerifyOptions): Promise<VerifyReport>;
  /** Copies the store, as of one instant and while it is in use, into a new SQLite store. @throws INVALID_FIELD where the file exists */
  backup(path: string): Promise<Backup>;
  /** Keeps only the newest whole snapshot and gives free space back; appends wait meanwhile. Records are never dropped. */
  compact(): Promise<void>;
  info(): Promise<StoreInfo>;
  /** Takes no more, makes durable what it took, and lets go. */
  close(): Promise<void>;
}

export interface OpenOptions {
  /** Opens an existing store beside its writer, for all that does not write. Default false: this process becomes the writer. */
  readonly readOnly?: boolean;
  /** Milliseconds since 1970; default the system's clock. */
  readonly clock?: () => number;
  /** Told what was passed over (a damaged snapshot). Default: a warning of the process. */
  readonly warn?: (message: string) => void;
}

/**
 * Opens a store, and makes it where there is none (not with `readOnly`).
 * @param location path of a SQLite file, or `postgres://user@host/database`
 * @throws STORE_LOCKED where another process writes to it, NOT_FOUND, STORE_READ_ONLY, STORE_CORRUPT, STORE_FAILED
 */
export async function openStore(location: string, options: OpenOptions = {}): Promise<Store> {
  if (/^postgres(ql)?:/.test(location)) {
    const { openPostgresStore } = await import('./postgres/postgresStore.ts');
    return openPostgresStore(location, options);
  }
  const { openSqliteStore } = await import('./sqlite/sqliteStore.ts');
  return openSqliteStore(location, options);
}
