/** After any sequence of commands and ticks: figures are those of a run from scratch, states are those of a replay. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { emptyBook } from '../../src/book/book.ts';
import type { Desk } from '../../src/book/desk/desk.ts';
import { fold } from '../../src/book/fold.ts';
import { serialise } from '../../src/book/snapshots.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { PlimsollError } from '../../src/errors.ts';
import { ACCOUNTS, DEMO, deskSite, engineOn, type Site } from './deskSupport.ts';

const LONG = process.env.PLIMSOLL_LONG === '1';
const RUNS = LONG ? 1_000 : 100;
const { market } = DEMO;
const INSTRUMENTS = market.instruments.filter(({ type }) => type !== 'spot').map(({ id }) => id);
const IDS = [...ACCOUNTS.slice(0, 5).map(({ id }) => id), 'new-1', 'new-2'];

let engine: Engine;
/** Figures from scratch: an engine that is given the whole snapshot each time, and never a tick. */
let scratch: Engine;
let site: Site;
beforeAll(async () => {
  [engine, scratch] = await Promise.all([engineOn(market), engineOn(market)]);
  site = await deskSite(engine, { cycleMs: 5 });
  await site.desk.load(ACCOUNTS.slice(0, 5));
});
afterAll(async () => {
  await site.remove();
  await engine.close();
  await scratch.close();
});

let fills = 0;
let minute = 0;
let sequence = 0;

const account = fc.constantFrom(...IDS);
const instrument = fc.constantFrom(...INSTRUMENTS);
const size = fc.integer({ min: -20, max: 20 }).filter((n) => n !== 0);
const share = fc.integer({ min: 950, max: 1_050 }).map((n) => n / 1_000);

type Act = (desk: Desk) => Promise<unknown>;

function markOf(id: string): number {
  const record = market.instruments.find((one) => one.id === id)!;
  const { spot } = market.underlyings.find((one) => one.id === record.underlying)!;
  // Of coin-settled options the price is a share of the coin.
  return record.settlement === 'coin' ? 0.02 : record.type === 'option' ? 0.02 * spot : spot;
}

const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ account, instrument, size, share }).map(
    (one): Act =>
      (desk) => {
        const price = markOf(one.instrument) * one.share;
        const fill = { id: `f-${fills++}`, instrument: one.instrument, size: one.size / 10, price };
        return desk.command({ do: 'fill', account: one.account, fills: [fill] });
      },
  ),
  fc.record({ account, instrument, size, share }).map(
    (one): Act =>
      (desk) => {
        const side = one.size > 0 ? 'buy' : 'sell';
        const price = markOf(one.instrument) * one.share;
        const order = { id: `o-${fills++}`, instrument: one.instrument, side, price };
        const orders = [{ ...order, size: Math.abs(one.size) / 10 }];
        return desk.command({ do: 'place-orders', account: one.account, orders });
      },
  ),
  account.map(
    (id): Act =>
      (desk) =>
        desk.command({ do: 'cancel-orders', account: id, reason: 'test' }),
  ),
  fc.record({ account, amount: fc.integer({ min: -2_000, max: 2_000 }) }).map(
    (one): Act =>
      (desk) =>
        desk.command({ do: 'move-collateral', asset: 'USD', reason: 'test', ...one }),
  ),
  account.map(
    (id): Act =>
      (desk) =>
        desk.command({
          do: 'put-account',
          account: { id, mode: fills % 2 === 0 ? 'cross' : 'portfolio', creditLine: fills % 3 },
        }),
  ),
  fc
    .array(fc.record({ u: fc.nat(market.underlyings.length - 1), share }), {
      minLength: 1,
      maxLength: 3,
    })
    .map(
      (moves): Act =>
        (desk) => {
          minute += 1;
          const asOf = new Date(Date.parse(market.asOf) + minute * 1_000).toISOString();
          const ticks = moves.map(({ u, share: factor }) => {
            const { id, spot, forwards = [] } = market.underlyings[u]!;
            const moved = forwards.map(({ expiry, price }) => ({ expiry, price: price * factor }));
            return {
              sequence: sequence++,
              underlying: id,
              asOf,
              spot: spot * factor,
              forwards: moved,
            };
          });
          return desk.ticks({ source: 'feed', resume: true, ticks });
        },
    ),
);

/** Refused commands are part of it: they must change nothing. */
async function run(acts: readonly Act[]): Promise<void> {
  const done = acts.map(async (one) => {
    try {
      await one(site.desk);
    } catch (error) {
      if (!(error instanceof PlimsollError) || error.status >= 500) throw error;
    }
  });
  await Promise.all(done);
}

async function compare(): Promise<void> {
  const { desk } = site;
  await desk.quiet();
  const ids = [...desk.book.accounts.keys()];
  await scratch.updateMarket(desk.market);
  const outcomes = scratch.marginBatch(ids.map((id) => desk.account(id)));
  for await (const outcome of outcomes) {
    const id = outcome.account!;
    const { result, error } = desk.latest(id)!;
    expect(JSON.stringify(result ?? { account: id, error })).toBe(JSON.stringify(outcome));
  }
  const book = emptyBook();
  for await (const page of desk.journal.store.pages())
    for (const record of page) fold(book, record);
  for (const [id, { heldState, call, liquidation }] of book.accounts) {
    expect(desk.book.accounts.get(id)).toMatchObject({ heldState, call, liquidation });
  }
  expect(Buffer.from(serialise(desk.book)).equals(Buffer.from(serialise(book)))).toBe(true);
}

it(
  `${RUNS} random sequences of commands and ticks`,
  async () => {
    let sequences = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 1, maxLength: 12 }), async (acts) => {
        await run(acts);
        await compare();
        sequences += 1;
        if (sequences % 25 === 0) await site.restart();
      }),
      // One book goes through all of them: a smaller example would not be the same history.
      { numRuns: RUNS, seed: 4, endOnFailure: true },
    );
    const states = new Set([...site.desk.book.accounts.values()].map(({ heldState }) => heldState));
    expect(states.size).toBeGreaterThan(1);
  },
  LONG ? 3_600_000 : 120_000,
);
