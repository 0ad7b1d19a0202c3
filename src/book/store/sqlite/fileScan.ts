/** Goes through the whole log in one read transaction, some records at a time. */
import type { ScanResult } from '../backend.ts';
import type { Head } from '../logRecord.ts';
import { ChainCheck, type Remark } from '../verification.ts';
import type { SqliteConnection } from './driver.ts';
import { bytesOf, readRows, textsOf } from './rows.ts';
import { single } from './tables.ts';

const RECORDS = 2_000;
/** Below every number that a row can have. */
const LOWEST = -1e19;

export class FileScan {
  private readonly connection: SqliteConnection;
  private check = ChainCheck.whole(null);
  private from = LOWEST;

  constructor(connection: SqliteConnection) {
    this.connection = connection;
  }

  /** @returns the number of the last record */
  begin(exported: Head | null): number {
    this.check = ChainCheck.whole(exported);
    this.from = LOWEST;
    this.connection.exec('BEGIN');
    try {
      return Number(single(this.connection, 'SELECT max(seq) FROM log') ?? 0);
    } catch (error) {
      this.check.unreadable((error as Error).message);
      return 0;
    }
  }

  /** Number of good records so far; null when there are no more, or one was bad. */
  next(): number | null {
    const { check } = this;
    if (check.problem !== null) return null;
    let read = 0;
    try {
      const rows = readRows(this.connection, this.from, RECORDS);
      read = rows.length;
      rows.every((row) => check.take(row));
    } catch (error) {
      check.unreadable(`the database cannot read it: ${(error as Error).message}`);
    }
    this.from = check.head.seq + 1;
    return read === 0 || check.problem !== null ? null : check.head.seq;
  }

  finish(): ScanResult {
    const { check } = this;
    const problem = check.finish();
    return { head: check.head, problem, remarks: this.integrity() };
  }

  /** What SQLite finds in its own structures: pages, indexes, types. */
  private integrity(): readonly Remark[] {
    try {
      const sql = `SELECT ${bytesOf('integrity_check')} FROM pragma_integrity_check`;
      const texts = [...this.connection.prepare(sql).rows()].flatMap(textsOf);
      return texts.flatMap((text) => (text === 'ok' ? [] : [remark(String(text))]));
    } catch (error) {
      return [remark((error as Error).message)];
    }
  }
}

function remark(text: string): Remark {
  return { about: 'database', message: `SQLite: ${text}` };
}
