/** The store that a database becomes: group commit, paging ahead, snapshots, verification, backup. */
import { existsSync, renameSync, statSync } from 'node:fs';
import { PlimsollError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import type { Backend, Page, Scan } from './backend.ts';
import { partOf, removeDatabase, syncFile, syncFolder } from './files.ts';
import { GroupCommit } from './groupCommit.ts';
import type { Draft, Head, LogRecord } from './logRecord.ts';
import { newestWhole, putSnapshot, readSnapshot } from './snapshots.ts';
import {
  type Backup,
  type OpenOptions,
  openStore,
  type Snapshot,
  type SnapshotPieces,
  type Store,
  type StoredAnswer,
  type StoreInfo,
  type VerifyOptions,
} from './store.ts';
import type { VerifyReport } from './verification.ts';

const PAGE = 2_000;

export class LogStore implements Store {
  readonly location: string;
  private readonly backend: Backend;
  private readonly clock: () => number;
  private readonly warn: (message: string) => void;
  private readonly writing: GroupCommit;
  private snapshotting: Promise<void> = Promise.resolve();
  private closed: Promise<void> | null = null;

  /** @param location what may be shown: no password in it */
  constructor(location: string, backend: Backend, options: OpenOptions) {
    this.location = location;
    this.backend = backend;
    this.clock = options.clock ?? Date.now;
    this.warn = options.warn ?? ((message) => process.emitWarning(message));
    this.writing = new GroupCommit((calls) => backend.commit(calls, this.clock()));
    if (options.readOnly === true) {
      this.writing.stop(new PlimsollError('STORE_READ_ONLY', `${location} was opened for reading`));
    }
  }

  get failure(): PlimsollError | null {
    return this.writing.failure;
  }

  append(drafts: readonly Draft[]): Promise<readonly LogRecord[]> {
    return this.writing.append(drafts);
  }

  async read(fromSeq: number, limit: number): Promise<readonly LogRecord[]> {
    this.mustBeOpen();
    wholeNumber(fromSeq, Number.MAX_SAFE_INTEGER, 'fromSeq');
    wholeNumber(limit, LIMITS.storePageRecordsMax, 'limit');
    return recordsIn(await this.backend.page(fromSeq, limit));
  }

  async *pages(fromSeq = 1): AsyncGenerator<readonly LogRecord[], void, undefined> {
    this.mustBeOpen();
    wholeNumber(fromSeq, Number.MAX_SAFE_INTEGER, 'fromSeq');
    let seq = fromSeq;
    let next = this.backend.page(seq, PAGE);
    for (;;) {
      const page = await next;
      if (page.count === 0) return;
      seq += page.count;
      // Asked for before this one is parsed: the database reads while we work.
      next = this.backend.page(seq, PAGE);
      // Whoever stops reading here never looks at what was read ahead.
      next.catch(() => {});
      yield recordsIn(page);
    }
  }

  async head(): Promise<Head> {
    this.mustBeOpen();
    return this.backend.head();
  }

  async answerTo(key: string): Promise<StoredAnswer | null> {
    this.mustBeOpen();
    const seq = await this.backend.seqOf(key);
    if (seq === null) return null;
    // Through the chain: what is answered twice is what was answered once.
    const [record] = recordsIn(await this.backend.page(seq, 1));
    if (record?.key !== key) {
      const message = `record ${seq} does not have the key ${JSON.stringify(key)} that it is listed under`;
      throw new PlimsollError('STORE_CORRUPT', message, { path: 'log' });
    }
    const { answer, bodyHash } = record;
    return {
      seq,
      ...(answer === undefined ? {} : { answer }),
      ...(bodyHash === undefined ? {} : { bodyHash }),
    };
  }

  saveSnapshot(snapshot: SnapshotPieces): Promise<void> {
    // One after the other: two would tidy away each other's parts.
    const saved = this.snapshotting.then(() => {
      this.mustWrite();
      return putSnapshot(this.backend, snapshot, this.clock());
    });
    this.snapshotting = saved.catch(() => {});
    return saved;
  }

  async latestSnapshot(): Promise<Snapshot | null> {
    this.mustBeOpen();
    return newestWhole(this.backend, (message) => {
      this.warn(`${this.location}: ${message}; an older one or the whole log is taken instead`);
    });
  }

  async verify(options: VerifyOptions = {}): Promise<VerifyReport> {
    this.mustBeOpen();
    const scan = await this.backend.openScan(options.head ?? null);
    try {
      return await scanned(scan, options);
    } finally {
      await scan.close();
    }
  }

  async backup(path: string): Promise<Backup> {
    this.mustBeOpen();
    const mustBeNew = (): void => {
      if (!existsSync(path)) return;
      throw new PlimsollError('INVALID_FIELD', `${path} exists already`, { path: 'path' });
    };
    mustBeNew();
    const part = partOf(path);
    try {
      await this.backend.copyTo(part);
      const head = await headOfCopy(part);
      syncFile(part);
      mustBeNew();
      renameSync(part, path);
      syncFolder(path);
      return { head, bytes: statSync(path).size };
    } finally {
      removeDatabase(part);
    }
  }

  async compact(): Promise<void> {
    this.mustWrite();
    await this.snapshotting;
    const whole = await newestWhole(this.backend, () => {});
    await this.backend.keepSnapshots(whole === null ? [] : [whole.seq]);
    await this.backend.compact();
  }

  async info(): Promise<StoreInfo> {
    const head = await this.head();
    const figures = await this.backend.figures();
    const snapshots = (await this.backend.snapshots()).map(({ seq, hash, at, bytes }) => {
      return { seq, hash, at, bytes };
    });
    return { driver: this.backend.driver, location: this.location, head, ...figures, snapshots };
  }

  close(): Promise<void> {
    this.closed ??= (async () => {
      await this.writing.close();
      await this.snapshotting;
      await this.backend.close();
    })();
    return this.closed;
  }

  private mustBeOpen(): void {
    if (this.closed !== null) throw new PlimsollError('CLOSED', 'the store is closed');
  }

  private mustWrite(): void {
    this.mustBeOpen();
    if (this.failure?.code === 'STORE_READ_ONLY') throw this.failure;
  }
}

async function scanned(scan: Scan, { onProgress, signal }: VerifyOptions): Promise<VerifyReport> {
  for (;;) {
    if (signal?.aborted) throw new PlimsollError('CANCELLED', 'the caller cancelled the work');
    const done = await scan.next();
    if (done === null) break;
    onProgress?.({ done, total: Math.max(done, scan.total) });
  }
  const { head, problem, remarks } = await scan.finish();
  const all = [...remarks];
  // A log that cannot be read says nothing about its snapshots.
  for (const snapshot of problem === null ? await scan.snapshots() : []) {
    const state = await readSnapshot(scan, snapshot);
    if (typeof state === 'string') all.push({ about: 'snapshot', message: state });
  }
  const ok = problem === null && all.length === 0;
  return { ok, records: head.seq, head, problem, remarks: all };
}

/** A snapshot may be damaged, in the copy as in the original: the log makes a new one. @throws STORE_CORRUPT where the log is not whole */
async function headOfCopy(path: string): Promise<Head> {
  const copy = await openStore(path, { readOnly: true });
  try {
    const { head, problem, remarks } = await copy.verify();
    const fault = problem ?? remarks.find(({ about }) => about === 'database');
    if (fault === undefined) return head;
    throw new PlimsollError('STORE_CORRUPT', `the copy is not whole: ${fault.message}`);
  } finally {
    await copy.close();
  }
}

function wholeNumber(value: number, max: number, path: string): void {
  if (Number.isInteger(value) && value >= 1 && value <= max) return;
  const message = `${path} must be a whole number from 1 to ${max}, got ${value}`;
  throw new PlimsollError('INVALID_FIELD', message, { path });
}

/** Our own texts, whose hashes were just checked: no stranger's JSON. */
function recordsIn({ text }: Page): readonly LogRecord[] {
  return JSON.parse(text) as LogRecord[];
}
