/** A market of round numbers, so that requirements can be computed by hand. */
import type { ComponentName, MethodologyInput } from '../../src/margin/methodologySchema.ts';
import type { MarginResult } from '../../src/margin/result.ts';
import type { FactorModel } from '../../src/market/factorModel.ts';
import type { MarketSnapshot } from '../../src/market/snapshot.ts';
import { fillInProcess, type InProcess } from '../engine/inProcess.ts';

/** 73 days and 365 days from `asOf`: T = 0.2 and T = 1. */
export const NEAR = '2026-03-16T08:00:00Z';
export const FAR = '2027-01-02T08:00:00Z';

const coinOption = (id: string, strike: number, right: 'call' | 'put', expiry: string) =>
  ({
    id,
    type: 'option',
    underlying: 'BTC',
    expiry,
    strike,
    right,
    settlement: 'coin',
    multiplier: 1,
  }) as const;

export const market: MarketSnapshot = {
  asOf: '2026-01-02T08:00:00Z',
  currency: 'USD',
  underlyings: [
    {
      id: 'BTC',
      spot: 100_000,
      forwards: [
        { expiry: NEAR, price: 100_000 },
        { expiry: FAR, price: 100_000 },
      ],
      surface: [
        { expiry: NEAR, quotes: [{ strike: 100_000, iv: 0.5 }] },
        { expiry: FAR, quotes: [{ strike: 100_000, iv: 0.5 }] },
      ],
      liquidity: { halfSpread: 0.0002, dailyVolume: 10_000 },
    },
    {
      id: 'ETH',
      spot: 4_000,
      liquidity: {
        dailyVolume: 5_000,
        depth: [
          { distance: 0.001, size: 100 },
          { distance: 0.002, size: 300 },
        ],
      },
    },
    {
      id: 'SOL',
      spot: 200,
      oracleConfidence: 0.9,
      liquidity: { depth: [{ distance: 0.004, size: 50 }] },
    },
    { id: 'USDT', spot: 0.95 },
  ],
  instruments: [
    {
      id: 'BTC-LIN',
      type: 'perpetual',
      underlying: 'BTC',
      settlement: 'linear',
      multiplier: 0.01,
    },
    { id: 'BTC-INV', type: 'perpetual', underlying: 'BTC', settlement: 'inverse', multiplier: 10 },
    {
      id: 'BTC-NEAR',
      type: 'future',
      underlying: 'BTC',
      expiry: NEAR,
      settlement: 'linear',
      multiplier: 1,
    },
    {
      id: 'BTC-FAR',
      type: 'future',
      underlying: 'BTC',
      expiry: FAR,
      settlement: 'linear',
      multiplier: 1,
    },
    coinOption('BTC-NEAR-100-C', 100_000, 'call', NEAR),
    coinOption('BTC-NEAR-100-P', 100_000, 'put', NEAR),
    coinOption('BTC-NEAR-150-C', 150_000, 'call', NEAR),
    coinOption('BTC-NEAR-200-C', 200_000, 'call', NEAR),
    coinOption('BTC-FAR-100-C', 100_000, 'call', FAR),
    {
      id: 'BTC-NEAR-100-C-TENTH',
      type: 'option',
      underlying: 'BTC',
      expiry: NEAR,
      strike: 100_000,
      right: 'call',
      settlement: 'linear',
      multiplier: 0.1,
    },
    { id: 'ETH-LIN', type: 'perpetual', underlying: 'ETH', settlement: 'linear', multiplier: 1 },
    { id: 'SOL-LIN', type: 'perpetual', underlying: 'SOL', settlement: 'linear', multiplier: 1 },
    { id: 'SOL-INV', type: 'perpetual', underlying: 'SOL', settlement: 'inverse', multiplier: 1 },
  ],
};

/** Spots move 2%, 2.5%, 5% and 0.1% a day. */
const yearly = (daily: number): number => daily * Math.sqrt(365);

export const factors: FactorModel = {
  asOf: market.asOf,
  periodsPerYear: 365,
  factors: [
    { id: 'BTC:spot', volatility: yearly(0.02) },
    { id: 'BTC:vol', volatility: 0.9 },
    { id: 'ETH:spot', volatility: yearly(0.025) },
    { id: 'SOL:spot', volatility: yearly(0.05) },
    { id: 'USDT:spot', volatility: yearly(0.001) },
  ],
  correlation: [
    [1, -0.3, 0.8, 0.6, 0],
    [-0.3, 1, -0.2, -0.1, 0],
    [0.8, -0.2, 1, 0.7, 0],
    [0.6, -0.1, 0.7, 1, 0],
    [0, 0, 0, 0, 1],
  ],
};

/** The round market under a methodology that charges only some components. */
export function charging(
  components: readonly ComponentName[],
  methodology: MethodologyInput = {},
  model: FactorModel = factors,
): InProcess {
  return fillInProcess({
    market,
    factors: model,
    methodology: { scenarios: 1_000, ...methodology, components: [...components] },
  });
}

/** What a component charges. */
export function lineOf(
  result: MarginResult,
  name: ComponentName,
): { readonly initial: number; readonly maintenance: number } {
  const { initial, maintenance } = result.components.find((line) => line.name === name)!;
  return { initial, maintenance };
}
