/** The two SQLite packages behind one door: `node:sqlite` where Node has it, else `libsql`. Both are synchronous. */

export type SqliteValue = string | number | null | Uint8Array;

export interface SqliteStatement {
  run(...values: readonly SqliteValue[]): void;
  /** The first row; undefined where there is none. */
  get(...values: readonly SqliteValue[]): readonly unknown[] | undefined;
  /** Rows as they are read; always read them to the end, an open statement holds the database. */
  rows(...values: readonly SqliteValue[]): Iterable<readonly unknown[]>;
}

export interface SqliteConnection {
  exec(sql: string): void;
  /** The same statement for the same text: it is compiled once. */
  prepare(sql: string): SqliteStatement;
  close(): void;
}

export interface SqliteDriver {
  readonly name: 'node:sqlite' | 'libsql';
  /** @param path a file, or a URI `file:…?mode=ro` */
  connect(path: string): SqliteConnection;
}

/** What is used of `node:sqlite`; the types of Node 20 do not know it. */
interface NodeStatement {
  run(...values: readonly SqliteValue[]): unknown;
  get(...values: readonly SqliteValue[]): unknown;
  iterate(...values: readonly SqliteValue[]): Iterable<unknown>;
  setReturnArrays?(yes: boolean): void;
}
interface NodeDatabase {
  exec(sql: string): void;
  prepare(sql: string): NodeStatement;
  close(): void;
}
interface NodeSqlite {
  readonly DatabaseSync: new (path: string) => NodeDatabase;
}

export async function loadDriver(): Promise<SqliteDriver> {
  // Named by a variable: Node 20 has neither the module nor its types.
  const builtIn = 'node:sqlite';
  let sqlite: NodeSqlite;
  try {
    sqlite = (await import(builtIn)) as NodeSqlite;
  } catch {
    return loadLibsql();
  }
  const connect = (path: string): SqliteConnection => {
    const database = new sqlite.DatabaseSync(path);
    const prepare = once((sql) => nodeStatement(database.prepare(sql)));
    return { exec: (sql) => database.exec(sql), prepare, close: () => database.close() };
  };
  return { name: 'node:sqlite', connect };
}

function nodeStatement(statement: NodeStatement): SqliteStatement {
  statement.setReturnArrays?.(true);
  // Before 22.16 rows are objects only; their members stand in the order of the columns.
  const asArray = (row: unknown): readonly unknown[] =>
    Array.isArray(row) ? row : Object.values(row as object);
  return {
    run: (...values) => void statement.run(...values),
    get: (...values) => {
      const row = statement.get(...values);
      return row === undefined ? undefined : asArray(row);
    },
    *rows(...values) {
      for (const row of statement.iterate(...values)) yield asArray(row);
    },
  };
}

async function loadLibsql(): Promise<SqliteDriver> {
  const { default: Database } = await import('libsql');
  const connect = (path: string): SqliteConnection => {
    const database = new Database(path);
    const prepare = once((sql) => {
      const statement = database.prepare(sql);
      // `raw` of a statement that returns nothing is an error.
      const raw = statement.reader ? statement.raw() : statement;
      return {
        run: (...values) => void raw.run(values),
        get: (...values) => raw.get(values) as readonly unknown[] | undefined,
        rows: (...values) => raw.iterate(values) as Iterable<readonly unknown[]>,
      };
    });
    const exec = (sql: string): void => {
      database.exec(sql);
    };
    return { exec, prepare, close: () => void database.close() };
  };
  return { name: 'libsql', connect };
}

/** Texts are few: those of the queries, none with a value in it. */
function once(prepare: (sql: string) => SqliteStatement): (sql: string) => SqliteStatement {
  const made = new Map<string, SqliteStatement>();
  return (sql) => {
    const known = made.get(sql) ?? prepare(sql);
    made.set(sql, known);
    return known;
  };
}
