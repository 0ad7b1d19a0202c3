/** What happens around the computation: workers that die, callers that leave, engines that close, requests that come at once. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { demoAccounts } from '../../src/book/demoAccounts.ts';
import { createEngine, type Engine } from '../../src/engine/engine.ts';
import { demoMarket } from '../../src/market/demoMarket.ts';

const { market, factors } = demoMarket({ underlyings: 2, seed: 'workers' });
const accounts = [...demoAccounts({ market, count: 2_000, positions: 10, seed: 'workers' })];
const engines: Engine[] = [];

async function engineOf(workers: number): Promise<Engine> {
  const engine = await createEngine({
    market,
    factors,
    workers,
    methodology: { scenarios: 4_096 },
  });
  engines.push(engine);
  return engine;
}

afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.close()));
});

describe.each([1, 2, 4])('with %i workers', (workers) => {
  it('completes a batch with the same bytes when a worker is killed in the middle', async () => {
    const engine = await engineOf(workers);
    const calm: string[] = [];
    for await (const outcome of engine.marginBatch(accounts)) calm.push(JSON.stringify(outcome));
    const stormy: string[] = [];
    let killed = 0;
    for await (const outcome of engine.marginBatch(accounts, { shardSize: 50 })) {
      stormy.push(JSON.stringify(outcome));
      if (stormy.length === 100 || stormy.length === 700) {
        // Not awaited: the next shards are on it.
        void engine.threads[0]!.terminate();
        killed += 1;
      }
    }
    expect(killed).toBe(2);
    expect(stormy).toEqual(calm);
  });

  it('finishes all that was accepted before it closes', async () => {
    const engine = await createEngine({
      market,
      factors,
      workers,
      methodology: { scenarios: 4_096 },
    });
    const results = accounts.slice(0, 50).map((account) => engine.margin(account));
    // The requests are on their way to the workers.
    await sleep(1);
    await engine.close();
    const settled = await Promise.allSettled(results);
    expect(settled.filter(({ status }) => status === 'rejected')).toEqual([]);
    await expect(engine.margin(accounts[0])).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

describe('a caller that leaves', () => {
  it('stops its batch and nothing else', async () => {
    const engine = await engineOf(2);
    const control = new AbortController();
    const batch = engine.marginBatch(accounts, { signal: control.signal, shardSize: 20 });
    await batch.next();
    control.abort();
    await expect(async () => {
      for await (const _ of batch);
    }).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect(engine.margin(accounts[0])).resolves.toMatchObject({ account: accounts[0]!.id });
  });

  it('who breaks off reading leaves no work behind', async () => {
    const engine = await engineOf(2);
    let taken = 0;
    async function* source() {
      for (const account of accounts) {
        taken += 1;
        yield account;
      }
    }
    for await (const _ of engine.marginBatch(source(), { shardSize: 10 })) break;
    // The window of shards under way, not the whole stream.
    expect(taken).toBeLessThanOrEqual(10 * 8);
    await sleep(20);
    expect((await engine.info()).queued).toBe(0);
  });
});

describe('back-pressure', () => {
  it('lets a slow reader hold the producer', async () => {
    const engine = await engineOf(2);
    let taken = 0;
    async function* source() {
      for (const account of accounts) {
        taken += 1;
        yield Buffer.from(`${JSON.stringify(account)}\n`);
      }
    }
    const stream = engine.marginStream(source(), 'ndjson', { shardSize: 10 });
    await stream.next();
    await sleep(200);
    expect(taken).toBeLessThanOrEqual(10 * 8);
    await stream.return(undefined);
  });
});
