/**
 * Accounts a second on one core: books filled, summed over the cube, VaR and ES exact with their standard errors. Revaluation is
 * not in it. Against it, in turn and on the same data, the two ways that numpy and scipy have, and a plain loop.
 */
import { roundedBytes } from '../../src/engine/arena.ts';
import { BookMemory } from '../../src/engine/bookMemory.ts';
import type { Book } from '../../src/margin/books.ts';
import { tailRanks } from '../../src/risk/tail.ts';
import { mustAgree } from '../agreement.ts';
import { type Contender, contest, QUICK_EFFORT, ratiosOf } from '../contest.ts';
import type { Context, Suite } from '../context.ts';
import { digestOf } from '../digest.ts';
import { cubeRow, type Exchange, openExchange, randomBooks } from '../exchange.ts';
import { atLeast, type Line, spreadOf, type Target } from '../line.ts';
import { plainPnl, plainTail } from '../twins/portfolio.ts';

/** Accounts of one shard of the engine. */
const ACCOUNTS = 512;
/** Accounts that the plain loop does in one call. */
const TWIN_ACCOUNTS = 16;
const EFFORT = { rounds: 4, milliseconds: 500 } as const;
const TWIN_BOUND = 10;

interface Size {
  readonly positions: number;
  readonly atLeast: number;
  /** Over the better of numpy's and scipy's ways. */
  readonly overPeers: number;
}

const SIZES: readonly Size[] = [
  { positions: 10, atLeast: 13_000, overPeers: 2.1 },
  { positions: 50, atLeast: 6_300, overPeers: 2.9 },
  { positions: 200, atLeast: 1_900, overPeers: 0.9 },
];

/** The peers' ways; accounts at a time, 0 for all: where each is at its best on the machines that we know. */
const WAYS = [
  { name: 'scipy CSR', dense: false, chunk: 0 },
  { name: 'scipy CSR by 64', dense: false, chunk: 64 },
  { name: 'numpy BLAS', dense: true, chunk: 0 },
] as const;

export const accounts: Suite = {
  name: 'accounts',
  about: 'accounts × 10,240 scenarios × 1,000 instruments, VaR and ES exact, one core',
  async run(context) {
    const { quick, peers } = context;
    const size = quick
      ? { instruments: 200, scenarios: 1024 }
      : { instruments: 1000, scenarios: 10_240 };
    const exchange = openExchange(size);
    const { rows } = exchange.session.valuation.plan;
    const cube = Array.from({ length: rows }, (_, row) => cubeRow(exchange, row));
    if (peers.numpy !== null) {
      const all = new Float64Array(rows * size.scenarios);
      cube.forEach((row, i) => {
        all.set(row, i * size.scenarios);
      });
      await peers.numpy.give('cube', all, [rows, size.scenarios]);
    }
    const lines: Line[] = [];
    for (const kind of SIZES) lines.push(await measure(context, exchange, cube, kind));
    return lines;
  },
};

async function measure(
  { quick, peers }: Context,
  exchange: Exchange,
  cube: readonly Float64Array[],
  { positions, atLeast: bound, overPeers }: Size,
): Promise<Line> {
  const effort = quick ? QUICK_EFFORT : EFFORT;
  const books = randomBooks(exchange, quick ? 32 : ACCOUNTS, positions);
  const run = marginAll(exchange, books);
  const results = run().slice();
  const ranks = tailRanks(exchange.session.set.scenarios, 0.99);
  const { mass } = ranks;
  const few = books.slice(0, TWIN_ACCOUNTS);
  const twin = plainAll(cube, few, mass);
  mustAgree('the twin', twin(), results.subarray(0, few.length * 2), { bound: 0, scale: 1 });
  const contenders: Contender[] = [
    { name: 'ours', items: books.length, run },
    { name: 'twin', items: few.length, run: twin },
  ];
  const { numpy } = peers;
  if (numpy !== null) {
    await giveBooks(numpy, books);
    for (const { name, dense, chunk } of WAYS) {
      const parameters = { dense, chunk, mass };
      const theirs = await numpy.values('accounts', parameters);
      // Sums in another order: relative to the VaR they differ by rounding alone.
      mustAgree(name, theirs, results, { bound: 1e-9, scale: 0 });
      const { milliseconds } = effort;
      const work = { items: books.length, milliseconds, parameters };
      contenders.push(numpy.contender(name, 'accounts', work));
    }
  }
  const timed = await contest(contenders, effort);
  const [ours] = timed;
  const ratios = ratiosOf(timed);
  const targets: Target[] = [
    atLeast('rate', ours!.rate, bound),
    atLeast('twin', ratios.twin!, TWIN_BOUND),
  ];
  if (numpy !== null) {
    const better = Math.min(...WAYS.map(({ name }) => ratios[name]!));
    ratios['better of both'] = better;
    targets.push(atLeast('better of both', better, overPeers));
  }
  return {
    suite: 'accounts',
    name: `accounts of ${positions} positions`,
    rate: ours!.rate,
    unit: 'accounts/s',
    seconds: ours!.best / books.length,
    per: 'account',
    spread: spreadOf(ours!),
    ratios,
    hash: digestOf(results),
    targets,
    notes: [],
  };
}

/** What a worker does with a shard, less the reading of accounts and the writing of results. */
function marginAll({ session, kernels, views }: Exchange, books: readonly Book[]) {
  const { layout, set } = session;
  const { scratch, scratchBytes, cube, blockSize, blockBytes, scales } = layout;
  const { rows } = session.valuation.plan;
  const room = roundedBytes(rows);
  const ranks = tailRanks(set.scenarios, 0.99);
  const region = { start: scratch + room, bytes: scratchBytes - room };
  const memory = new BookMemory(views, region, blockSize * 8);
  const results = new Float64Array(books.length * 2);
  return (): Float64Array => {
    let done = 0;
    const flush = (): void => {
      const { records, count } = memory;
      const { scenarios } = set;
      kernels.accumulate(
        cube,
        blockBytes,
        blockSize,
        scenarios,
        rows,
        scales,
        records,
        count,
        scratch,
      );
      for (let book = 0; book < count; book++) {
        const { valueAtRisk, expectedShortfall } = memory.measures(book, ranks);
        results[2 * done] = valueAtRisk;
        results[2 * done + 1] = expectedShortfall;
        done += 1;
      }
      memory.clear(blockSize * 8);
    };
    memory.clear(blockSize * 8);
    for (const book of books) {
      if (memory.add(book, ranks.keep) !== -1) continue;
      flush();
      memory.add(book, ranks.keep);
    }
    flush();
    return results;
  };
}

function plainAll(cube: readonly Float64Array[], books: readonly Book[], mass: number) {
  const n = cube[0]!.length;
  const work = { pnl: new Float64Array(n), subtotal: new Float64Array(n) };
  const results = new Float64Array(books.length * 2);
  return (): Float64Array => {
    books.forEach(({ segments }, i) => {
      plainPnl(segments, cube, work);
      results.set(plainTail(work.pnl, mass), 2 * i);
    });
    return results;
  };
}

/** Books as the three arrays of a compressed sparse row matrix. */
async function giveBooks(
  numpy: NonNullable<Context['peers']['numpy']>,
  books: readonly Book[],
): Promise<void> {
  const starts = [0];
  const rows: number[] = [];
  const sizes: number[] = [];
  for (const { segments } of books) {
    for (const segment of segments) {
      rows.push(...segment.rows);
      sizes.push(...segment.sizes);
    }
    starts.push(rows.length);
  }
  await numpy.give('starts', Float64Array.from(starts), [starts.length]);
  await numpy.give('instruments', Float64Array.from(rows), [rows.length]);
  await numpy.give('sizes', Float64Array.from(sizes), [sizes.length]);
}
