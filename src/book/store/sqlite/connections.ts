/** Opening the file: for its one writer, with a lock that no crash can leave behind, or for a reader beside it. */
import { existsSync, realpathSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PlimsollError } from '../../../errors.ts';
import { syncFolder } from '../files.ts';
import type { SqliteConnection, SqliteDriver } from './driver.ts';
import { isWritable, sqliteFailure } from './failures.ts';
import { isEmpty, makeTables, mustBeStore, single } from './tables.ts';

/** Locks that readers hold for a moment (recovery, checkpoints) are waited for. */
const BUSY_MS = 5_000;
/** The write-ahead log is cut back to this when it was larger for a while. */
const WAL_BYTES_KEPT = 64 * 1024 * 1024;

export interface Opened {
  readonly connection: SqliteConnection;
  readonly release: () => void;
}

/** One name for one file, so that two names of it cannot be locked apart. */
export function realName(path: string): string {
  const full = existsSync(path) ? realpathSync(path) : resolve(path);
  if (!existsSync(dirname(full))) {
    const message = `there is no folder ${dirname(full)} to make the store in`;
    throw new PlimsollError('NOT_FOUND', message, { path: 'store' });
  }
  if (existsSync(full) && !statSync(full).isFile()) {
    throw new PlimsollError('INVALID_FIELD', `${full} is not a file`, { path: 'store' });
  }
  return full;
}

/** @throws STORE_LOCKED, STORE_READ_ONLY, STORE_CORRUPT, STORE_FULL, STORE_FAILED */
export function openWriter(driver: SqliteDriver, path: string): Opened {
  if (!isWritable(path)) {
    throw new PlimsollError('STORE_READ_ONLY', `${path} cannot be written to`);
  }
  const release = lock(driver, path);
  try {
    const made = !existsSync(path);
    const connection = driver.connect(path);
    connection.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
    const fresh = isEmpty(connection);
    if (!fresh) mustBeStore(connection, path);
    if (single(connection, 'PRAGMA journal_mode = WAL') !== 'wal') {
      const message = `${path}: this file system has no shared memory for a write-ahead log`;
      throw new PlimsollError('STORE_FAILED', message);
    }
    // FULL: the write-ahead log is synchronised at every commit, not only at checkpoints.
    connection.exec('PRAGMA synchronous = FULL');
    connection.exec(`PRAGMA journal_size_limit = ${WAL_BYTES_KEPT}`);
    if (fresh) makeTables(connection);
    if (made) syncFolder(path);
    return { connection, release };
  } catch (error) {
    release();
    throw sqliteFailure(error, `open ${path}`, path);
  }
}

/**
 * The writer holds an exclusive transaction on a file of its own for as long as it lives. The operating system lets go of it with the
 * process, however that ends; and readers of the store are not in its way.
 */
function lock(driver: SqliteDriver, path: string): () => void {
  const name = `${path}-lock`;
  let connection: SqliteConnection | null = null;
  try {
    connection = driver.connect(name);
    connection.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    connection?.close();
    const failure = sqliteFailure(error, `lock ${name}`, name);
    if (failure.code !== 'STORE_LOCKED') throw failure;
    throw new PlimsollError('STORE_LOCKED', `another process, or this one, writes to ${path}`);
  }
  const held = connection;
  return () => {
    held.exec('ROLLBACK');
    held.close();
  };
}

/** Reads without a lock of its own, beside a writer or after one; never changes the file. */
export function openReader(driver: SqliteDriver, path: string): Opened {
  if (!existsSync(path)) {
    throw new PlimsollError('NOT_FOUND', `there is no store ${path}`, { path: 'store' });
  }
  const connection = connectReader(driver, path);
  try {
    mustBeStore(connection, path);
  } catch (error) {
    connection.close();
    throw sqliteFailure(error, `open ${path}`, path);
  }
  return { connection, release: () => {} };
}

function connectReader(driver: SqliteDriver, path: string): SqliteConnection {
  const url = pathToFileURL(path).href;
  try {
    return readable(driver, `${url}?mode=ro`);
  } catch (error) {
    // On a read-only disk there is no place for the index of the write-ahead log; where that log is empty none is needed.
    const wal = `${path}-wal`;
    const settled = !existsSync(wal) || statSync(wal).size === 0;
    const failure = sqliteFailure(error, `open ${path}`, path);
    if (!settled || failure.code === 'STORE_CORRUPT') throw failure;
    try {
      return readable(driver, `${url}?immutable=1`);
    } catch {
      throw failure;
    }
  }
}

function readable(driver: SqliteDriver, uri: string): SqliteConnection {
  const connection = driver.connect(uri);
  try {
    connection.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
    single(connection, 'SELECT count(*) FROM sqlite_schema');
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}
