/** Margin from first principles: equity, requirement, ratio and state against arithmetic that stands here. */
import { describe, expect, it } from 'vitest';
import { resolveMethodology } from '../../src/margin/methodology.ts';
import { accountState, marginRatio } from '../../src/margin/requirement.ts';
import type { FactorModel } from '../../src/market/factorModel.ts';
import type { MarketSnapshot } from '../../src/market/snapshot.ts';
import { fillInProcess } from '../engine/inProcess.ts';

const expiry = '2026-03-27T08:00:00Z';
const market: MarketSnapshot = {
  asOf: '2026-01-02T08:00:00Z',
  currency: 'USD',
  underlyings: [
    {
      id: 'BTC',
      spot: 90_000,
      forwards: [{ expiry, price: 91_000 }],
      surface: [{ expiry, quotes: [{ strike: 100_000, iv: 0.5 }] }],
    },
    { id: 'ETH', spot: 3_000 },
  ],
  instruments: [
    {
      id: 'BTC-CALL',
      type: 'option',
      underlying: 'BTC',
      expiry,
      strike: 100_000,
      right: 'call',
      settlement: 'coin',
      multiplier: 1,
    },
    {
      id: 'BTC-PUT',
      type: 'option',
      underlying: 'BTC',
      expiry,
      strike: 100_000,
      right: 'put',
      settlement: 'coin',
      multiplier: 1,
    },
    {
      id: 'BTC-PERP',
      type: 'perpetual',
      underlying: 'BTC',
      settlement: 'inverse',
      multiplier: 1,
      mark: 90_100,
    },
    {
      id: 'BTC-FUT',
      type: 'future',
      underlying: 'BTC',
      expiry,
      settlement: 'inverse',
      multiplier: 1,
    },
    {
      id: 'BTC-LINEAR',
      type: 'perpetual',
      underlying: 'BTC',
      settlement: 'linear',
      multiplier: 0.01,
    },
    { id: 'ETH-PERP', type: 'perpetual', underlying: 'ETH', settlement: 'linear', multiplier: 1 },
    { id: 'ETH-SPOT', type: 'spot', underlying: 'ETH', settlement: 'linear', multiplier: 1 },
  ],
};
const factors: FactorModel = {
  asOf: market.asOf,
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
/** Expected shortfall alone: components.test.ts and its neighbours have the others. */
const methodology = { preset: 'market-risk' } as const;
const { margin, session } = fillInProcess({ market, factors, methodology });

describe('equity', () => {
  it('is haircut collateral: 1,000 USD + 2 BTC at 0.95 + 10 ETH at 0.95', () => {
    const collateral = [
      { asset: 'USD', amount: 1_000 },
      { asset: 'BTC', amount: 2 },
      { asset: 'ETH', amount: 10 },
    ];
    // 1,000 + 2 · 0.95 · 90,000 + 10 · 0.95 · 3,000 = 1,000 + 171,000 + 28,500
    expect(margin({ id: 'a', collateral }).equity).toBeCloseTo(200_500, 6);
  });

  it('adds the unrealised coins of an inverse perpetual at spot', () => {
    const positions = [{ instrument: 'BTC-PERP', size: 100_000, entryPrice: 80_000 }];
    // 100,000 · (1/80,000 − 1/90,100) = 0.14012208… coin, × 90,000
    const coins = 100_000 * (1 / 80_000 - 1 / 90_100);
    expect(coins).toBeCloseTo(0.140122086, 8);
    expect(margin({ id: 'a', positions }).equity).toBeCloseTo(coins * 90_000, 8);
  });

  it('adds a linear contract from its entry, and nothing without one', () => {
    // 300 · 0.01 · (90,000 − 89,000) = 3,000
    const held = (entryPrice?: number) => ({
      instrument: 'BTC-LINEAR',
      size: 300,
      ...(entryPrice ? { entryPrice } : {}),
    });
    expect(margin({ id: 'a', positions: [held(89_000)] }).equity).toBeCloseTo(3_000, 9);
    expect(margin({ id: 'a', positions: [held()] }).equity).toBe(0);
  });

  it('adds net option value, short negative, whatever the entry price: parity holds in coin', () => {
    const of = (instrument: string, size: number) =>
      margin({ id: 'a', positions: [{ instrument, size, entryPrice: 0.04 }] }).equity;
    // A coin-settled option is worth S·B/F: call − put = S·(F − K)/F = 90,000 · (91,000 − 100,000)/91,000
    expect(of('BTC-CALL', 1) - of('BTC-PUT', 1)).toBeCloseTo((90_000 * -9_000) / 91_000, 6);
    expect(of('BTC-CALL', -3)).toBeCloseTo(-3 * of('BTC-CALL', 1), 9);
  });

  it('counts a spot position at its price', () => {
    expect(margin({ id: 'a', positions: [{ instrument: 'ETH-SPOT', size: 4 }] }).equity).toBe(
      12_000,
    );
  });
});

describe('the loss of an account', () => {
  const es = (account: object) => margin({ id: 'a', ...account }).risk.expectedShortfall;

  it('of a short coin-settled option nets with collateral coins', () => {
    const short = { positions: [{ instrument: 'BTC-CALL', size: -1 }] };
    const covered = { ...short, collateral: [{ asset: 'BTC', amount: 0.2 }] };
    expect(es(covered)).toBeLessThan(es(short));
  });

  it('of an inverse long with its entry at mark is that of the same coins linear: c·(S₁ − S₀)', () => {
    // No unrealised coins: 90,100 · 1/90,100 = 1 coin of delta, so 100 linear contracts of 0.01.
    const inverse = es({
      positions: [{ instrument: 'BTC-PERP', size: 90_100, entryPrice: 90_100 }],
    });
    const linear = es({ positions: [{ instrument: 'BTC-LINEAR', size: 100 }] });
    expect(inverse / linear).toBeCloseTo(1, 12);
  });

  it('moves unrealised coins with the spot', () => {
    // 90,100 USD from 45,050: U = 90,100 · (1/45,050 − 1/90,100) = 1 coin, so 2 coins of delta in all.
    const profit = es({
      positions: [{ instrument: 'BTC-PERP', size: 90_100, entryPrice: 45_050 }],
    });
    const linear = es({ positions: [{ instrument: 'BTC-LINEAR', size: 200 }] });
    expect(profit / linear).toBeCloseTo(1, 12);
  });

  it('is homogeneous: ten times the book, ten times the ES', () => {
    const book = (k: number) => ({
      positions: [
        { instrument: 'BTC-CALL', size: -2 * k },
        { instrument: 'ETH-PERP', size: 30 * k },
      ],
    });
    expect(es(book(10)) / es(book(1))).toBeCloseTo(10, 12);
  });

  it('is what put-call parity says: call − put is a forward in every scenario', () => {
    const { rowOf } = session.valuation.plan;
    const { layout } = session;
    const f64 = new Float64Array(session.memory.buffer);
    const row = (id: string) => {
      const index = session.valuation.market.instrumentIndex.get(id)!;
      const at = (layout.rows + rowOf[index]! * layout.rowBytes) / 8;
      return f64.subarray(at, at + session.set.scenarios);
    };
    const [call, put, spot] = [row('BTC-CALL'), row('BTC-PUT'), row('BTC-LINEAR')];
    for (let s = 0; s < session.set.scenarios; s += 7) {
      // Δ(S·(F − K)/F) with S/F unmoved (no basis) is (S₀/F₀)·ΔF = ΔS, and the linear row is 0.01·ΔS. Prices of 1e5 round at 1e-11.
      expect(Math.abs(call[s]! - put[s]! - spot[s]! * 100)).toBeLessThan(1e-9);
    }
  });
});

describe('the requirement', () => {
  const account = {
    id: 'a',
    collateral: [{ asset: 'USD', amount: 50_000 }],
    positions: [
      { instrument: 'BTC-CALL', size: -2, entryPrice: 0.04 },
      { instrument: 'ETH-PERP', size: 10, entryPrice: 2_900 },
    ],
  };

  it('is ES; maintenance 0.8 of it; the ratio maintenance over equity', () => {
    const result = margin(account);
    expect(result.initialMargin).toBe(result.risk.expectedShortfall);
    expect(result.maintenanceMargin).toBe(0.8 * result.initialMargin);
    expect(result.marginRatio).toBe(result.maintenanceMargin / result.equity);
    expect(result.components).toEqual([
      {
        name: 'marketRisk',
        initial: result.initialMargin,
        maintenance: 0.8 * result.initialMargin,
      },
    ]);
  });

  it('stands beside the isolated one: the sum of each position by itself', () => {
    const alone = (position: object) => margin({ id: 'a', positions: [position] }).initialMargin;
    const { modes } = margin(account);
    const sum = account.positions.reduce((total, position) => total + alone(position), 0);
    expect(modes.isolated.initialMargin / sum).toBeCloseTo(1, 12);
    expect(modes.portfolio.initialMargin).toBeLessThanOrEqual(modes.isolated.initialMargin);
    expect(modes.capitalEfficiency).toBe(
      1 - modes.portfolio.initialMargin / modes.isolated.initialMargin,
    );
  });

  it('in cross mode is the sum by underlying, between portfolio and isolated for positions without coins', () => {
    const cross = margin({ ...account, mode: 'cross' });
    const { modes } = cross;
    expect(cross.initialMargin).toBeGreaterThanOrEqual(modes.portfolio.initialMargin);
    expect(cross.initialMargin).toBeLessThanOrEqual(modes.isolated.initialMargin * (1 + 1e-12));
  });

  it('in isolated mode stands each position on its own collateral, and the worst one gives the state', () => {
    const positions = [
      { ...account.positions[0]!, allocated: 1 },
      { ...account.positions[1]!, allocated: 100_000 },
    ];
    const collateral = [{ asset: 'USD', amount: 100_001 }];
    const result = margin({ ...account, mode: 'isolated', collateral, positions });
    expect(result.positions).toHaveLength(2);
    expect(result.positions![0]).toMatchObject({
      instrument: 'BTC-CALL',
      allocated: 1,
      state: 'default',
    });
    expect(result.positions![1]).toMatchObject({ instrument: 'ETH-PERP', state: 'healthy' });
    // 100,000 + 10 · (3,000 − 2,900)
    expect(result.positions![1]!.equity).toBe(101_000);
    expect(result.state).toBe('default');
    expect(result.initialMargin).toBeCloseTo(result.modes.isolated.initialMargin, 9);
  });

  it('is lowered by a credit line for the ratio and the state, not in the figure itself', () => {
    const plain = margin(account);
    const credited = margin({ ...account, creditLine: plain.maintenanceMargin });
    expect(credited.initialMargin).toBe(plain.initialMargin);
    expect(credited.marginRatio).toBe(0);
  });

  it('is never below the floor', () => {
    const { margin: floored } = fillInProcess({
      market,
      factors,
      methodology: { ...methodology, scenarios: 100, floor: 500 },
    });
    expect(floored({ id: 'a' })).toMatchObject({ initialMargin: 500, maintenanceMargin: 400 });
  });

  it('is not negative for a book that cannot lose', () => {
    // More coins of collateral than a short needs is the long side; a long put and long coins lose something, so take cash alone.
    expect(margin({ id: 'a', collateral: [{ asset: 'USD', amount: 1 }] }).initialMargin).toBe(0);
  });
});

describe('ratio and state', () => {
  const methodology = resolveMethodology({}, false);
  const required = { initialRequirement: 100, maintenanceRequirement: 80 };

  it.each([
    [125, 'healthy'],
    [124.99, 'warning'],
    [100, 'warning'],
    [99.99, 'margin-call'],
    [80, 'margin-call'],
    [79.99, 'liquidation'],
    [0, 'liquidation'],
    [-0.01, 'default'],
  ])('equity %d is %s', (equity, state) => {
    expect(accountState(equity, required, methodology)).toBe(state);
  });

  it('the ratio is null exactly when equity is not positive and something is required', () => {
    expect(marginRatio(80, 160)).toBe(0.5);
    expect(marginRatio(0, -1)).toBe(0);
    expect(marginRatio(80, 0)).toBeNull();
    expect(marginRatio(80, -1)).toBeNull();
  });
});
