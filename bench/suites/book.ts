/**
 * A live book: from ticks to margins, durable fills, questions about booked accounts while it lives, and its restart. Stores are on this
 * machine's disk (in the folder for temporary files), synchronised at every commit.
 */
import type { Context, Suite } from '../context.ts';
import type { Line } from '../line.ts';
import { durableFills, whatIfs } from './bookLoad.ts';
import { restart } from './bookRestart.ts';
import { ticks } from './bookTicks.ts';

interface Measurement {
  /** As `--line` names it. */
  readonly name: string;
  readonly run: (quick: boolean) => Promise<readonly Line[]>;
}

const MEASUREMENTS: readonly Measurement[] = [
  { name: 'ticks', run: (quick) => ticks('exchange-crypto', quick) },
  { name: 'ticks-market-risk', run: (quick) => ticks('market-risk', quick) },
  { name: 'fills', run: durableFills },
  { name: 'what-if', run: whatIfs },
  { name: 'restart', run: restart },
];

export const BOOK_MEASUREMENTS: readonly string[] = MEASUREMENTS.map(({ name }) => name);

export const book: Suite = {
  name: 'book',
  about: 'ticks, durable fills, questions and a restart of a live book; SQLite',
  async run({ quick, line }: Context) {
    const lines: Line[] = [];
    for (const { name, run } of MEASUREMENTS) {
      if (line === undefined || name === line) lines.push(...(await run(quick)));
    }
    return lines;
  },
};
