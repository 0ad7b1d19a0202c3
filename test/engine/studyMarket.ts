/** A small market of every type of contract, with round numbers, and a session on it in this thread. */
import { studyContext } from '../../src/engine/studies/studyShard.ts';
import { type Account, readAccount } from '../../src/margin/account.ts';
import type { MethodologyInput } from '../../src/margin/methodology.ts';
import type { FactorModel } from '../../src/market/factorModel.ts';
import type { MarketSnapshot } from '../../src/market/snapshot.ts';
import { fillInProcess, type InProcess } from './inProcess.ts';

export const AS_OF = '2026-01-02T08:00:00Z';
export const NEAR = '2026-01-09T08:00:00Z';
export const FAR = '2026-03-27T08:00:00Z';

const option = (id: string, expiry: string, right: 'call' | 'put', settlement: 'linear' | 'coin') =>
  ({
    id,
    type: 'option',
    underlying: 'BTC',
    expiry,
    strike: right === 'call' ? 110_000 : 95_000,
    right,
    settlement,
    multiplier: settlement === 'coin' ? 1 : 0.1,
  }) as const;

export const MARKET: MarketSnapshot = {
  asOf: AS_OF,
  currency: 'USD',
  underlyings: [
    {
      id: 'BTC',
      spot: 100_000,
      rate: 0.04,
      forwards: [
        { expiry: NEAR, price: 100_100 },
        { expiry: FAR, price: 101_200 },
      ],
      surface: [
        {
          expiry: NEAR,
          quotes: [
            { strike: 95_000, iv: 0.55 },
            { strike: 110_000, iv: 0.5 },
          ],
        },
        {
          expiry: FAR,
          quotes: [
            { strike: 90_000, iv: 0.6 },
            { strike: 110_000, iv: 0.52 },
            { strike: 130_000, iv: 0.57 },
          ],
        },
      ],
      liquidity: { halfSpread: 0.0002, dailyVolume: 20_000 },
    },
    { id: 'ETH', spot: 4_000, liquidity: { halfSpread: 0.0005, dailyVolume: 100_000 } },
  ],
  instruments: [
    { id: 'BTC-SPOT', type: 'spot', underlying: 'BTC', settlement: 'linear', multiplier: 0.01 },
    {
      id: 'BTC-PERP',
      type: 'perpetual',
      underlying: 'BTC',
      settlement: 'linear',
      multiplier: 0.1,
      mark: 100_200,
    },
    {
      id: 'BTC-PERP-INVERSE',
      type: 'perpetual',
      underlying: 'BTC',
      settlement: 'inverse',
      multiplier: 10,
      mark: 100_200,
    },
    {
      id: 'BTC-NEAR',
      type: 'future',
      underlying: 'BTC',
      expiry: NEAR,
      settlement: 'linear',
      multiplier: 0.1,
    },
    {
      id: 'BTC-NEAR-INVERSE',
      type: 'future',
      underlying: 'BTC',
      expiry: NEAR,
      settlement: 'inverse',
      multiplier: 10,
    },
    option('BTC-NEAR-P', NEAR, 'put', 'linear'),
    option('BTC-NEAR-C-COIN', NEAR, 'call', 'coin'),
    option('BTC-FAR-C', FAR, 'call', 'linear'),
    option('BTC-FAR-P-COIN', FAR, 'put', 'coin'),
    { id: 'ETH-PERP', type: 'perpetual', underlying: 'ETH', settlement: 'linear', multiplier: 1 },
    { id: 'ETH-POOL', type: 'pool', underlying: 'ETH', settlement: 'linear', multiplier: 3 },
    {
      id: 'BTC-FAR-BINARY',
      type: 'binary',
      underlying: 'BTC',
      expiry: FAR,
      strike: 110_000,
      right: 'call',
      settlement: 'linear',
      multiplier: 1_000,
    },
  ],
};

export const FACTORS: FactorModel = {
  asOf: AS_OF,
  periodsPerYear: 365,
  factors: [
    { id: 'BTC:spot', volatility: 0.5 },
    { id: 'BTC:vol', volatility: 0.9 },
    { id: 'ETH:spot', volatility: 0.7 },
  ],
  correlation: [
    [1, -0.4, 0.8],
    [-0.4, 1, -0.3],
    [0.8, -0.3, 1],
  ],
};

export interface StudySession extends InProcess {
  readonly context: ReturnType<typeof studyContext>;
  /** What `applyChange` reads quotes off. */
  readonly valuation: InProcess['session']['valuation'];
}

export function openStudy(
  methodology: MethodologyInput = {},
  market: MarketSnapshot = MARKET,
): StudySession {
  const filled = fillInProcess({
    market,
    factors: FACTORS,
    methodology: { scenarios: 2_000, ...methodology },
  });
  const context = studyContext(filled.bench, 0);
  return { ...filled, context, valuation: filled.session.valuation };
}

export function accountOf(parts: Record<string, unknown>): Account {
  return readAccount({ id: 'a', ...parts });
}

/** The account as it would be written down. */
export function documentOf(account: Account): Record<string, unknown> {
  const stated = (values: ArrayLike<number> | null, i: number): number | undefined => {
    const value = values?.[i] ?? Number.NaN;
    return Number.isNaN(value) ? undefined : value;
  };
  const positions = account.instruments.map((instrument, i) => ({
    instrument,
    size: account.sizes[i]!,
    entryPrice: stated(account.entryPrices, i),
    allocated: stated(account.allocated, i),
  }));
  const { id, mode, creditLine, collateral, orders } = account;
  return JSON.parse(JSON.stringify({ id, mode, creditLine, collateral, orders, positions }));
}
