/** `plimsoll simulate` and `plimsoll replay`. */
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { emptyBook, toAccount } from '../../src/book/book.ts';
import { decide } from '../../src/book/decide.ts';
import { type BookEvent, event } from '../../src/book/events.ts';
import { foldTyped, type TypedRecord } from '../../src/book/fold.ts';
import { rebuild } from '../../src/book/simulation/rebuild.ts';
import type { SimulationReport } from '../../src/book/simulation/report.ts';
import { serialise } from '../../src/book/snapshots.ts';
import { openStore, type Store } from '../../src/book/store/store.ts';
import type { Replayed } from '../../src/cli/commands/replay.ts';
import { createEngine, type Engine } from '../../src/engine/engine.ts';
import { hashOf } from '../../src/json.ts';
import type { MarginResult } from '../../src/margin/result.ts';
import { compileMarket } from '../../src/market/market.ts';
import { type MarketSnapshot, readSnapshot } from '../../src/market/snapshot.ts';
import { place, plimsoll, SMALL_FACTORS, SMALL_MARKET, temporaryFolder } from './command.ts';

const folder = temporaryFolder();
const factors = place(folder, 'factors.json', SMALL_FACTORS);
const market = place(folder, 'market.json', SMALL_MARKET);

describe('plimsoll simulate', () => {
  const size = ['--days', '1', '--step', '480', '-n', '512', '-q'];
  const demo = ['simulate', '-a', '12', '--positions', '5', '--underlyings', '2', ...size];

  it('shows the days of a made-up exchange, the same for the same seed', async () => {
    const [table, first, again, other] = await Promise.all([
      plimsoll(demo),
      plimsoll([...demo, '--json', '-w', '1']),
      plimsoll([...demo, '--json', '-w', '2']),
      plimsoll([...demo, '--json', '--seed', 'other']),
    ]);
    expect([table.code, first.code]).toEqual([0, 0]);
    expect(table.stdout).toMatch(/12 accounts from 2026-01-02T08:00:00Z to 2026-01-03T08:00:00Z/);
    expect(table.stdout).toMatch(/coverage +[\d.]+% of \d+ account-days/);
    expect(again.stdout).toBe(first.stdout);
    expect(other.stdout).not.toBe(first.stdout);
    const report = JSON.parse(first.stdout) as SimulationReport;
    expect(report).toMatchObject({ accounts: 12, steps: 3, seed: 'plimsoll', prices: 'factors' });
  });

  it('walks along a history, with accounts and a market of the caller', async () => {
    const history = place(folder, 'closes.csv', 'date,BTC\n2025-01-01,100\n2025-01-02,50\n');
    const account = {
      id: 'one',
      collateral: [{ asset: 'USD', amount: 20_000 }],
      positions: [{ instrument: 'BTC-LINEAR', size: 1, entryPrice: 90_000 }],
    };
    const accounts = place(folder, 'accounts.ndjson', `${JSON.stringify(account)}\n`);
    const args = ['-m', market, '-f', factors, '--history', history, '--walk', 'history'];
    const options = ['-a', accounts, '--days', '1', '--trades', '0', '-n', '512', '--fund', '5000'];
    const { code, stdout } = await plimsoll(['simulate', ...args, ...options, '--json', '-q']);
    expect(code).toBe(0);
    const { total, prices } = JSON.parse(stdout) as SimulationReport;
    expect(prices).toBe('history');
    // 45,000 are lost on 20,000: all that the fund has, and the rest, cost included, is uncovered (to the cent).
    expect(total.fundDraw).toBe(5_000);
    expect(Math.abs(total.uncovered - 20_000 - total.liquidationCost)).toBeLessThan(0.011);
  });

  it('refuses what does not go together', async () => {
    for (const [args, path] of [
      [['--walk', 'history'], '--walk history needs --history'],
      [['-f', factors], '--factors goes with --market'],
      [['--step', '0'], '--step must be above 0'],
      [['--speed', '-1'], '--speed must be above 0'],
      [['--days', '0'], '--days must be at least 1'],
      [['-m', market, '-f', factors, '--underlyings', '2'], '--underlyings sizes'],
    ] as const) {
      const { code, stderr } = await plimsoll(['simulate', ...args, '-n', '512']);
      expect(stderr).toContain(path);
      expect(code).toBe(2);
    }
  });
});

/** A market as it would be read at once: nothing of ticks is in it. */
function marketAt(spot: number, asOf: string): MarketSnapshot {
  const factor = spot / 90_000;
  const [btc] = SMALL_MARKET.underlyings;
  const forwards = btc.forwards.map(({ expiry, price }) => ({ expiry, price: price * factor }));
  return readSnapshot({
    ...structuredClone(SMALL_MARKET),
    underlyings: [{ ...structuredClone(btc), spot, asOf, forwards }],
  });
}

const METHOD = { scenarios: 1024 };
const location = join(folder, 'book.db');
const instant = (minute: number): string => new Date(Date.UTC(2026, 0, 2, 8, minute)).toISOString();

/** A store with four hours of an account: the margin published, the market moved, a trade, published again, the market moved again. */
class Keeper {
  readonly book = emptyBook();
  private readonly store: Store;
  private readonly engine: Engine;
  constructor(store: Store, engine: Engine) {
    this.store = store;
    this.engine = engine;
  }

  async append(...events: readonly BookEvent[]): Promise<void> {
    for (const record of await this.store.append(events))
      foldTyped(this.book, record as TypedRecord);
  }

  async run(command: object, spot: number, now: string): Promise<void> {
    const context = { market: compileMarket(marketAt(spot, now)), now };
    await this.append(...decide(this.book, command, context));
  }

  async publish(account: string, change: Partial<{ figures: string }> = {}): Promise<MarginResult> {
    const margin = await this.engine.margin(toAccount(this.book, account));
    const { market: on, scenarioSet, methodology, engine, asOf } = margin;
    const cited = { market: on, scenarioSet, methodology, engine, asOf };
    await this.append(event('margin', { account, figures: hashOf(margin), ...cited, ...change }));
    return margin;
  }

  async tick(spot: number, minute: number, sequence: number): Promise<void> {
    const asOf = instant(minute);
    const moved = marketAt(spot, asOf).underlyings[0]!;
    const tick = { underlying: 'BTC', asOf, spot, forwards: moved.forwards! };
    await this.engine.tick([tick]);
    const ticks = [{ ...tick, sequence }];
    await this.append(event('ticks', { source: 'feed', first: sequence, last: sequence, ticks }));
  }
}

describe('plimsoll replay', () => {
  const published: MarginResult[] = [];

  beforeAll(async () => {
    let now = instant(0);
    const store = await openStore(location, { clock: () => Date.parse(now) });
    const snapshot = marketAt(90_000, instant(0));
    const model = structuredClone(SMALL_FACTORS) as never;
    const engine = await createEngine({
      market: snapshot,
      factors: model,
      methodology: METHOD,
      workers: 1,
    });
    const keeper = new Keeper(store, engine);
    const hash = hashOf(snapshot);
    const { asOf } = snapshot;
    await keeper.append(event('market-replaced', { source: 'file', hash, asOf, snapshot }));
    for (const id of ['one', 'two']) {
      const collateral = [{ asset: 'USD', amount: 50_000 }];
      await keeper.run({ do: 'put-account', account: { id, collateral } }, 90_000, now);
    }
    const fill = { instrument: 'BTC-LINEAR', size: 2, price: 90_000 };
    await keeper.run({ do: 'fill', account: 'one', fills: [{ id: 'f1', ...fill }] }, 90_000, now);
    published.push(await keeper.publish('one'));
    now = instant(60);
    await keeper.tick(91_000, 60, 1);
    const more = { ...fill, id: 'f2', size: -0.5, price: 91_000 };
    await keeper.run({ do: 'fill', account: 'one', fills: [more] }, 91_000, now);
    published.push(await keeper.publish('one'));
    const { seq } = keeper.book;
    const { hash: link } = await store.head();
    await store.saveSnapshot({ seq, hash: link, state: serialise(keeper.book) });
    now = instant(120);
    await keeper.tick(88_000, 120, 2);
    now = instant(180);
    await keeper.publish('two', { figures: `sha256:${'1'.repeat(64)}` });
    await engine.close();
    await store.close();
  });

  const run = (...args: string[]) =>
    plimsoll(['replay', '--store', location, '-f', factors, '-n', '1024', '-q', ...args]);
  const replayed = async (...args: string[]): Promise<Replayed> =>
    JSON.parse((await run('--json', ...args)).stdout) as Replayed;

  it('computes a past margin to the same bytes', async () => {
    const first = await replayed('--account', 'one', '--at', instant(30));
    expect(first.margin).toEqual(published[0]);
    expect(first.published).toMatchObject({ matches: true, differs: [] });
    const second = await replayed('--account', 'one', '--at', instant(90));
    expect(second.margin).toEqual(published[1]);
    expect(second.published).toMatchObject({ matches: true, figures: hashOf(published[1]) });
  });

  it('computes figures that were never published, and what had been', async () => {
    const { margin, published: check, seq } = await replayed('--account', 'one');
    // A fresh engine on the market written by hand: 1.5 long from 90,000 at 88,000, half of a contract sold 1,000 higher.
    const engine = await createEngine({
      market: marketAt(88_000, instant(120)),
      factors: structuredClone(SMALL_FACTORS) as never,
      methodology: METHOD,
      workers: 1,
    });
    const account = {
      ...{ id: 'one', mode: 'portfolio', currency: 'USD' },
      collateral: [{ asset: 'USD', amount: 50_000 + 500 }],
      positions: [{ instrument: 'BTC-LINEAR', size: 1.5, entryPrice: 90_000 }],
    };
    try {
      expect(margin).toEqual(await engine.margin(account));
    } finally {
      await engine.close();
    }
    expect(margin.equity).toBeCloseTo(50_500 - 3_000, 6);
    expect(check).toMatchObject({ matches: true, figures: hashOf(published[1]) });
    expect(check!.seq).toBeLessThan(seq);
  });

  it('says where figures differ, and why they may', async () => {
    const { code, stdout } = await run('--account', 'two');
    expect(code).toBe(1);
    expect(stdout).toContain('DIFFERENT');
    const other = await replayed('--account', 'one', '--at', instant(30), '-c', '0.98');
    expect(other.published).toMatchObject({ matches: false, differs: ['methodology'] });
    const early = await replayed('--account', 'two', '--at', instant(90));
    expect(early.published).toBeNull();
  });

  it('refuses an instant before the beginning and an account that is not there', async () => {
    const before = await run('--account', 'one', '--at', '2025-12-31T00:00:00Z');
    expect([before.code, before.stderr]).toEqual([2, expect.stringContaining('no market')]);
    const nobody = await run('--account', 'three');
    expect([nobody.code, nobody.stderr]).toEqual([2, expect.stringContaining('three')]);
  });

  it('a snapshot of the book changes nothing', async () => {
    const store = await openStore(location, { readOnly: true });
    try {
      const bare = { pages: () => store.pages(), latestSnapshot: async () => null };
      for (const until of [{ seq: 3 }, { at: instant(90) }, { at: instant(600) }]) {
        const [from, without] = await Promise.all(
          [store, bare].map((one) => rebuild(one, { until, account: 'one' })),
        );
        expect(serialise(from!.book)).toEqual(serialise(without!.book));
        expect({ ...from, book: null }).toEqual({ ...without, book: null });
      }
      expect((await store.latestSnapshot())!.seq).toBeGreaterThan(5);
    } finally {
      await store.close();
    }
  });
});
