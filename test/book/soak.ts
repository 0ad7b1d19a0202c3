/** A real service under ticks, fills and a reader of its stream for as long as is asked; what it holds meanwhile, and how late its event loop is. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, statSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { demoAccounts } from '../../src/book/demoAccounts.ts';
import { demoMarket } from '../../src/market/demoMarket.ts';
import { type DemoRandom, demoRandom } from '../../src/market/demoRandom.ts';
import type { MarketSnapshot } from '../../src/market/snapshot.ts';
import { MAIN, place, temporaryFolder, watch } from '../cli/command.ts';
import { announced, Client } from '../cli/service.ts';

const PROBE = fileURLToPath(new URL('./probe.mjs', import.meta.url));
const UNDERLYINGS = 5;
const ACCOUNTS = 50;
const FEEDS = 2;
/** Ticks of one request: what a feed sends of a few milliseconds. */
const BATCH = 25;
/** Milliseconds between two fills. */
const FILL_MS = 20;

/** What a service holds after a collection of garbage. */
export interface Held {
  readonly heapUsed: number;
  readonly arrayBuffers: number;
  readonly rss: number;
  readonly descriptors: number;
  readonly resources: Readonly<Record<string, number>>;
}

/** One part of the run. */
export interface Part extends Held {
  readonly ticks: number;
  readonly seconds: number;
  /** 99th percentile of the event loop's delay in this part, in milliseconds, without the probe's own pauses. */
  readonly delayMs: number;
  readonly walBytes: number;
}

export interface Soaked {
  readonly parts: readonly Part[];
  readonly fills: number;
  /** Records that the stream's reader got. */
  readonly events: number;
  /** In the order of the log, none twice. */
  readonly inOrder: boolean;
  readonly code: number | null;
  readonly stderr: string;
}

/** @param ticks in all, in `parts` equal parts */
export async function soak(ticks: number, parts: number): Promise<Soaked> {
  const folder = temporaryFolder();
  const { market, factors } = demoMarket({ underlyings: UNDERLYINGS, options: 100, seed: 'soak' });
  const accounts = [...demoAccounts({ market, count: ACCOUNTS, positions: 5, seed: 'soak' })];
  const store = join(folder, 'book.db');
  const args = [
    ...['serve', '-m', place(folder, 'market.json', market)],
    ...['-f', place(folder, 'factors.json', factors)],
    ...[
      '-a',
      place(folder, 'accounts.ndjson', accounts.map((one) => JSON.stringify(one)).join('\n')),
    ],
    ...['--store', store, '-n', '512', '--workers', '1', '--port', '0', '--json', '-q'],
  ];
  const child = spawn(process.execPath, ['--import', PROBE, MAIN, ...args], {
    stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
  });
  const { address, stop } = await announced(watch(child));
  const ask = async (): Promise<Held> => {
    child.send('measure');
    const [held] = (await once(child, 'message')) as [Held];
    return held;
  };
  const work = new AbortController();
  const reader = readStream(address, work.signal);
  const trading = trade(address, market, work.signal);
  const feeds = Array.from({ length: FEEDS }, (_, i) => new Feed(address, market, i));
  const made: Part[] = [];
  for (let part = 0; part < parts; part++) {
    const start = performance.now();
    const share = Math.ceil(ticks / parts / FEEDS / BATCH);
    await delayOf(address);
    await Promise.all(feeds.map((feed) => feed.send(share)));
    const delayMs = await delayOf(address);
    const seconds = (performance.now() - start) / 1_000;
    const walBytes = statSync(`${store}-wal`).size;
    made.push({ ...(await ask()), ticks: share * FEEDS * BATCH, seconds, delayMs, walBytes });
  }
  work.abort();
  const fills = await trading;
  const { events, inOrder } = await reader;
  for (const feed of feeds) feed.close();
  const { code, stderr } = await stop('SIGTERM');
  rmSync(folder, { recursive: true });
  return { parts: made, fills, events, inOrder, code, stderr };
}

/** A source of ticks with a connection of its own, one request after the other. */
class Feed {
  private readonly client: Client;
  private readonly source: string;
  private readonly market: MarketSnapshot;
  private readonly random: DemoRandom;
  private sequence = 1;

  constructor(address: string, market: MarketSnapshot, number: number) {
    this.client = new Client(address);
    this.source = `feed-${number}`;
    this.market = market;
    this.random = demoRandom(this.source);
  }

  async send(requests: number): Promise<void> {
    for (let i = 0; i < requests; i++) {
      const ticks = Array.from({ length: BATCH }, () => this.tick());
      const { status, body } = await this.client.send('PATCH', '/v1/market', {
        source: this.source,
        ticks,
      });
      if (status !== 200) throw new Error(JSON.stringify(body));
    }
  }

  close(): void {
    this.client.close();
  }

  /** Spot, a forward and a quote of one underlying. All are of one instant, so that no feed is behind another. */
  private tick(): object {
    const { id, spot, forwards, surface } =
      this.market.underlyings[this.random.index(UNDERLYINGS)]!;
    const share = this.random.between(0.97, 1.03);
    const forward = forwards![this.random.index(forwards!.length)]!;
    const { expiry, quotes } = surface![this.random.index(surface!.length)]!;
    const { strike, iv } = quotes[this.random.index(quotes.length)]!;
    return {
      sequence: this.sequence++,
      underlying: id,
      asOf: this.market.asOf,
      spot: spot * share,
      forwards: [{ expiry: forward.expiry, price: forward.price * share }],
      surface: [{ expiry, quotes: [{ strike, iv: iv * this.random.between(0.98, 1.02) }] }],
    };
  }
}

/** Fills of all accounts in turn, to and fro. @returns how many were acknowledged */
async function trade(address: string, market: MarketSnapshot, signal: AbortSignal) {
  const client = new Client(address);
  const { id: instrument, underlying } = market.instruments.find(
    ({ type, settlement }) => type === 'perpetual' && settlement === 'linear',
  )!;
  const price = market.underlyings.find(({ id }) => id === underlying)!.spot;
  let fills = 0;
  for (; !signal.aborted; fills++) {
    const account = `acct-${String(1 + (fills % ACCOUNTS)).padStart(6, '0')}`;
    const size = Math.floor(fills / ACCOUNTS) % 2 === 0 ? 0.1 : -0.1;
    const body = { fills: [{ id: `fill-${fills}`, instrument, size, price }] };
    const answer = await client.send('POST', `/v1/accounts/${account}/fills`, body);
    if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
    await sleep(FILL_MS);
  }
  client.close();
  return fills;
}

/** Reads the stream until the signal comes. */
async function readStream(address: string, signal: AbortSignal) {
  const request = get(`${address}/v1/stream?after=0`, { agent: false, signal });
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  answer.setEncoding('latin1');
  let [events, last, inOrder, rest] = [0, 0, true, ''];
  try {
    for await (const piece of answer) {
      const lines = (rest + piece).split('\n');
      rest = lines.pop()!;
      for (const line of lines) {
        if (!line.startsWith('id: ')) continue;
        const id = Number(line.slice(4));
        inOrder &&= id > last;
        last = id;
        events += 1;
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return { events, inOrder };
}

/** In milliseconds, since the last time that somebody asked. */
async function delayOf(address: string): Promise<number> {
  const text = await (await fetch(`${address}/metrics`)).text();
  const [, seconds] = /^nodejs_eventloop_lag_p99_seconds (\S+)$/m.exec(text)!;
  return Number(seconds) * 1_000;
}
