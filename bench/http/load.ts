/** The load generator, a process of its own. It ends with its parent. */
import { setTimeout as sleep } from 'node:timers/promises';
import { answering } from './asking.ts';
import { type Answer, Connection } from './connection.ts';
import type { Beside, LoadQuestion, LoadReply } from './protocol.ts';

type Of<L extends LoadQuestion['load']> = Extract<LoadQuestion, { readonly load: L }>;

/** Keys and ids differ from those of another run on the same book. */
const RUN = process.pid.toString(36);

async function load(question: LoadQuestion): Promise<LoadReply> {
  const { address, connections } = question;
  const open = await Promise.all(
    Array.from({ length: connections }, () => Connection.open(address)),
  );
  try {
    return await (question.load === 'fills' ? fills(question, open) : whatIfs(question, open));
  } finally {
    for (const connection of open) connection.close();
  }
}

async function fills(
  { seconds, accounts, quoted }: Of<'fills'>,
  open: readonly Connection[],
): Promise<LoadReply> {
  const latencies: number[] = [];
  const start = performance.now();
  const end = start + 1_000 * seconds;
  const one = async (connection: Connection, c: number): Promise<void> => {
    const own = accounts.filter((_, i) => i % open.length === c);
    for (let n = 0; performance.now() < end; n++) {
      const round = Math.floor(n / own.length);
      const { instrument, price } = quoted[(c + n) % quoted.length]!;
      // Bought and sold in turn: the account stays what it was.
      const size = round % 2 === 0 ? 1 : -1;
      const id = `${RUN}-${made++}`;
      const body = JSON.stringify({ fills: [{ id, instrument, size, price }] });
      const asked = performance.now();
      const answer = await connection.post(
        `/v1/accounts/${own[n % own.length]}/fills`,
        body,
        `idempotency-key: ${id}\r\n`,
      );
      latencies.push(performance.now() - asked);
      mustBeGood(answer);
    }
  };
  await Promise.all(open.map(one));
  const took = (performance.now() - start) / 1_000;
  return { seconds: took, latencies: latencies.sort((a, b) => a - b), reserved: 0 };
}

/** A latency counts from when the question was due, so that one that found no free connection shows how long it waited. */
async function whatIfs(question: Of<'what-ifs'>, open: readonly Connection[]): Promise<LoadReply> {
  const { seconds, rate, reserve, beside } = question;
  const latencies: number[] = [];
  let reserved = 0;
  const from = questions;
  questions += Math.ceil(rate * seconds);
  const one = async (connection: Connection, nth: number, at: number): Promise<void> => {
    const n = from + nth;
    const answer = await connection.post('/v1/what-if', asked(question, n));
    latencies.push(performance.now() - at);
    mustBeGood(answer);
    if (!reserve || !answer.body.includes('"reserved":true')) return;
    reserved += 1;
    mustBeGood(await cancel(connection, question, n));
  };
  const start = performance.now();
  const others = beside === undefined ? [] : await besides(question, beside);
  await Promise.all([paced(rate, seconds, open, one), ...others]);
  const took = (performance.now() - start) / 1_000;
  return { seconds: took, latencies: latencies.sort((a, b) => a - b), reserved };
}

/** Fills and ticks while the questions are asked, on connections of their own. */
async function besides(question: Of<'what-ifs'>, beside: Beside): Promise<Promise<void>[]> {
  const { address, seconds, accounts, quoted, ticking } = question;
  const [trades, feed] = await Promise.all([Connection.open(address), Connection.open(address)]);
  const fill = async (connection: Connection): Promise<void> => {
    const n = made++;
    const { instrument, price } = quoted[n % quoted.length]!;
    const size = Math.floor(n / accounts.length) % 2 === 0 ? 1 : -1;
    const body = JSON.stringify({ fills: [{ id: `${RUN}/${n}`, instrument, size, price }] });
    mustBeGood(await connection.post(`/v1/accounts/${accounts[n % accounts.length]}/fills`, body));
  };
  const tick = async (connection: Connection): Promise<void> => {
    const n = made++;
    const { underlying, spot, asOf } = ticking[n % ticking.length]!;
    const at = new Date(Date.parse(asOf) + n).toISOString();
    const moved = spot * (n % 2 === 0 ? 1.0001 : 0.9999);
    const one = { sequence: n, underlying, asOf: at, spot: moved };
    const body = JSON.stringify({ source: 'bench', resume: true, ticks: [one] });
    mustBeGood(await connection.send('PATCH', '/v1/market', body));
  };
  return [
    paced(beside.fills, seconds, [trades], fill).finally(() => trades.close()),
    paced(beside.ticks, seconds, [feed], tick).finally(() => feed.close()),
  ];
}

/** Fills and ticks of all runs of this process: numbers of ticks only ever rise, and no key comes twice. */
let made = 0;
/** Questions of all runs: none was asked before. */
let questions = 0;

/** So many a second, evenly spaced; each on a connection that is free, or as soon as one is. @param one told when it was due */
async function paced(
  rate: number,
  seconds: number,
  connections: readonly Connection[],
  one: (connection: Connection, n: number, at: number) => Promise<void>,
): Promise<void> {
  const due: { readonly n: number; readonly at: number }[] = [];
  const idle = [...connections];
  const under: Promise<void>[] = [];
  const serve = async (connection: Connection): Promise<void> => {
    for (let next = due.shift(); next !== undefined; next = due.shift()) {
      await one(connection, next.n, next.at);
    }
    idle.push(connection);
  };
  const start = performance.now();
  const count = rate * seconds;
  for (let n = 0; n < count; ) {
    const now = performance.now();
    // All that this moment of the clock has come to.
    for (; n < count && start + (1_000 * n) / rate <= now; n++) due.push({ n, at: now });
    while (due.length > 0 && idle.length > 0) under.push(serve(idle.pop()!));
    await sleep(Math.max(0, start + (1_000 * n) / rate - performance.now()));
  }
  await Promise.all(under);
}

function asked({ accounts, quoted, reserve }: Of<'what-ifs'>, n: number): string {
  const { instrument, price } = quoted[n % quoted.length]!;
  const side = n % 2 === 0 ? 'buy' : 'sell';
  // Another size each time: no question comes twice.
  const order = { id: orderId(n), instrument, side, size: 1 + n / 65_536, price };
  const account = accounts[n % accounts.length]!;
  return JSON.stringify({ account, change: { orders: [order] }, ...(reserve ? { reserve } : {}) });
}

function cancel(connection: Connection, { accounts }: LoadQuestion, n: number): Promise<Answer> {
  const body = JSON.stringify({ orders: [orderId(n)], reason: 'the bench has seen it' });
  return connection.post(`/v1/accounts/${accounts[n % accounts.length]}/orders/cancel`, body);
}

const orderId = (n: number): string => `${RUN}-${n}`;

function mustBeGood({ status, body }: Answer): void {
  if (status !== 200) throw new Error(`status ${status}: ${body}`);
}

answering(load);
