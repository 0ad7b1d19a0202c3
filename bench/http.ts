/**
 * The service under load, over the loopback: batches in each form against the engine's own rate, the server's memory against the
 * length of a batch, and single margins from many connections. Server and load share the machine's cores.
 */
import autocannon from 'autocannon';
import { demoAccounts } from '../src/book/demoAccounts.ts';
import { demoMarket } from '../src/market/demoMarket.ts';
import type { Context, Suite } from './context.ts';
import { digestOf, shortDigest } from './digest.ts';
import { type AccountSource, accountSource, FORMS, type Form } from './http/accountStreams.ts';
import { type BatchAnswer, postBatch } from './http/client.ts';
import { ServerProcess } from './http/serverProcess.ts';
import { atLeast, atMost, type Line, samplesOf, spreadOf } from './line.ts';

interface Size {
  readonly scenarios: number;
  readonly accounts: number;
  /** The shorter batch, for memory. */
  readonly fewAccounts: number;
  /** Of the engine's own run. */
  readonly ownAccounts: number;
  readonly positions: number;
  readonly singleSeconds: number;
  readonly singleRounds: number;
}

const FULL: Size = {
  scenarios: 10_240,
  accounts: 100_000,
  fewAccounts: 10_000,
  ownAccounts: 30_000,
  positions: 20,
  singleSeconds: 4,
  singleRounds: 3,
};
const QUICK: Size = {
  scenarios: 1024,
  accounts: 1200,
  fewAccounts: 200,
  ownAccounts: 200,
  positions: 5,
  singleSeconds: 1,
  singleRounds: 1,
};

const FORM_NAMES: Readonly<Record<Form, string>> = {
  rows: 'NDJSON rows',
  columns: 'NDJSON columns',
  array: 'JSON array',
  arrow: 'Arrow',
};
const MEBI = 1024 * 1024;
/** Peak memory may grow by so much from the shorter batch to the longer one. */
const PEAK_RATIO = 1.2;
const CONNECTIONS = 32;
const SINGLE_POSITIONS = 50;
const SINGLE_RATE = 1500;
/** Different accounts that are sent in turn. */
const SINGLE_ACCOUNTS = 32;

export const http: Suite = {
  name: 'http',
  about: 'batches of 100,000 accounts × 20 positions and single margins through the server',
  async run({ quick }: Context) {
    const size = quick ? QUICK : FULL;
    const { market } = demoMarket();
    const source = accountSource(market, size.positions);
    // One process for all only with small parameters: peaks of memory are then not told apart.
    const shared = quick ? await ServerProcess.start(size) : null;
    const servers: Servers = (work) => (shared === null ? withServer(size, work) : work(shared));
    try {
      const lines: Line[] = [];
      for (const form of FORMS) lines.push(await measureBatch(size, servers, source, form));
      const digests = new Set(lines.map(({ hash }) => hash));
      if (digests.size > 1) throw new Error(`forms differ: ${[...digests].join(', ')}`);
      return [...lines, await measureSingles(size, servers)];
    } finally {
      await shared?.stop();
    }
  },
};

/** Lends a server process for some work. */
type Servers = <T>(work: (server: ServerProcess) => Promise<T>) => Promise<T>;

async function withServer<T>(
  { scenarios, positions }: Size,
  work: (server: ServerProcess) => Promise<T>,
): Promise<T> {
  const server = await ServerProcess.start({ scenarios, positions });
  try {
    return await work(server);
  } finally {
    await server.stop();
  }
}

async function measureBatch(
  size: Size,
  servers: Servers,
  source: AccountSource,
  form: Form,
): Promise<Line> {
  const { accounts, fewAccounts, ownAccounts } = size;
  // A fresh process for each length: a peak is never forgotten.
  const few = await servers(async (server) => {
    checked(await postBatch(server.address, source, form, fewAccounts), fewAccounts);
    return { peak: await server.peakBytes(), own: await server.own(form, ownAccounts) };
  });
  const many = await servers(async (server) => {
    const answer = checked(await postBatch(server.address, source, form, accounts), accounts);
    return { answer, peak: await server.peakBytes(), own: await server.own(form, ownAccounts) };
  });
  const rate = accounts / many.answer.seconds;
  const own = ownAccounts / Math.min(few.own.seconds, many.own.seconds);
  const growth = many.peak / few.peak;
  return {
    suite: 'http',
    name: `batch, ${FORM_NAMES[form]}`,
    rate,
    unit: 'accounts/s',
    seconds: many.answer.seconds,
    per: `${accounts}`,
    spread: null,
    ratios: { 'the engine alone': rate / own },
    figures: { fewPeakBytes: few.peak, manyPeakBytes: many.peak, peakRatio: growth },
    hash: shortDigest(many.answer.digest),
    targets: [atMost('peak memory', growth, PEAK_RATIO)],
    notes: [
      `peak memory ${Math.round(few.peak / MEBI)} MiB at ${fewAccounts} accounts, ${Math.round(many.peak / MEBI)} MiB at ${accounts}`,
    ],
  };
}

function checked(answer: BatchAnswer, accounts: number): BatchAnswer {
  if (answer.accounts === accounts && answer.rejected === 0) return answer;
  throw new Error(
    `of ${accounts} accounts ${answer.accounts} came back, ${answer.rejected} rejected`,
  );
}

async function measureSingles(size: Size, servers: Servers): Promise<Line> {
  const { market } = demoMarket();
  const positions = SINGLE_POSITIONS;
  const accounts = demoAccounts({ market, count: SINGLE_ACCOUNTS, positions, equal: true });
  const bodies = [...accounts].map((account) => JSON.stringify(account));
  return servers(async ({ address }) => {
    const url = `${address}/v1/margin`;
    const headers = { 'content-type': 'application/json' };
    const answers = await Promise.all(
      bodies.map((body) => fetch(url, { method: 'POST', headers, body }).then((r) => r.text())),
    );
    const seconds: number[] = [];
    const latencies: { readonly p50: number; readonly p99: number }[] = [];
    for (let round = 0; round < size.singleRounds; round++) {
      const result = await autocannon({
        url,
        method: 'POST',
        headers,
        requests: bodies.map((body) => ({ method: 'POST', headers, body })),
        connections: CONNECTIONS,
        duration: size.singleSeconds,
      });
      if (result.non2xx + result.errors > 0) {
        throw new Error(`${result.non2xx} refused, ${result.errors} failed`);
      }
      seconds.push(result.duration / result['2xx']);
      latencies.push(result.latency);
    }
    const samples = samplesOf(seconds);
    const rate = 1 / samples.best;
    const best = latencies[seconds.indexOf(samples.best)]!;
    return {
      suite: 'http',
      name: `single margins of ${positions} positions`,
      rate,
      unit: 'requests/s',
      seconds: samples.best,
      per: 'request',
      spread: spreadOf(samples),
      ratios: {},
      figures: { latencyP50Ms: best.p50, latencyP99Ms: best.p99 },
      hash: digestOf(Buffer.from(answers.join('\n'))),
      targets: [atLeast('rate', rate, SINGLE_RATE)],
      notes: [`${CONNECTIONS} connections; latency p50 ${best.p50} ms, p99 ${best.p99} ms`],
    };
  });
}
