/** What-if: the figures are those of the changed account on an engine that never saw the old one; verdicts by sums done by hand. */
import { describe, expect, it } from 'vitest';
import { demoAccounts } from '../../src/book/demoAccounts.ts';
import { type AccountChange, applyChange } from '../../src/engine/studies/changes.ts';
import { studyContext } from '../../src/engine/studies/studyShard.ts';
import { whatIf } from '../../src/engine/studies/whatIf.ts';
import { type Account, readAccount } from '../../src/margin/account.ts';
import type { MethodologyInput } from '../../src/margin/methodology.ts';
import { demoMarket } from '../../src/market/demoMarket.ts';
import { demoRandom } from '../../src/market/demoRandom.ts';
import { fillInProcess } from './inProcess.ts';
import { accountOf, documentOf, openStudy } from './studyMarket.ts';

describe('the figures', () => {
  const demo = demoMarket({ underlyings: 3, seed: 'what-if' });
  const accounts = [...demoAccounts({ market: demo.market, count: 8, positions: 9 })];
  const METHODS: [string, MethodologyInput][] = [
    ['all components', { scenarios: 1_500 }],
    ['expected shortfall alone', { preset: 'market-risk', scenarios: 1_500 }],
    ['a buffer', { scenarios: 1_501, antiProcyclicality: { buffer: true } }],
  ];

  it.each(METHODS)('are those of a fresh engine, bit for bit: %s', (_, methodology) => {
    const filled = fillInProcess({ ...demo, methodology });
    const fresh = fillInProcess({ ...demo, methodology });
    const context = studyContext(filled.bench, 0);
    const random = demoRandom('what-if');
    const pick = (): string =>
      demo.market.instruments[random.index(demo.market.instruments.length)]!.id;
    accounts.forEach((document, i) => {
      const account: Account = {
        ...readAccount(document),
        mode: i % 2 === 0 ? 'portfolio' : 'cross',
      };
      const held = account.instruments[0]!;
      const change: AccountChange = {
        fills: [
          { instrument: held, size: -account.sizes[0]! },
          { instrument: pick(), size: random.normal() * 3 },
        ],
        orders: [
          { instrument: pick(), side: 'buy', size: 2, price: 50 },
          { instrument: account.instruments[1]!, side: 'sell', size: 1, price: 60 },
          { instrument: pick(), side: 'sell', size: 1, price: 5_000 },
        ],
        collateral: [{ asset: 'USD', amount: -1_000 }],
      };
      const answer = whatIf(account, { change }, context);
      const changed = applyChange(account, change, filled.session.valuation);
      expect(JSON.stringify(answer.before)).toBe(JSON.stringify(fresh.margin(documentOf(account))));
      expect(JSON.stringify(answer.after)).toBe(JSON.stringify(fresh.margin(documentOf(changed))));
      // And of the order that is judged last, on everything before it.
      expect(answer.orders).toHaveLength(3);
    });
  });

  it('are the differences of their parts', () => {
    const { context } = openStudy();
    const account = accountOf({ collateral: [{ asset: 'USD', amount: 50_000 }], creditLine: 100 });
    const change = { fills: [{ instrument: 'BTC-PERP', size: 3, price: 100_000 }] };
    const { before, after, difference, freeCollateral, state } = whatIf(
      account,
      { change },
      context,
    );
    expect(before.initialMargin).toBe(0);
    // 3 · 0.1 · (100,200 − 100,000), to the rounding of 50,060.
    expect(difference.equity).toBeCloseTo(60, 9);
    expect(difference.initialMargin).toBe(after.initialMargin);
    expect(freeCollateral).toEqual({
      before: 50_000,
      after: after.equity - (after.initialMargin - 100),
    });
    expect(difference.freeCollateral).toBe(freeCollateral.after - 50_000);
    expect(state).toEqual({ before: 'healthy', after: after.state });
    difference.components.forEach(({ name, initial }, i) => {
      expect([name, initial]).toEqual([after.components[i]!.name, after.components[i]!.initial]);
    });
  });
});

describe('an order', () => {
  // Gross initial margin of a linear perpetual is its size times that of one, so that limits can be reckoned.
  const { context } = openStudy({ preset: 'market-risk' });
  const perOne = (() => {
    const one = accountOf({ positions: [{ instrument: 'BTC-PERP', size: 1 }] });
    return context.margin([one])[0]!.initialMargin;
  })();
  const long = (amount: number, size: number): Account =>
    accountOf({
      collateral: [{ asset: 'USD', amount }],
      positions: size === 0 ? [] : [{ instrument: 'BTC-PERP', size }],
    });
  const order = (side: 'buy' | 'sell', size: number, price = 100_200) =>
    ({ instrument: 'BTC-PERP', side, size, price }) as const;
  const judged = (account: Account, change: AccountChange) => whatIf(account, { change }, context);

  it('is allowed up to what equity covers', () => {
    const equity = 10.5 * perOne;
    const enough = judged(long(equity, 4), { orders: [order('buy', 6)] });
    expect(enough.verdict).toEqual({ allowed: true, reason: 'covered', missing: 0 });
    const beyond = judged(long(equity, 4), { orders: [order('buy', 7)] });
    expect(beyond.verdict).toMatchObject({ allowed: false, reason: 'not-covered' });
    // 11 of them need 11, 10.5 are there.
    expect(beyond.verdict.missing).toBeCloseTo(0.5 * perOne, 6);
    expect(beyond.orders).toEqual([{ order: order('buy', 7), verdict: beyond.verdict }]);
  });

  it('counts what it loses through the mark', () => {
    const account = long(6.01 * perOne, 0);
    expect(judged(account, { orders: [order('buy', 6)] }).verdict.allowed).toBe(true);
    // 6 · 0.1 · 800 is lost at once.
    const dear = judged(account, { orders: [order('buy', 6, 101_000)] });
    expect(dear.verdict.allowed).toBe(false);
    expect(dear.verdict.missing).toBeCloseTo(480 - 0.01 * perOne, 6);
  });

  it.each(['liquidation', 'default'] as const)('that reduces risk is allowed in %s', (state) => {
    const account = long(state === 'default' ? -1 : perOne, 10);
    const closing = judged(account, { orders: [order('sell', 4)] });
    expect(closing.state.before).toBe(state);
    expect(closing.verdict).toMatchObject({ allowed: true, reason: 'risk-reducing' });
    // Turned around by less than it was, by as much, by more.
    expect(judged(account, { orders: [order('sell', 19)] }).verdict.allowed).toBe(true);
    expect(judged(account, { orders: [order('sell', 22)] }).verdict.allowed).toBe(false);
    expect(judged(account, { orders: [order('buy', 1)] }).verdict.allowed).toBe(false);
  });

  it('that reduces risk is allowed at the mark, and at worse prices up to the maintenance margin that it frees', () => {
    // 4 of 10 contracts of 0.1 coin: 0.8 · 4 · perOne is freed, 0.4 · (100,200 − price) lost.
    const worst = 100_200 - (0.8 * 4 * perOne) / 0.4;
    for (const amount of [-1, perOne]) {
      const allowed = (price: number, size = 4) =>
        judged(long(amount, 10), { orders: [order('sell', size, price)] }).verdict.allowed;
      expect(allowed(100_200)).toBe(true);
      expect(allowed(worst * (1 + 1e-9))).toBe(true);
      expect(allowed(worst * (1 - 1e-9))).toBe(false);
      expect(allowed(1)).toBe(false);
      // A resting order above the mark loses nothing.
      expect(allowed(200_000)).toBe(true);
      // A short buys back dear.
      const short = accountOf({
        collateral: [{ asset: 'USD', amount }],
        positions: [{ instrument: 'BTC-PERP', size: -10 }],
      });
      const back = (price: number) => judged(short, { orders: [order('buy', 4, price)] });
      expect(back(100_200).verdict).toMatchObject({ allowed: true, reason: 'risk-reducing' });
      expect(back(10_020_000).verdict).toMatchObject({ allowed: false, reason: 'not-covered' });
      const fills = [{ instrument: 'BTC-PERP', size: 4, price: 10_020_000 }];
      expect(judged(short, { fills }).verdict.allowed).toBe(false);
    }
    // With others: the first is refused for its price, and the second judged without it.
    const each = judged(long(perOne, 10), { orders: [order('sell', 4, 1), order('sell', 4)] });
    expect(each.orders.map((one) => one.verdict.allowed)).toEqual([false, true]);
  });

  it('counts what an option pays against its value', () => {
    // Short calls are bought back: the mark is the model's value; at a hundred times that the loss is beyond any margin.
    const study = openStudy({ preset: 'market-risk' });
    const { market, plan } = study.valuation;
    const account = accountOf({
      collateral: [{ asset: 'USD', amount: -1_000 }],
      positions: [{ instrument: 'BTC-FAR-C', size: -50 }],
    });
    const mark = plan.baseValues[market.instrumentIndex.get('BTC-FAR-C')!]! / 0.1;
    const bought = (price: number) => {
      const orders = [{ instrument: 'BTC-FAR-C', side: 'buy', size: 20, price } as const];
      return whatIf(account, { change: { orders } }, study.context).verdict.allowed;
    };
    expect([mark, 1.01 * mark, 100 * mark].map(bought)).toEqual([true, true, false]);
  });

  it('does not excuse a withdrawal, or another mode', () => {
    const account = long(perOne, 10);
    const orders = [order('sell', 4)];
    const collateral = [{ asset: 'USD', amount: -1 }];
    expect(judged(account, { orders, collateral }).verdict.allowed).toBe(false);
    expect(judged(account, { orders, collateral }).orders[0]!.verdict.allowed).toBe(true);
    expect(judged(account, { collateral }).verdict.allowed).toBe(false);
    expect(judged(account, { mode: 'cross', orders }).verdict.allowed).toBe(false);
    expect(judged(long(20 * perOne, 10), { collateral, mode: 'cross' }).verdict.allowed).toBe(true);
  });

  it('is judged after those before it; one that is refused takes no room', () => {
    const account = long(10.5 * perOne, 0);
    const orders = [order('buy', 6), order('buy', 11), order('buy', 4)];
    const all = openStudy({ components: ['marketRisk', 'openOrders'], openOrders: { feeRate: 0 } });
    const { verdict, orders: each } = whatIf(account, { change: { orders } }, all.context);
    expect(verdict.allowed).toBe(false);
    expect(each.map((one) => one.verdict.allowed)).toEqual([true, false, true]);
  });

  it('needs collateral of its own in isolated mode', () => {
    const account = { ...long(20 * perOne, 0), mode: 'isolated' } as const;
    const asked = (amount: number): AccountChange => ({
      fills: [{ instrument: 'BTC-PERP', size: 5 }],
      allocated: [{ instrument: 'BTC-PERP', amount }],
    });
    expect(judged(account, asked(5.01 * perOne)).verdict.allowed).toBe(true);
    const short = judged(account, asked(4.99 * perOne)).verdict;
    expect(short.allowed).toBe(false);
    expect(short.missing).toBeCloseTo(0.01 * perOne, 6);
  });
});
