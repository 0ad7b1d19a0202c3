/** DESIGN's first rule: the same bytes for any number of workers, any shard size, alone or in a batch, streamed or kept, on any Node. */
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { demoAccounts } from '../../src/book/demoAccounts.ts';
import { type BatchSummary, createEngine, type Engine } from '../../src/engine/engine.ts';
import { demoMarket } from '../../src/market/demoMarket.ts';

const { market, factors } = demoMarket({ underlyings: 3, seed: 'same bits' });
const accounts = [...demoAccounts({ market, count: 300, positions: 20, seed: 'same bits' })];
const methodology = { scenarios: 5_000, seed: 7 };
const ndjson = Buffer.from(`${accounts.map((account) => JSON.stringify(account)).join('\n')}\n`);

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function streamed(
  engine: Engine,
  shardSize: number,
): Promise<{ text: string; summary: BatchSummary }> {
  let text = '';
  let summary: BatchSummary | undefined;
  const stream = engine.marginStream(pieces(ndjson, 60_000), 'ndjson', {
    shardSize,
    onSummary: (value) => {
      summary = value;
    },
  });
  for await (const bytes of stream) text += Buffer.from(bytes).toString('utf8');
  return { text, summary: summary! };
}

const open: Engine[] = [];
async function engineOf(workers: number): Promise<Engine> {
  const engine = await createEngine({ market, factors, methodology, workers });
  open.push(engine);
  return engine;
}

afterAll(async () => {
  await Promise.all(open.map((engine) => engine.close()));
});

describe('the same bytes', async () => {
  const reference = await streamed(await engineOf(1), 512);

  it('are those that were recorded: on every Node version, in every later build', () => {
    const recorded = JSON.parse(
      readFileSync(new URL('../fixtures/digests.json', import.meta.url), 'utf8'),
    ) as { readonly demoBatch: string };
    expect(reference.summary).toEqual({ accounts: 300, rejected: 0, digest: recorded.demoBatch });
  });

  it.each([2, 3, 7])('with %i workers', async (workers) => {
    const engine = await engineOf(workers);
    expect((await streamed(engine, 512)).text).toBe(reference.text);
    expect((await streamed(engine, 1)).text).toBe(reference.text);
    expect((await streamed(engine, 1_000)).text).toBe(reference.text);
  });

  it('alone, as an object and as a document', async () => {
    const engine = open[1]!;
    const lines = reference.text.split('\n');
    const some = accounts.slice(0, 40);
    const objects = await Promise.all(some.map((account) => engine.margin(account)));
    const documents = await Promise.all(
      some.map((account) => engine.marginDocument(Buffer.from(JSON.stringify(account, null, 2)))),
    );
    some.forEach((_, i) => {
      expect(JSON.stringify(objects[i])).toBe(lines[i]);
      expect(JSON.stringify(documents[i])).toBe(lines[i]);
    });
  });

  it('as values of a batch', async () => {
    const lines: string[] = [];
    for await (const outcome of open[0]!.marginBatch(accounts)) lines.push(JSON.stringify(outcome));
    expect(lines).toEqual(reference.text.split('\n').slice(0, 300));
  });

  it('after the market has gone to another and come back', async () => {
    const engine = await engineOf(2);
    const moved = structuredClone(market);
    moved.underlyings[0]!.spot *= 1.01;
    await engine.updateMarket(moved);
    expect((await streamed(engine, 100)).text).not.toBe(reference.text);
    await engine.updateMarket(market);
    expect((await streamed(engine, 100)).text).toBe(reference.text);
  });

  it('with scenario blocks streamed instead of a kept cube', async () => {
    const report = await open[2]!.valueAtRisk(accounts[5]);
    const line = JSON.parse(reference.text.split('\n')[5]!) as { risk: unknown };
    expect(report.risk).toEqual(line.risk);
  });
});
