/** One test for each defect that a review found: it must not come back. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { demoAccounts } from '../../src/book/demoAccounts.ts';
import { createEngine, type EngineOptions } from '../../src/engine/engine.ts';
import { mapOrdered } from '../../src/engine/ordered.ts';
import { demoMarket } from '../../src/market/demoMarket.ts';
import type { MarketSnapshot } from '../../src/market/snapshot.ts';
import { fillInProcess } from './inProcess.ts';

const { market, factors } = demoMarket({ underlyings: 2, seed: 'defects' });
const accounts = [...demoAccounts({ market, count: 40, positions: 6, seed: 'defects' })];
const engine = await createEngine({
  market,
  factors,
  workers: 2,
  methodology: { scenarios: 1_024 },
});

afterAll(() => engine.close());

const perpetual = (ids: readonly string[], currency = 'USD'): MarketSnapshot => ({
  asOf: '2026-01-02T08:00:00Z',
  currency,
  underlyings: ids.map((id) => ({ id, spot: 100 })),
  instruments: ids.map((id) => ({
    id: `${id}-P`,
    type: 'perpetual',
    underlying: id,
    settlement: 'linear',
    multiplier: 1,
  })),
});
const spotModel = (ids: readonly string[]) => ({
  asOf: '2026-01-02T08:00:00Z',
  periodsPerYear: 365,
  factors: ids.map((id) => ({ id: `${id}:spot`, volatility: 0.5 })),
  correlation: ids.map((_, i) => ids.map((_, j) => (i === j ? 1 : 0))),
});
const dailyDates = (n: number) =>
  Array.from({ length: n }, (_, i) =>
    new Date(Date.UTC(2025, 0, 1 + i)).toISOString().slice(0, 10),
  );

describe('an input that fails while the consumer is elsewhere', () => {
  it('is an error of the batch, not of the process', async () => {
    async function* source() {
      yield 1;
      yield 2;
      throw new Error('the input broke');
    }
    const seen: number[] = [];
    await expect(async () => {
      for await (const value of mapOrdered(source(), 2, async (x) => x)) {
        seen.push(value);
        await sleep(20);
      }
    }).rejects.toThrow('the input broke');
    expect(seen).toEqual([1, 2]);
  });

  it('through the engine, with results on the way', async () => {
    async function* source() {
      for (let i = 0; i < 50; i++) yield* accounts;
      throw new Error('the input broke');
    }
    let seen = 0;
    await expect(async () => {
      for await (const _ of engine.marginBatch(source(), { shardSize: 10 })) {
        seen += 1;
        if (seen % 50 === 0) await sleep(1);
      }
    }).rejects.toThrow('the input broke');
    await expect(engine.margin(accounts[0])).resolves.toBeDefined();
  });
});

describe('a risk report', () => {
  it.each([
    [{ horizonDays: -1 }, 'horizonDays'],
    [{ horizonDays: 0 }, 'horizonDays'],
    [{ horizonDays: 1e9 }, 'horizonDays'],
    [{ confidence: 1.5 }, 'confidence'],
    [{ confidence: 1 }, 'confidence'],
    [{ confidence: 1e-4 }, 'confidence'],
  ])('refuses %o', async (request, path) => {
    await expect(engine.valueAtRisk(accounts[0], request)).rejects.toMatchObject({
      code: 'INVALID_FIELD',
      path,
    });
  });

  it('serves no figure that is not finite', async () => {
    const account = { id: 'a', positions: [{ ...accounts[0]!.positions[0]!, size: 1e300 }] };
    await expect(engine.valueAtRisk(account)).rejects.toMatchObject({ code: 'NUMERIC_OVERFLOW' });
    await expect(engine.margin(account)).rejects.toMatchObject({ code: 'NUMERIC_OVERFLOW' });
  });
});

describe('haircuts', () => {
  const cash = (asset: string) => ({ id: 'a', collateral: [{ asset, amount: 100 }] });

  it("are 0 for the account's currency, whatever it is", () => {
    const { margin } = fillInProcess({
      market: perpetual(['X'], 'USDC'),
      factors: spotModel(['X']),
      methodology: { scenarios: 64 },
    });
    expect(margin(cash('USDC')).equity).toBe(100);
  });

  it('know an asset that is called like a method of objects', () => {
    const ids = ['__proto__x', 'constructor', 'toString', 'valueOf'];
    const { margin } = fillInProcess({
      market: perpetual(ids),
      factors: spotModel(ids),
      methodology: { scenarios: 64 },
    });
    for (const id of ids) expect(margin(cash(id)).equity).toBeCloseTo(100 * 100 * 0.85, 9);
  });
});

describe('a history', () => {
  // Of ⌈1/0.2⌉ = 5 rows one lies in the tail.
  const historical = { scenarioModel: 'historical' as const, confidence: 0.8 };
  const rising = (n: number) => Float64Array.from({ length: n }, (_, i) => 100 + (i % 7));

  it('with one price of one coin refuses that coin alone', () => {
    const lone = new Float64Array(30).fill(Number.NaN);
    lone[29] = 5;
    const history = {
      dates: dailyDates(30),
      columns: [
        { id: 'X:spot', values: rising(30) },
        { id: 'NEW:spot', values: lone },
      ],
    };
    const { evaluate } = fillInProcess({
      market: perpetual(['X', 'NEW']),
      history,
      methodology: historical,
    });
    expect(
      evaluate([
        { id: 'x', positions: [{ instrument: 'X-P', size: 1 }] },
        { id: 'n', positions: [{ instrument: 'NEW-P', size: 1 }] },
      ]),
    ).toMatchObject([
      { account: 'x', risk: { scenarios: 29 } },
      { account: 'n', error: { code: 'INSUFFICIENT_HISTORY' } },
    ]);
  });

  it('of weeks has no day in it', () => {
    const dates = Array.from({ length: 20 }, (_, i) =>
      new Date(Date.UTC(2025, 0, 1 + 7 * i)).toISOString().slice(0, 10),
    );
    const history = { dates, columns: [{ id: 'X:spot', values: rising(20) }] };
    const open = (horizonDays: number) =>
      fillInProcess({
        market: perpetual(['X']),
        history,
        methodology: { ...historical, horizonDays },
      });
    expect(() => open(1)).toThrow(
      expect.objectContaining({ code: 'INVALID_FIELD', path: 'horizonDays' }),
    );
    expect(open(7).session.set.scenarios).toBe(19);
  });

  it('takes no leap over a hole in its dates for a change', () => {
    const dates = [...dailyDates(10), ...dailyDates(320).slice(310)];
    const values = Float64Array.from({ length: 20 }, (_, i) => (i < 10 ? 100 : 200));
    const { session } = fillInProcess({
      market: perpetual(['X']),
      history: { dates, columns: [{ id: 'X:spot', values }] },
      methodology: historical,
    });
    expect(session.set.scenarios).toBe(18);
  });

  it('of too few rows says so', () => {
    for (const n of [0, 1]) {
      const history = { dates: dailyDates(n), columns: [{ id: 'X:spot', values: rising(n) }] };
      expect(() =>
        fillInProcess({ market: perpetual(['X']), history, methodology: historical }),
      ).toThrow(expect.objectContaining({ code: 'INSUFFICIENT_HISTORY' }));
    }
  });

  it('reports the shocks that it clamped', () => {
    const values = rising(10);
    values[5] = 1e7;
    const { session } = fillInProcess({
      market: perpetual(['X']),
      history: { dates: dailyDates(10), columns: [{ id: 'X:spot', values }] },
      methodology: historical,
    });
    expect(session.replayClamped).toBe(2);
  });
});

describe('a shard of more books than one pass holds', () => {
  it('answers every account, in order, as it would alone', () => {
    const { evaluate } = fillInProcess({ market, factors, methodology: { scenarios: 256 } });
    const many = Array.from({ length: 2_500 }, (_, i) => ({
      ...accounts[i % accounts.length]!,
      id: `a${i}`,
      mode: i % 3 === 0 ? 'cross' : 'portfolio',
    }));
    const outcomes = evaluate(many);
    expect(outcomes.map((outcome) => outcome?.account)).toEqual(many.map(({ id }) => id));
    for (const i of [0, 511, 1_022, 1_023, 1_024, 1_025, 2_047, 2_048, 2_499]) {
      expect(outcomes[i]).toEqual(evaluate([many[i]])[0]);
    }
  });
});

describe('a figure that no double can hold', () => {
  it('rejects its account alone', () => {
    const { evaluate } = fillInProcess({ market, factors, methodology: { scenarios: 256 } });
    const rich = {
      id: 'rich',
      collateral: [{ asset: 'USD', amount: 1e308 }],
      positions: accounts[0]!.positions,
    };
    expect(evaluate([accounts[1], rich, accounts[2]])).toMatchObject([
      { account: accounts[1]!.id, mode: 'portfolio' },
      { account: 'rich', error: { code: 'NUMERIC_OVERFLOW', path: 'equity' } },
      { account: accounts[2]!.id, mode: 'portfolio' },
    ]);
  });
});

describe('the library', () => {
  it('rejects an account that is no plain data by itself', async () => {
    const [ok, bad] = [accounts[0]!, { ...accounts[1]!, f() {} }];
    const outcomes = await Promise.allSettled([
      engine.margin(ok),
      engine.margin(bad),
      engine.margin(ok),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    const batch: unknown[] = [];
    for await (const outcome of engine.marginBatch([ok, bad, ok])) batch.push(outcome);
    expect(batch).toMatchObject([
      { account: ok.id },
      { account: bad.id, error: { code: 'INVALID_FIELD' } },
      { account: ok.id },
    ]);
    expect((await engine.info()).workerDeaths).toBe(0);
  });

  it('answers what was asked before it was closed', async () => {
    const other = await createEngine({
      market,
      factors,
      workers: 1,
      methodology: { scenarios: 256 },
    });
    const results = accounts.slice(0, 5).map((account) => other.margin(account));
    await other.close();
    await expect(Promise.all(results)).resolves.toHaveLength(5);
  });

  it.each([
    [undefined, 'INVALID_FIELD', undefined],
    [{}, 'MISSING_FIELD', 'market'],
    [{ market, factors, scenarios: 7 }, 'UNKNOWN_FIELD', 'scenarios'],
    [{ market, factors, history: [] }, 'INVALID_FIELD', 'history'],
    [{ market, factors, methodology: null }, 'INVALID_FIELD', 'methodology'],
  ])('refuses options that are wrong: %#', async (options, code, path) => {
    const made = createEngine(options as unknown as EngineOptions);
    await expect(made).rejects.toMatchObject(path === undefined ? { code } : { code, path });
  });

  it('keeps a market of its own', async () => {
    const mine = structuredClone(market);
    const other = await createEngine({
      market: mine,
      factors,
      workers: 1,
      methodology: { scenarios: 64 },
    });
    mine.underlyings[0]!.spot = -5;
    expect((await other.market()).underlyings[0]!.spot).toBe(market.underlyings[0]!.spot);
    await other.close();
  });

  it('counts no blank line as an account, whatever stands beside it', async () => {
    const line = JSON.stringify(accounts[0]);
    const bytes = Buffer.concat([Buffer.from(`${line}\r\n\r\n  \t\r\n`), Buffer.of(0xff, 0x0a)]);
    const text: string[] = [];
    const source = (async function* () {
      yield bytes;
    })();
    for await (const part of engine.marginStream(source, 'ndjson'))
      text.push(Buffer.from(part).toString());
    expect(text.join('')).toContain('"accounts":2,"rejected":1');
    expect(text.join('')).toContain('line 4: ');
  });
});
