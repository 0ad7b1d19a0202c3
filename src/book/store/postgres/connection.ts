/** A connection to PostgreSQL that is made again when it is lost. */
import type { Client } from 'pg';
import { postgresFailure } from './failures.ts';

export class PostgresConnection {
  private readonly url: string;
  private readonly prepare: (client: Client) => Promise<void>;
  private client: Promise<Client> | null = null;
  private last: Promise<void> = Promise.resolve();

  /** @param prepare what each new connection begins with */
  constructor(url: string, prepare: (client: Client) => Promise<void>) {
    this.url = url;
    this.prepare = prepare;
  }

  /** Connects where there is no connection. */
  connected(): Promise<Client> {
    if (this.client !== null) return this.client;
    const attempt = this.connect();
    this.client = attempt;
    attempt.catch(() => this.forget(attempt));
    return attempt;
  }

  /**
   * Rows in array mode. One statement at a time, in the order of the calls.
   * @param sending told just before the statement leaves: from then on it may have an effect
   * @throws what `pg` throws, or `prepare`
   */
  async query(
    text: string,
    values: readonly unknown[] = [],
    sending: () => void = () => {},
  ): Promise<unknown[][]> {
    const before = this.last;
    let done = (): void => {};
    this.last = new Promise((resolve) => {
      done = resolve;
    });
    await before;
    try {
      const client = await this.connected();
      sending();
      const query = { text, values: [...values], rowMode: 'array' as const };
      return (await client.query<unknown[]>(query)).rows;
    } finally {
      done();
    }
  }

  /** The same, with errors of the system. */
  async rows(text: string, values: readonly unknown[] = []): Promise<unknown[][]> {
    try {
      return await this.query(text, values);
    } catch (error) {
      throw postgresFailure(error, 'use the log');
    }
  }

  async close(): Promise<void> {
    const { client } = this;
    this.client = null;
    await (await client?.catch(() => null))?.end().catch(() => {});
  }

  private async connect(): Promise<Client> {
    const { default: pg } = await import('pg');
    const client = new pg.Client({
      connectionString: this.url,
      application_name: 'plimsoll',
      // A server that is gone without a word is noticed.
      keepAlive: true,
      connectionTimeoutMillis: 5_000,
    });
    const lost = (): void => this.forget(this.client);
    client.on('error', lost);
    client.on('end', lost);
    await client.connect();
    try {
      await this.prepare(client);
    } catch (error) {
      await client.end().catch(() => {});
      throw error;
    }
    return client;
  }

  private forget(attempt: Promise<Client> | null): void {
    if (this.client === attempt) this.client = null;
  }
}
