/** Places for stores, and a way behind the store's back: SQL on its tables, for tampering. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import pg from 'pg';
import type { PostgresServer } from './postgresServer.ts';

export interface Site {
  readonly location: string;
  /** Name of the log's table. */
  readonly log: string;
  readonly snapshotParts: string;
  /** Runs statements without values. */
  exec(sql: string): Promise<void>;
  /** Runs one statement; `?` stand for the values. Rows come as objects. */
  run(sql: string, ...values: readonly unknown[]): Promise<Record<string, unknown>[]>;
  remove(): Promise<void>;
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'plimsoll-store-'));
}

export async function sqliteSite(): Promise<Site> {
  const folder = temporaryFolder();
  const location = join(folder, 'book.db');
  // Opened for each statement: a connection that stays would keep the store's locks in this process.
  const use = <T>(work: (database: InstanceType<typeof Database>) => T): T => {
    const database = new Database(location);
    try {
      return work(database);
    } finally {
      database.close();
    }
  };
  return {
    location,
    log: 'log',
    snapshotParts: 'snapshot_parts',
    exec: async (sql) => use((database) => void database.exec(sql)),
    run: async (sql, ...values) =>
      use((database) => {
        const statement = database.prepare(sql);
        if (statement.reader) return statement.all(values) as Record<string, unknown>[];
        statement.run(values);
        return [];
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
      return (await client.query<Record<string, unknown>>(text, [...values])).rows;
    },
    remove: async () => {
      await client.end();
      await asRoot(`DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}
