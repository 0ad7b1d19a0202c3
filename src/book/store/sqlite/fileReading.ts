/** What is read of a store's file, synchronously: by its writer, or by a reader beside it. */
import { existsSync, statSync } from 'node:fs';
import { PlimsollError } from '../../../errors.ts';
import type { Figures, Page, StoredSnapshot } from '../backend.ts';
import { EMPTY, type Head, recordText } from '../logRecord.ts';
import { ChainCheck } from '../verification.ts';
import type { SqliteConnection } from './driver.ts';
import { sqliteFailure } from './failures.ts';
import { FileScan } from './fileScan.ts';
import { bytesOf, readRows, textsOf } from './rows.ts';

export class FileReading {
  protected readonly path: string;
  protected readonly db: SqliteConnection;
  private readonly scan: FileScan;

  constructor(path: string, connection: SqliteConnection) {
    this.path = path;
    this.db = connection;
    this.scan = new FileScan(connection);
  }

  page(fromSeq: number, limit: number): Page {
    const rows = this.tried('read', () => readRows(this.db, fromSeq, limit));
    // Behind the end there is nothing to check; inside a gap the check names what is missing.
    const hash = this.hashAt(fromSeq - 1) ?? EMPTY.hash;
    const check = new ChainCheck({ seq: fromSeq - 1, hash });
    const texts = rows.map((row) => {
      if (check.take(row)) return recordText(check.text, row.hash);
      throw new PlimsollError('STORE_CORRUPT', check.problem!.message, { path: 'log' });
    });
    return { text: `[${texts.join(',')}]`, count: texts.length };
  }

  head(): Head {
    const last = this.get(`SELECT seq, ${bytesOf('hash')} FROM log ORDER BY seq DESC LIMIT 1`);
    const [seq, hash] = (last ?? [EMPTY.seq, EMPTY.hash]) as [number, string];
    return { seq, hash };
  }

  seqOf(key: string): number | null {
    return (this.get('SELECT seq FROM log WHERE key = ?', key)?.[0] as number) ?? null;
  }

  hashAt(seq: number): string | null {
    if (seq === EMPTY.seq) return EMPTY.hash;
    const found = this.get(`SELECT ${bytesOf('hash')} FROM log WHERE seq = ?`, seq);
    return (found?.[0] as string) ?? null;
  }

  snapshots(): readonly StoredSnapshot[] {
    const columns = `seq, ${bytesOf('hash')}, ${bytesOf('at')}, bytes, ${bytesOf('digest')}`;
    const sql = `SELECT ${columns} FROM snapshots ORDER BY seq DESC`;
    const rows = this.tried('read', () => [...this.db.prepare(sql).rows()]);
    return rows.map((row) => {
      const texts = textsOf(row) as [number, string, string, number, string];
      const [seq, hash, at, bytes, digest] = texts;
      return { seq, hash, at, bytes, digest };
    });
  }

  snapshotPart(seq: number, part: number): Uint8Array | null {
    const sql = 'SELECT bytes FROM snapshot_parts WHERE seq = ? AND part = ?';
    const row = this.tried('read', () => this.db.prepare(sql).get(seq, part));
    return (row?.[0] as Uint8Array) ?? null;
  }

  scanBegin(exported: Head | null): number {
    return this.scan.begin(exported);
  }

  scanNext(): number | null {
    return this.scan.next();
  }

  scanFinish(): ReturnType<FileScan['finish']> {
    return this.scan.finish();
  }

  figures(): Figures {
    const at = (order: string): string | null => {
      const sql = `SELECT ${bytesOf('at')} FROM log ORDER BY seq ${order} LIMIT 1`;
      return (this.get(sql)?.[0] as string) ?? null;
    };
    const sizeOf = (name: string): number => (existsSync(name) ? statSync(name).size : 0);
    const bytes = sizeOf(this.path) + sizeOf(`${this.path}-wal`);
    return { firstAt: at('ASC'), lastAt: at('DESC'), bytes };
  }

  copyTo(path: string): void {
    this.tried(`copy to ${path}:`, () => this.db.prepare('VACUUM INTO ?').run(path));
  }

  /** The first row; texts are selected as bytes. */
  protected get(
    sql: string,
    ...values: readonly (string | number)[]
  ): readonly unknown[] | undefined {
    const row = this.tried('read', () => this.db.prepare(sql).get(...values));
    return row === undefined ? undefined : textsOf(row);
  }

  protected tried<T>(action: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw sqliteFailure(error, `${action} ${this.path}`, this.path);
    }
  }
}
