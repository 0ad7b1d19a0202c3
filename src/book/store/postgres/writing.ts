/**
 * Appends to PostgreSQL. A connection that is lost during a commit leaves open what became of it: the log is asked when the server is back,
 * and only then the callers are answered. The rows and their hashes stay the same on every try, so a commit is never made twice.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { PlimsollError } from '../../../errors.ts';
import { LIMITS } from '../../../limits.ts';
import { type Linked, linkCalls, type Outcome } from '../chain.ts';
import { EMPTY, type Row, type TextDraft, type Tip } from '../logRecord.ts';
import { ChainCheck } from '../verification.ts';
import type { PostgresConnection } from './connection.ts';
import { isLost, postgresFailure } from './failures.ts';
import { COLUMNS, rawRow } from './tables.ts';

const RETRY_MS = 100;

const INSERT = `INSERT INTO plimsoll_log (${COLUMNS}) SELECT * FROM unnest(
  $1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])`;

export class PostgresWriting {
  tip: Tip = EMPTY;
  private readonly connection: PostgresConnection;
  /** Sent, refused to its callers because the server stayed away, and perhaps in the log all the same. */
  private unsettled: Linked | null = null;

  constructor(connection: PostgresConnection) {
    this.connection = connection;
  }

  async open(): Promise<void> {
    this.tip = await this.readTip();
  }

  async commit(calls: readonly (readonly TextDraft[])[], now: number): Promise<readonly Outcome[]> {
    const until = performance.now() + LIMITS.storeReconnectMs;
    let linked: Linked | null = null;
    for (;;) {
      try {
        if (linked === null) {
          await this.settle();
          linked = await this.link(calls, now);
          await this.insert(linked);
        } else if (!(await this.isThere(linked))) await this.insert(linked);
        this.unsettled = null;
        this.tip = linked.tip;
        return linked.outcomes;
      } catch (error) {
        if (!isPassing(error) || performance.now() > until) throw postgresFailure(error, 'append');
        await sleep(RETRY_MS);
      }
    }
  }

  private async link(calls: readonly (readonly TextDraft[])[], now: number): Promise<Linked> {
    const keys = calls.flat().flatMap(({ key }) => (key === null ? [] : [key]));
    const sql = 'SELECT key FROM plimsoll_log WHERE key = ANY ($1::text[])';
    const found = keys.length === 0 ? [] : await this.connection.query(sql, [keys]);
    const taken = new Set(found.map(([key]) => key));
    return linkCalls(calls, this.tip, now, (key) => taken.has(key));
  }

  /** One statement is one transaction. */
  private async insert(linked: Linked): Promise<void> {
    if (linked.rows.length === 0) return;
    let sent = false;
    const sending = (): void => {
      sent = true;
      this.unsettled = linked;
    };
    try {
      await this.connection.query(INSERT, columnsOf(linked.rows), sending);
    } catch (error) {
      // The server said no: nothing of it is there.
      if (sent && !isLost(error)) this.unsettled = null;
      throw error;
    }
  }

  /** What was refused after a lost connection must not be in the log: the book was told that it is not. */
  private async settle(): Promise<void> {
    if (this.unsettled === null) return;
    if (await this.isThere(this.unsettled)) {
      const { seq } = this.unsettled.tip;
      const message = `records up to ${seq} were committed while the server could not be reached: restart from the log`;
      throw new PlimsollError('STORE_CORRUPT', message, { path: 'log' });
    }
    this.unsettled = null;
  }

  private async isThere({ tip }: Linked): Promise<boolean> {
    const found = await this.readTip();
    if (found.hash === tip.hash) return true;
    if (found.hash === this.tip.hash) return false;
    const message = `somebody else wrote to the log: it ends with record ${found.seq}, not with ${this.tip.seq}`;
    throw new PlimsollError('STORE_CORRUPT', message, { path: 'log' });
  }

  private async readTip(): Promise<Tip> {
    const sql = `SELECT ${COLUMNS} FROM plimsoll_log ORDER BY seq DESC LIMIT 2`;
    const [last, before] = (await this.connection.query(sql)).map(rawRow);
    if (last === undefined) return EMPTY;
    const after = (before ?? EMPTY) as Row;
    const check = new ChainCheck({ seq: after.seq, hash: after.hash });
    if (check.take(last)) return { seq: last.seq, hash: last.hash, at: last.at };
    throw new PlimsollError('STORE_CORRUPT', check.problem!.message, { path: 'log' });
  }
}

/** Another try may go better: the server is away or full of connections, or still holds the lock of our own lost connection. */
function isPassing(error: unknown): boolean {
  if (error instanceof PlimsollError) return error.code === 'STORE_LOCKED';
  return isLost(error) || (error as { code?: string }).code === '53300';
}

function columnsOf(rows: readonly Row[]): unknown[][] {
  return [
    rows.map(({ seq }) => seq),
    rows.map(({ at }) => at),
    rows.map(({ kind }) => kind),
    rows.map(({ body }) => body),
    rows.map(({ key }) => key),
    rows.map(({ answer }) => answer),
    rows.map(({ bodyHash }) => bodyHash),
    rows.map(({ hash }) => hash),
  ];
}
