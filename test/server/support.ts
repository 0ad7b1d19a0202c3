/** The real application on the real engine, on a small made-up exchange; and a client that sees single bytes. */
import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';
import { afterAll, beforeAll } from 'vitest';
import { demoAccounts } from '../../src/book/demoAccounts.ts';
import { createEngine, type Engine } from '../../src/engine/engine.ts';
import type { AccountOutcome } from '../../src/engine/evaluator.ts';
import { type DemoMarket, demoMarket } from '../../src/market/demoMarket.ts';
import { buildApp } from '../../src/server/app.ts';
import type { ServerLimits } from '../../src/server/context.ts';
import { type Server, startServer } from '../../src/server/server.ts';

export const DEMO: DemoMarket = demoMarket({
  underlyings: 2,
  futureExpiries: 2,
  optionExpiries: 2,
  strikes: 5,
});

export const ACCOUNTS = [...demoAccounts({ market: DEMO.market, count: 300, positions: 12 })];
export const ACCOUNT = ACCOUNTS[0]!;

export const newEngine = (scenarios = 2_048): Promise<Engine> =>
  createEngine({ ...DEMO, methodology: { scenarios }, workers: 2 });

export interface Service {
  readonly engine: Engine;
  readonly app: FastifyInstance;
}

/** An engine and an application for all tests of a file. */
export function service(limits: Partial<ServerLimits> = {}): Service {
  const made: { engine?: Engine; app?: FastifyInstance } = {};
  beforeAll(async () => {
    made.engine = await newEngine();
    made.app = await buildApp({ engine: made.engine, limits });
  });
  afterAll(async () => {
    await made.app?.close();
    await made.engine?.close();
  });
  return made as Service;
}

/** The same, listening on a free port. */
export function listening(limits: Partial<ServerLimits> = {}): {
  readonly engine: Engine;
  readonly server: Server;
} {
  const made: { engine?: Engine; server?: Server } = {};
  beforeAll(async () => {
    made.engine = await newEngine();
    made.server = await startServer({ engine: made.engine, port: 0, limits });
  });
  afterAll(async () => {
    await made.server?.close();
    await made.engine?.close();
  });
  return made as { engine: Engine; server: Server };
}

export const JSON_TYPE = { 'content-type': 'application/json' };
export const NDJSON_TYPE = { 'content-type': 'application/x-ndjson' };
export const ARROW_TYPE = { 'content-type': 'application/vnd.apache.arrow.stream' };

export const post = (
  { app }: Service,
  url: string,
  payload: string | Buffer,
  headers: Record<string, string> = JSON_TYPE,
): Promise<LightMyRequestResponse> => app.inject({ method: 'POST', url, headers, payload });

export const ndjson = (accounts: readonly unknown[]): string =>
  accounts.map((account) => `${JSON.stringify(account)}\n`).join('');

export const digestOf = (lines: string): string =>
  `sha256:${createHash('sha256').update(lines).digest('hex')}`;

/** What the engine says of accounts, by the library call. */
export async function outcomesOf(
  engine: Engine,
  accounts: readonly unknown[],
): Promise<AccountOutcome[]> {
  const outcomes: AccountOutcome[] = [];
  for await (const outcome of engine.marginBatch(accounts)) outcomes.push(outcome);
  return outcomes;
}

/** A raw connection: what it has received so far, and when it is closed. */
export class Wire {
  readonly socket: Socket;
  received = '';
  readonly closed: Promise<void>;

  constructor(address: string) {
    const { hostname, port } = new URL(address);
    this.socket = connect(Number(port), hostname);
    this.socket.setEncoding('latin1').on('data', (text: string) => {
      this.received += text;
    });
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()));
    this.socket.on('error', () => {});
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }
}

/** Waits until something holds. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  timeoutMs = 10_000,
): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`it does not hold after ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The value of a metric, 0 where it is not counted yet. */
export async function metric(address: string, line: string): Promise<number> {
  const text = await (await fetch(`${address}/metrics`)).text();
  const found = text.split('\n').find((row) => row.startsWith(`${line} `));
  return found === undefined ? 0 : Number(found.slice(line.length + 1));
}
