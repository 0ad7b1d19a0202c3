/** Formulas of METHODOLOGY section 5 that read positions, each against a case whose arithmetic stands here: see roundMarket.ts. */
import { describe, expect, it } from 'vitest';
import type { ComponentName, MethodologyInput } from '../../src/margin/methodologySchema.ts';
import type { FactorModel } from '../../src/market/factorModel.ts';
import { charging, factors, lineOf } from './roundMarket.ts';

/** Figures below are exact in decimals up to a million; doubles and some thirty operations keep twelve digits. */
const close = (got: number, expected: number) => {
  expect(Math.abs(got - expected)).toBeLessThanOrEqual(1e-12 * Math.abs(expected));
};

type Position = {
  readonly instrument: string;
  readonly size: number;
  readonly entryPrice?: number;
};
const held = (...positions: readonly Position[]) => ({ id: 'a', positions });

/** One component alone, as charged to an account. */
function initialOf(name: ComponentName, methodology?: MethodologyInput, model?: FactorModel) {
  const { margin } = charging([name], methodology, model);
  return (account: object) => lineOf(margin(account), name).initial;
}

describe('liquidity', () => {
  it('without a ladder: half-spread plus square-root impact', () => {
    const of = initialOf('liquidity');
    // Q = 10,000 · 0.01 = 100 BTC = 10,000,000: 0.0002 · 10,000,000 + 0.02 · 10,000,000 · √(100 / 10,000) = 2,000 + 20,000
    close(of(held({ instrument: 'BTC-LIN', size: 10_000 })), 22_000);
    close(of(held({ instrument: 'BTC-LIN', size: -10_000 })), 22_000);
  });

  it('closes the net delta: an inverse short of 10,000,000 USD and 100 BTC long cost nothing', () => {
    const account = held(
      { instrument: 'BTC-LIN', size: 10_000 },
      { instrument: 'BTC-INV', size: -1_000_000 },
    );
    // A million contracts of 10 USD at 100,000 are 100 BTC; their rounding remains, of 22,000.
    expect(initialOf('liquidity')(account)).toBeLessThan(1e-8);
  });

  it('unrealised coins of an inverse contract are delta too', () => {
    // 50,000 · 10 USD from 50,000 to 100,000: 5 coins of delta and 500,000 · (1/50,000 − 1/100,000) = 5 coins unrealised.
    const inverse = held({ instrument: 'BTC-INV', size: 50_000, entryPrice: 50_000 });
    const of = initialOf('liquidity');
    close(of(inverse), of(held({ instrument: 'BTC-LIN', size: 1_000 })));
  });

  it('collateral coins are not closed', () => {
    const of = initialOf('liquidity');
    const account = held({ instrument: 'BTC-LIN', size: 10_000 });
    expect(of({ ...account, collateral: [{ asset: 'BTC', amount: 50 }] })).toBe(of(account));
  });

  it('walks a ladder, whose distances hold the spread', () => {
    // 100 · 0.001 · 4,000 + 150 · 0.002 · 4,000 = 400 + 1,200
    close(initialOf('liquidity')(held({ instrument: 'ETH-LIN', size: -250 })), 1_600);
    close(initialOf('liquidity')(held({ instrument: 'ETH-LIN', size: 60 })), 240);
  });

  it('beyond the ladder pays the impact of the rest, or the last distance where that is more', () => {
    const of = initialOf('liquidity');
    // 400 + 200 · 0.002 · 4,000 = 2,000; of 100 more η σ S (Q √(Q/V)): 0.025 · 4,000 · (400 √(400/5,000) − 300 √(300/5,000)) = 3,965.23
    const impact = 0.025 * 4_000 * (400 * Math.sqrt(0.08) - 300 * Math.sqrt(0.06));
    expect(impact).toBeCloseTo(3_965.24, 2);
    close(of(held({ instrument: 'ETH-LIN', size: 400 })), 2_000 + impact);
    const calm = initialOf('liquidity', { liquidity: { impact: 0.1 } });
    // 100 · 0.002 · 4,000 = 800 is more than 396.52
    close(calm(held({ instrument: 'ETH-LIN', size: 400 })), 2_800);
    // Without a daily volume the last distance stands: 50 · 0.004 · 200 + 30 · 0.004 · 200
    close(of(held({ instrument: 'SOL-LIN', size: 80 })), 64);
  });

  it('grows without a jump at the end of the ladder', () => {
    const of = initialOf('liquidity');
    const [inside, beyond] = [300, 300.000001].map((size) =>
      of(held({ instrument: 'ETH-LIN', size })),
    );
    expect(beyond! - inside!).toBeGreaterThan(0);
    expect(beyond! - inside!).toBeLessThan(1e-3);
  });

  it('adds |net vega| × 0.02, vega by Black 1976', () => {
    const closing = initialOf('liquidity');
    const vegaOnly = initialOf('liquidity', { liquidity: { vegaSpread: 1 } });
    const none = initialOf('liquidity', { liquidity: { vegaSpread: 0 } });
    const account = held(
      { instrument: 'BTC-NEAR-100-C', size: -3 },
      { instrument: 'BTC-NEAR-100-P', size: 1 },
    );
    // At the money d₁ = σ√T/2; in coin terms m · S φ(d₁) √T, of a call as of a put: two short.
    const d1 = (0.5 * Math.sqrt(0.2)) / 2;
    const vega = (100_000 * Math.exp((-d1 * d1) / 2) * Math.sqrt(0.2)) / Math.sqrt(2 * Math.PI);
    expect((vegaOnly(account) - none(account)) / (2 * vega)).toBeCloseTo(1, 11);
    expect((closing(account) - none(account)) / (2 * vega * 0.02)).toBeCloseTo(1, 10);
  });

  it('says what the market does not state', () => {
    const { margin } = charging(['liquidity']);
    const account = held({ instrument: 'BTC-LIN', size: 1 }, { instrument: 'SOL-LIN', size: 1 });
    expect(margin(account).absentInputs).toEqual(['SOL:dailyVolume']);
  });
});

describe('concentration: (√(h_u/h) − 1) · ES of the positions in u', () => {
  const large = held({ instrument: 'BTC-LIN', size: 400_000 });

  it('4,000 BTC at a tenth of 10,000 a day take 4 days: (√4 − 1) · ES = ES', () => {
    const { margin } = charging(['concentration']);
    const result = margin(large);
    close(lineOf(result, 'concentration').initial, result.risk.expectedShortfall);
    expect(lineOf(result, 'concentration').maintenance).toBe(
      0.8 * lineOf(result, 'concentration').initial,
    );
  });

  it('over a horizon of two days: √(4/2) − 1', () => {
    const { margin } = charging(['concentration'], { horizonDays: 2 });
    const result = margin(large);
    const growth = Math.SQRT2 - 1;
    expect(
      lineOf(result, 'concentration').initial / (growth * result.risk.expectedShortfall),
    ).toBeCloseTo(1, 12);
  });

  it('is nothing up to the horizon, and grows from there', () => {
    const of = initialOf('concentration');
    expect(of(held({ instrument: 'BTC-LIN', size: 100_000 }))).toBe(0);
    expect(of(held({ instrument: 'BTC-LIN', size: 100_001 }))).toBeGreaterThan(0);
  });

  it('leaves other underlyings and collateral coins out', () => {
    const of = initialOf('concentration');
    const others = { instrument: 'ETH-LIN', size: 5 };
    const account = {
      ...held(...large.positions, others),
      collateral: [{ asset: 'BTC', amount: -900 }],
    };
    close(of(account), of(large));
  });
});

describe('basis: deltas that offset each other across expiries', () => {
  const of = initialOf('basis');

  it('3 near against 2 far: (3 + 2 − 1) · 100,000 · (e^0.075 − 1)', () => {
    const account = held({ instrument: 'BTC-NEAR', size: 3 }, { instrument: 'BTC-FAR', size: -2 });
    // e^0.075 − 1 = 0.0778841508846…
    expect(of(account)).toBeCloseTo(31_153.6603538, 6);
  });

  it('undated contracts are an expiry of their own, at the least rate near by', () => {
    // 5 BTC spot against 5 near: 10 · 100,000 · e^(0.075 · 0.2) − 1 = 0.01511306…; with a slope of 0.01 the least rate, 1%.
    const account = held(
      { instrument: 'BTC-LIN', size: 500 },
      { instrument: 'BTC-NEAR', size: -5 },
    );
    expect(of(account)).toBeCloseTo(1_000_000 * 0.015113064615719, 5);
    const flat = initialOf('basis', { basis: { slope: 0.01 } });
    close(flat(account), 10_000);
  });

  it('one expiry, or one direction, costs nothing', () => {
    expect(of(held({ instrument: 'BTC-NEAR', size: 3 }, { instrument: 'BTC-FAR', size: 2 }))).toBe(
      0,
    );
    expect(
      of(held({ instrument: 'BTC-LIN', size: 3 }, { instrument: 'BTC-INV', size: -300 })),
    ).toBe(0);
  });

  it('is off where a basis factor is simulated', () => {
    const n = factors.factors.length;
    const model = {
      ...factors,
      factors: [...factors.factors, { id: 'BTC:basis', volatility: 0.1 }],
      correlation: [
        ...factors.correlation.map((row) => [...row, 0]),
        [...new Array<number>(n).fill(0), 1],
      ],
    };
    const account = held({ instrument: 'BTC-NEAR', size: 3 }, { instrument: 'BTC-FAR', size: -2 });
    expect(initialOf('basis', {}, model)(account)).toBe(0);
  });
});

describe('short option minimum: 0.5% of spot × m per net short contract and strike', () => {
  const of = initialOf('shortOptionMinimum');

  it.each([
    [
      'a short straddle is short twice: 5 · 500',
      [
        ['BTC-NEAR-100-C', -3],
        ['BTC-NEAR-100-P', -2],
      ],
      2_500,
    ],
    [
      'a call against a put of its strike is a forward',
      [
        ['BTC-NEAR-100-C', 3],
        ['BTC-NEAR-100-P', -3],
      ],
      0,
    ],
    [
      'strikes do not net: a spread has one short leg',
      [
        ['BTC-NEAR-150-C', 2],
        ['BTC-NEAR-200-C', -2],
      ],
      1_000,
    ],
    [
      'nor do expiries',
      [
        ['BTC-NEAR-100-C', -1],
        ['BTC-FAR-100-C', 1],
      ],
      500,
    ],
    [
      'contracts net by what they refer to: −1 · 1 + 4 · 0.1',
      [
        ['BTC-NEAR-100-C', -1],
        ['BTC-NEAR-100-C-TENTH', 4],
      ],
      300,
    ],
    ['long options need none', [['BTC-NEAR-200-C', 7]], 0],
    ['futures need none', [['BTC-NEAR', -7]], 0],
  ] as const)('%s', (_, positions, expected) => {
    close(of(held(...positions.map(([instrument, size]) => ({ instrument, size })))), expected);
  });
});

describe('oracle and depeg are initial-only', () => {
  it('(0.95 − 0.9) of the gross notional of both sides: 0.05 · (100 · 200 + 4,000)', () => {
    const { margin } = charging(['oracle']);
    const account = held(
      { instrument: 'SOL-LIN', size: 100 },
      { instrument: 'SOL-INV', size: -4_000 },
      { instrument: 'BTC-LIN', size: 9 },
    );
    const line = lineOf(margin(account), 'oracle');
    expect(line.initial).toBeCloseTo(1_200, 9);
    expect(line.maintenance).toBe(0);
    expect(initialOf('oracle', { oracle: { threshold: 0.9 } })(account)).toBe(0);
    expect(initialOf('oracle', { oracle: { share: 0.5 } })(account)).toBeCloseTo(600, 9);
  });

  it('(0.99 − 0.95) · 4 a stable coin of collateral, held or owed', () => {
    const { margin } = charging(['depeg']);
    const holding = (amount: number) => ({ id: 'a', collateral: [{ asset: 'USDT', amount }] });
    const line = lineOf(margin(holding(10_000)), 'depeg');
    expect(line.initial).toBeCloseTo(1_600, 9);
    expect(line.maintenance).toBe(0);
    expect(lineOf(margin(holding(-10_000)), 'depeg').initial).toBe(line.initial);
    const other = {
      id: 'a',
      collateral: [
        { asset: 'ETH', amount: 5 },
        { asset: 'USD', amount: 5 },
      ],
    };
    expect(lineOf(margin(other), 'depeg').initial).toBe(0);
    expect(initialOf('depeg', { depeg: { threshold: 0.95 } })(holding(10_000))).toBe(0);
    expect(initialOf('depeg', { depeg: { assets: ['USDC'] } })(holding(10_000))).toBe(0);
  });
});
