/** VaR and ES of one row of P&L: the kernels' tail and the measures taken of it. */
import { mean, quantile } from 'simple-statistics';
import { BookMemory } from '../../src/engine/bookMemory.ts';
import { tailRanks } from '../../src/risk/tail.ts';
import { mustAgree } from '../agreement.ts';
import { contest, KERNEL_EFFORT, QUICK_EFFORT, ratiosOf } from '../contest.ts';
import type { Context, Suite } from '../context.ts';
import { openDesk } from '../desk.ts';
import { digestOf } from '../digest.ts';
import { atMost, type Line, spreadOf } from '../line.ts';
import { plainTail } from '../twins/portfolio.ts';

/** So many different rows in turn: a branch predictor that has learnt one row by heart flatters. */
const ROWS = 32;
/** For one book: records and tail. */
const ROOM = 32_768;
const CONFIDENCE = 0.99;

export const tail: Suite = {
  name: 'tail',
  about: 'VaR and ES of one account from its P&L, one core',
  run: async (context) => [await measure(context)],
};

async function measure({ quick, peers }: Context): Promise<Line> {
  const n = quick ? 1024 : 10_240;
  const effort = quick ? QUICK_EFFORT : KERNEL_EFFORT;
  const desk = openDesk((ROWS + 2) * n * 8 + (1 << 20));
  const { kernels } = desk;
  const state = desk.array(16);
  const scratch = desk.array(2048);
  const rows = Array.from({ length: ROWS }, (_, i) => {
    const row = desk.array(n);
    kernels.openStream(state.at, 13n, 1n, i, 0);
    kernels.normals(state.at, row.at, n, scratch.at);
    return row;
  });
  const ranks = tailRanks(n, CONFIDENCE);
  const { mass } = ranks;
  const room = desk.array(ROOM);
  const { buffer } = room.values;
  const views = { f64: new Float64Array(buffer), u32: new Uint32Array(buffer) };
  const books = new BookMemory(views, { start: room.at, bytes: ROOM * 8 }, 0);
  const book = books.add({ segments: [] }, ranks.keep);
  const record = books.record(book);
  const results = new Float64Array(2 * ROWS);
  const run = (): void => {
    for (let i = 0; i < ROWS; i++) {
      kernels.tailOf(record, rows[i]!.at, n);
      const { valueAtRisk, expectedShortfall } = books.measures(book, ranks);
      results[2 * i] = valueAtRisk;
      results[2 * i + 1] = expectedShortfall;
    }
  };
  run();
  const hash = digestOf(results);
  const plain = rows.map(({ values }) => values.slice());
  const copy = new Float64Array(n);
  const sorted = plain.flatMap((row) => plainTail(row.slice(), mass));
  mustAgree('the twin', sorted, results, { bound: 0, scale: 1 });
  const { numpy } = peers;
  if (numpy !== null) {
    const all = new Float64Array(ROWS * n);
    plain.forEach((row, i) => {
      all.set(row, i * n);
    });
    await numpy.give('rows', all, [ROWS, n]);
    const theirs = await numpy.values('tails', { mass });
    mustAgree('numpy', theirs, results, { bound: 1e-12, scale: 0 });
  }
  const { milliseconds } = effort;
  let next = 0;
  const fresh = (): Float64Array => {
    next = (next + 1) % ROWS;
    return plain[next]!;
  };
  const timed = await contest(
    [
      { name: 'ours', items: ROWS, run },
      {
        name: 'twin',
        items: 1,
        run() {
          copy.set(fresh());
          plainTail(copy, mass);
        },
      },
      { name: 'simple-statistics', items: 1, run: () => libraryTail(fresh()) },
      numpy?.contender('numpy', 'tails', { items: ROWS, milliseconds, parameters: { mass } }) ?? [],
    ].flat(),
    effort,
  );
  const [ours] = timed;
  const seconds = ours!.best / ROWS;
  return {
    suite: 'tail',
    name: `VaR and ES of ${n} values`,
    rate: ours!.rate,
    unit: 'tails/s',
    seconds,
    per: 'tail',
    spread: spreadOf(ours!),
    ratios: ratiosOf(timed),
    hash,
    targets: [atMost('seconds', seconds, 15e-6)],
    notes: ['standard errors and the interval included in ours; the twin sorts a Float64Array'],
  };
}

/** A quantile, and the mean of what lies beyond: not the exact ES, but what the library offers. */
function libraryTail(pnl: Float64Array): number {
  const values = Array.from(pnl);
  const threshold = quantile(values, 1 - CONFIDENCE);
  return mean(values.filter((value) => value <= threshold));
}
