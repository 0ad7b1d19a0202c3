import { describe, expect, it } from 'vitest';
import { demoAccounts } from '../../src/book/demoAccounts.ts';
import { liquidationPlan } from '../../src/engine/studies/liquidationPlan.ts';
import type { LiquidationPlanRequest } from '../../src/engine/studies/liquidationPlanSchema.ts';
import { roundedSize, sizeTrade } from '../../src/engine/studies/liquidationPlanSizes.ts';
import { studyContext } from '../../src/engine/studies/studyShard.ts';
import { type AccountInput, readAccount } from '../../src/margin/account.ts';
import { demoMarket } from '../../src/market/demoMarket.ts';
import type { MarketSnapshot } from '../../src/market/snapshot.ts';
import { fillInProcess } from './inProcess.ts';

const MARKET: MarketSnapshot = {
  asOf: '2026-01-02T08:00:00Z',
  currency: 'USD',
  underlyings: [{ id: 'BTC', spot: 90_000, liquidity: { halfSpread: 0.001 } }],
  instruments: [
    { id: 'BTC-LINEAR', type: 'perpetual', underlying: 'BTC', settlement: 'linear', multiplier: 1 },
    { id: 'BTC-SPOT', type: 'spot', underlying: 'BTC', settlement: 'linear', multiplier: 1 },
  ],
};
const FACTORS = {
  asOf: '2026-01-02T08:00:00Z',
  periodsPerYear: 365,
  factors: [{ id: 'BTC:spot', volatility: 0.6 }],
  correlation: [[1]],
};
const linear = fillInProcess({
  market: MARKET,
  factors: FACTORS,
  methodology: { preset: 'market-risk', scenarios: 4096 },
});
const planOn = (account: AccountInput, request: LiquidationPlanRequest = {}) =>
  liquidationPlan(readAccount(account), request, studyContext(linear.bench, 0));

const SIZE = 10;
const SPOT = 90_000;
/** Half a spread of 0.1% and the default fee of 0.05%. */
const COST_RATE = 0.0015;
const RELEASE = 1.05;

const longAccount = (cash: number, more: Partial<AccountInput> = {}): AccountInput => ({
  id: 'long',
  collateral: [{ asset: 'USD', amount: cash }],
  positions: [{ instrument: 'BTC-LINEAR', size: SIZE, entryPrice: SPOT, allocated: cash }],
  ...more,
});
const marginOf = (account: AccountInput): number => linear.margin(account).maintenanceMargin;

describe('the plan of a linear account, in closed form', () => {
  const full = marginOf(longAccount(1));

  for (const mode of ['portfolio', 'cross', 'isolated'] as const) {
    it(`closes just as much as restores the release level, mode ${mode}`, () => {
      const cash = 0.9 * full;
      const account = longAccount(cash, { mode });
      // C − qcP = 1.05·MM·(1 − q/Q) in q, the contracts closed.
      const q = (RELEASE * full - cash) / ((RELEASE * full) / SIZE - COST_RATE * SPOT);
      const plan = planOn(account);
      expect(plan.outcome).toBe('restored');
      expect(plan.steps).toHaveLength(1);
      const [step] = plan.steps;
      expect(step).toMatchObject({ action: 'close', instrument: 'BTC-LINEAR', price: SPOT });
      // Rounded up to four digits, after a search to 1e-5.
      expect(-step!.size / q).toBeGreaterThan(1 - 1e-12);
      expect(-step!.size / q).toBeLessThan(1 + 1.01e-3);
      expect(step!.cost).toBeCloseTo(-step!.size * COST_RATE * SPOT, 8);
      expect(step!.marginFreed).toBeCloseTo((full * -step!.size) / SIZE, 6);
      expect(plan.after.equity).toBeCloseTo(cash - step!.cost, 8);
      expect(plan.after.equity).toBeGreaterThanOrEqual(RELEASE * plan.after.maintenanceMargin);
      expect(JSON.stringify(linear.margin(plan.account))).toBe(JSON.stringify(plan.after));
    });
  }

  it('leaves an account alone that covers its requirement, orders and all', () => {
    const orders = [{ instrument: 'BTC-LINEAR', side: 'buy' as const, size: 1, price: SPOT }];
    const plan = planOn(longAccount(1.01 * full, { orders }));
    expect(plan).toMatchObject({ outcome: 'sufficient', steps: [], cancelled: [], cost: 0 });
    expect(plan.account.orders).toEqual(orders);
    expect(plan.after).toEqual(plan.before);
  });

  it('cancels orders first', () => {
    const orders = [
      { id: 'x', instrument: 'BTC-LINEAR', side: 'buy' as const, size: 1, price: SPOT },
    ];
    const plan = planOn(longAccount(0.9 * full, { orders }));
    expect(plan.cancelled).toEqual(orders);
    expect(plan.account.orders).toBeUndefined();
    expect(plan.steps).toEqual(planOn(longAccount(0.9 * full)).steps);
  });

  it('restores the initial requirement where that is asked for', () => {
    const initial = full / 0.8;
    const account = longAccount(0.95 * initial);
    expect(planOn(account).outcome).toBe('sufficient');
    const plan = planOn(account, { level: 'initial' });
    expect(plan.outcome).toBe('restored');
    expect(plan.after.equity).toBeGreaterThanOrEqual(RELEASE * plan.after.initialMargin);
    const q = ((RELEASE - 0.95) * initial) / ((RELEASE * initial) / SIZE - COST_RATE * SPOT);
    expect(-plan.steps[0]!.size / q).toBeLessThan(1 + 1.01e-3);
  });

  it('trades whole lots where there are lots', () => {
    const plan = planOn(longAccount(0.9 * full), { lot: 0.25 });
    const q = (RELEASE * full - 0.9 * full) / ((RELEASE * full) / SIZE - COST_RATE * SPOT);
    expect(-plan.steps[0]!.size).toBe(Math.ceil(q / 0.25) * 0.25);
  });

  it('hedges where the position itself cannot be closed at less', () => {
    // 10 coins of spot on borrowed money: closing pays no premium, a perpetual hedges at the same cost.
    const account: AccountInput = {
      id: 'spot',
      collateral: [{ asset: 'USD', amount: -SIZE * SPOT + 0.9 * full }],
      positions: [{ instrument: 'BTC-SPOT', size: SIZE }],
    };
    const plan = planOn(account);
    expect(plan.outcome).toBe('restored');
    expect(plan.after.equity).toBeGreaterThanOrEqual(RELEASE * plan.after.maintenanceMargin);
    expect(JSON.stringify(linear.margin(plan.account))).toBe(JSON.stringify(plan.after));
  });
});

describe('an account that cannot be restored', () => {
  const entry = 100_000;
  const lost = (mode: NonNullable<AccountInput['mode']> = 'portfolio'): AccountInput => ({
    id: 'lost',
    mode,
    collateral: [{ asset: 'USD', amount: 60_000 }],
    positions: [{ instrument: 'BTC-LINEAR', size: SIZE, entryPrice: entry, allocated: 60_000 }],
  });
  /** 60,000 − 10 · 10,000 and the cost of closing. */
  const owed = 40_000 + SIZE * COST_RATE * SPOT;

  for (const mode of ['portfolio', 'cross', 'isolated'] as const) {
    it(`is closed; the fund pays, then counterparties, mode ${mode}`, () => {
      const alone = planOn(lost(mode));
      expect(alone.outcome).toBe('uncovered');
      expect(alone.shortfall).toBeCloseTo(owed, 8);
      expect(alone.uncovered).toBeCloseTo(owed, 8);
      expect(alone.account.positions).toEqual([]);
      const rich = planOn(lost(mode), { fund: 1e6 });
      expect(rich.outcome).toBe('insurance-fund');
      expect(rich.fundPaid).toBeCloseTo(owed, 8);
      expect(rich.after.equity).toBeCloseTo(0, 8);
      expect(JSON.stringify(linear.margin(rich.account))).toBe(JSON.stringify(rich.after));
      const short = (id: string, size: number, from: number, cash: number): AccountInput => ({
        id,
        collateral: [{ asset: 'USD', amount: cash }],
        positions: [{ instrument: 'BTC-LINEAR', size, entryPrice: from }],
      });
      const counterparties = [
        // Profit −(90,000 − e)/e of a short; leverage 90,000·|size| over equity.
        short('calm', -8, 100_000, 720_000),
        short('keen', -4, 100_000, 50_000),
        { id: 'long', positions: [{ instrument: 'BTC-LINEAR', size: 5 }] },
        {
          id: 'broke',
          ...{ collateral: [{ asset: 'USD', amount: -5e5 }] },
          positions: short('', -9, 1e5, 0).positions!,
        },
      ];
      const shared = planOn(lost(mode), { fund: 10_000, counterparties });
      expect(shared.outcome).toBe('deleveraging');
      const rest = owed - 10_000;
      const [keen, calm] = [
        (0.1 * 360_000) / (50_000 + 4 * 10_000),
        (0.1 * 720_000) / (720_000 + 8 * 10_000),
      ];
      expect(shared.deleveraged.map(({ account, size }) => [account, size])).toEqual([
        ['keen', 4],
        ['calm', 6],
      ]);
      expect(shared.deleveraged[0]!.score).toBeCloseTo(keen, 10);
      expect(shared.deleveraged[1]!.score).toBeCloseTo(calm, 10);
      expect(shared.deleveraged[0]!.loss).toBeCloseTo(0.4 * rest, 8);
      expect(shared.deleveraged[1]!.loss).toBeCloseTo(0.6 * rest, 8);
      expect(shared.uncovered).toBe(0);
      expect(shared.after.equity).toBeCloseTo(0, 8);
    });
  }

  it('a counterparty that cannot be read is named', () => {
    const counterparties = [
      { id: 'ok' },
      { id: 'bad', positions: [{ instrument: 'no', size: 1 }] },
    ];
    expect(() => planOn(lost(), { counterparties })).toThrowError(
      expect.objectContaining({
        code: 'UNKNOWN_INSTRUMENT',
        path: 'counterparties[1].positions[0].instrument',
      }),
    );
  });
});

describe('plans of whole books', () => {
  const demo = demoMarket({ underlyings: 3, strikes: 9, seed: 'plans' });
  const filled = fillInProcess({ ...demo, methodology: { scenarios: 2048 } });
  const context = studyContext(filled.bench, 0);
  const accounts = [
    ...demoAccounts({ market: demo.market, count: 200, positions: 15, equal: true }),
  ];

  it('restore the release level; the end is what the account left over is margined at', () => {
    let restored = 0;
    for (const [i, account] of accounts.entries()) {
      const mode = i % 2 === 0 ? 'portfolio' : 'cross';
      const value: AccountInput = { ...account, mode };
      const before = filled.margin(value);
      if (before.state !== 'liquidation' && before.state !== 'default') continue;
      if (restored >= 6) break;
      restored += 1;
      const plan = liquidationPlan(readAccount(value), { fund: 1e7 }, context);
      expect(plan.before).toEqual(before);
      expect(JSON.stringify(filled.margin(plan.account))).toBe(JSON.stringify(plan.after));
      const last = plan.steps.at(-1)!;
      expect(last.requirement).toBe(plan.after.maintenanceMargin);
      if (plan.outcome === 'restored') {
        expect(last.equity).toBe(plan.after.equity);
        expect(plan.after.equity).toBeGreaterThanOrEqual(RELEASE * plan.after.maintenanceMargin);
      }
      const freed = plan.steps.reduce((sum, step) => sum + step.marginFreed, 0);
      // Differences of sums of this size: 1e-16 of them each.
      expect(
        Math.abs(before.maintenanceMargin - plan.after.maintenanceMargin - freed),
      ).toBeLessThan(1e-12 * before.maintenanceMargin * plan.steps.length);
      expect(plan.cost).toBeLessThan(freed);
    }
    expect(restored).toBe(6);
  });

  it('in isolated mode touch only the positions that lack margin', () => {
    const positions = accounts[0]!.positions.slice(0, 8);
    const base: AccountInput = {
      id: 'isolated',
      mode: 'isolated',
      collateral: [{ asset: 'USD', amount: 1e6 }],
      positions: positions.map((one) => ({ ...one, allocated: 0 })),
    };
    const bare = filled.margin(base).positions!;
    // Every other position has 0.9 of what it needs, the others twice that.
    const value: AccountInput = {
      ...base,
      positions: bare.map(({ instrument, equity, maintenanceMargin }, i) => ({
        ...positions.find((one) => one.instrument === instrument)!,
        allocated: (i % 2 === 0 ? 0.9 : 2) * maintenanceMargin - equity,
      })),
    };
    const plan = liquidationPlan(readAccount(value), {}, context);
    const touched = new Set(plan.steps.map(({ instrument }) => instrument));
    expect([...touched].sort()).toEqual(
      bare.filter((_, i) => i % 2 === 0).map(({ instrument }) => instrument),
    );
    expect(JSON.stringify(filled.margin(plan.account))).toBe(JSON.stringify(plan.after));
    for (const { equity, maintenanceMargin } of plan.after.positions!) {
      expect(equity).toBeGreaterThanOrEqual(RELEASE * maintenanceMargin * (1 - 1e-12));
    }
  });
});

describe('sizes of trades', () => {
  it('are rounded up to four digits or to lots, and never beyond the limit', () => {
    const free = { limit: 1e9, lot: 0 };
    expect(roundedSize(0.123_41, free)).toBe(0.1235);
    expect(roundedSize(0.1234, free)).toBe(0.1234);
    expect(roundedSize(99_991, free)).toBe(100_000);
    expect(roundedSize(4.01, { limit: 4.005, lot: 0 })).toBe(4.005);
    expect(roundedSize(4.01, { limit: 10, lot: 0.5 })).toBe(4.5);
    expect(roundedSize(9.9, { limit: 9.95, lot: 0.5 })).toBe(9.95);
  });

  it('close a gap with as little as can be, or most of it', () => {
    // gap (x − 3)² − 1: closed from 2 to 4.
    const closing = sizeTrade((size) => ({ size, gap: (size - 3) ** 2 - 1 }), 8, 1, {
      limit: 10,
      lot: 0,
    });
    expect(closing!.size).toBeGreaterThanOrEqual(2);
    expect(closing!.size).toBeLessThan(2.002);
    // Never closed: 1 at the least, at 3.
    const most = sizeTrade((size) => ({ size, gap: (size - 3) ** 2 + 1 }), 10, 1, {
      limit: Number.POSITIVE_INFINITY,
      lot: 0,
    });
    expect(most!.gap).toBeLessThan(1.1);
    expect(sizeTrade((size) => ({ size, gap: 5 + size }), 5, 1, { limit: 3, lot: 0 })).toBeNull();
  });
});
