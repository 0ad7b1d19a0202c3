/**
 * From the first real chain to the third through the whole path: accounts in a store's file, a desk, ticks between the snapshots, fills and orders
 * meanwhile, a restart, the settlement of what expired, and a new listing. In the end every figure is that of a batch on the third snapshot.
 */
import { describe, expect, it } from 'vitest';
import { demoAccounts } from '../../src/book/demoAccounts.ts';
import type { Desk } from '../../src/book/desk/desk.ts';
import { createEngine, type Engine } from '../../src/engine/engine.ts';
import { PlimsollError } from '../../src/errors.ts';
import { PatchBodies } from '../../src/feeds/patchBodies.ts';
import { snapshotFeed } from '../../src/feeds/snapshotFeed.ts';
import { impliedFactorModel } from '../../src/market/impliedFactors.ts';
import type { MarketSnapshot } from '../../src/market/snapshot.ts';
import { testData } from '../data.ts';
import { between, chainTitle, expired, realChains, Traders } from './chains.ts';
import { deskSite, type Site } from './deskSupport.ts';
import { replayed, textOf } from './folded.ts';

const ACCOUNTS = 1_000;
const POSITIONS = 10;
/** Steps of the market from one snapshot to the next, and commands at each. */
const STEPS = [0.25, 0.5, 0.75];
const COMMANDS = ACCOUNTS / 10;
/** All 10,240 are for the run through commands and service, in test/long. */
const METHODOLOGY = { scenarios: 2_048 };

let chains: readonly MarketSnapshot[];
let traders: Traders;
let site: Site;
const bodies = new PatchBodies();
let sequence = 1;
let refused = 0;

/** Sends what one snapshot after the other moved, with commands that do not wait for it. */
async function replay(desk: Desk, snapshots: readonly MarketSnapshot[]): Promise<string[]> {
  const left: string[] = [];
  for await (const item of snapshotFeed(snapshots)) {
    if ('problem' in item) {
      left.push(item.problem.message);
      continue;
    }
    const ticks = item.batch.ticks.map((tick) => ({ ...tick, sequence: sequence++ }));
    const sent = bodies.of({ ...item.batch, ticks }).map((body) => desk.ticks(body));
    const commands = Array.from({ length: COMMANDS }, () =>
      desk.command(traders.next(snapshots.at(-1)!)).catch((error: unknown) => {
        if (!(error instanceof PlimsollError) || error.status >= 500) throw error;
        refused += 1;
      }),
    );
    await Promise.all([...sent, ...commands]);
  }
  return left;
}

/** Every account's latest figures against those of an engine that has never seen a tick. @returns how many are rejected */
async function compare(desk: Desk, scratch: Engine): Promise<number> {
  await desk.quiet();
  const ids = [...desk.book.accounts.keys()];
  let rejected = 0;
  for await (const outcome of scratch.marginBatch(ids.map((id) => desk.account(id)))) {
    const { result, error } = desk.latest(outcome.account!)!;
    const figures = result ?? { account: outcome.account, error };
    expect(JSON.stringify(figures)).toBe(JSON.stringify(outcome));
    if ('error' in outcome) rejected += 1;
  }
  return rejected;
}

describe.skipIf(testData === null)(chainTitle('real chains'), () => {
  it(`the first to the third with ${ACCOUNTS} accounts: the figures of a batch on the third`, async () => {
    chains = await realChains();
    const [first, second, third] = chains as [MarketSnapshot, MarketSnapshot, MarketSnapshot];
    expect(first.instruments.length).toBeGreaterThan(1_200);
    const accounts = [
      ...demoAccounts({ market: first, count: ACCOUNTS, positions: POSITIONS, seed: 'chain' }),
    ];
    traders = new Traders(accounts, 'chain');
    const { model: factors } = impliedFactorModel(first);
    const on = (market: MarketSnapshot): Promise<Engine> =>
      createEngine({ market, factors, methodology: METHODOLOGY, workers: 1 });
    const engine = await on(first);
    site = await deskSite(engine);
    expect(await site.desk.load(accounts)).toBe(ACCOUNTS);
    expect(await compare(site.desk, engine)).toBe(0);

    // Both list the same: ticks alone say all of the second.
    const steps = (a: MarketSnapshot, b: MarketSnapshot) =>
      [a, ...STEPS.map((share) => between(a, b, share)), b] as const;
    expect(await replay(site.desk, steps(first, second))).toEqual([]);
    const onSecond = await on(second);
    expect(await compare(site.desk, onSecond)).toBe(0);
    await onSecond.close();

    await site.restart();
    expect(await replay(site.desk, steps(second, third))).toHaveLength(1);
    // Who holds what expired at 08:00 has no figures until it is settled.
    await site.desk.quiet();
    const open = accounts.filter(({ id }) => site.desk.latest(id)!.error !== null);
    expect(open.length).toBeGreaterThan(ACCOUNTS / 20);
    for (const { id } of open) {
      expect(site.desk.latest(id)!.error!.code).toBe('EXPIRED_INSTRUMENT');
    }
    for (const one of expired(second, third)) await site.desk.command({ do: 'settle', ...one });
    await site.desk.replaceMarket(third, 'exchange');
    // New listings are traded, too.
    expect(await replay(site.desk, [third, third])).toEqual([]);

    const onThird = await on(third);
    expect(await compare(site.desk, onThird)).toBe(0);
    expect(site.desk.book.accounts.size).toBe(ACCOUNTS);
    await onThird.close();

    const { desk, store } = site;
    expect(await store.verify()).toMatchObject({ ok: true });
    expect(textOf(await replayed(store)) === textOf(desk.book)).toBe(true);
    const held = new Set(accounts.map(({ id }) => desk.book.accounts.get(id)!.heldState));
    expect(held.size).toBeGreaterThan(2);
    expect(refused).toBeGreaterThan(0);
    await site.remove();
    await engine.close();
  }, 300_000);
});
