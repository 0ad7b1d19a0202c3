/** Places for stores, and a way behind the store's back: SQL on its tables, for tampering. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import {
  loadDriver,
  type SqliteConnection,
  type SqliteValue,
} from '../../../src/book/store/sqlite/driver.ts';
import type { PostgresServer } from './postgresServer.ts';

export interface Site {
  readonly location: string;
  /** Name of the log's table. */
  readonly log: string;
  readonly snapshotParts: string;
  /** Runs statements without values. */
  exec(sql: string): Promise<void>;
  /** Runs one statement; `?` stand for the values. Rows come as arrays. */
  run(sql: string, ...values: readonly unknown[]): Promise<(readonly unknown[])[]>;
  remove(): Promise<void>;
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'plimsoll-store-'));
}

/** @param location a file that is there; else a new folder is made for one */
export async function sqliteSite(
  location: string = join(temporaryFolder(), 'book.db'),
): Promise<Site> {
  const folder = dirname(location);
  // The store's own driver: two SQLite libraries in one process do not see each other's locks. Opened for each statement, since a
  // connection that stays would hold locks.
  const driver = await loadDriver();
  const use = <T>(work: (connection: SqliteConnection) => T): T => {
    const connection = driver.connect(location);
    // What is tampered with need not survive a power cut.
    connection.exec('PRAGMA synchronous = OFF');
    try {
      return work(connection);
    } finally {
      connection.close();
    }
  };
  return {
    location,
    log: 'log',
    snapshotParts: 'snapshot_parts',
    exec: async (sql) => use((connection) => connection.exec(sql)),
    run: async (sql, ...values) =>
      use((connection) => {
        const statement = connection.prepare(sql);
        if (!/^SELECT/i.test(sql)) {
          statement.run(...(values as SqliteValue[]));
          return [];
        }
        return [...statement.rows(...(values as SqliteValue[]))];
      }),
    remove: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

let databases = 0;

/** A database of its own on a running server. */
export async function postgresSite(server: PostgresServer): Promise<Site> {
  databases += 1;
  const name = `book_${process.pid}_${databases}`;
  const asRoot = async (sql: string): Promise<void> => {
    const root = new pg.Client({ connectionString: server.url('postgres') });
    await root.connect();
    await root.query(sql);
    await root.end();
  };
  await asRoot(`CREATE DATABASE ${name}`);
  const location = server.url(name);
  const client = new pg.Client({ connectionString: location });
  await client.connect();
  // What is tampered with need not survive a power cut.
  await client.query('SET synchronous_commit = off');
  return {
    location,
    log: 'plimsoll_log',
    snapshotParts: 'plimsoll_snapshot_parts',
    exec: async (sql) => void (await client.query(sql)),
    run: async (sql, ...values) => {
      let i = 0;
      const text = sql.replace(/\?/g, () => {
        i += 1;
        return `$${i}`;
      });
      const query = { text, values: [...values], rowMode: 'array' as const };
      return (await client.query<unknown[]>(query)).rows;
    },
    remove: async () => {
      await client.end();
      await asRoot(`DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}
