/** The tables of a store in SQLite, their making, and how a row is written. */
import { PlimsollError } from '../../../errors.ts';
import type { Row } from '../logRecord.ts';
import type { SqliteConnection, SqliteValue } from './driver.ts';

/** Marks the file as ours (`file` and SQLite read it at byte 68): "Plim". */
const APPLICATION_ID = 0x506c696d;
const FORMAT = 1;

/** STRICT: a column holds text or it is no column of ours. */
const TABLES = `
  CREATE TABLE log (
    seq INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL,
    key TEXT, answer TEXT, body_hash TEXT, hash TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX log_key ON log (key) WHERE key IS NOT NULL;
  CREATE TABLE snapshots (
    seq INTEGER PRIMARY KEY, hash TEXT NOT NULL, at TEXT NOT NULL, bytes INTEGER NOT NULL, digest TEXT NOT NULL
  ) STRICT;
  CREATE TABLE snapshot_parts (
    seq INTEGER NOT NULL, part INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (seq, part)
  ) STRICT;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${FORMAT};`;

export const COLUMNS = 'seq, at, kind, body, key, answer, body_hash, hash';

export function valuesOf(row: Row): readonly SqliteValue[] {
  const { seq, at, kind, body, key, answer, bodyHash, hash } = row;
  return [seq, at, kind, body, key, answer, bodyHash, hash];
}

/** The one value of a query. */
export function single(connection: SqliteConnection, sql: string): unknown {
  return connection.prepare(sql).get()?.[0];
}

/** Makes the tables in one transaction: a crash leaves an empty file, which is taken for a new one. */
export function makeTables(connection: SqliteConnection): void {
  connection.exec(`BEGIN IMMEDIATE; ${TABLES} COMMIT;`);
}

export function isEmpty(connection: SqliteConnection): boolean {
  return single(connection, 'SELECT count(*) FROM sqlite_schema') === 0;
}

/** @throws STORE_CORRUPT where the file is no store, or of a version that is not ours */
export function mustBeStore(connection: SqliteConnection, path: string): void {
  if (single(connection, 'PRAGMA application_id') !== APPLICATION_ID) {
    throw new PlimsollError('STORE_CORRUPT', `${path} is no Plimsoll store`);
  }
  const format = single(connection, 'PRAGMA user_version');
  if (format !== FORMAT) {
    const message = `${path} has format ${String(format)}; this version reads ${FORMAT}`;
    throw new PlimsollError('STORE_CORRUPT', message);
  }
}
