/** Load on a served book, from a process of its own: fills as fast as they are acknowledged, and questions at a steady rate. */
import { join } from 'node:path';
import { demoMarket } from '../../src/market/demoMarket.ts';
import { digestOf } from '../digest.ts';
import { Asked } from '../http/asking.ts';
import { Connection } from '../http/connection.ts';
import type { Beside, LoadQuestion, LoadReply, Quoted } from '../http/protocol.ts';
import { ServerProcess } from '../http/serverProcess.ts';
import { atLeast, atMost, type Line } from '../line.ts';
import { bookedAccounts, inFolder, line, quantile, type SiteOptions, SMALL } from './bookSite.ts';

const SITE: SiteOptions = {
  market: {},
  preset: 'exchange-crypto',
  scenarios: 10_240,
  accounts: 500,
  positions: 20,
};
const QUESTIONED: SiteOptions = { ...SITE, accounts: 32, positions: 50 };
const FILL_CONNECTIONS = 64;
const FILL_RATE = 2_000;
const QUESTION_CONNECTIONS = 16;
const QUESTION_RATE = 200;
const P50_MS = 2;
const P99_MS = 10;
/** Before what is measured, as shares of its time and of its rate. */
const WARM_UP = { time: 2, rate: 3 };
/** Questions whose answers are hashed. */
const HASHED = 8;

export async function durableFills(quick: boolean): Promise<readonly Line[]> {
  const site = { ...SITE, ...(quick ? SMALL : {}) };
  const connections = quick ? 4 : FILL_CONNECTIONS;
  const [measured] = await underLoads(site, quick, [{ load: 'fills', connections }]);
  const { seconds, latencies, cpuSeconds, records } = measured!;
  const rate = latencies.length / seconds;
  return [
    line({
      name: 'durable fills',
      rate,
      unit: 'fills/s',
      seconds: 1 / rate,
      per: 'fill',
      figures: {
        ...latencyFigures(latencies),
        serverCpuMsEach: (1_000 * cpuSeconds) / latencies.length,
        recordsPerFill: records / latencies.length,
      },
      targets: [atLeast('rate', rate, FILL_RATE)],
      notes: [
        `over HTTP from ${connections} connections, each with an idempotency key, on ${site.accounts} accounts of ${site.positions} positions that are margined anew meanwhile (${site.scenarios} scenarios, ${site.preset}): ${(records / latencies.length).toFixed(2)} records a fill; ${latencyText(latencies)}`,
      ],
    }),
  ];
}

/** Of the questions that are asked while the book moves. */
const BESIDE: Beside = { fills: 100, ticks: 5 };

/** Asked only, with the orders reserved where they are allowed, and asked while fills and ticks come in. */
export async function whatIfs(quick: boolean): Promise<readonly Line[]> {
  const site = { ...QUESTIONED, ...(quick ? SMALL : {}) };
  const rate = quick ? 50 : QUESTION_RATE;
  const load = { load: 'what-ifs', connections: QUESTION_CONNECTIONS, rate } as const;
  const kinds = [
    { name: 'what-if over HTTP', more: '', load: { ...load, reserve: false } },
    {
      name: 'what-if over HTTP, reserved',
      more: '; each reserved one is cancelled afterwards',
      load: { ...load, reserve: true },
    },
    {
      name: 'what-if over HTTP, beside',
      more: `; beside ${BESIDE.fills} fills and ${BESIDE.ticks} ticks a second`,
      load: { ...load, reserve: false, beside: BESIDE },
    },
  ];
  const loads = kinds.map((kind) => kind.load);
  const measured = await underLoads(site, quick, loads);
  return measured.map(({ seconds, latencies, reserved, cpuSeconds, hash }, i): Line => {
    const { name, more, load: put } = kinds[i]!;
    const bare = !put.reserve && !('beside' in put);
    const figures = latencyFigures(latencies);
    return line({
      name,
      rate: latencies.length / seconds,
      unit: 'requests/s',
      seconds: figures.p50Ms / 1_000,
      per: 'request',
      figures: {
        ...figures,
        reserved,
        serverCpuMsEach: (1_000 * cpuSeconds) / latencies.length,
      },
      hash,
      // A reserved one waits for the disk, too, and beside fills and ticks others are at work: nothing is asked of these.
      targets: bare
        ? [atMost('p50Ms', figures.p50Ms, P50_MS), atMost('p99Ms', figures.p99Ms, P99_MS)]
        : [],
      notes: [
        `${rate} a second, evenly spaced, one order on a booked account of ${site.positions} positions (${site.accounts} accounts in turn, ${site.scenarios} scenarios, ${site.preset}): ${latencyText(latencies)}${more}`,
      ],
    });
  });
}

type LoadOf<Q> = Q extends LoadQuestion
  ? Omit<Q, 'address' | 'seconds' | 'accounts' | 'quoted' | 'ticking'>
  : never;

interface Measured extends LoadReply {
  /** Of the server, while it was under load. */
  readonly cpuSeconds: number;
  readonly records: number;
  /** Of answers to the first questions, before the load. */
  readonly hash: string;
}

/** One after the other on one service. */
function underLoads(
  site: SiteOptions,
  quick: boolean,
  loads: readonly LoadOf<LoadQuestion>[],
): Promise<readonly Measured[]> {
  const { market } = demoMarket(site.market);
  const accounts = bookedAccounts(market, site.accounts, site.positions).map(({ id }) => id);
  const quoted = market.instruments.flatMap(({ id, type, settlement, underlying }): Quoted[] => {
    if (type !== 'perpetual' || settlement !== 'linear') return [];
    const { spot } = market.underlyings.find((one) => one.id === underlying)!;
    return [{ instrument: id, price: spot }];
  });
  const ticking = market.underlyings.map(({ id, spot }) => {
    return { underlying: id, spot, asOf: market.asOf };
  });
  const traded = { accounts, quoted, ticking };
  return inFolder(async (folder) => {
    const book = { path: join(folder, 'book.db'), options: site, made: false };
    const server = await ServerProcess.start({ ...site, book });
    const generator = new Asked<LoadQuestion, LoadReply>('load');
    try {
      await server.quiet();
      const { address } = server;
      const hash = await hashOfAnswers(address, accounts, quoted);
      const seconds = quick ? 0.4 : 10;
      const measured: Measured[] = [];
      for (const load of loads) {
        const ask = (took: number, faster = 1): Promise<LoadReply> => {
          const rate = 'rate' in load ? { rate: faster * load.rate } : {};
          const question = { ...load, ...rate, ...traded, address, seconds: took };
          return generator.ask(question as LoadQuestion);
        };
        // What runs for the first time is not optimised yet, and what runs seldom is not for long: some thousand questions go before.
        await ask(seconds * WARM_UP.time, WARM_UP.rate);
        await server.quiet();
        const before = await server.usage();
        const reply = await ask(seconds);
        const after = await server.usage();
        const cpuSeconds = after.cpuSeconds - before.cpuSeconds;
        measured.push({ ...reply, hash, cpuSeconds, records: after.records - before.records });
      }
      return measured;
    } finally {
      await generator.stop();
      await server.stop();
    }
  });
}

async function hashOfAnswers(
  address: string,
  accounts: readonly string[],
  quoted: readonly Quoted[],
): Promise<string> {
  const connection = await Connection.open(address);
  const bodies: string[] = [];
  for (const account of accounts.slice(0, HASHED)) {
    const { instrument, price } = quoted[0]!;
    const change = { orders: [{ instrument, side: 'sell', size: 1, price }] };
    const { status, body } = await connection.post(
      '/v1/what-if',
      JSON.stringify({ account, change }),
    );
    if (status !== 200) throw new Error(`status ${status}: ${body}`);
    bodies.push(body);
  }
  connection.close();
  return digestOf(Buffer.from(bodies.join('\n')));
}

function latencyFigures(latencies: readonly number[]) {
  return {
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    maxMs: latencies.at(-1)!,
  };
}

function latencyText(latencies: readonly number[]): string {
  const { p50Ms, p99Ms } = latencyFigures(latencies);
  return `p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms`;
}
