/** After any sequence of commands and ticks, whatever the methodology: figures are those of a run from scratch, the book is that of a replay. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Book, emptyBook } from '../../src/book/book.ts';
import { fold } from '../../src/book/fold.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { PlimsollError } from '../../src/errors.ts';
import type { MethodologyInput } from '../../src/margin/methodology.ts';
import { PRESET_NAMES } from '../../src/margin/methodologySchema.ts';
import { type Act, deskActs } from './deskActs.ts';
import {
  ACCOUNTS,
  DEMO,
  deskSite,
  engineOn,
  METHODOLOGY,
  madeUpHistory,
  type Site,
} from './deskSupport.ts';
import { replayed, textOf } from './folded.ts';

const LONG = process.env.PLIMSOLL_LONG === '1';
/** Of each methodology. */
const RUNS = LONG ? 1_000 : 20;
const SEED = 4;
/** Sequences between two restarts. */
const RESTART = 10;
const BOOKED = ACCOUNTS.slice(0, 5);
const IDS = [...BOOKED.map(({ id }) => id), 'new-1', 'new-2'];
const { market } = DEMO;

/** Every preset, and what none of them has: a fitted smile that is read anew at each tick, residuals of a history as scenarios. */
const METHODS: readonly (readonly [string, MethodologyInput])[] = [
  ...PRESET_NAMES.map((preset) => [preset, { preset, ...METHODOLOGY }] as const),
  ['svi', { surfaceModel: 'svi', smileRule: 'sticky-moneyness', ...METHODOLOGY }],
  ['filtered-historical', { scenarioModel: 'filtered-historical' }],
];

describe.each(METHODS)('%s', (name, methodology) => {
  let engine: Engine;
  /** Figures from scratch: an engine that is given the whole snapshot each time, and never a tick. */
  let scratch: Engine;
  let site: Site;
  /** The log alone, folded as far as it was seen. */
  let follower: Book = emptyBook();
  beforeAll(async () => {
    const history = madeUpHistory(600);
    [engine, scratch] = await Promise.all([
      engineOn(market, methodology, history),
      engineOn(market, methodology, history),
    ]);
    site = await deskSite(engine, { cycleMs: 5 });
    await site.desk.load(BOOKED);
  });
  afterAll(async () => {
    await site.remove();
    await engine.close();
    await scratch.close();
  });

  /** Refused commands are part of it: they must change nothing. */
  async function run(acts: readonly Act[]): Promise<void> {
    const done = acts.map(async (act) => {
      try {
        await act(site.desk);
      } catch (error) {
        if (!(error instanceof PlimsollError) || error.status >= 500) throw error;
      }
    });
    await Promise.all(done);
  }

  async function compare(): Promise<void> {
    const { desk, store } = site;
    await desk.quiet();
    const ids = [...desk.book.accounts.keys()];
    await scratch.updateMarket(desk.market);
    for await (const outcome of scratch.marginBatch(ids.map((id) => desk.account(id)))) {
      const id = outcome.account!;
      const { result, error } = desk.latest(id)!;
      expect(JSON.stringify(result ?? { account: id, error })).toBe(JSON.stringify(outcome));
    }
    for await (const page of store.pages(follower.seq + 1)) {
      for (const record of page) fold(follower, record);
    }
    for (const [id, { heldState, call, liquidation }] of follower.accounts) {
      expect(desk.book.accounts.get(id)).toMatchObject({ heldState, call, liquidation });
    }
    expect(textOf(desk.book) === textOf(follower)).toBe(true);
  }

  it(
    `${RUNS} random sequences of commands, ticks and snapshots`,
    async () => {
      let sequences = 0;
      const acts = fc.array(deskActs(market, IDS), { minLength: 1, maxLength: 12 });
      await fc.assert(
        fc.asyncProperty(acts, async (list) => {
          await run(list);
          await compare();
          sequences += 1;
          if (sequences % RESTART !== 0) return;
          await site.restart();
          follower = await replayed(site.store);
        }),
        // One book goes through all of them: a smaller example would not be the same history.
        {
          numRuns: RUNS,
          seed: SEED + METHODS.findIndex(([one]) => one === name),
          endOnFailure: true,
        },
      );
      const held = [...site.desk.book.accounts.values()].map(({ heldState }) => heldState);
      expect(new Set(held).size).toBeGreaterThan(1);
    },
    LONG ? 3_600_000 : 300_000,
  );
});
