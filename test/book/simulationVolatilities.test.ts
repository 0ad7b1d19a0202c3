/** A simulation whose volatilities follow its prices: at each midnight another scenario set, the same whatever the workers. */
import { expect, it } from 'vitest';
import type { PricePath } from '../../src/book/simulation/prices.ts';
import type { SimulationReport } from '../../src/book/simulation/report.ts';
import { simulate } from '../../src/book/simulation/simulation.ts';
import { createEngine } from '../../src/engine/engine.ts';
import type { MethodologyInput } from '../../src/margin/methodology.ts';
import type { FactorModel } from '../../src/market/factorModel.ts';
import type { MarketSnapshot } from '../../src/market/snapshot.ts';

const MARKET: MarketSnapshot = {
  asOf: '2026-01-02T12:00:00Z',
  currency: 'USD',
  underlyings: [{ id: 'BTC', spot: 90_000 }],
  instruments: [
    { id: 'BTC-LIN', type: 'perpetual', underlying: 'BTC', settlement: 'linear', multiplier: 1 },
  ],
};
const VOLATILITY = 0.5;
const FACTORS: FactorModel = {
  asOf: '2026-01-02T00:00:00Z',
  periodsPerYear: 365,
  factors: [{ id: 'BTC:spot', volatility: VOLATILITY }],
  correlation: [[1]],
};
/** Half a day a step, up by 2% and down by as much: from midnight to midnight nothing, but for the last day's 10%. */
const STEPS = [0.02, -0.02, 0.02, -0.02, 0.1, 0];
const PATH: PricePath = {
  steps: STEPS.length,
  factorIds: ['BTC:spot'],
  absolute: () => false,
  step: (i) => ({ milliseconds: 43_200_000, shock: () => STEPS[i]! }),
};
const ACCOUNT = {
  id: 'a',
  collateral: [{ asset: 'USD', amount: 1e6 }],
  positions: [{ instrument: 'BTC-LIN', size: 1 }],
};

async function run(
  volatilities: NonNullable<MethodologyInput['volatilities']>,
  workers = 1,
): Promise<SimulationReport> {
  const methodology = {
    preset: 'market-risk',
    scenarioModel: 'gaussian',
    scenarios: 512,
    volatilities,
  } as const;
  const engine = await createEngine({ market: MARKET, factors: FACTORS, methodology, workers });
  try {
    return await simulate({
      engine,
      accounts: [ACCOUNT],
      path: PATH,
      prices: 'factors',
      seed: 's',
      fund: 0,
      tradesPerDay: 0,
      answerShare: 0,
      callMinutes: 60,
    });
  } finally {
    await engine.close();
  }
}

it('margin follows the volatility that its own prices make', async () => {
  const dynamic = await run({ estimate: 'dynamic' });
  // Steps end at 00:00 and 12:00: the midnights of the 3rd, 4th and 5th.
  expect(dynamic.volatilityUpdates).toBe(3);
  const fixed = await run({});
  expect(fixed.volatilityUpdates).toBe(0);
  expect(dynamic.scenarioSet).not.toBe(fixed.scenarioSet);
  // Days end at noon. The 4th has no change (−2% + 2%), the 5th +8% (−2% + 10%); the 3rd is where changes begin.
  const calm = VOLATILITY * Math.sqrt(0.94);
  const moved = Math.sqrt(0.94 * calm ** 2 + 0.06 * 365 * 0.08 ** 2);
  const margins = dynamic.days.map((day, i) => day.initialMargin / fixed.days[i]!.initialMargin);
  expect(margins.slice(0, 2)).toEqual([1, 1]);
  // The margin of one linear contract is S·(1 − e^{σz}) averaged over the same z: between linear in σ and its convexity's half σz·Δ(σz) ≤ 1%.
  expect(Math.abs(margins[2]! / (calm / VOLATILITY) - 1)).toBeLessThan(0.01);
  expect(Math.abs(margins[3]! / (moved / VOLATILITY) - 1)).toBeLessThan(0.01);
});

it('is the same whatever the workers, and λ and the instants decide', async () => {
  const [one, two] = [await run({ estimate: 'dynamic' }), await run({ estimate: 'dynamic' }, 2)];
  expect(two).toEqual(one);
  const slow = await run({ estimate: 'dynamic', lambda: 0.97, instants: ['12:00', '00:00'] });
  expect(slow.volatilityUpdates).toBe(6);
  expect(slow.scenarioSet).not.toBe(one.scenarioSet);
});
