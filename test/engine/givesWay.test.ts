/** Work that nobody waits for gives way to all that somebody does. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { demoAccounts } from '../../src/book/demoAccounts.ts';
import { createEngine, type Engine } from '../../src/engine/engine.ts';
import { demoMarket } from '../../src/market/demoMarket.ts';

const { market, factors } = demoMarket({ underlyings: 4, options: 400, seed: 'way' });
const [account] = demoAccounts({ market, count: 1, positions: 250, seed: 'way' });
const [small] = demoAccounts({ market, count: 1, positions: 2, seed: 'small' });

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ market, factors, methodology: { scenarios: 4_096 }, workers: 1 });
  // Code that is loaded on first use is loaded.
  await engine.triggers(account);
});
afterAll(() => engine.close());

const asked = () => {
  let end = 'pending';
  const search = engine.triggers(account, {}, { givesWay: true }).then(
    () => (end = 'found'),
    (error: { readonly code: string }) => (end = error.code),
  );
  return { search, state: () => end };
};

it.each<[string, () => Promise<unknown>]>([
  ['a single margin', () => engine.margin(small)],
  ['a what-if', () => engine.whatIf(small, { change: {} })],
  [
    'a batch',
    async () => {
      for await (const _ of engine.marginBatch([small]));
    },
  ],
])('%s on the only worker does not wait for its end', async (_, work) => {
  const { search, state } = asked();
  await sleep(2);
  expect(state()).toBe('pending');
  await work();
  await search;
  expect(state()).toBe('CANCELLED');
});

it('goes behind what is queued, and is done when nothing else is', async () => {
  const order: string[] = [];
  const note = (name: string) => () => order.push(name);
  const first = engine.triggers(account).then(note('first'));
  await sleep(2);
  await Promise.all([
    first,
    engine.triggers(small, {}, { givesWay: true }).then(note('search')),
    engine.whatIf(small, { change: {} }).then(note('what-if')),
    engine.whatIf(account, { change: {} }).then(note('what-if')),
  ]);
  expect(order).toEqual(['first', 'what-if', 'what-if', 'search']);
});
