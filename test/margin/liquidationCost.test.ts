import { expect, it } from 'vitest';
import { TradeCosts } from '../../src/margin/liquidationCost.ts';
import { fillInProcess } from '../engine/inProcess.ts';

const { session } = fillInProcess({
  market: {
    asOf: '2026-01-02T08:00:00Z',
    currency: 'USD',
    underlyings: [
      { id: 'A', spot: 100, liquidity: { halfSpread: 0.01, dailyVolume: 10_000 } },
      { id: 'B', spot: 50 },
    ],
    instruments: [
      { id: 'A-P', type: 'perpetual', underlying: 'A', settlement: 'linear', multiplier: 2 },
      { id: 'B-P', type: 'perpetual', underlying: 'B', settlement: 'linear', multiplier: 1 },
    ],
  },
  factors: {
    asOf: '2026-01-02T08:00:00Z',
    periodsPerYear: 365,
    factors: [
      { id: 'A:spot', volatility: 0.5 },
      { id: 'B:spot', volatility: 0.5 },
    ],
    correlation: [
      [1, 0],
      [0, 1],
    ],
  },
  methodology: { scenarios: 64, openOrders: { feeRate: 0.001 } },
});

it('half-spread, square-root impact and fee, reckoned by hand; two halves cost what the whole does', () => {
  const costs = new TradeCosts(session.valuation);
  // 25 contracts of 2: Q = 50 units, 5,000 in currency; σ a day = 0.5/√365, ADV 10⁶.
  const impact = (0.5 / Math.sqrt(365)) * 5_000 * Math.sqrt(5_000 / 1e6);
  const whole = 0.01 * 5_000 + impact + 0.001 * 5_000;
  // Four operations on each: a few ulp.
  expect(costs.of(0, -25)).toBeCloseTo(whole, 10);
  const first = costs.of(0, 10);
  costs.add(0, 10);
  expect(first + costs.of(0, 15)).toBeCloseTo(whole, 10);
  // Without liquidity figures only the fee is known.
  expect(costs.of(1, 4)).toBeCloseTo(0.2, 12);
});
