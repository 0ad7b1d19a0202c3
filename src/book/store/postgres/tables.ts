/** The tables of a store in PostgreSQL, and the conditions under which a commit there is durable. */
import type { Client } from 'pg';
import { PlimsollError } from '../../../errors.ts';
import type { RawRow } from '../verification.ts';

const FORMAT = 1;

/** Collation "C": keys are compared byte by byte, as in SQLite. */
const TABLES = `
  CREATE TABLE IF NOT EXISTS plimsoll_log (
    seq bigint PRIMARY KEY, at text NOT NULL, kind text NOT NULL, body text NOT NULL,
    key text COLLATE "C" UNIQUE, answer text, body_hash text, hash text NOT NULL
  );
  CREATE TABLE IF NOT EXISTS plimsoll_snapshots (
    seq bigint PRIMARY KEY, hash text NOT NULL, at text NOT NULL, bytes bigint NOT NULL, digest text NOT NULL
  );
  CREATE TABLE IF NOT EXISTS plimsoll_snapshot_parts (
    seq bigint, part integer, bytes bytea NOT NULL, PRIMARY KEY (seq, part)
  );
  COMMENT ON TABLE plimsoll_log IS 'plimsoll format ${FORMAT}';`;

/** First key of the advisory lock, "Plim"; the second is the table. */
const LOCK = 0x506c696d;

export const COLUMNS = 'seq, at, kind, body, key, answer, body_hash, hash';

/** From a row of `COLUMNS` in array mode; a bigint comes as text. */
export function rawRow(columns: readonly unknown[]): RawRow {
  const [seq, at, kind, body, key, answer, bodyHash, hash] = columns;
  return { seq: Number(seq), at, kind, body, key, answer, bodyHash, hash };
}

/** One value of one row; undefined where there is no row. */
export async function single(client: Client, text: string): Promise<unknown> {
  const { rows } = await client.query<unknown[]>({ text, rowMode: 'array' });
  return rows[0]?.[0];
}

/** Takes the writer's lock, which ends with the connection, and makes the tables. @throws STORE_LOCKED, STORE_FAILED, STORE_CORRUPT */
export async function prepareWriter(client: Client, shown: string): Promise<void> {
  await client.query('SET synchronous_commit = on');
  for (const [setting, wanted] of [
    ['fsync', 'on'],
    ['server_encoding', 'UTF8'],
  ] as const) {
    const found = await single(client, `SHOW ${setting}`);
    if (found !== wanted) {
      const message = `${shown} has ${setting} = ${String(found)}; a store needs ${wanted}`;
      throw new PlimsollError('STORE_FAILED', message);
    }
  }
  if ((await single(client, "SELECT to_regclass('plimsoll_log') IS NULL")) === true) {
    await client.query(TABLES);
  }
  await mustBeStore(client, shown);
  const lock = `SELECT pg_try_advisory_lock(${LOCK}, 'plimsoll_log'::regclass::oid::int)`;
  if ((await single(client, lock)) !== true) {
    throw new PlimsollError('STORE_LOCKED', `another process, or this one, writes to ${shown}`);
  }
}

/** @throws NOT_FOUND, STORE_CORRUPT */
export async function mustBeStore(client: Client, shown: string): Promise<void> {
  if ((await single(client, "SELECT to_regclass('plimsoll_log') IS NULL")) === true) {
    throw new PlimsollError('NOT_FOUND', `there is no store in ${shown}`, { path: 'store' });
  }
  const format = await single(client, "SELECT obj_description('plimsoll_log'::regclass)");
  if (format === `plimsoll format ${FORMAT}`) return;
  const message = `the log in ${shown} has ${JSON.stringify(format)}; this version reads format ${FORMAT}`;
  throw new PlimsollError('STORE_CORRUPT', message);
}
