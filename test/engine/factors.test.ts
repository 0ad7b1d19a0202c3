/** A new factor model in a running engine: each figure of one scenario set, the old or the new, with the bytes of a fresh engine on it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createEngine, type Engine } from '../../src/engine/engine.ts';
import type { MarginResult } from '../../src/margin/result.ts';
import type { FactorModel } from '../../src/market/factorModel.ts';
import type { Tick } from '../../src/market/ticks.ts';
import { ACCOUNTS, DEMO } from '../book/deskSupport.ts';

/** With sides of their own: long-run volatilities and the stress library go over to the new set, too. */
const METHODOLOGY = { scenarios: 256, antiProcyclicality: { buffer: true } };

const scaled = (factor: number): FactorModel => ({
  ...DEMO.factors,
  factors: DEMO.factors.factors.map((one) => ({ ...one, volatility: one.volatility * factor })),
});
const MODELS = [DEMO.factors, scaled(1.2), scaled(0.7)];

let engine: Engine;
/** By scenario set: the results of an engine that was opened with its model. */
const fresh = new Map<string, readonly string[]>();

async function margins(of: Engine): Promise<MarginResult[]> {
  const found: MarginResult[] = [];
  for await (const outcome of of.marginBatch(ACCOUNTS, { shardSize: 1 })) {
    if ('error' in outcome) throw new Error(outcome.error.message);
    found.push(outcome);
  }
  return found;
}

beforeAll(async () => {
  for (const factors of MODELS) {
    const { market } = DEMO;
    const one = await createEngine({ market, factors, methodology: METHODOLOGY, workers: 1 });
    const results = await margins(one);
    fresh.set(
      (await one.info()).scenarioSet,
      results.map((result) => JSON.stringify(result)),
    );
    await one.close();
  }
  const [factors] = MODELS;
  engine = await createEngine({
    market: DEMO.market,
    factors,
    methodology: METHODOLOGY,
    workers: 2,
  });
});
afterAll(() => engine.close());

it('every model has a set of its own', () => {
  expect(fresh.size).toBe(MODELS.length);
});

it('figures after a change are those of an engine that was opened with the model', async () => {
  for (const model of [...MODELS].reverse()) {
    await engine.updateFactors(model);
    expect(await engine.factorModel()).toEqual(model);
    const { scenarioSet } = await engine.info();
    expect((await margins(engine)).map((result) => JSON.stringify(result))).toEqual(
      fresh.get(scenarioSet),
    );
  }
});

it('no batch, single figure or study mixes two sets, whatever is asked while they change', async () => {
  let done = false;
  const seen = new Set<string>();
  const changing = (async () => {
    // At least so often; on a slow machine until each was seen.
    for (let i = 0; i < 12 || (seen.size < MODELS.length && i < 100); i++) {
      await engine.updateFactors(MODELS[i % MODELS.length]!);
    }
    done = true;
  })();
  const checked = async (asked: () => Promise<readonly MarginResult[]>): Promise<void> => {
    while (!done) {
      const results = await asked();
      const [{ scenarioSet }] = results as [MarginResult];
      seen.add(scenarioSet);
      const known = fresh.get(scenarioSet)!;
      for (const result of results) expect(known).toContain(JSON.stringify(result));
      expect(results.every((result) => result.scenarioSet === scenarioSet)).toBe(true);
    }
  };
  const account = ACCOUNTS[0]!;
  await Promise.all([
    changing,
    checked(() => margins(engine)),
    checked(async () => [await engine.margin(account)]),
    checked(async () => {
      const { before, after } = await engine.whatIf(account, { change: {} });
      return [before, after];
    }),
    checked(async () => [(await engine.liquidation(account)).margin]),
  ]);
  expect(seen.size).toBe(MODELS.length);
});

it('a model and a market are taken up together; ticks go on from there', async () => {
  const moved = DEMO.market.underlyings.map((one) => ({ ...one, spot: one.spot * 1.02 }));
  const market = { ...DEMO.market, underlyings: moved };
  await engine.updateMarket(market, MODELS[1]);
  const [{ id: underlying, spot }] = moved as [(typeof moved)[number]];
  const tick: Tick = { underlying, asOf: DEMO.market.asOf, spot: spot * 1.01 };
  await engine.tick([tick]);
  const again = await createEngine({
    market: await engine.market(),
    factors: MODELS[1],
    methodology: METHODOLOGY,
    workers: 1,
  });
  expect(JSON.stringify(await margins(engine))).toBe(JSON.stringify(await margins(again)));
  await again.close();
});

it('a model that is wrong changes nothing, and the caller’s object stays the caller’s', async () => {
  const before = await engine.info();
  const wrong = { ...DEMO.factors, factors: DEMO.factors.factors.slice(1) };
  await expect(engine.updateFactors(wrong)).rejects.toMatchObject({
    code: 'INVALID_FIELD',
    path: 'correlation',
  });
  const own = structuredClone(MODELS[2]!) as { drift?: number };
  await engine.updateFactors(own as FactorModel);
  own.drift = 0.5;
  expect(await engine.factorModel()).toEqual(MODELS[2]);
  expect((await engine.info()).scenarioSet).not.toBe(before.scenarioSet);
});

it.each([
  ['historical', 'INVALID_FIELD'],
  ['filtered-historical', 'INVALID_FIELD'],
  ['jump-diffusion', 'INVALID_FIELD'],
] as const)('volatilities of %s cannot be dynamic', async (scenarioModel, code) => {
  const methodology = { scenarioModel, volatilities: { estimate: 'dynamic' } } as const;
  await expect(
    createEngine({ market: DEMO.market, factors: DEMO.factors, methodology, workers: 1 }),
  ).rejects.toMatchObject({ code, path: 'methodology.volatilities.estimate' });
});

it('a report on another scenario model is at the volatilities in force', async () => {
  const dynamic = await createEngine({
    market: DEMO.market,
    factors: DEMO.factors,
    methodology: { scenarios: 256, volatilities: { estimate: 'dynamic' } },
    workers: 1,
  });
  await expect(dynamic.valueAtRisk(ACCOUNTS[0], { method: 'historical' })).rejects.toMatchObject({
    code: 'MISSING_HISTORY',
  });
  await dynamic.updateFactors(MODELS[2]!);
  const report = await dynamic.valueAtRisk(ACCOUNTS[0], { method: 'gaussian' });
  await engine.updateMarket(DEMO.market, MODELS[2]);
  const other = await engine.valueAtRisk(ACCOUNTS[0], { method: 'gaussian' });
  expect(report.risk).toEqual(other.risk);
  await dynamic.close();
});
