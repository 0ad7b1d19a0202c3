/** The store in PostgreSQL: one connection writes and holds the writer's lock, one reads; what takes long has its own. */
import { setTimeout as sleep } from 'node:timers/promises';
import { PlimsollError } from '../../../errors.ts';
import type { Backend, Scan } from '../backend.ts';
import { EMPTY, type Head, type Row } from '../logRecord.ts';
import { LogStore } from '../logStore.ts';
import { SqliteThread } from '../sqlite/threadClient.ts';
import type { OpenOptions, Store } from '../store.ts';
import { ChainCheck } from '../verification.ts';
import { PostgresConnection } from './connection.ts';
import { postgresFailure, withoutPassword } from './failures.ts';
import { PostgresReading } from './reading.ts';
import { mustBeStore, prepareWriter } from './tables.ts';
import { PostgresWriting } from './writing.ts';

const SCAN_RECORDS = 1_000;
const LOCK_WAIT_MS = 1_000;
/** Below every number that a row can have. */
const LOWEST = '-9223372036854775808';

/** @throws see `openStore` */
export async function openPostgresStore(url: string, options: OpenOptions): Promise<Store> {
  const shown = withoutPassword(url);
  const writer = new PostgresConnection(url, (client) => prepareWriter(client, shown));
  const reader = new PostgresConnection(url, (client) => mustBeStore(client, shown));
  const writing = new PostgresWriting(writer);
  try {
    if (options.readOnly === true) await reader.connected();
    else await unlessLocked(() => writing.open());
  } catch (error) {
    await Promise.all([writer.close(), reader.close()]);
    throw postgresFailure(error, `open ${shown}`);
  }
  return new LogStore(shown, backendOf(url, writer, reader, writing), options);
}

/** The server may notice a moment late that the process before this one has ended. */
async function unlessLocked(open: () => Promise<void>): Promise<void> {
  const until = performance.now() + LOCK_WAIT_MS;
  for (;;) {
    try {
      return await open();
    } catch (error) {
      const locked = error instanceof PlimsollError && error.code === 'STORE_LOCKED';
      if (!locked || performance.now() > until) throw error;
      await sleep(LOCK_WAIT_MS / 10);
    }
  }
}

function backendOf(
  url: string,
  writer: PostgresConnection,
  reader: PostgresConnection,
  writing: PostgresWriting,
): Backend {
  const reading = new PostgresReading(reader);
  const write = async (text: string, values: readonly unknown[] = []): Promise<void> => {
    await writer.rows(text, values);
  };
  return {
    driver: 'postgres',
    commit: (calls, now) => writing.commit(calls, now),
    page: (fromSeq, limit) => reading.page(fromSeq, limit),
    head: () => reading.head(),
    seqOf: (key) => reading.seqOf(key),
    snapshots: () => reading.snapshots(),
    snapshotPart: (seq, part) => reading.snapshotPart(seq, part),
    hashAt: (seq) => reading.hashAt(seq),
    putSnapshotPart: (seq, part, bytes) =>
      write(
        `INSERT INTO plimsoll_snapshot_parts VALUES ($1, $2, $3)
         ON CONFLICT (seq, part) DO UPDATE SET bytes = excluded.bytes`,
        [seq, part, bytes],
      ),
    putSnapshot: ({ seq, hash, at, bytes, digest }) =>
      write(
        `INSERT INTO plimsoll_snapshots VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (seq) DO UPDATE SET
         hash = excluded.hash, at = excluded.at, bytes = excluded.bytes, digest = excluded.digest`,
        [seq, hash, at, bytes, digest],
      ),
    keepSnapshots: async (seqs) => {
      await write('DELETE FROM plimsoll_snapshots WHERE seq <> ALL ($1::bigint[])', [seqs]);
      await write(
        'DELETE FROM plimsoll_snapshot_parts WHERE seq NOT IN (SELECT seq FROM plimsoll_snapshots)',
      );
    },
    openScan: (exported) => openScan(url, exported),
    copyTo: (path) => copyTo(url, path),
    compact: async () => {
      for (const table of ['log', 'snapshots', 'snapshot_parts']) {
        await write(`VACUUM plimsoll_${table}`);
      }
    },
    figures: () => reading.figures(),
    close: async () => {
      await Promise.all([writer.close(), reader.close()]);
    },
  };
}

/** A connection that sees the log as of its beginning. */
async function openFrozen(url: string): Promise<PostgresConnection> {
  let begun = false;
  const connection = new PostgresConnection(url, async (client) => {
    // A second connection would see another instant.
    if (begun) throw new Error('the connection was lost');
    begun = true;
    await client.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await mustBeStore(client, withoutPassword(url));
  });
  try {
    await connection.connected();
  } catch (error) {
    await connection.close();
    throw postgresFailure(error, 'read the log');
  }
  return connection;
}

async function openScan(url: string, exported: Head | null): Promise<Scan> {
  const connection = await openFrozen(url);
  const reading = new PostgresReading(connection);
  const check = ChainCheck.whole(exported);
  let from: number | string = LOWEST;
  const next = async (): Promise<number | null> => {
    try {
      const rows = await reading.rawRows(from, SCAN_RECORDS);
      if (rows.length === 0 || rows.some((row) => !check.take(row))) return null;
      from = check.head.seq + 1;
      return check.head.seq;
    } catch (error) {
      if (!(error instanceof PlimsollError) || error.code !== 'STORE_CORRUPT') throw error;
      check.unreadable(error.message);
      return null;
    }
  };
  return {
    total: (await reading.head()).seq,
    snapshots: () => reading.snapshots(),
    snapshotPart: (seq, part) => reading.snapshotPart(seq, part),
    hashAt: (seq) => reading.hashAt(seq),
    next,
    finish: async () => ({ problem: check.finish(), head: check.head, remarks: [] }),
    close: () => connection.close(),
  };
}

/** The copy is a SQLite store: it opens without a server. */
async function copyTo(url: string, path: string): Promise<void> {
  const connection = await openFrozen(url);
  const { thread } = await SqliteThread.open({ path, readOnly: false });
  try {
    const reading = new PostgresReading(connection);
    for (let from = EMPTY.seq + 1; ; ) {
      const rows = await reading.rawRows(from, SCAN_RECORDS);
      if (rows.length === 0) break;
      // Nothing is checked here: the copy is, when it is complete.
      await thread.call('adopt', rows as readonly Row[]);
      from = (rows.at(-1) as Row).seq + 1;
    }
    for (const snapshot of await reading.snapshots()) {
      for (let part = 0; ; part++) {
        const bytes = await reading.snapshotPart(snapshot.seq, part);
        if (bytes === null) break;
        await thread.call('putSnapshotPart', snapshot.seq, part, bytes);
      }
      await thread.call('putSnapshot', snapshot);
    }
  } finally {
    await thread.close();
    await connection.close();
  }
}
