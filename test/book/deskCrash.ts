/** The real service, killed in the middle of its work; every update that it acknowledged must be there afterwards. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { emptyBook } from '../../src/book/book.ts';
import { fold } from '../../src/book/fold.ts';
import { openStore } from '../../src/book/store/store.ts';
import {
  place,
  SMALL_FACTORS,
  SMALL_MARKET,
  type Started,
  start,
  temporaryFolder,
} from '../cli/command.ts';

const CONNECTIONS = 8;
const ASOF = Date.parse(SMALL_MARKET.asOf);

/** What one connection was told: by key, the answer. */
type Told = Map<string, { readonly seq: number; readonly url: string; readonly body: object }>;

export interface Storm {
  readonly folder: string;
  /** Rounds on one store, one after the other. @returns updates acknowledged in this one */
  round(number: number, milliseconds: number): Promise<number>;
  remove(): void;
}

export function makeStorm(): Storm {
  const folder = temporaryFolder();
  const market = place(folder, 'market.json', SMALL_MARKET);
  const factors = place(folder, 'factors.json', SMALL_FACTORS);
  const store = join(folder, 'book.db');
  const told: Told = new Map();
  const serve = (): Started =>
    start(
      ['serve', '-m', market, '-f', factors, '-n', '200', '--workers', '1', '--port', '0'].concat([
        '--store',
        store,
        '--json',
        '-q',
      ]),
    );
  return {
    folder,
    round: async (number, milliseconds) => {
      const before = told.size;
      const run = serve();
      const { address } = JSON.parse(await run.saw('stdout', /\}\n$/)) as { address: string };
      await sameAnswers(address, told);
      const clients = Array.from({ length: CONNECTIONS }, (_, i) =>
        client(address, number, i, told),
      );
      await sleep(milliseconds);
      run.child.kill('SIGKILL');
      await Promise.all(clients);
      await run.ended;
      await mustHold(store, told);
      return told.size - before;
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}

/** One update after the other, until the service is gone. One of the connections sends ticks. */
async function client(address: string, round: number, i: number, told: Told): Promise<void> {
  const id = `account-${i}`;
  for (let n = 0; ; n++) {
    const key = `${round}-${i}-${n}`;
    const [method, url, body] = update(id, key, round, i, n);
    try {
      const answer = await fetch(`${address}${url}`, {
        method,
        headers: { 'content-type': 'application/json', 'idempotency-key': key },
        body: JSON.stringify(body),
      });
      const text = (await answer.json()) as { readonly seq: number };
      expect([answer.status, text]).toEqual([200, expect.anything()]);
      told.set(key, { seq: text.seq, url, body });
    } catch (error) {
      if (error instanceof TypeError) return;
      throw error;
    }
  }
}

function update(id: string, key: string, round: number, i: number, n: number) {
  if (i === 0) {
    const sequence = round * 1_000_000 + n;
    const asOf = new Date(ASOF + round * 60_000 + n).toISOString();
    const tick = { sequence, underlying: 'BTC', asOf, spot: 90_000 + (n % 100) };
    return ['PATCH', '/v1/market', { source: 'feed', resume: true, ticks: [tick] }] as const;
  }
  const url = `/v1/accounts/${id}`;
  if (n === 0) return ['PUT', url, { id }] as const;
  if (n % 3 === 0) {
    const fill = { id: key, instrument: 'BTC-LINEAR', size: n % 2 === 0 ? 1 : -1, price: 90_000 };
    return ['POST', `${url}/fills`, { fills: [fill] }] as const;
  }
  return ['POST', `${url}/collateral`, { asset: 'USD', amount: n, reason: key }] as const;
}

/** A request that comes again after the restart gets the answer that it got before. */
async function sameAnswers(address: string, told: Told): Promise<void> {
  const booked = [...told].filter(([, { url }]) => url.endsWith('/collateral')).slice(-20);
  for (const [key, { seq, url, body }] of booked) {
    const answer = await fetch(`${address}${url}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(body),
    });
    expect(((await answer.json()) as { seq: number }).seq).toBe(seq);
  }
}

/** The chain is whole, the log folds, each acknowledged update stands in it once, at the place that was told. */
async function mustHold(location: string, told: Told): Promise<void> {
  const store = await openStore(location);
  expect(await store.verify()).toMatchObject({ ok: true, problem: null });
  const book = emptyBook();
  const keys = new Map<string, number>();
  const deposits = new Map<string, number>();
  const fills = new Map<string, number>();
  const count = (counts: Map<string, number>, key: string) =>
    counts.set(key, (counts.get(key) ?? 0) + 1);
  const ticks = new Set<number>();
  for await (const page of store.pages()) {
    for (const record of page) {
      fold(book, record);
      if (record.key !== undefined) keys.set(record.key, record.seq);
      const body = record.body as { reason: string; id: string; last: number };
      if (record.kind === 'collateral-moved') count(deposits, body.reason);
      if (record.kind === 'fill') count(fills, body.id);
      if (record.kind === 'ticks') ticks.add(body.last);
    }
  }
  await store.close();
  const missing: string[] = [];
  for (const [key, { seq, url, body }] of told) {
    if (url === '/v1/market') {
      const [tick] = (body as { ticks: { sequence: number }[] }).ticks;
      if (!ticks.has(tick!.sequence)) missing.push(key);
      continue;
    }
    const counts = url.endsWith('/fills') ? fills : url.endsWith('/collateral') ? deposits : null;
    const first = keys.get(key);
    const there = first !== undefined && first <= seq && (counts === null || counts.get(key) === 1);
    if (!there) missing.push(key);
  }
  expect(missing).toEqual([]);
  // No update stands twice, acknowledged or not.
  expect([...deposits, ...fills].filter(([, times]) => times !== 1)).toEqual([]);
}
