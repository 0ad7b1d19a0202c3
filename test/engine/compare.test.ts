/** The modes side by side, and methodologies: against margin results of accounts that are in those modes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine, type Engine } from '../../src/engine/engine.ts';
import { compare } from '../../src/engine/studies/compare.ts';
import { accountOf, documentOf, FACTORS, MARKET, openStudy } from './studyMarket.ts';

const POSITIONS = [
  { instrument: 'BTC-PERP', size: 20, entryPrice: 101_000 },
  { instrument: 'BTC-FAR-C', size: -30 },
  { instrument: 'ETH-PERP', size: -40, entryPrice: 4_050 },
];
const account = accountOf({
  collateral: [{ asset: 'USD', amount: 120_000 }],
  creditLine: 1_000,
  positions: POSITIONS,
});

describe('the modes', () => {
  const study = openStudy();
  const { modes, capitalEfficiency, equity } = compare(account, {}, study.context);
  const [portfolio, cross, isolated] = modes;

  it('have the figures of accounts in them', () => {
    for (const mode of ['portfolio', 'cross'] as const) {
      const result = study.margin({ ...documentOf(account), mode });
      const figures = modes.find((one) => one.mode === mode)!;
      const { initialMargin, maintenanceMargin, marginRatio, state, components } = result;
      const same = { initialMargin, maintenanceMargin, marginRatio, state, components };
      expect(figures).toMatchObject(same);
      expect(figures.initialRequirement).toBe(initialMargin - 1_000);
      expect(figures.freeCollateral).toBe(result.equity - (initialMargin - 1_000));
    }
    expect(portfolio!.current).toBe(true);
    expect(capitalEfficiency).toBe(1 - portfolio!.initialMargin / isolated!.initialMargin);
    expect(cross!.initialMargin).toBeLessThan(isolated!.initialMargin);
  });

  it('say what each isolated position needs, and what is left', () => {
    const needed = isolated!.allocations!.map((one) => one.needed);
    const positions = isolated!.allocations!.map(({ instrument, allocated }) => ({
      ...POSITIONS.find((one) => one.instrument === instrument)!,
      allocated,
    }));
    const result = study.margin({ ...documentOf(account), mode: 'isolated', positions });
    // Each position's equity is its requirement: 20 · 0.1 · (100,200 − 101,000) is unrealised of the first.
    result.positions!.forEach((position) => {
      expect(position.equity).toBeCloseTo(position.initialMargin, 6);
      expect(position.state).toBe('warning');
    });
    const perpetual = isolated!.allocations!.find((one) => one.instrument === 'BTC-PERP')!;
    const own = result.positions!.find((one) => one.instrument === 'BTC-PERP')!;
    expect(perpetual.needed).toBeCloseTo(own.initialMargin + 1_600, 6);
    expect(isolated).toMatchObject({
      initialMargin: result.initialMargin,
      state: result.state,
      components: result.components,
    });
    const total = needed.reduce((sum, one) => sum + one, 0);
    expect(isolated!.freeCollateral).toBeCloseTo(120_000 - total, 6);
    expect(equity).toBe(result.equity);
  });

  it('take allocations that are stated', () => {
    const some = accountOf({
      ...documentOf(account),
      positions: POSITIONS.map((one) => ({ ...one, allocated: 9_000 })),
    });
    const [, , apart] = compare(some, {}, study.context).modes;
    expect(apart!.allocations!.map(({ allocated, stated }) => [allocated, stated])).toEqual(
      POSITIONS.map(() => [9_000, true]),
    );
    expect(apart!.allocations!.map((one) => one.needed)).toEqual(
      isolated!.allocations!.map((one) => one.needed),
    );
    // To the rounding of 120,000.
    expect(apart!.freeCollateral).toBeCloseTo(120_000 - 27_000, 6);
  });
});

describe('methodologies', () => {
  const made: { engine?: Engine } = {};
  const options = { market: MARKET, factors: FACTORS, workers: 1 };
  beforeAll(async () => {
    made.engine = await createEngine({ ...options, methodology: { scenarios: 1_024, seed: 's' } });
  });
  afterAll(() => made.engine?.close());

  it('are compared on the same draws; one that cannot be used here says why', async () => {
    const methodologies = ['market-risk', 'clearing-listed', { name: 'mine', mmFactor: 0.7 }];
    const answer = await made.engine!.compare(documentOf(account), { methodologies });
    const engines = [
      { preset: 'market-risk', scenarios: 1_024, seed: 's' },
      { mmFactor: 0.7, name: 'mine', scenarios: 1_024, seed: 's' },
    ] as const;
    const [alone, listed, mine] = answer.methodologies;
    for (const [i, given] of [alone, mine].entries()) {
      const other = await createEngine({ ...options, methodology: engines[i]! });
      const expected = await other.compare(documentOf(account));
      await other.close();
      expect(given).toMatchObject({ compared: expected.current });
    }
    expect(listed).toMatchObject({ name: 'clearing-listed', error: { code: 'MISSING_HISTORY' } });
    expect(mine!.name).toBe('mine');
    const result = await made.engine!.margin(documentOf(account));
    expect(answer.current.modes[0]!.initialMargin).toBe(result.initialMargin);
  });

  it('may read the surface in another way', async () => {
    const methodologies = [{ name: 'fitted', surfaceModel: 'svi' as const }];
    const { methodologies: other } = await made.engine!.compare(documentOf(account), {
      methodologies,
    });
    const methodology = { ...methodologies[0]!, scenarios: 1_024, seed: 's' };
    const fitted = await createEngine({ ...options, methodology });
    const { initialMargin, equity } = await fitted.margin(documentOf(account));
    await fitted.close();
    expect(other[0]).toMatchObject({ compared: { equity, modes: [{ initialMargin }, {}, {}] } });
  });

  it.each([
    [['none'], 'INVALID_FIELD', 'methodologies[0]'],
    [['market-risk', { mmFactor: 2 }], 'INVALID_FIELD', 'methodologies[1].mmFactor'],
    [[{ flor: 2 }], 'UNKNOWN_FIELD', 'methodologies[0].flor'],
  ])('refuse %j', async (methodologies, code, path) => {
    const call = made.engine!.compare(documentOf(account), {
      methodologies: methodologies as never,
    });
    await expect(call).rejects.toMatchObject({ code, path });
  });
});
