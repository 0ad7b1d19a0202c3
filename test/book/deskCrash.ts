/** The real service, killed in the middle of its work; every update that it acknowledged must be there afterwards. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { type Book, emptyBook, toAccount } from '../../src/book/book.ts';
import { fold } from '../../src/book/fold.ts';
import { type LogRecord, openStore } from '../../src/book/store/store.ts';
import { demoRandom } from '../../src/market/demoRandom.ts';
import { place, SMALL_FACTORS, SMALL_MARKET, temporaryFolder } from '../cli/command.ts';
import { Client, serve } from '../cli/service.ts';

const CONNECTIONS = 8;
const ASOF = Date.parse(SMALL_MARKET.asOf);
/** How long the connections go on when enough was acknowledged: the kill comes at any moment of it. */
const GOING_ON_MS = 1_000;
/** Requests that are sent once more after a restart. */
const REPEATED = 20;

interface Update {
  readonly method: string;
  readonly url: string;
  readonly body: object;
}

/** What the connections were told: by key, the update and the record that it was answered with. */
type Told = Map<string, Update & { readonly seq: number }>;

export interface Storm {
  /** Rounds on one store, one after the other. @returns updates acknowledged in this one */
  round(number: number, updates: number): Promise<number>;
  remove(): void;
}

/** @param location of the store; default: a file in a folder of its own */
export function makeStorm(location?: string): Storm {
  const folder = temporaryFolder();
  const market = place(folder, 'market.json', SMALL_MARKET);
  const factors = place(folder, 'factors.json', SMALL_FACTORS);
  const store = location ?? join(folder, 'book.db');
  const model = ['-m', market, '-f', factors, '-n', '200', '--workers', '1'];
  const told: Told = new Map();
  return {
    round: async (number, updates) => {
      const before = told.size;
      const killed = await serve([...model, '--store', store]);
      const clients = Array.from({ length: CONNECTIONS }, (_, i) =>
        connection(killed.address, number, i, told),
      );
      const ended = Promise.all(clients);
      while (told.size - before < updates) await Promise.race([sleep(5), ended]);
      await sleep(demoRandom(`storm/${number}`).between(0, GOING_ON_MS));
      await killed.stop('SIGKILL');
      await ended;
      const acknowledged = told.size - before;

      const again = await serve([...model, '--store', store]);
      await sameAnswers(again.address, told);
      const seen = await accountsOf(again.address);
      await again.stop('SIGKILL');
      const book = await mustHold(store, told);
      for (const [id, account] of seen) expect(account).toEqual(toAccount(book, id));
      return acknowledged;
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}

const accountOf = (i: number): string => `account-${i}`;

/** One update after the other, until the service is gone. The first of the connections sends ticks. */
async function connection(address: string, round: number, i: number, told: Told): Promise<void> {
  const client = new Client(address);
  for (let n = 0; ; n++) {
    const key = `${round}-${i}-${n}`;
    const update = updateOf(accountOf(i), key, round, i, n);
    let answer: Awaited<ReturnType<Client['send']>>;
    try {
      const { method, url, body } = update;
      answer = await client.send(method, url, body, { 'idempotency-key': key });
    } catch {
      return client.close();
    }
    expect([answer.status, answer.body]).toEqual([200, expect.anything()]);
    told.set(key, { ...update, seq: answer.body.seq });
  }
}

function updateOf(id: string, key: string, round: number, i: number, n: number): Update {
  if (i === 0) {
    const sequence = round * 1_000_000 + n;
    const asOf = new Date(ASOF + round * 60_000 + n).toISOString();
    const tick = { sequence, underlying: 'BTC', asOf, spot: 90_000 + (n % 100) };
    const body = { source: 'feed', resume: true, ticks: [tick] };
    return { method: 'PATCH', url: '/v1/market', body };
  }
  const url = `/v1/accounts/${id}`;
  if (n === 0) return { method: 'PUT', url, body: { id } };
  if (n % 3 === 0) {
    const size = n % 2 === 0 ? 1 : -1;
    // All lines of a command or none.
    const fills = LINES.map((line) => {
      return { id: `${key}${line}`, instrument: 'BTC-LINEAR', size, price: 90_000 };
    });
    return { method: 'POST', url: `${url}/fills`, body: { fills } };
  }
  const body = { asset: 'USD', amount: n, reason: key };
  return { method: 'POST', url: `${url}/collateral`, body };
}

const LINES = ['a', 'b'];

/** A request that comes again after the restart gets the answer that it got before. */
async function sameAnswers(address: string, told: Told): Promise<void> {
  const client = new Client(address);
  const keyed = [...told].filter(([, { method }]) => method === 'POST').slice(-REPEATED);
  for (const [key, { seq, method, url, body }] of keyed) {
    const answer = await client.send(method, url, body, { 'idempotency-key': key });
    expect([answer.status, answer.body.seq]).toEqual([200, seq]);
  }
  client.close();
}

/** The accounts as the restarted service has them. */
async function accountsOf(address: string): Promise<ReadonlyMap<string, unknown>> {
  const client = new Client(address);
  const accounts = new Map<string, unknown>();
  for (let i = 1; i < CONNECTIONS; i++) {
    const { body } = await client.send('GET', `/v1/accounts/${accountOf(i)}`);
    accounts.set(accountOf(i), body.account);
  }
  client.close();
  return accounts;
}

/** What the log says of the updates. */
interface Logged {
  readonly keys: Map<string, number>;
  /** How often each deposit and each line of fills stands in the log. */
  readonly counts: Map<string, number>;
  readonly ticks: Set<number>;
}

/** The chain is whole, the log folds, each acknowledged update stands in it once and whole, at the place that was told. */
async function mustHold(location: string, told: Told): Promise<Book> {
  const store = await openStore(location);
  expect(await store.verify()).toMatchObject({ ok: true, problem: null });
  const book = emptyBook();
  const logged: Logged = { keys: new Map(), counts: new Map(), ticks: new Set() };
  for await (const page of store.pages()) {
    for (const record of page) {
      fold(book, record);
      note(record, logged);
    }
  }
  await store.close();
  expect([...told].filter((update) => !isThere(update, logged))).toEqual([]);
  // No update stands twice, acknowledged or not, and none is half.
  expect([...logged.counts].filter(([, times]) => times !== 1)).toEqual([]);
  const halves = [...logged.counts.keys()].filter((key) => {
    const [whole, line] = [key.slice(0, -1), key.at(-1)!];
    return LINES.includes(line) && !LINES.every((other) => logged.counts.has(whole + other));
  });
  expect(halves).toEqual([]);
  return book;
}

function note(record: LogRecord, { keys, counts, ticks }: Logged): void {
  if (record.key !== undefined) keys.set(record.key, record.seq);
  const body = record.body as { reason: string; id: string; last: number };
  const id = { 'collateral-moved': body.reason, fill: body.id }[record.kind];
  if (id !== undefined) counts.set(id, (counts.get(id) ?? 0) + 1);
  if (record.kind === 'ticks') ticks.add(body.last);
}

function isThere(
  [key, { seq, url, body }]: readonly [string, Update & { readonly seq: number }],
  { keys, counts, ticks }: Logged,
): boolean {
  if (url === '/v1/market') {
    return ticks.has((body as { ticks: { sequence: number }[] }).ticks[0]!.sequence);
  }
  const first = keys.get(key);
  if (first === undefined || first > seq) return false;
  if (url.endsWith('/collateral')) return counts.has(key);
  return !url.endsWith('/fills') || LINES.every((line) => counts.has(key + line));
}
