/** Ticks: what an engine says after them equals, byte for byte, what a fresh one says of the snapshot that results. */
import { afterAll, describe, expect, it } from 'vitest';
import { demoAccounts } from '../../src/book/demoAccounts.ts';
import { createEngine, type Engine } from '../../src/engine/engine.ts';
import type { MethodologyInput } from '../../src/margin/methodology.ts';
import { demoMarket } from '../../src/market/demoMarket.ts';
import type { Tick } from '../../src/market/ticks.ts';

const demo = demoMarket({ underlyings: 4, options: 60, seed: 'ticks' });
const { market, factors } = demo;
const accounts = [...demoAccounts({ market, count: 30, positions: 8, seed: 'ticks' })];
const open: Engine[] = [];
afterAll(async () => {
  for (const engine of open) await engine.close();
});

async function engineOf(snapshot: typeof market, methodology: MethodologyInput): Promise<Engine> {
  const engine = await createEngine({ market: snapshot, factors, methodology, workers: 2 });
  open.push(engine);
  return engine;
}

async function lines(engine: Engine): Promise<string[]> {
  const all: string[] = [];
  for await (const outcome of engine.marginBatch(accounts)) all.push(JSON.stringify(outcome));
  return all;
}

/** A minute later so many underlyings stand elsewhere: spot, forwards, one smile, and marks where they are stated. */
function ticksAt(minute: number, ids: readonly string[]): Tick[] {
  const asOf = new Date(Date.parse(market.asOf) + minute * 60_000).toISOString();
  return ids.map((id, i) => {
    const record = market.underlyings.find((one) => one.id === id)!;
    const factor = 1 + 0.004 * (minute + i) * (i % 2 === 0 ? 1 : -1);
    const slice = record.surface?.[0];
    return {
      underlying: id,
      asOf,
      spot: record.spot * factor,
      forwards: record.forwards?.map(({ expiry, price }) => ({ expiry, price: price * factor })),
      ...(slice === undefined
        ? {}
        : {
            surface: [
              {
                expiry: slice.expiry,
                quotes: slice.quotes
                  .slice(0, 2)
                  .map(({ strike, iv }) => ({ strike, iv: iv * 1.02 })),
              },
            ],
          }),
    };
  });
}

describe.each<[string, MethodologyInput]>([
  ['all components', { scenarios: 2000 }],
  [
    'sticky-moneyness on SVI',
    { scenarios: 1500, smileRule: 'sticky-moneyness', surfaceModel: 'svi' },
  ],
])('%s', (_, methodology) => {
  it('equals a run from scratch after each of several ticks', async () => {
    const engine = await engineOf(market, methodology);
    const ids = market.underlyings.map(({ id }) => id);
    for (const [minute, some] of [
      [1, ids.slice(0, 1)],
      [2, ids.slice(1, 3)],
      [3, ids],
    ] as const) {
      const moved = await engine.tick(ticksAt(minute, some));
      expect([...moved].sort()).toEqual([...some].sort());
      const fresh = await engineOf(await engine.market(), methodology);
      expect(await lines(engine)).toEqual(await lines(fresh));
    }
  }, 60_000);
});

it('what a worker remembers of an account is of the market as it is', async () => {
  const methodology = { scenarios: 600 };
  const engine = await createEngine({ market, factors, methodology, workers: 1 });
  open.push(engine);
  const ids = market.underlyings.map(({ id }) => id);
  const some = accounts.slice(0, 6);
  const asked = (one: Engine): Promise<string[]> =>
    Promise.all(
      some.map(async (account, i) => {
        const { instrument } = account.positions![i % 4]!;
        const order = { instrument, side: 'sell' as const, size: 1, price: 1 };
        return one.whatIfText(account, { change: { orders: [order] } });
      }),
    );
  for (let minute = 1; minute <= 6; minute++) {
    await engine.tick(ticksAt(minute, ids.slice(minute % ids.length, (minute % ids.length) + 1)));
    const fresh = await engineOf(await engine.market(), methodology);
    const expected = await asked(fresh);
    // Once after the tick, and once more of what was remembered since.
    expect(await asked(engine)).toEqual(expected);
    expect(await asked(engine)).toEqual(expected);
    const [account] = some;
    const change = { fills: [{ instrument: account!.positions![0]!.instrument, size: 1 }] };
    const answer = await engine.whatIf(account!, { change });
    expect(await engine.whatIfText(account!, { change })).toBe(JSON.stringify(answer));
  }
});

it('workers that were not asked for some ticks catch up', async () => {
  const methodology = { preset: 'market-risk', scenarios: 200 } as const;
  const engine = await createEngine({ market, factors, methodology, workers: 7 });
  open.push(engine);
  const ids = market.underlyings.map(({ id }) => id);
  // One block, few rows: most of the seven have nothing to do in most of these.
  for (let minute = 1; minute <= 12; minute++) {
    await engine.tick(ticksAt(minute, ids.slice(minute % ids.length, (minute % ids.length) + 1)));
    if (minute % 4 !== 0) continue;
    const fresh = await engineOf(await engine.market(), methodology);
    const got: string[] = [];
    for await (const outcome of engine.marginBatch(accounts, { shardSize: 1 })) {
      got.push(JSON.stringify(outcome));
    }
    expect(got).toEqual(await lines(fresh));
  }
});

it('serves single accounts while ticks come: every figure belongs to one market', async () => {
  const methodology = { scenarios: 1000 };
  const engine = await engineOf(market, methodology);
  const ids = market.underlyings.map(({ id }) => id);
  const known = new Map<string, string>();
  const seen: { hash: string; line: string }[] = [];
  const one = accounts[3]!;
  let running = true;
  const ask = async (): Promise<void> => {
    while (running) {
      const result = await engine.margin(one);
      seen.push({ hash: result.market, line: JSON.stringify(result) });
    }
  };
  const askers = [ask(), ask(), ask(), ask()];
  const snapshots = [market];
  for (let minute = 1; minute <= 6; minute++) {
    await engine.tick(ticksAt(minute, ids.slice(0, 1 + (minute % ids.length))));
    snapshots.push((await engine.market()) as typeof market);
  }
  running = false;
  await Promise.all(askers);
  for (const snapshot of snapshots) {
    const fresh = await engineOf(snapshot, methodology);
    const result = await fresh.margin(one);
    known.set(result.market, JSON.stringify(result));
    await open.pop()!.close();
  }
  expect(seen.length).toBeGreaterThan(6);
  for (const { hash, line } of seen) expect(line).toBe(known.get(hash));
}, 60_000);

it('a batch that is under way keeps its market', async () => {
  const engine = await engineOf(market, { scenarios: 1000 });
  const before = await lines(engine);
  const batch = engine.marginBatch(accounts, { shardSize: 1 });
  const got: string[] = [JSON.stringify((await batch.next()).value)];
  await engine.tick(ticksAt(5, [market.underlyings[0]!.id, market.underlyings[1]!.id]));
  for await (const outcome of batch) got.push(JSON.stringify(outcome));
  expect(got).toEqual(before);
  expect(await lines(engine)).not.toEqual(before);
});

it('refuses what is wrong, and nothing has changed', async () => {
  const engine = await engineOf(market, { scenarios: 200 });
  const before = await lines(engine);
  const asOf = '2026-01-02T09:00:00Z';
  const { id } = market.underlyings[0]!;
  const wrong: [Tick, string][] = [
    [{ underlying: 'NONE', asOf, spot: 1 }, 'UNKNOWN_UNDERLYING'],
    [{ underlying: id, asOf: '2020-01-01T00:00:00Z', spot: 1 }, 'INVALID_FIELD'],
    [{ underlying: id, asOf, spot: 0 }, 'INVALID_FIELD'],
    [{ underlying: id, asOf, spot: Number.NaN }, 'INVALID_FIELD'],
    [{ underlying: id, asOf, marks: [{ instrument: 'nothing', mark: 1 }] }, 'UNKNOWN_INSTRUMENT'],
  ];
  for (const [tick, code] of wrong)
    await expect(engine.tick([tick])).rejects.toMatchObject({ code });
  expect(await lines(engine)).toEqual(before);
});

it('an option that expires under a tick is refused from then on, as a fresh engine refuses it', async () => {
  const methodology = { scenarios: 500 };
  const engine = await engineOf(market, methodology);
  const record = market.underlyings[0]!;
  const [first] = record.forwards!.map(({ expiry }) => expiry).sort();
  const later = new Date(Date.parse(first!) + 1000).toISOString();
  await engine.tick([{ underlying: record.id, asOf: later, spot: record.spot }]);
  const fresh = await engineOf(await engine.market(), methodology);
  const after = await lines(engine);
  expect(after).toEqual(await lines(fresh));
  expect(after.some((line) => line.includes('EXPIRED_INSTRUMENT'))).toBe(true);
});
