import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Instrument, Market } from '../../src/market/market.ts';
import { baseValue, compileMarket, latestAsOf, marketHash } from '../../src/market/market.ts';
import { type MarketSnapshot, readSnapshot } from '../../src/market/snapshot.ts';
import fixture from '../fixtures/marketSurface.json' with { type: 'json' };

const EXPIRY = '2026-03-27T08:00:00Z';
const LATER = '2026-09-25T08:00:00Z';

const option = (id: string, strike: number, right: 'call' | 'put', rest: object = {}) => ({
  id,
  type: 'option' as const,
  underlying: 'BTC',
  expiry: EXPIRY,
  strike,
  right,
  settlement: 'coin' as const,
  multiplier: 1,
  ...rest,
});
const delta = (id: string, type: 'perpetual' | 'future' | 'spot', rest: object = {}) => ({
  id,
  type,
  underlying: 'BTC',
  settlement: 'linear' as const,
  multiplier: 2,
  ...rest,
});

function snapshotOf(instruments: readonly object[]): MarketSnapshot {
  return readSnapshot({
    asOf: '2025-12-30T08:00:00Z',
    currency: 'USD',
    underlyings: [
      {
        id: 'ETH',
        spot: 2978.67,
        rate: 0.05,
        forwards: [{ expiry: EXPIRY, price: 3000 }],
      },
      {
        id: 'BTC',
        spot: 88530.23,
        asOf: '2025-12-30T08:00:01Z',
        forwards: [
          { expiry: EXPIRY, price: 89500.1 },
          { expiry: LATER, price: 91000 },
          { expiry: '2025-12-30T08:00:00Z', price: 88000 },
        ],
        surface: [
          {
            expiry: EXPIRY,
            quotes: [
              { strike: 80000, iv: 0.48 },
              { strike: 100000, iv: 0.46 },
            ],
          },
        ],
      },
    ],
    instruments,
  });
}

const find = (market: Market, id: string): Instrument =>
  market.instruments[market.instrumentIndex.get(id)!]!;

describe('compileMarket', () => {
  it('sorts by code unit and indexes', () => {
    const market = compileMarket(
      snapshotOf([delta('b', 'spot'), delta('a', 'spot'), delta('B', 'spot'), delta('é', 'spot')]),
    );
    expect(market.instruments.map((instrument) => instrument.id)).toEqual(['B', 'a', 'b', 'é']);
    expect(market.underlyings.map((underlying) => underlying.id)).toEqual(['BTC', 'ETH']);
    expect([...market.instrumentIndex]).toEqual([
      ['B', 0],
      ['a', 1],
      ['b', 2],
      ['é', 3],
    ]);
    expect([...market.underlyingIndex]).toEqual([
      ['BTC', 0],
      ['ETH', 1],
    ]);
  });

  it('applies defaults and resolves marks', () => {
    const market = compileMarket(
      snapshotOf([
        delta('perp', 'perpetual'),
        delta('perp marked', 'perpetual', { mark: 88600 }),
        delta('future', 'future', { expiry: EXPIRY }),
        delta('future marked', 'future', { expiry: '2027-01-01T08:00:00Z', mark: 95000 }),
        delta('spot', 'spot'),
        option('call', 100000, 'call'),
      ]),
    );
    expect(find(market, 'perp').mark).toBe(88530.23);
    expect(find(market, 'perp marked').mark).toBe(88600);
    expect(find(market, 'future').mark).toBe(89500.1);
    expect(find(market, 'future marked')).toMatchObject({ mark: 95000, problem: null });
    expect(find(market, 'future marked').forward).toBeNaN();
    expect(find(market, 'spot').mark).toBe(88530.23);
    const call = find(market, 'call');
    expect(call.mark).toBeNaN();
    expect(call).toMatchObject({ right: 1, forward: 89500.1, volatility: 0.46, df: 1 });
    // 87 days less the second by which BTC's own asOf is later.
    expect(call.maturity).toBe((87 * 86_400 - 1) / (365 * 86_400));
    expect(market.underlyings[0]).toMatchObject({ rate: 0, oracleConfidence: 1, liquidity: null });
    expect(market.underlyings[1]).toMatchObject({ rate: 0.05, asOfText: '2025-12-30T08:00:00Z' });
  });

  it.each([
    ['EXPIRED_INSTRUMENT', option('x', 90000, 'put', { expiry: '2025-12-30T08:00:01Z' })],
    ['EXPIRED_INSTRUMENT', delta('x', 'future', { expiry: '2025-12-29T08:00:00Z', mark: 1 })],
    ['MISSING_FORWARD', option('x', 90000, 'put', { expiry: '2026-04-24T08:00:00Z' })],
    ['MISSING_FORWARD', delta('x', 'future', { expiry: '2026-04-24T08:00:00Z' })],
    ['MISSING_VOLATILITY', option('x', 90000, 'put', { expiry: LATER })],
    ['MISSING_VOLATILITY', option('x', 3000, 'put', { underlying: 'ETH' })],
    ['UNSUPPORTED_INSTRUMENT', option('x', 90000, 'put', { style: 'american' })],
    [
      'UNSUPPORTED_INSTRUMENT',
      option('x', 90000, 'put', { type: 'binary', settlement: 'linear', style: 'american' }),
    ],
  ])('gives %s to its instrument and leaves the others alone', (code, broken) => {
    const market = compileMarket(snapshotOf([broken, option('call', 100000, 'call')]));
    expect(find(market, 'x').problem).toMatchObject({ code });
    expect(find(market, 'call').problem).toBeNull();
    expect(() => baseValue(find(market, 'x'), market)).toThrow(expect.objectContaining({ code }));
    expect(baseValue(find(market, 'call'), market)).toBeGreaterThan(0);
  });

  it('crosses to a worker by structured clone', () => {
    const market = compileMarket(
      snapshotOf([option('call', 100000, 'call'), delta('broken', 'future', { expiry: LATER })]),
    );
    expect(structuredClone(market)).toEqual(market);
  });
});

describe('baseValue', () => {
  it('equals Black-76 in 50 digits', () => {
    for (const [forward, strike, iv, days, right, rate, spot, m, linear, coin] of fixture.values) {
      const expiry = new Date(Date.UTC(2026, 0, 1) + days! * 86_400_000).toISOString();
      const contract = {
        type: 'option',
        underlying: 'U',
        expiry,
        strike,
        right: right === 1 ? 'call' : 'put',
        multiplier: m,
      };
      const market = compileMarket(
        readSnapshot({
          asOf: '2026-01-01T00:00:00Z',
          currency: 'USD',
          underlyings: [
            {
              id: 'U',
              spot,
              rate,
              forwards: [{ expiry, price: forward }],
              surface: [{ expiry, quotes: [{ strike, iv }] }],
            },
          ],
          instruments: [
            { id: 'linear', settlement: 'linear', ...contract },
            { id: 'coin', settlement: 'coin', ...contract },
          ],
        }),
      );
      // METHODOLOGY section 2 bounds Black-76 at 1e-14 of the forward and 1e-8 of the price; the scale adds three roundings.
      const unit = 1e-14 * forward! * m!;
      const bound = (value: number) => Math.min(unit, 1e-8 * value) + 4 * Number.EPSILON * value;
      expect(Math.abs(baseValue(find(market, 'linear'), market) - linear!)).toBeLessThan(
        bound(linear!),
      );
      expect(Math.abs(baseValue(find(market, 'coin'), market) - coin!)).toBeLessThan(bound(coin!));
    }
  });

  it('is m·S of spot and nothing of perpetuals and futures', () => {
    const market = compileMarket(
      snapshotOf([
        delta('s', 'spot'),
        delta('p', 'perpetual'),
        delta('f', 'future', { expiry: EXPIRY }),
      ]),
    );
    expect(baseValue(find(market, 's'), market)).toBe(2 * 88530.23);
    expect(baseValue(find(market, 'p'), market)).toBe(0);
    expect(baseValue(find(market, 'f'), market)).toBe(0);
  });

  it('keeps put-call parity: in coin, call − put = S(1 − K/F)', () => {
    const market = compileMarket(
      snapshotOf([option('c', 100000, 'call'), option('p', 100000, 'put')]),
    );
    const parity = baseValue(find(market, 'c'), market) - baseValue(find(market, 'p'), market);
    // Each side is accurate to 1e-14 of the forward.
    const want = 88530.23 * (1 - 100000 / 89500.1);
    expect(Math.abs(parity - want)).toBeLessThan(3e-14 * 89500.1);
  });
});

describe('marketHash', () => {
  const two = (): MarketSnapshot => ({
    asOf: '2025-12-30T08:00:00Z',
    currency: 'USD',
    underlyings: [
      { spot: 2, id: 'B', asOf: '2025-12-30T08:00:02Z' },
      { id: 'A', spot: 1, rate: -0 },
      { id: 'C', spot: 3 },
    ],
    instruments: [
      { id: 'z', type: 'spot', underlying: 'A', settlement: 'linear', multiplier: 1 },
      { multiplier: 1, id: 'y', type: 'spot', underlying: 'A', settlement: 'linear' },
    ],
  });
  const partA =
    '{"asOf":"2025-12-30T08:00:00Z","id":"A","instruments":[' +
    '{"id":"y","multiplier":1,"settlement":"linear","type":"spot","underlying":"A"},' +
    '{"id":"z","multiplier":1,"settlement":"linear","type":"spot","underlying":"A"}],"rate":0,"spot":1}';
  const partB = '{"asOf":"2025-12-30T08:00:02Z","id":"B","instruments":[],"spot":2}';
  const digest = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;

  it('is SHA-256 of the array of the hashes of the touched parts, by id', () => {
    const market = compileMarket(readSnapshot(two()));
    expect(marketHash(market, [0])).toBe(digest(`["${digest(partA)}"]`));
    expect(marketHash(market, [0, 1])).toBe(digest(`["${digest(partA)}","${digest(partB)}"]`));
    expect(marketHash(market, [1, 0, 1])).toBe(marketHash(market, [0, 1]));
    expect(marketHash(market, [])).toBe(digest('[]'));
  });

  it('does not depend on the order of keys, instruments or underlyings, nor on what is not touched', () => {
    const other = two();
    other.underlyings.reverse();
    other.instruments.reverse();
    other.underlyings[0]!.spot = 4;
    other.instruments.push({ ...other.instruments[0]!, id: 'c', underlying: 'C' });
    const market = compileMarket(readSnapshot(other));
    expect(marketHash(market, [0, 1])).toBe(digest(`["${digest(partA)}","${digest(partB)}"]`));
    expect(marketHash(market, [0, 1, 2])).not.toBe(marketHash(compileMarket(two()), [0, 1, 2]));
  });

  it('survives the crossing to a worker', () => {
    const market = compileMarket(two());
    expect(marketHash(structuredClone(market), [0, 1, 2])).toBe(marketHash(market, [0, 1, 2]));
  });
});

describe('latestAsOf', () => {
  it('is the latest of those touched, whatever their order', () => {
    const market = compileMarket(snapshotOf([]));
    expect(latestAsOf(market, [0, 1])).toBe('2025-12-30T08:00:01Z');
    expect(latestAsOf(market, [1, 0])).toBe('2025-12-30T08:00:01Z');
    expect(latestAsOf(market, [1])).toBe('2025-12-30T08:00:00Z');
    expect(latestAsOf(market, [])).toBe('2025-12-30T08:00:00Z');
  });
});
