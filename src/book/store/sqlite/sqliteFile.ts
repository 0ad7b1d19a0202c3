/** A store in one SQLite file: what its thread does, call by call, synchronously. */
import { PlimsollError } from '../../../errors.ts';
import type { StoredSnapshot } from '../backend.ts';
import { linkCalls, type Outcome } from '../chain.ts';
import { EMPTY, type Head, type Row, type TextDraft, type Tip } from '../logRecord.ts';
import { ChainCheck } from '../verification.ts';
import { openReader, openWriter } from './connections.ts';
import type { SqliteDriver } from './driver.ts';
import { sqliteFailure } from './failures.ts';
import { FileReading } from './fileReading.ts';
import { readRows } from './rows.ts';
import { COLUMNS, single, valuesOf } from './tables.ts';

export class SqliteFile extends FileReading {
  private readonly readOnly: boolean;
  private readonly release: () => void;
  private tip: Tip = EMPTY;
  private diverged: PlimsollError | null = null;

  constructor(driver: SqliteDriver, path: string, readOnly: boolean) {
    const { connection, release } = readOnly ? openReader(driver, path) : openWriter(driver, path);
    super(path, connection);
    this.readOnly = readOnly;
    this.release = release;
    if (readOnly) return;
    try {
      this.tip = this.tried('open', () => this.checkedTip());
    } catch (error) {
      this.close();
      throw error;
    }
  }

  commit(calls: readonly (readonly TextDraft[])[], now: number): readonly Outcome[] {
    if (this.diverged !== null) throw this.diverged;
    const linked = linkCalls(calls, this.tip, now, (key) => this.seqOf(key) !== null);
    if (linked.rows.length > 0) {
      this.inTransaction(() => this.insert(linked.rows));
      this.tip = linked.tip;
    }
    return linked.outcomes;
  }

  /** Takes over records of another store as they are, hashes and all. */
  adopt(rows: readonly Row[]): void {
    this.inTransaction(() => this.insert(rows));
    this.tip = rows.at(-1) ?? this.tip;
  }

  /** Of what was committed; a reader looks. */
  override head(): Head {
    return this.readOnly ? super.head() : { seq: this.tip.seq, hash: this.tip.hash };
  }

  putSnapshotPart(seq: number, part: number, bytes: Uint8Array): void {
    const sql = 'INSERT OR REPLACE INTO snapshot_parts VALUES (?, ?, ?)';
    this.inTransaction(() => this.db.prepare(sql).run(seq, part, bytes));
  }

  putSnapshot({ seq, hash, at, bytes, digest }: StoredSnapshot): void {
    const sql = 'INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?, ?)';
    this.inTransaction(() => this.db.prepare(sql).run(seq, hash, at, bytes, digest));
  }

  keepSnapshots(seqs: readonly number[]): void {
    const places = seqs.map(() => '?').join(', ');
    this.inTransaction(() => {
      this.db.prepare(`DELETE FROM snapshots WHERE seq NOT IN (${places})`).run(...seqs);
      this.db.exec('DELETE FROM snapshot_parts WHERE seq NOT IN (SELECT seq FROM snapshots)');
    });
  }

  compact(): void {
    this.tried('compact', () => {
      this.db.exec('VACUUM');
      this.checkpoint();
    });
  }

  close(): void {
    try {
      // What is in the write-ahead log is durable already; moved home, the file alone is the whole store.
      if (!this.readOnly) this.checkpoint();
    } catch {
      // A full disk: the write-ahead log stays where it is and is read from there.
    } finally {
      this.db.close();
      this.release();
    }
  }

  private checkpoint(): void {
    single(this.db, 'PRAGMA wal_checkpoint(TRUNCATE)');
  }

  private insert(rows: readonly Row[]): void {
    const places = '?, ?, ?, ?, ?, ?, ?, ?';
    const statement = this.db.prepare(`INSERT INTO log (${COLUMNS}) VALUES (${places})`);
    for (const row of rows) statement.run(...valuesOf(row));
  }

  private inTransaction(work: () => void): void {
    try {
      this.db.exec('BEGIN IMMEDIATE');
      work();
      this.db.exec('COMMIT');
    } catch (error) {
      this.undo();
      throw sqliteFailure(error, `write to ${this.path}`, this.path);
    }
  }

  /** After a failed transaction; where something of it is there nevertheless, nobody knows what was promised to whom. */
  private undo(): void {
    try {
      this.db.exec('ROLLBACK');
    } catch {
      // SQLite had rolled back itself.
    }
    let last: unknown;
    try {
      last = single(this.db, 'SELECT max(seq) FROM log') ?? EMPTY.seq;
    } catch {
      // It cannot be read either: the failure itself is what is told.
      return;
    }
    if (last === this.tip.seq) return;
    const message = `the log ends with record ${String(last)}, not with ${this.tip.seq}: restart from the log`;
    this.diverged = new PlimsollError('STORE_CORRUPT', message, { path: 'log' });
  }

  /** The last record follows from the one before it: more is for whoever reads the log. */
  private checkedTip(): Tip {
    const end = Number(single(this.db, 'SELECT max(seq) FROM log') ?? EMPTY.seq);
    const [last] = readRows(this.db, end, 1);
    if (last === undefined) return EMPTY;
    const check = new ChainCheck({ seq: end - 1, hash: this.hashAt(end - 1) ?? EMPTY.hash });
    if (check.take(last)) return { seq: last.seq, hash: last.hash, at: last.at };
    throw new PlimsollError('STORE_CORRUPT', check.problem!.message, { path: 'log' });
  }
}
