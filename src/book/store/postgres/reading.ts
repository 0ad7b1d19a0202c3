/** Reads a log in PostgreSQL: pages, snapshots, single values. On a connection in a transaction all are as of one instant. */
import { PlimsollError } from '../../../errors.ts';
import { LIMITS } from '../../../limits.ts';
import type { Figures, Page, SnapshotSource, StoredSnapshot } from '../backend.ts';
import { EMPTY, type Head, recordText } from '../logRecord.ts';
import { ChainCheck, type RawRow } from '../verification.ts';
import type { PostgresConnection } from './connection.ts';
import { COLUMNS, rawRow } from './tables.ts';

export class PostgresReading implements SnapshotSource {
  private readonly connection: PostgresConnection;

  constructor(connection: PostgresConnection) {
    this.connection = connection;
  }

  async page(fromSeq: number, limit: number): Promise<Page> {
    const check = new ChainCheck({
      seq: fromSeq - 1,
      hash: (await this.hashAt(fromSeq - 1)) ?? EMPTY.hash,
    });
    const texts: string[] = [];
    for (const row of await this.rawRows(fromSeq, limit)) {
      if (!check.take(row)) {
        throw new PlimsollError('STORE_CORRUPT', check.problem!.message, { path: 'log' });
      }
      texts.push(recordText(check.text, row.hash));
    }
    return { text: `[${texts.join(',')}]`, count: texts.length };
  }

  /** At most `limit` rows, fewer where they are large. */
  async rawRows(fromSeq: number | string, limit: number): Promise<readonly RawRow[]> {
    const size = 'octet_length(body) + coalesce(octet_length(answer), 0)';
    const page = 'FROM plimsoll_log WHERE seq >= $1 ORDER BY seq LIMIT $2';
    const total = `SELECT sum(size)::float8 FROM (SELECT ${size} AS size ${page}) sizes`;
    let count = limit;
    if (Number((await this.one(total, fromSeq, limit))?.[0] ?? 0) > LIMITS.storePageCharsMax) {
      let sum = 0;
      const sizes = await this.connection.rows(`SELECT ${size} ${page}`, [fromSeq, limit]);
      const over = sizes.findIndex(([bytes]) => {
        sum += Number(bytes);
        return sum > LIMITS.storePageCharsMax;
      });
      count = Math.max(1, over);
    }
    const rows = await this.connection.rows(`SELECT ${COLUMNS} ${page}`, [fromSeq, count]);
    return rows.map(rawRow);
  }

  async head(): Promise<Head> {
    const last = await this.one('SELECT seq, hash FROM plimsoll_log ORDER BY seq DESC LIMIT 1');
    if (last === undefined) return { seq: EMPTY.seq, hash: EMPTY.hash };
    return { seq: Number(last[0]), hash: last[1] as string };
  }

  async seqOf(key: string): Promise<number | null> {
    const found = await this.one('SELECT seq FROM plimsoll_log WHERE key = $1', key);
    return found === undefined ? null : Number(found[0]);
  }

  async hashAt(seq: number): Promise<string | null> {
    if (seq === EMPTY.seq) return EMPTY.hash;
    const found = await this.one('SELECT hash FROM plimsoll_log WHERE seq = $1', seq);
    return (found?.[0] as string) ?? null;
  }

  async snapshots(): Promise<readonly StoredSnapshot[]> {
    const sql = 'SELECT seq, hash, at, bytes, digest FROM plimsoll_snapshots ORDER BY seq DESC';
    return (await this.connection.rows(sql)).map((columns) => {
      const [seq, hash, at, bytes, digest] = columns as [string, string, string, string, string];
      return { seq: Number(seq), hash, at, bytes: Number(bytes), digest };
    });
  }

  async snapshotPart(seq: number, part: number): Promise<Uint8Array | null> {
    const sql = 'SELECT bytes FROM plimsoll_snapshot_parts WHERE seq = $1 AND part = $2';
    return ((await this.one(sql, seq, part))?.[0] as Uint8Array) ?? null;
  }

  async figures(): Promise<Figures> {
    const at = async (order: string): Promise<string | null> =>
      ((
        await this.one(`SELECT at FROM plimsoll_log ORDER BY seq ${order} LIMIT 1`)
      )?.[0] as string) ?? null;
    const tables = ['plimsoll_log', 'plimsoll_snapshots', 'plimsoll_snapshot_parts'];
    const sizes = tables.map((name) => `pg_total_relation_size('${name}')`).join(' + ');
    const bytes = Number((await this.one(`SELECT ${sizes}`))![0]);
    return { firstAt: await at('ASC'), lastAt: await at('DESC'), bytes };
  }

  private async one(
    sql: string,
    ...values: readonly (string | number)[]
  ): Promise<readonly unknown[] | undefined> {
    return (await this.connection.rows(sql, values))[0];
  }
}
