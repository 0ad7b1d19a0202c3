/**
 * Accounts a second by workers, from one to all cores, on a market that is already computed: the curve by which machines are sized. With market
 * risk alone, as the other suites of whole batches have it; what the full method costs is the suite `method`.
 */
import { availableParallelism } from 'node:os';
import { demoAccounts } from '../../src/book/demoAccounts.ts';
import { createEngine } from '../../src/engine/engine.ts';
import { demoMarket } from '../../src/market/demoMarket.ts';
import type { Context, Suite } from '../context.ts';
import { shortDigest } from '../digest.ts';
import { type Line, samplesOf, spreadOf } from '../line.ts';

const FULL = { scenarios: 10_240, accounts: 8000, positions: 20, rounds: 4 } as const;
const QUICK = { scenarios: 1024, accounts: 100, positions: 5, rounds: 1 } as const;
/** Above so many cores only each doubling is measured. */
const EVERY_COUNT_MAX = 8;

export const scaling: Suite = {
  name: 'scaling',
  about: 'accounts × 20 positions by workers, NDJSON in and out',
  run: ({ quick }: Context) => measure(quick ? QUICK : FULL, workerCounts(availableParallelism())),
};

export function workerCounts(cores: number): readonly number[] {
  const counts: number[] = [];
  for (let n = 1; n <= cores; n = n < EVERY_COUNT_MAX ? n + 1 : n * 2) counts.push(n);
  if (counts.at(-1) !== cores) counts.push(cores);
  return counts;
}

async function measure(
  size: typeof FULL | typeof QUICK,
  counts: readonly number[],
): Promise<readonly Line[]> {
  const { market, factors } = demoMarket();
  const accounts = demoAccounts({ market, count: size.accounts, positions: size.positions });
  const pieces: Uint8Array[] = [];
  for (const account of accounts) pieces.push(Buffer.from(`${JSON.stringify(account)}\n`));
  const lines: Line[] = [];
  for (const workers of counts) {
    const methodology = { preset: 'market-risk', scenarios: size.scenarios } as const;
    const engine = await createEngine({ market, factors, methodology, workers });
    try {
      const { seconds, digest } = await rounds(engine, pieces, size.rounds);
      const samples = samplesOf(seconds);
      const first = lines[0];
      if (first !== undefined && first.hash !== digest) throw new Error('workers change results');
      const rate = size.accounts / samples.best;
      lines.push({
        suite: 'scaling',
        name: `${workers} ${workers === 1 ? 'worker' : 'workers'}`,
        rate,
        unit: 'accounts/s',
        seconds: samples.best,
        per: `${size.accounts}`,
        spread: spreadOf(samples),
        ratios: first === undefined ? {} : { '1 worker': rate / first.rate },
        hash: digest,
        targets: [],
        notes: ['methodology: the preset market-risk, as in endToEnd and http'],
      });
    } finally {
      await engine.close();
    }
  }
  return lines;
}

async function rounds(
  engine: Awaited<ReturnType<typeof createEngine>>,
  pieces: readonly Uint8Array[],
  count: number,
) {
  const seconds: number[] = [];
  let digest = '';
  const onSummary = (summary: { readonly digest: string }): void => {
    digest = shortDigest(summary.digest);
  };
  // The first one warms up.
  for (let round = -1; round < count; round++) {
    const start = performance.now();
    const source = (async function* () {
      yield* pieces;
    })();
    for await (const _ of engine.marginStream(source, 'ndjson', { onSummary }));
    if (round >= 0) seconds.push((performance.now() - start) / 1000);
  }
  return { seconds, digest };
}
