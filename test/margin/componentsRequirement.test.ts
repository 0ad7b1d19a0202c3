/** From components to what equity is compared with: open orders, haircuts, floor, credit, MM, ratio and bands, by arithmetic that stands here. */
import { describe, expect, it } from 'vitest';
import type { MarginResult } from '../../src/margin/result.ts';
import { charging, lineOf } from './roundMarket.ts';

const close = (got: number, expected: number, relative = 1e-12) => {
  expect(Math.abs(got - expected)).toBeLessThanOrEqual(relative * Math.abs(expected));
};
const order = (instrument: string, side: 'buy' | 'sell', size: number, price: number) => ({
  instrument,
  side,
  size,
  price,
});
const long = { instrument: 'BTC-LIN', size: 100 };

describe('open orders: the worse side filled, plus fees and what orders through the mark lose', () => {
  const { margin } = charging(['marketRisk', 'openOrders']);
  const ordersOf = (account: object) => lineOf(margin({ id: 'a', ...account }), 'openOrders');
  const shortfall = (size: number) =>
    margin({ id: 'a', positions: [{ instrument: 'BTC-LIN', size }] }).initialMargin;

  it('of 1 BTC long, 2 to buy and 5 to sell: the sales, which leave 4 short', () => {
    const orders = [order('BTC-LIN', 'buy', 200, 99_000), order('BTC-LIN', 'sell', 500, 101_000)];
    // Fees 0.0005 · 7 · 100,000; no order is through the mark of 100,000.
    const worse = Math.max(shortfall(300), shortfall(-400)) - shortfall(100);
    expect(worse).toBe(shortfall(-400) - shortfall(100));
    close(ordersOf({ positions: [long], orders }).initial, worse + 350, 1e-11);
    expect(ordersOf({ positions: [long], orders }).maintenance).toBe(0);
  });

  it('adds up the orders of a side', () => {
    const orders = [order('BTC-LIN', 'buy', 50, 99_000), order('BTC-LIN', 'buy', 150, 98_000)];
    close(
      ordersOf({ positions: [long], orders }).initial,
      shortfall(300) - shortfall(100) + 100,
      1e-11,
    );
  });

  it('costs only its fee where it lowers the risk', () => {
    close(
      ordersOf({ positions: [long], orders: [order('BTC-LIN', 'sell', 60, 100_000)] }).initial,
      30,
    );
  });

  it('loses 2 · 500 bought above the mark and 3 · 700 sold below it', () => {
    const closing = [order('BTC-LIN', 'sell', 100, 99_300)];
    // One BTC sold at 700 below: 700, and 0.0005 · 100,000.
    close(ordersOf({ positions: [long], orders: closing }).initial, 750);
    const both = [order('BTC-LIN', 'buy', 200, 100_500), order('BTC-LIN', 'sell', 300, 99_300)];
    const worse = Math.max(shortfall(300), shortfall(-200)) - shortfall(100);
    close(
      ordersOf({ positions: [long], orders: both }).initial,
      worse + 1_000 + 2_100 + 250,
      1e-11,
    );
  });

  it('of an inverse contract loses coins, at the index', () => {
    const positions = [{ instrument: 'BTC-INV', size: 1_000 }];
    const orders = [order('BTC-INV', 'sell', 1_000, 80_000)];
    // 10,000 USD: 10,000 · (1/80,000 − 1/100,000) = 0.025 coin = 2,500, and 0.0005 · 10,000.
    close(ordersOf({ positions, orders }).initial, 2_505);
  });

  it('of an option compares the premium with the model value, in coin times the index', () => {
    const value = margin({
      id: 'a',
      positions: [{ instrument: 'BTC-NEAR-100-C', size: 1 }],
    }).equity;
    const paid = 0.12 * 100_000;
    expect(value).toBeLessThan(paid);
    const positions = [{ instrument: 'BTC-NEAR-100-C', size: -2 }];
    const buyBack = (price: number) =>
      ordersOf({ positions, orders: [order('BTC-NEAR-100-C', 'buy', 2, price)] }).initial;
    close(buyBack(0.12), 2 * (paid - value) + 100, 1e-11);
    close(buyBack(0.01), 100);
    const linear = [{ instrument: 'BTC-NEAR-100-C-TENTH', size: -2 }];
    const orders = [order('BTC-NEAR-100-C-TENTH', 'buy', 2, 12_000)];
    // 2 · 0.1 · 12,000 less twice a tenth of the same value, and 0.0005 · 0.2 · 100,000.
    close(ordersOf({ positions: linear, orders }).initial, 0.2 * (12_000 - value) + 10, 1e-10);
  });

  it('moves neither equity nor maintenance margin', () => {
    const orders = [order('BTC-LIN', 'buy', 900, 103_000), order('BTC-FAR', 'sell', 2, 90_000)];
    const [bare, ordered] = [{}, { orders }].map((more) =>
      margin({
        id: 'a',
        positions: [long],
        collateral: [{ asset: 'USD', amount: 5_000 }],
        ...more,
      }),
    );
    expect(ordered!.equity).toBe(bare!.equity);
    expect(ordered!.maintenanceMargin).toBe(bare!.maintenanceMargin);
    expect(ordered!.initialMargin).toBeGreaterThan(bare!.initialMargin);
    expect(ordered!.risk).toEqual(bare!.risk);
  });

  it('counts add-ons of the filled side: a short option brings its minimum', () => {
    const filled = charging(['shortOptionMinimum', 'openOrders']);
    const orders = [order('BTC-NEAR-200-C', 'sell', 4, 0.05)];
    // 4 · 0.005 · 100,000 and fees 4 · 50; sold above its value.
    close(lineOf(filled.margin({ id: 'a', orders }), 'openOrders').initial, 2_200);
  });

  it('under cross margin is worse by underlying, under isolated margin by instrument', () => {
    const orders = [
      order('BTC-LIN', 'buy', 100, 99_000),
      order('ETH-LIN', 'sell', 25, 4_001),
      order('BTC-FAR', 'sell', 1, 100_500),
    ];
    const unit = (instrument: string, size: number) =>
      margin({ id: 'a', positions: [{ instrument, size }] }).initialMargin;
    // A fee of 50 for each of three notionals of 100,000.
    const btc = Math.max(unit('BTC-LIN', 100), unit('BTC-FAR', -1));
    const cross = margin({ id: 'a', mode: 'cross', orders });
    close(cross.initialMargin, btc + unit('ETH-LIN', -25) + 150, 1e-11);
    const isolated = unit('BTC-LIN', 100) + unit('BTC-FAR', -1) + unit('ETH-LIN', -25) + 150;
    close(margin({ id: 'a', mode: 'isolated', orders }).initialMargin, isolated, 1e-11);
    const net = margin({ id: 'a', orders });
    const sold = [
      { instrument: 'BTC-FAR', size: -1 },
      { instrument: 'ETH-LIN', size: -25 },
    ];
    const together = margin({ id: 'a', positions: sold }).initialMargin;
    close(net.initialMargin, Math.max(unit('BTC-LIN', 100), together) + 150, 1e-11);
  });
});

describe('haircuts', () => {
  it('are 0 of the currency, 5% of BTC and ETH, 1% of stable coins, 15% of others', () => {
    const { margin } = charging(['marketRisk']);
    const collateral = [
      { asset: 'USD', amount: 7 },
      { asset: 'BTC', amount: 1 },
      { asset: 'ETH', amount: 2 },
      { asset: 'USDT', amount: 1_000 },
      { asset: 'SOL', amount: 10 },
    ];
    // 7 + 0.95 · 100,000 + 0.95 · 8,000 + 0.99 · 950 + 0.85 · 2,000 = 7 + 95,000 + 7,600 + 940.5 + 1,700
    close(margin({ id: 'a', collateral }).equity, 105_247.5);
    const own = charging(['marketRisk'], { haircuts: { SOL: 0.5, '*': 0.2 } });
    // BTC, ETH and USDT keep theirs: 7 + 95,000 + 7,600 + 940.5 + 1,000
    close(own.margin({ id: 'a', collateral }).equity, 104_547.5);
    const clearing = charging(['marketRisk'], { haircuts: { '*': 0.3 } });
    expect(clearing.margin({ id: 'a', collateral: [{ asset: 'SOL', amount: 10 }] }).equity).toBe(
      1_400,
    );
  });

  it('make coins less risky as collateral than as a position', () => {
    const { margin } = charging(['marketRisk']);
    const coins = margin({ id: 'a', collateral: [{ asset: 'BTC', amount: 1 }] });
    const position = margin({ id: 'a', positions: [long] });
    close(coins.risk.expectedShortfall, 0.95 * position.risk.expectedShortfall, 1e-11);
  });
});

/** Oracle and short option minimum alone: round figures, one of them initial-only. */
describe('IM, MM and credit', () => {
  const components = ['shortOptionMinimum', 'oracle'] as const;
  const account = {
    id: 'a',
    collateral: [{ asset: 'USD', amount: 10_000 }],
    positions: [
      { instrument: 'BTC-NEAR-200-C', size: -4 },
      { instrument: 'SOL-LIN', size: 100 },
    ],
  };
  const equityOf = (result: MarginResult) => result.equity;

  it('IM is the sum of all, MM 0.8 of what is not initial-only', () => {
    const result = charging(components).margin(account);
    // 4 · 500 + 0.05 · 100 · 200
    close(result.initialMargin, 3_000);
    close(result.maintenanceMargin, 1_600);
    close(result.marginRatio!, 1_600 / equityOf(result));
    expect(charging(components, { mmFactor: 0.5 }).margin(account).maintenanceMargin).toBe(1_000);
  });

  it('the floor holds for the sum: IM at least 2,500, MM at least 0.8 of it', () => {
    const result = charging(components, { floor: 2_500 }).margin(account);
    close(result.initialMargin, 3_000);
    expect(result.maintenanceMargin).toBe(2_000);
    const cross = charging(components, { floor: 2_500 }).margin({ ...account, mode: 'cross' });
    close(cross.initialMargin, 3_000);
    const isolated = charging(components, { floor: 2_500 }).margin(account).modes.isolated;
    // Each position has a floor of its own: max(2,000, 2,500) + max(1,000, 2,500); 0.8 of as much.
    expect(isolated).toEqual({ initialMargin: 5_000, maintenanceMargin: 4_000 });
  });

  it('credit is taken off each, down to 0, and not off what is shown', () => {
    const { margin } = charging(components);
    const credited = (creditLine: number) => margin({ ...account, creditLine });
    close(credited(600).initialMargin, 3_000);
    close(credited(600).marginRatio!, 1_000 / equityOf(credited(600)));
    // Not below 0, and then the ratio is 0.
    expect(credited(1_600).marginRatio).toBe(0);
    expect(credited(1e9).state).toBe('healthy');
  });

  it('isolated positions have no credit', () => {
    const { margin } = charging(components);
    const positions = account.positions.map((one) => ({ ...one, allocated: 1_500 }));
    const [plain, credited] = [0, 1e6].map((creditLine) =>
      margin({ ...account, mode: 'isolated', positions, creditLine }),
    );
    expect(credited).toEqual(plain);
  });
});

describe('ratio and bands', () => {
  /** IM 2,000 and MM 1,600; the option's value is in equity, so the money is what is added to it. */
  const { margin } = charging(['shortOptionMinimum']);
  const short = { instrument: 'BTC-NEAR-200-C', size: -4 };
  const value = margin({ id: 'a', positions: [short] }).equity;
  const at = (equity: number, creditLine = 0) =>
    margin({
      id: 'a',
      creditLine,
      positions: [short],
      collateral: [{ asset: 'USD', amount: equity - value }],
    });

  // A hundredth above and below each level: equity is good to 1e-11.
  it.each([
    [2_500.01, 'healthy'],
    [2_499.99, 'warning'],
    [2_000.01, 'warning'],
    [1_999.99, 'margin-call'],
    [1_600.01, 'margin-call'],
    [1_599.99, 'liquidation'],
    [0.01, 'liquidation'],
    [-0.01, 'default'],
  ])('equity %d: %s', (equity, state) => {
    expect(at(equity).state).toBe(state);
  });

  it('bands are of the requirements after credit: 1,500 of credit leaves 500 and 100', () => {
    expect([625.01, 624.99, 499.99, 99.99].map((equity) => at(equity, 1_500).state)).toEqual([
      'healthy',
      'warning',
      'margin-call',
      'liquidation',
    ]);
  });

  it('the ratio is maintenance over equity, null without equity, 0 without requirement', () => {
    close(at(3_200).marginRatio!, 0.5, 1e-11);
    expect(at(-5).marginRatio).toBeNull();
    expect(at(-5, 1_600).marginRatio).toBe(0);
    const owed = { id: 'a', collateral: [{ asset: 'USD', amount: -5 }] };
    expect(margin(owed)).toMatchObject({ marginRatio: 0, state: 'default' });
    expect(margin({ id: 'a' })).toMatchObject({ marginRatio: 0, state: 'healthy' });
  });
});
