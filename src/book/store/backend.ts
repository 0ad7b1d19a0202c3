/** What a database must do to be a store; `logStore.ts` makes the store of it. */
import type { Outcome } from './chain.ts';
import type { Head, TextDraft } from './logRecord.ts';
import type { Problem, Remark } from './verification.ts';

export interface StoredSnapshot extends Head {
  readonly at: string;
  readonly bytes: number;
  /** Of seq, hash and state; see `snapshots.ts`. */
  readonly digest: string;
}

export interface SnapshotSource {
  /** Newest first. */
  snapshots(): Promise<readonly StoredSnapshot[]>;
  /** Parts count from 0; null where one is missing. */
  snapshotPart(seq: number, part: number): Promise<Uint8Array | null>;
  /** The hash of a record; null where there is none. */
  hashAt(seq: number): Promise<string | null>;
}

export interface Figures {
  readonly firstAt: string | null;
  readonly lastAt: string | null;
  readonly bytes: number;
}

/** The whole log as of one instant, on a connection of its own. */
export interface Scan extends SnapshotSource {
  /** The number of the last record, about. */
  readonly total: number;
  /** Checks some more records; how many were checked so far, or null when there are no more. */
  next(): Promise<number | null>;
  /** What was found, and what the database finds in itself. */
  finish(): Promise<ScanResult>;
  close(): Promise<void>;
}

export interface ScanResult {
  readonly head: Head;
  readonly problem: Problem | null;
  readonly remarks: readonly Remark[];
}

/** Records as a JSON array. */
export interface Page {
  readonly text: string;
  readonly count: number;
}

export interface Backend extends SnapshotSource {
  readonly driver: 'node:sqlite' | 'libsql' | 'postgres';
  /** One durable transaction. @param now milliseconds since 1970 */
  commit(calls: readonly (readonly TextDraft[])[], now: number): Promise<readonly Outcome[]>;
  /** Records whose chain was checked. @throws STORE_CORRUPT */
  page(fromSeq: number, limit: number): Promise<Page>;
  head(): Promise<Head>;
  /** Which record has a key. */
  seqOf(key: string): Promise<number | null>;
  putSnapshotPart(seq: number, part: number, bytes: Uint8Array): Promise<void>;
  /** Makes the parts that were put a snapshot. */
  putSnapshot(snapshot: StoredSnapshot): Promise<void>;
  /** Forgets all but these, and parts that belong to none. */
  keepSnapshots(seqs: readonly number[]): Promise<void>;
  openScan(exported: Head | null): Promise<Scan>;
  /** Writes a SQLite store as of one instant. @param path a file that does not exist */
  copyTo(path: string): Promise<void>;
  compact(): Promise<void>;
  figures(): Promise<Figures>;
  close(): Promise<void>;
}
