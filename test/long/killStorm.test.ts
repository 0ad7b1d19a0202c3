/** Workers that die all the time: every shard is answered after at most three tries, with the bytes of a calm run. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { demoAccounts } from '../../src/book/demoAccounts.ts';
import { createEngine } from '../../src/engine/engine.ts';
import { demoMarket } from '../../src/market/demoMarket.ts';

const { market, factors } = demoMarket({ underlyings: 2, seed: 'storm' });
const accounts = [...demoAccounts({ market, count: 20_000, positions: 10, seed: 'storm' })];

it('a storm of 30 kills changes no byte', async () => {
  const engine = await createEngine({
    market,
    factors,
    workers: 4,
    methodology: { scenarios: 10_240 },
  });
  const calm: string[] = [];
  for await (const outcome of engine.marginBatch(accounts)) calm.push(JSON.stringify(outcome));
  let over = false;
  let killed = 0;
  const storm = (async () => {
    while (!over && killed < 30) {
      await sleep(1_500);
      const threads = engine.threads;
      if (threads.length > 0 && !over) {
        killed += 1;
        await threads[killed % threads.length]!.terminate();
      }
    }
  })();
  let runs = 0;
  while (killed < 30) {
    let i = 0;
    for await (const outcome of engine.marginBatch(accounts, { shardSize: 100 })) {
      if (JSON.stringify(outcome) !== calm[i]) expect(JSON.stringify(outcome)).toBe(calm[i]);
      i += 1;
    }
    expect(i).toBe(accounts.length);
    runs += 1;
  }
  over = true;
  await storm;
  await sleep(1_500);
  expect(runs).toBeGreaterThan(0);
  expect(engine.threads.length).toBe(4);
  expect((await engine.info()).workerDeaths).toBeGreaterThan(10);
  await engine.close();
});
