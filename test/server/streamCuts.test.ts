/** Readers of the real service that are cut off 100 times, by themselves and by its death, while others write: every event once, in order. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { type LogRecord, openStore } from '../../src/book/store/store.ts';
import { place, SMALL_FACTORS, SMALL_MARKET, temporaryFolder } from '../cli/command.ts';
import { Client, type Served, serve } from '../cli/service.ts';
import { readEvents, type StreamEvent } from './eventStream.ts';

const CUTS = 100;
/** Of the service, beside those of the readers. */
const KILLS = 2;
const ACCOUNTS = ['a-0', 'a-1', 'a-2'];
const KINDS = ['account-opened', 'collateral-moved', 'fill', 'margin', 'state-changed'];

it(`${CUTS} cuts of each reader and ${KILLS} kills of the service: all of the log, once and in order`, async () => {
  const folder = temporaryFolder();
  const store = join(folder, 'book.db');
  const args = [
    ...['-m', place(folder, 'market.json', SMALL_MARKET)],
    ...['-f', place(folder, 'factors.json', SMALL_FACTORS)],
    ...['-n', '200', '--workers', '1', '--store', store],
  ];
  let service: Served = await serve(args);
  let over = false;
  const writers = ACCOUNTS.map(async (id, i) => {
    for (let n = 0; !over; n++) {
      // One that the service died under may be in the log or not: its key makes sure that it is once.
      await sent(() => service.address, id, i, n);
      await sleep(2);
    }
  });
  const filter = KINDS.map((kind) => `kind=${kind}`).join('&');
  const readers = [
    `/v1/stream?${filter}`,
    `/v1/stream?${filter}&account=a-0&account=a-2`,
    `/v1/accounts/a-1/events?${filter}`,
  ].map((path) => new Reader(path));
  const reading = Promise.all(readers.map((reader) => reader.read(CUTS, () => service.address)));
  for (let kill = 1; kill <= KILLS; kill++) {
    while (readers.some(({ cuts }) => cuts < (kill * CUTS) / (KILLS + 1))) await sleep(5);
    await service.stop('SIGKILL');
    service = await serve(args);
  }
  await reading;
  over = true;
  await Promise.all(writers);
  await service.stop('SIGTERM');

  // What each has not read yet, from the same place on.
  service = await serve(args);
  const log = await logOf(store);
  const all = log.filter(({ kind }) => KINDS.includes(kind));
  const of = (...accounts: string[]) =>
    all.filter(({ body }) => accounts.includes(accountIn(body)));
  const wanted = [all, of('a-0', 'a-2'), of('a-1')];
  for (const [i, reader] of readers.entries()) {
    await reader.readTo(wanted[i]!.at(-1)!.seq, service.address);
    expect(reader.got.map(({ id }) => id)).toEqual(wanted[i]!.map(({ seq }) => seq));
    reader.got.forEach(({ event, data }, j) => {
      const { kind, body } = wanted[i]![j]!;
      expect([event, data.body]).toEqual([kind, body]);
    });
    expect(reader.got.length).toBeGreaterThan(CUTS);
  }
  await service.stop('SIGTERM');
  rmSync(folder, { recursive: true });
}, 300_000);

class Reader {
  readonly got: StreamEvent[] = [];
  cuts = 0;
  private readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Hangs up after one to seven events, so many times. */
  async read(cuts: number, address: () => string): Promise<void> {
    while (this.cuts < cuts) {
      const most = 1 + (this.cuts % 7);
      await this.more(address(), ({ length }) => length >= most);
    }
  }

  async readTo(seq: number, address: string): Promise<void> {
    while (this.last < seq) await this.more(address, (events) => events.at(-1)?.id === seq);
  }

  private get last(): number {
    return this.got.at(-1)?.id ?? 0;
  }

  private async more(
    address: string,
    enough: (events: readonly StreamEvent[]) => boolean,
  ): Promise<void> {
    try {
      this.got.push(...(await readEvents(`${address}${this.path}`, enough, this.last)));
      this.cuts += 1;
    } catch {
      // The service is away, or does not know the account yet.
      await sleep(20);
    }
  }
}

/** Until it is answered. */
async function sent(address: () => string, id: string, i: number, n: number): Promise<void> {
  for (;;) {
    const client = new Client(address());
    try {
      const [method, url, body] = update(id, i, n);
      const answer = await client.send(method, url, body, { 'idempotency-key': `${id}-${n}` });
      if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
      return;
    } catch (error) {
      if ((error as { code?: string }).code === undefined) throw error;
      await sleep(20);
    } finally {
      client.close();
    }
  }
}

function update(id: string, i: number, n: number): readonly [string, string, object] {
  const url = `/v1/accounts/${id}`;
  if (n === 0) return ['PUT', url, { id, collateral: [{ asset: 'USD', amount: 20_000 }] }];
  if (n % 5 !== 0) return ['POST', `${url}/collateral`, { asset: 'USD', amount: n, reason: 'x' }];
  // To and fro: the state changes with it.
  const size = n % 10 === 0 ? 1 + i : -1 - i;
  const fill = { id: `${id}-${n}`, instrument: 'BTC-LINEAR', size, price: 90_000 };
  return ['POST', `${url}/fills`, { fills: [fill] }];
}

const accountIn = (body: unknown): string => (body as { account: string }).account;

async function logOf(location: string): Promise<readonly LogRecord[]> {
  const store = await openStore(location, { readOnly: true });
  const records: LogRecord[] = [];
  for await (const page of store.pages()) records.push(...page);
  await store.close();
  return records;
}
