/** The same accounts in every transport form give the same figures and the same digest, through real workers. */
import { tableFromIPC } from 'apache-arrow';
import { afterAll, describe, expect, it } from 'vitest';
import { demoAccounts } from '../../src/book/demoAccounts.ts';
import { type BatchForm, type BatchSummary, createEngine } from '../../src/engine/engine.ts';
import type { ColumnarAccountInput } from '../../src/margin/account.ts';
import { demoMarket } from '../../src/market/demoMarket.ts';
import { CODED, streamOf } from './arrowStreams.ts';

const { market, factors } = demoMarket({ underlyings: 2, seed: 'transports' });
const rows = [...demoAccounts({ market, count: 200, positions: 12, seed: 'transports' })];
const columns: ColumnarAccountInput[] = rows.map(({ positions, ...account }) => ({
  ...account,
  instruments: positions.map(({ instrument }) => instrument),
  sizes: positions.map(({ size }) => size),
  entryPrices: positions.map(({ entryPrice }) => entryPrice ?? null),
}));
const engine = await createEngine({
  market,
  factors,
  workers: 2,
  methodology: { scenarios: 2_048 },
});

afterAll(() => engine.close());

async function batch(
  bytes: Uint8Array,
  form: BatchForm,
): Promise<{ bytes: Buffer; summary: BatchSummary }> {
  const parts: Uint8Array[] = [];
  let summary: BatchSummary | undefined;
  async function* source() {
    for (let at = 0; at < bytes.length; at += 10_000) yield bytes.subarray(at, at + 10_000);
  }
  const options = {
    shardSize: 30,
    onSummary: (value: BatchSummary) => {
      summary = value;
    },
  };
  for await (const part of engine.marginStream(source(), form, options)) parts.push(part);
  return { bytes: Buffer.concat(parts), summary: summary! };
}

const lines = (values: readonly unknown[]): Buffer =>
  Buffer.from(`${values.map((value) => JSON.stringify(value)).join('\n')}\n`);

describe('transports', async () => {
  const reference = await batch(lines(rows), 'ndjson');

  it('NDJSON of columns', async () => {
    const answer = await batch(lines(columns), 'ndjson');
    expect(answer.bytes.equals(reference.bytes)).toBe(true);
  });

  it('a JSON array in, a JSON array out', async () => {
    const answer = await batch(Buffer.from(JSON.stringify(rows, null, 1)), 'json');
    const values = JSON.parse(answer.bytes.toString()) as object[];
    expect(values.map((value) => JSON.stringify(value))).toEqual(
      reference.bytes.toString().trim().split('\n'),
    );
  });

  it('an empty array, an empty stream: a summary of none', async () => {
    const digest = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
    expect((await batch(Buffer.from('[]'), 'json')).summary).toEqual({
      accounts: 0,
      rejected: 0,
      digest,
    });
    expect((await batch(Buffer.from(''), 'ndjson')).summary).toEqual({
      accounts: 0,
      rejected: 0,
      digest,
    });
  });

  it('Arrow in, Arrow out, the digest that of the NDJSON lines', async () => {
    const { bytes, summary } = await batch(streamOf(columns, CODED), 'arrow');
    expect(summary).toEqual(reference.summary);
    const table = tableFromIPC(bytes);
    expect(table.numRows).toBe(201);
    const results = reference.bytes
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    for (let i = 0; i < 200; i++) {
      const row = table.get(i)!.toJSON() as Record<string, unknown>;
      expect(row.account).toBe(results[i]!.account);
      expect(row.initialMargin).toBe(results[i]!.initialMargin);
      expect(row.equity).toBe(results[i]!.equity);
    }
    expect(JSON.parse(String(table.get(200)!.toJSON().summary))).toEqual({ summary });
  });

  it('a line that is no JSON and one that is not UTF-8: an error in their place, named by line', async () => {
    const good = lines(rows.slice(0, 2)).toString();
    const spoiled = Buffer.concat([
      Buffer.from(`{"id":\n\n${good}`),
      Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d, 0x0a]),
      Buffer.from('{"id":"x","id":"y"}\n'),
    ]);
    const answer = await batch(spoiled, 'ndjson');
    const values = answer.bytes
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(answer.summary).toMatchObject({ accounts: 5, rejected: 3 });
    expect(values[0]).toMatchObject({
      account: null,
      error: { code: 'MALFORMED_JSON', message: expect.stringMatching(/^line 1: /) },
    });
    expect(values[3]).toMatchObject({
      account: null,
      error: { code: 'MALFORMED_JSON', message: expect.stringMatching(/^line 5: /) },
    });
    expect(values[4]).toMatchObject({
      error: { code: 'MALFORMED_JSON', message: expect.stringMatching(/"id" stands twice/) },
    });
    expect(values[1]).toMatchObject({ account: rows[0]!.id });
  });
});
