/** Isolated mode when more is set apart than there is: one rule for the margin, the liquidation price and the plan. */
import { describe, expect, it } from 'vitest';
import type { AccountChange } from '../../src/engine/studies/changes.ts';
import { liquidationPlan } from '../../src/engine/studies/liquidationPlan.ts';
import { liquidationPrice } from '../../src/engine/studies/liquidationPrice.ts';
import { whatIf } from '../../src/engine/studies/whatIf.ts';
import { readAccount } from '../../src/margin/account.ts';
import { sharedOut } from '../../src/margin/allocations.ts';
import { openStudy } from '../engine/studyMarket.ts';

describe('what stands behind positions', () => {
  it.each([
    // 100 of 200 that are stated: each half.
    [[150, 50], 100, [75, 25]],
    [[150, 50], 200, [150, 50]],
    // What is owed stays: 100 + 30 for claims of 200.
    [[150, -30, 50], 100, [97.5, -30, 32.5]],
    [[150, 50], 0, [0, 0]],
    [[150, 50], -10, [0, 0]],
    [[0, -30], -50, [0, -30]],
    [[], -50, []],
  ])('of %j with %d in the account is %j', (stated, pool, expected) => {
    // Shares are halves and 0.65: one rounding each.
    sharedOut(Float64Array.from(stated), pool).forEach((amount, i) => {
      expect(amount).toBeCloseTo(expected[i]!, 12);
    });
  });

  it('is what is stated where sums only round', () => {
    const tenths = new Float64Array(10).fill(0.1);
    expect(sharedOut(tenths, 0.9999999999999999)).toBe(tenths);
  });
});

describe('an account that states more than it has', () => {
  const study = openStudy({ preset: 'market-risk' });
  const cash = (amount: number) => [{ asset: 'USD', amount }];
  const positions = (...allocated: readonly [number, number]) => [
    { instrument: 'BTC-PERP', size: 10, entryPrice: 100_200, allocated: allocated[0] },
    { instrument: 'ETH-PERP', size: -20, entryPrice: 4_000, allocated: allocated[1] },
  ];
  const stated = {
    id: 'a',
    mode: 'isolated',
    collateral: cash(12_000),
    positions: positions(18_000, 6_000),
  };
  // 12,000 of 24,000.
  const held = { ...stated, positions: positions(9_000, 3_000) };

  it('has the margin of what it has, and shows both', () => {
    const { positions: shown, ...rest } = study.margin(stated);
    const { positions: plain, ...same } = study.margin(held);
    expect(rest).toEqual(same);
    expect(shown).toEqual(plain!.map((one, i) => ({ ...one, stated: [18_000, 6_000][i] })));
    // No position is better off than the account that carries it.
    expect(rest.state).toBe('liquidation');
    expect(shown!.map(({ state }) => state)).toContain('liquidation');
  });

  it('has the liquidation prices and the plan of what it has', () => {
    const ask = (document: object) =>
      liquidationPrice(readAccount(document), { part: 0, parts: 1 }, study.context).found;
    expect(ask(stated)).toEqual(ask(held));
    expect(ask(stated).map(({ price }) => price.inLiquidation)).toContain(true);
    const plan = (document: object) => liquidationPlan(readAccount(document), {}, study.context);
    const [planned, expected] = [plan(stated), plan(held)];
    expect(planned.steps).toEqual(expected.steps);
    expect(planned.steps.length).toBeGreaterThan(0);
    expect(planned.after).toEqual(expected.after);
    expect(study.margin(planned.account)).toEqual(planned.after);
  });

  it('may set apart no more than there is; what came about may stay and shrink', () => {
    const ask = (document: object, change: AccountChange) => () =>
      whatIf(readAccount(document), { change }, study.context);
    const refused = expect.objectContaining({ code: 'INVALID_FIELD', path: 'change.allocated' });
    const allocated = (amount: number) => ({ allocated: [{ instrument: 'BTC-PERP', amount }] });
    expect(ask(held, allocated(9_001))).toThrow(refused);
    expect(ask(held, allocated(9_000))).not.toThrow();
    expect(ask(stated, allocated(18_001))).toThrow(refused);
    expect(ask(stated, allocated(17_000))).not.toThrow();
    expect(ask({ ...stated, mode: 'portfolio' }, { mode: 'isolated' })).toThrow(refused);
    expect(ask(stated, { collateral: cash(100) })).not.toThrow();
  });
});

describe('a plan for an isolated account with orders in what it does not hold', () => {
  it('cancels them first, where they alone are what is lacking', () => {
    const study = openStudy({ preset: 'exchange-crypto' });
    const account = readAccount({
      id: 'a',
      mode: 'isolated',
      collateral: [{ asset: 'USD', amount: 30_000 }],
      positions: [{ instrument: 'ETH-PERP', size: 5, entryPrice: 4_000, allocated: 20_000 }],
      orders: [{ id: 'o', instrument: 'BTC-PERP', side: 'buy', size: 50, price: 100_000 }],
    });
    const plan = liquidationPlan(account, { level: 'initial' }, study.context);
    expect(plan.before.state).toBe('margin-call');
    expect(plan).toMatchObject({ outcome: 'restored', steps: [], cost: 0 });
    expect(plan.cancelled.map(({ id }) => id)).toEqual(['o']);
    expect(plan.account.orders ?? []).toEqual([]);
    expect(plan.after.state).toBe('healthy');
  });
});
