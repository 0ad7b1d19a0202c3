/** Ticks on markets of every kind of row, each after the other: figures of few and of many accounts equal a fresh engine's, byte for byte. */
import { expect, it } from 'vitest';
import { demoAccounts } from '../../src/book/demoAccounts.ts';
import { createEngine, type Engine } from '../../src/engine/engine.ts';
import { demoMarket } from '../../src/market/demoMarket.ts';
import type { FactorModel } from '../../src/market/factorModel.ts';
import type { MarketSnapshot } from '../../src/market/snapshot.ts';

const basis = demoMarket({ underlyings: 3, options: 30, basis: true, seed: 'parts' });
const futures = demoMarket({
  underlyings: 2,
  options: 0,
  futureExpiries: 4,
  basis: true,
  seed: 'parts',
});

const MARKETS: Readonly<Record<string, { market: MarketSnapshot; factors: FactorModel }>> = {
  'futures with a basis beside options': basis,
  'futures alone': futures,
};

async function lines(engine: Engine, market: MarketSnapshot, shardSize: number): Promise<string[]> {
  const accounts = demoAccounts({ market, count: 40, positions: 6, seed: 'parts' });
  const all: string[] = [];
  for await (const outcome of engine.marginBatch([...accounts], { shardSize })) {
    all.push(JSON.stringify(outcome));
  }
  return all;
}

it.each(Object.entries(MARKETS))('%s', async (_, { market, factors }) => {
  const engineOn = (snapshot: MarketSnapshot) =>
    createEngine({ market: snapshot, factors, methodology: { scenarios: 600 }, workers: 3 });
  const engine = await engineOn(market);
  try {
    for (let n = 1; n <= 5; n++) {
      const { id, spot, forwards = [] } = market.underlyings[n % market.underlyings.length]!;
      const factor = 1 + 0.01 * n;
      await engine.tick([
        {
          underlying: id,
          asOf: new Date(Date.parse(market.asOf) + n * 1_000).toISOString(),
          spot: spot * factor,
          forwards: forwards.map(({ expiry, price }) => ({
            expiry,
            price: price * factor * 1.001,
          })),
        },
      ]);
      // Blocks are packed when they are asked for: after some ticks only.
      const fresh = await engineOn(await engine.market());
      expect(await lines(engine, market, 1)).toEqual(await lines(fresh, market, 1));
      if (n % 2 === 0) {
        expect(await lines(engine, market, 1_000)).toEqual(await lines(fresh, market, 1_000));
      }
      await fresh.close();
    }
  } finally {
    await engine.close();
  }
});

it('what was accepted before the engine closes is answered, on blocks that are packed for it', async () => {
  const { market, factors } = basis;
  const engine = await createEngine({
    market,
    factors,
    methodology: { scenarios: 600 },
    workers: 2,
  });
  const [account] = demoAccounts({ market, count: 1, positions: 6, seed: 'parts' });
  const [{ id, spot }] = market.underlyings as [MarketSnapshot['underlyings'][number]];
  const asOf = new Date(Date.parse(market.asOf) + 1_000).toISOString();
  const accounts = Array.from({ length: 40 }, (_, i) => ({ ...account!, id: `a-${i}` }));
  await engine.tick([{ underlying: id, asOf, spot: spot * 1.01 }]);
  const answers = Promise.all(accounts.map((one) => engine.margin(one)));
  await engine.close();
  const margins = new Set((await answers).map(({ initialMargin }) => initialMargin));
  expect(margins.size).toBe(1);
});
