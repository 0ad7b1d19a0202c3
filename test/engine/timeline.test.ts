/** Later dates: against engines that are opened on snapshots of those dates, and settlement done by hand. */
import { describe, expect, it } from 'vitest';
import { demoAccounts } from '../../src/book/demoAccounts.ts';
import { settleExpired } from '../../src/engine/studies/settlement.ts';
import { studyContext } from '../../src/engine/studies/studyShard.ts';
import { timeline } from '../../src/engine/studies/timeline.ts';
import { readAccount } from '../../src/margin/account.ts';
import { AgeingMarket } from '../../src/market/agedMarket.ts';
import { demoMarket } from '../../src/market/demoMarket.ts';
import { compileMarket } from '../../src/market/market.ts';
import type { MarketSnapshot } from '../../src/market/snapshot.ts';
import { fillInProcess } from './inProcess.ts';
import { AS_OF, accountOf, documentOf, FAR, MARKET, NEAR, openStudy } from './studyMarket.ts';

const DAY = 86_400_000;
const later = (days: number): string =>
  new Date(Date.parse(AS_OF) + days * DAY).toISOString().replace('.000Z', 'Z');
const at = (snapshot: MarketSnapshot, asOf: string): MarketSnapshot => ({ ...snapshot, asOf });

describe('an ageing market', () => {
  const all = [0, 1];

  it('is the market that would be read then', () => {
    const market = compileMarket(MARKET);
    const ageing = new AgeingMarket(market, all);
    for (const days of [0, 1, 6.99, 7, 30]) {
      const then = ageing.at(Date.parse(AS_OF) + days * DAY);
      const read = compileMarket(at(MARKET, later(days)));
      expect(then.underlyings).toEqual(read.underlyings);
      expect(then.instruments).toEqual(read.instruments);
    }
    expect(() => ageing.at(Date.parse(AS_OF) - 1)).toThrow(/before/);
  });

  it('reads its surface as it was read', () => {
    const market = compileMarket(MARKET, 'svi');
    const then = new AgeingMarket(market, all, 'svi').at(Date.parse(AS_OF) + DAY);
    expect(then.instruments).toEqual(compileMarket(at(MARKET, later(1)), 'svi').instruments);
  });

  it('leaves other underlyings as they are', () => {
    const market = compileMarket(MARKET);
    const then = new AgeingMarket(market, [1]).at(Date.parse(FAR));
    expect(then.underlyings[0]).toBe(market.underlyings[0]);
    expect(then.instruments[market.instrumentIndex.get('BTC-FAR-C')!]!.problem).toBeNull();
  });

  it('keeps a volatility whose earlier neighbour has expired', () => {
    const between = '2026-02-13T08:00:00Z';
    const [btc, ...rest] = MARKET.underlyings;
    const record = { ...MARKET.instruments.find(({ id }) => id === 'BTC-FAR-C')!, expiry: between };
    const snapshot: MarketSnapshot = {
      ...MARKET,
      underlyings: [
        { ...btc!, forwards: [...btc!.forwards!, { expiry: between, price: 100_600 }] },
        ...rest,
      ],
      instruments: [{ ...record, id: 'BTC-BETWEEN-C' }],
    };
    const market = compileMarket(snapshot);
    const now = market.instruments[0]!;
    const [then] = new AgeingMarket(market, [0]).at(Date.parse(NEAR) + DAY).instruments;
    expect(then!.problem).toBeNull();
    expect(then!.volatility).toBe(now.volatility);
    expect(then!.maturity).toBeLessThan(now.maturity);
  });
});

describe('the points', () => {
  const demo = demoMarket({ underlyings: 3, seed: 'timeline' });
  const methodology = { scenarios: 1_000 };
  const filled = fillInProcess({ ...demo, methodology });
  const context = studyContext(filled.bench, 0);
  const documents = [...demoAccounts({ market: demo.market, count: 3, positions: 10 })];
  const start = Date.parse(demo.market.asOf);

  it('are what an engine on a snapshot of that date says', () => {
    // The nearest expiry of the made-up exchange is seven days away.
    const days = [0.25, 1, 3, 6.9];
    const engines = days.map((n) => {
      const asOf = new Date(start + Math.round(n * DAY)).toISOString().replace('.000Z', 'Z');
      return fillInProcess({ ...demo, market: at(demo.market, asOf), methodology });
    });
    for (const document of documents) {
      const account = readAccount(document);
      const { points, ...whole } = timeline(account, { days, expiries: false }, context);
      const now = filled.margin(document);
      const figures = ({ equity, initialMargin, components, state }: typeof now) => ({
        equity,
        initialMargin,
        components,
        state,
      });
      expect(points[0]).toMatchObject({ days: 0, date: demo.market.asOf, ...figures(now) });
      expect(whole.market).toBe(now.market);
      days.forEach((n, i) => {
        expect(points[i + 1]).toMatchObject({ days: n, ...figures(engines[i]!.margin(document)) });
      });
    }
  });

  it('stand a minute before and at each expiry, and tell what was settled', () => {
    const account = accountOf({
      collateral: [{ asset: 'USD', amount: 500_000 }],
      positions: [
        { instrument: 'BTC-NEAR', size: 5, entryPrice: 98_000 },
        { instrument: 'BTC-NEAR-P', size: -3 },
        { instrument: 'BTC-FAR-C', size: 2 },
      ],
      orders: [{ instrument: 'BTC-NEAR-P', side: 'sell', size: 1, price: 900 }],
    });
    const { points } = timeline(account, { days: [1] }, openStudy().context);
    const minuteBefore = (text: string): string =>
      new Date(Date.parse(text) - 60_000).toISOString().replace('.000Z', 'Z');
    expect(points.map(({ date }) => date)).toEqual([
      AS_OF,
      later(1),
      minuteBefore(NEAR),
      NEAR,
      minuteBefore(FAR),
      FAR,
    ]);
    // 5 · 0.1 · (100,000 − 98,000); the put ends worthless. At its mark of 100,100 the future had 1,050.
    expect(points[3]!.settled).toEqual([
      { instrument: 'BTC-NEAR', size: 5, price: 100_000, asset: 'USD', amount: 1_000 },
      { instrument: 'BTC-NEAR-P', size: -3, price: 0, asset: 'USD', amount: 0 },
    ]);
    expect(points[3]!.lapsed).toEqual(['BTC-NEAR-P']);
    expect(points[2]!.lapsed).toEqual([]);
    expect(points[5]!.equity).toBe(501_000);
    expect(points[5]!.initialMargin).toBe(0);
  });
});

describe('settlement at 100,000', () => {
  const { valuation } = openStudy({ scenarios: 16 });
  const settle = (positions: readonly Record<string, unknown>[]) => {
    const account = accountOf({ collateral: [{ asset: 'USD', amount: 1_000 }], positions });
    return settleExpired(account, valuation, Date.parse(FAR));
  };
  const strikeAt = (instrument: string, strike: number) => {
    const { market } = valuation;
    const instruments = market.instruments.map((one) =>
      one.id === instrument ? { ...one, strike } : one,
    );
    return { ...valuation, market: { ...market, instruments } };
  };

  it.each<[string, number | undefined, string, number]>([
    // From the entry price, or from the mark (100,100) without one.
    ['BTC-NEAR', 90_000, 'USD', 3 * 0.1 * 10_000],
    ['BTC-NEAR', undefined, 'USD', 3 * 0.1 * -100],
    ['BTC-NEAR-INVERSE', 80_000, 'BTC', 3 * 10 * (1 / 80_000 - 1 / 100_000)],
    ['BTC-NEAR-INVERSE', undefined, 'BTC', 3 * 10 * (1 / 100_100 - 1 / 100_000)],
  ])('%s from %s pays %s %d', (instrument, entryPrice, asset, amount) => {
    const { positions, account } = settle([{ instrument, size: 3, entryPrice }]);
    expect(positions[0]!.asset).toBe(asset);
    // One rounding of each product.
    expect(Math.abs(positions[0]!.amount / amount - 1)).toBeLessThan(1e-12);
    expect(account.instruments).toEqual([]);
  });

  it.each([
    ['BTC-NEAR-P', 104_000, 'USD', 3 * 0.1 * 4_000],
    ['BTC-NEAR-C-COIN', 80_000, 'BTC', 3 * 0.2],
    ['BTC-NEAR-C-COIN', 100_000, 'BTC', 0],
    ['BTC-FAR-BINARY', 99_999, 'USD', 3_000],
    // A call pays above its strike.
    ['BTC-FAR-BINARY', 100_000, 'USD', 0],
  ])('%s struck at %d pays %s %d', (instrument, strike, asset, amount) => {
    const account = accountOf({ positions: [{ instrument, size: 3 }] });
    const { positions } = settleExpired(account, strikeAt(instrument, strike), Date.parse(FAR));
    expect(positions[0]!.asset).toBe(asset);
    expect(positions[0]!.amount).toBeCloseTo(amount, 9);
  });

  it('leaves what has not expired', () => {
    const positions = [{ instrument: 'BTC-PERP', size: 1, entryPrice: 99_000 }];
    const { account, positions: settled } = settle(positions);
    expect(settled).toEqual([]);
    expect(documentOf(account).positions).toEqual(positions);
  });
});

describe('the first margin call', () => {
  const { context } = openStudy();

  it('of a long option is the minute in which its decaying value no longer covers the requirement', () => {
    const account = accountOf({
      collateral: [{ asset: 'USD', amount: -1_500 }],
      positions: [{ instrument: 'BTC-FAR-C', size: 10 }],
    });
    const { points, marginCall } = timeline(account, {}, context);
    expect(points[0]!.state).toBe('healthy');
    const [date] = [marginCall!.date];
    const minute = (n: number): string =>
      new Date(Date.parse(date) + n * 60_000).toISOString().replace('.000Z', 'Z');
    const around = timeline(account, { dates: [minute(-1), date], expiries: false }, context);
    expect(around.points[1]!.freeCollateral).toBeGreaterThanOrEqual(0);
    expect(around.points[2]!.freeCollateral).toBeLessThan(0);
    expect(around.points[2]).toMatchObject({
      equity: marginCall!.equity,
      initialMargin: marginCall!.initialMargin,
      state: marginCall!.state,
    });
    expect(marginCall!.settled).toEqual([]);
  });

  it('may come with an expiry, when a hedge is gone', () => {
    const account = accountOf({
      collateral: [{ asset: 'USD', amount: 60_000 }],
      positions: [
        { instrument: 'BTC-PERP', size: 100, entryPrice: 100_200 },
        { instrument: 'BTC-NEAR', size: -100, entryPrice: 100_100 },
      ],
    });
    const { marginCall } = timeline(account, {}, context);
    expect(marginCall).toMatchObject({ date: NEAR, days: 7, settled: ['BTC-NEAR'] });
  });

  it('is now where it is due already, and null where none comes', () => {
    const perpetual = [{ instrument: 'BTC-PERP', size: 1 }];
    const poor = accountOf({ positions: perpetual });
    expect(timeline(poor, {}, context).marginCall).toMatchObject({ date: AS_OF, days: 0 });
    const rich = accountOf({ collateral: [{ asset: 'USD', amount: 1e6 }], positions: perpetual });
    const { points, marginCall } = timeline(rich, {}, context);
    expect(marginCall).toBeNull();
    expect(points.map(({ days }) => days)).toEqual([0, 1, 2, 3, 7, 14, 30]);
  });

  it.each([
    [{ dates: [AS_OF] }, 'dates[0]'],
    [{ dates: [later(1), '2025-01-01T00:00:00Z'] }, 'dates[1]'],
    [{ dates: ['2026-02-01'] }, 'dates[0]'],
  ])('refuses %j', (request, path) => {
    const account = accountOf({});
    expect(() => timeline(account, request, context)).toThrow(
      expect.objectContaining({ code: 'INVALID_FIELD', path }),
    );
  });
});
