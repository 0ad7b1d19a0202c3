/** Changes of an account, against sums done by hand; equity is what the margin result says. */
import { describe, expect, it } from 'vitest';
import { type AccountChange, applyChange } from '../../src/engine/studies/changes.ts';
import type { Account } from '../../src/margin/account.ts';
import { accountOf, openStudy } from './studyMarket.ts';

const FREE = { '*': 0, BTC: 0, ETH: 0, USDC: 0, USDT: 0 };
const open = openStudy({ haircuts: FREE, scenarios: 64 });
const CASH = [
  { asset: 'USD', amount: 1_000_000 },
  { asset: 'BTC', amount: 5 },
];
const SPOT = 100_000;

const equityOf = (account: Account): number => open.context.margin([account])[0]!.equity;
const change = (account: Account, asked: AccountChange): Account =>
  applyChange(account, asked, open.valuation);
const held = (account: Account, id: string) => {
  const i = account.instruments.indexOf(id);
  return { size: account.sizes[i], entry: account.entryPrices?.[i] };
};
const amount = (account: Account, asset: string): number =>
  account.collateral.find((line) => line.asset === asset)?.amount ?? 0;

/** Relative to the 1.5 million that stand in the account; a handful of roundings of 1.1e-16 each. */
const CLOSE = 1e-12 * 1.5e6;

/** Per contract: what equity gains when one is bought at `price` instead of at the mark. */
const GAINS: Record<
  string,
  { mark: number | null; price: number; gain: (mark: number) => number }
> = {
  'BTC-SPOT': { mark: SPOT, price: 99_000, gain: (mark) => 0.01 * (mark - 99_000) },
  'BTC-PERP': { mark: 100_200, price: 99_000, gain: (mark) => 0.1 * (mark - 99_000) },
  'BTC-NEAR': { mark: 100_100, price: 103_000, gain: (mark) => 0.1 * (mark - 103_000) },
  'BTC-PERP-INVERSE': {
    mark: 100_200,
    price: 99_000,
    gain: (mark) => 10 * (1 / 99_000 - 1 / mark) * SPOT,
  },
  'BTC-NEAR-INVERSE': {
    mark: 100_100,
    price: 103_000,
    gain: (mark) => 10 * (1 / 103_000 - 1 / mark) * SPOT,
  },
  'BTC-NEAR-P': { mark: null, price: 500, gain: (mark) => 0.1 * (mark - 500) },
  'BTC-FAR-C': { mark: null, price: 5_000, gain: (mark) => 0.1 * (mark - 5_000) },
  'BTC-NEAR-C-COIN': { mark: null, price: 0.01, gain: (mark) => (mark - 0.01) * SPOT },
  'BTC-FAR-P-COIN': { mark: null, price: 0.05, gain: (mark) => (mark - 0.05) * SPOT },
  'ETH-PERP': { mark: 4_000, price: 4_100, gain: (mark) => mark - 4_100 },
  // 2 · 3 · √4000 for a share.
  'ETH-POOL': { mark: 6 * Math.sqrt(4_000), price: 400, gain: (mark) => mark - 400 },
  'BTC-FAR-BINARY': { mark: null, price: 0.2, gain: (mark) => 1_000 * (mark - 0.2) },
};

/** The quote at which equity stays: the caller's, or value per contract as the valuation plan has it. */
function markOf(id: string): number {
  const { market, plan } = open.valuation;
  const stated = GAINS[id]!.mark;
  if (stated !== null) return stated;
  const index = market.instrumentIndex.get(id)!;
  const { multiplier, settlement } = market.instruments[index]!;
  return plan.baseValues[index]! / multiplier / (settlement === 'coin' ? SPOT : 1);
}

describe('a fill', () => {
  const starts: [string, Account, number][] = Object.keys(GAINS).flatMap((instrument) => [
    [`${instrument}, opened`, accountOf({ collateral: CASH }), 0],
    [
      `${instrument}, long before`,
      accountOf({
        collateral: CASH,
        positions: [{ instrument, size: 4, entryPrice: 0.97 * markOf(instrument) }],
      }),
      4,
    ],
    [
      `${instrument}, short before`,
      accountOf({
        collateral: CASH,
        positions: [{ instrument, size: -4, entryPrice: 0.97 * markOf(instrument) }],
      }),
      -4,
    ],
    [
      `${instrument}, settled to the mark before`,
      accountOf({ collateral: CASH, positions: [{ instrument, size: -4 }] }),
      -4,
    ],
  ]);

  it.each(starts)('at the mark leaves equity alone: %s', (name, account, before) => {
    const instrument = name.split(',')[0]!;
    const equity = equityOf(account);
    for (const size of [3, -3, 4, -4, 9, -9]) {
      const after = change(account, { fills: [{ instrument, size }] });
      expect(Math.abs(equityOf(after) - equity)).toBeLessThan(CLOSE);
      if (before + size === 0) expect(after.instruments).toEqual([]);
      else expect(held(after, instrument).size).toBe(before + size);
    }
  });

  it.each(
    starts,
  )('at a price moves equity by size × its distance from the mark: %s', (name, account) => {
    const instrument = name.split(',')[0]!;
    const { price, gain } = GAINS[instrument]!;
    const equity = equityOf(account);
    for (const size of [3, -3, 9, -9]) {
      const after = change(account, { fills: [{ instrument, size, price }] });
      const expected = size * gain(markOf(instrument));
      expect(Math.abs(equityOf(after) - equity - expected)).toBeLessThan(CLOSE);
    }
  });

  it('averages linear entries by size, keeps them while closing, and takes the price where the side turns', () => {
    const account = accountOf({
      collateral: CASH,
      positions: [{ instrument: 'BTC-PERP', size: 2, entryPrice: 90_000 }],
    });
    const fill = (size: number, price: number) =>
      change(account, { fills: [{ instrument: 'BTC-PERP', size, price }] });
    // (2 · 90,000 + 6 · 98,000)/8
    expect(held(fill(6, 98_000), 'BTC-PERP')).toEqual({ size: 8, entry: 96_000 });
    expect(amount(fill(6, 98_000), 'USD')).toBe(1_000_000);
    // One closed: 0.1 · (98,000 − 90,000).
    expect(held(fill(-1, 98_000), 'BTC-PERP')).toEqual({ size: 1, entry: 90_000 });
    expect(amount(fill(-1, 98_000), 'USD')).toBe(1_000_800);
    // Two closed, three short.
    expect(held(fill(-5, 98_000), 'BTC-PERP')).toEqual({ size: -3, entry: 98_000 });
    expect(amount(fill(-5, 98_000), 'USD')).toBe(1_001_600);
  });

  it('averages 1/price of inverse contracts and realises coins', () => {
    const account = accountOf({
      collateral: CASH,
      positions: [{ instrument: 'BTC-PERP-INVERSE', size: 100, entryPrice: 100_000 }],
    });
    const fill = (size: number, price: number) =>
      change(account, { fills: [{ instrument: 'BTC-PERP-INVERSE', size, price }] });
    // 400/(100/100,000 + 300/75,000) = 400/0.005
    expect(held(fill(300, 75_000), 'BTC-PERP-INVERSE').entry).toBeCloseTo(80_000, 9);
    // 50 · 10 · (1/100,000 − 1/125,000) = 0.001 coins; 5.001 to an ulp or two.
    expect(amount(fill(-50, 125_000), 'BTC')).toBeCloseTo(5.001, 14);
    expect(held(fill(-50, 125_000), 'BTC-PERP-INVERSE')).toEqual({ size: 50, entry: 100_000 });
  });

  it('pays premiums: currency for linear options, coin for coin-settled ones', () => {
    const bought = change(accountOf({ collateral: CASH }), {
      fills: [
        { instrument: 'BTC-FAR-C', size: 5, price: 4_000 },
        { instrument: 'BTC-FAR-P-COIN', size: -2, price: 0.25 },
        { instrument: 'BTC-SPOT', size: 100, price: 99_000 },
      ],
    });
    // −5 · 0.1 · 4,000 − 100 · 0.01 · 99,000
    expect(amount(bought, 'USD')).toBe(1_000_000 - 2_000 - 99_000);
    expect(amount(bought, 'BTC')).toBe(5.5);
  });

  it('of a coin with a haircut, equity moves by that share of what is paid', () => {
    const cut = openStudy({ scenarios: 64 });
    const account = accountOf({ collateral: CASH });
    const before = cut.context.margin([account])[0]!.equity;
    const fills = [{ instrument: 'BTC-FAR-P-COIN', size: 2, price: 0.25 }];
    const after = cut.context.margin([applyChange(account, { fills }, cut.valuation)])[0]!.equity;
    const { plan, market } = cut.valuation;
    const value = plan.baseValues[market.instrumentIndex.get('BTC-FAR-P-COIN')!]!;
    // Half a coin is paid, which counted 95%.
    expect(Math.abs(after - before - (2 * value - 0.5 * 0.95 * SPOT))).toBeLessThan(CLOSE);
  });
});

describe('other changes', () => {
  const orders = [
    { id: 'x', instrument: 'BTC-PERP', side: 'buy', size: 1, price: 90_000 },
    { instrument: 'BTC-PERP', side: 'sell', size: 2, price: 110_000 },
  ] as const;
  const account = accountOf({ collateral: CASH, orders });

  it('deposits, withdraws and begins new lines', () => {
    const collateral = [
      { asset: 'USD', amount: -250_000 },
      { asset: 'ETH', amount: 7 },
      { asset: 'BTC', amount: -6 },
    ];
    const after = change(account, { collateral });
    expect(after.collateral).toEqual([
      { asset: 'USD', amount: 750_000 },
      { asset: 'BTC', amount: -1 },
      { asset: 'ETH', amount: 7 },
    ]);
    expect(account.collateral).toEqual(CASH);
    // −250,000 + 7 · 4,000 − 6 · 100,000
    expect(equityOf(after) - equityOf(account)).toBeCloseTo(-822_000, 6);
  });

  it('cancels by id and adds', () => {
    const added = { id: 'x', instrument: 'ETH-PERP', side: 'sell', size: 3, price: 4_200 } as const;
    const after = change(account, { cancel: ['x'], orders: [added] });
    expect(after.orders).toEqual([orders[1], added]);
  });

  it('sets collateral apart in isolated mode, and frees the part of what is closed', () => {
    const fills = [{ instrument: 'BTC-PERP', size: 4 }];
    const allocated = [{ instrument: 'BTC-PERP', amount: 8_000 }];
    const apart = change(account, { mode: 'isolated', fills, allocated });
    expect([apart.mode, apart.allocated?.[0]]).toEqual(['isolated', 8_000]);
    const less = change(apart, { fills: [{ instrument: 'BTC-PERP', size: -1 }] });
    expect(less.allocated?.[0]).toBe(6_000);
    const more = change(apart, { fills: [{ instrument: 'BTC-PERP', size: 5 }] });
    expect(more.allocated?.[0]).toBe(8_000);
  });

  it.each<[string, AccountChange, string, string]>([
    [
      'an unknown instrument',
      {
        fills: [
          { instrument: 'BTC-PERP', size: 1 },
          { instrument: 'BTC-PERP', size: 1 },
          { instrument: 'NO', size: 1 },
        ],
      },
      'UNKNOWN_INSTRUMENT',
      'change.fills[2].instrument',
    ],
    [
      'a fill of nothing',
      { fills: [{ instrument: 'BTC-PERP', size: 0 }] },
      'INVALID_FIELD',
      'change.fills[0].size',
    ],
    [
      'an unknown asset',
      { collateral: [{ asset: 'XRP', amount: 1 }] },
      'UNKNOWN_ASSET',
      'change.collateral[0].asset',
    ],
    [
      'an order in an unknown instrument',
      { orders: [{ instrument: 'NO', side: 'buy', size: 1, price: 1 }] },
      'UNKNOWN_INSTRUMENT',
      'change.orders[0].instrument',
    ],
    [
      'an order that is open already',
      { orders: [{ id: 'x', instrument: 'BTC-PERP', side: 'buy', size: 1, price: 1 }] },
      'DUPLICATE_ID',
      'change.orders[0].id',
    ],
    ['an order that is not open', { cancel: ['x', 'y'] }, 'NOT_FOUND', 'change.cancel[1]'],
    [
      'a position without an allocation',
      { mode: 'isolated', fills: [{ instrument: 'BTC-PERP', size: 1 }] },
      'MISSING_FIELD',
      'change.allocated',
    ],
    [
      'an allocation of nothing',
      { allocated: [{ instrument: 'BTC-PERP', amount: 1 }] },
      'INVALID_FIELD',
      'change.allocated[0].instrument',
    ],
  ])('refuses %s', (_, asked, code, path) => {
    expect(() => change(account, asked)).toThrow(expect.objectContaining({ code, path }));
  });
});
