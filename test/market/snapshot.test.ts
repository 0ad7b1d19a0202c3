import { describe, expect, it } from 'vitest';
import type { PlimsollError } from '../../src/errors.ts';
import { parseJson } from '../../src/json.ts';
import { readInstant } from '../../src/market/instruments.ts';
import { type MarketSnapshot, readSnapshot } from '../../src/market/snapshot.ts';

/** A snapshot with every field of the contract, made afresh for each test to spoil. */
function example(): MarketSnapshot {
  return {
    asOf: '2025-12-30T17:31:15Z',
    currency: 'USD',
    underlyings: [
      {
        id: 'BTC',
        spot: 88530.23,
        asOf: '2025-12-30T17:31:14.5Z',
        rate: 0.04,
        oracleConfidence: 0.99,
        forwards: [
          { expiry: '2026-03-27T08:00:00Z', price: 89500.1 },
          { expiry: '2026-06-26T08:00:00+00:00', price: 90500.1 },
        ],
        surface: [
          {
            expiry: '2026-03-27T08:00:00Z',
            quotes: [
              { strike: 80000, iv: 0.48 },
              { strike: 100000, iv: 0.46 },
            ],
          },
        ],
        liquidity: {
          halfSpread: 0.0002,
          dailyVolume: 25000,
          depth: [
            { distance: 0.001, size: 120 },
            { distance: 0.002, size: 200 },
          ],
        },
      },
      { id: 'ETH', spot: 2978.67 },
    ],
    instruments: [
      {
        id: 'BTC-27MAR26-100000-C',
        type: 'option',
        underlying: 'BTC',
        expiry: '2026-03-27T08:00:00Z',
        strike: 100000,
        right: 'call',
        style: 'european',
        settlement: 'coin',
        multiplier: 1,
      },
      {
        id: 'BTC-PERPETUAL',
        type: 'perpetual',
        underlying: 'BTC',
        settlement: 'inverse',
        multiplier: 1,
        mark: 88540,
      },
      {
        id: 'BTC-27MAR26',
        type: 'future',
        underlying: 'BTC',
        expiry: '2026-03-27T08:00:00Z',
        settlement: 'inverse',
        multiplier: 1,
      },
      { id: 'ETH', type: 'spot', underlying: 'ETH', settlement: 'linear', multiplier: 1 },
    ],
  };
}

interface Loose {
  [key: string]: Loose;
}

function failure(spoil: (snapshot: Loose) => void): PlimsollError {
  const snapshot = example();
  spoil(snapshot as unknown as Loose);
  try {
    readSnapshot(snapshot);
  } catch (error) {
    return error as PlimsollError;
  }
  throw new Error('the snapshot was accepted');
}

describe('readSnapshot', () => {
  it('returns the value itself', () => {
    const snapshot = example();
    expect(readSnapshot(snapshot)).toBe(snapshot);
    expect(snapshot).toEqual(example());
  });

  it('reads JSON with every optional part left out', () => {
    const text =
      '{"asOf":"2025-12-30T00:00:00Z","currency":"USD","underlyings":[{"id":"A","spot":1}],"instruments":[]}';
    expect(readSnapshot(parseJson(text)).underlyings[0]!.spot).toBe(1);
  });

  const set = (path: string, value: unknown) => (snapshot: Loose) => {
    const keys = path.split('.');
    let target: Loose = snapshot;
    for (const key of keys.slice(0, -1)) target = target[key]!;
    const last = keys.at(-1)!;
    if (value === undefined) delete target[last];
    else target[last] = value as Loose;
  };

  it.each([
    ['a number as text', 'underlyings.0.spot', '88530', 'INVALID_FIELD', 'underlyings[0].spot'],
    ['minus zero', 'underlyings.0.spot', -0, 'INVALID_FIELD', 'underlyings[0].spot'],
    ['NaN', 'underlyings.0.spot', Number.NaN, 'INVALID_FIELD', 'underlyings[0].spot'],
    [
      'infinity',
      'instruments.0.strike',
      Number.POSITIVE_INFINITY,
      'INVALID_FIELD',
      'instruments[0].strike',
    ],
    ['null', 'underlyings.0.rate', null, 'INVALID_FIELD', 'underlyings[0].rate'],
    ['a boolean', 'instruments.0.multiplier', true, 'INVALID_FIELD', 'instruments[0].multiplier'],
    [
      'a negative forward',
      'underlyings.0.forwards.0.price',
      -1,
      'INVALID_FIELD',
      'underlyings[0].forwards[0].price',
    ],
    [
      'iv in percent',
      'underlyings.0.surface.0.quotes.0.iv',
      48,
      'INVALID_FIELD',
      'underlyings[0].surface[0].quotes[0].iv',
    ],
    [
      'iv of zero',
      'underlyings.0.surface.0.quotes.0.iv',
      0,
      'INVALID_FIELD',
      'underlyings[0].surface[0].quotes[0].iv',
    ],
    [
      'confidence above 1',
      'underlyings.0.oracleConfidence',
      1.01,
      'INVALID_FIELD',
      'underlyings[0].oracleConfidence',
    ],
    ['an empty id', 'instruments.0.id', '', 'INVALID_FIELD', 'instruments[0].id'],
    ['a long id', 'instruments.0.id', 'x'.repeat(129), 'INVALID_FIELD', 'instruments[0].id'],
    ['an unknown type', 'instruments.0.type', 'warrant', 'INVALID_FIELD', 'instruments[0].type'],
    ['an unknown key', 'underlyings.0.price', 1, 'UNKNOWN_FIELD', 'underlyings[0].price'],
    ['an unknown key above', 'version', 1, 'UNKNOWN_FIELD', 'version'],
    ['no asOf', 'asOf', undefined, 'MISSING_FIELD', 'asOf'],
    [
      'no settlement',
      'instruments.1.settlement',
      undefined,
      'MISSING_FIELD',
      'instruments[1].settlement',
    ],
    [
      'no multiplier',
      'instruments.1.multiplier',
      undefined,
      'MISSING_FIELD',
      'instruments[1].multiplier',
    ],
    [
      'an option without strike',
      'instruments.0.strike',
      undefined,
      'MISSING_FIELD',
      'instruments[0].strike',
    ],
    [
      'an option without right',
      'instruments.0.right',
      undefined,
      'MISSING_FIELD',
      'instruments[0].right',
    ],
    [
      'a future without expiry',
      'instruments.2.expiry',
      undefined,
      'MISSING_FIELD',
      'instruments[2].expiry',
    ],
    [
      'a perpetual with expiry',
      'instruments.1.expiry',
      '2026-03-27T08:00:00Z',
      'INVALID_FIELD',
      'instruments[1].expiry',
    ],
    ['an option with a mark', 'instruments.0.mark', 0.04, 'INVALID_FIELD', 'instruments[0].mark'],
    [
      'an inverse option',
      'instruments.0.settlement',
      'inverse',
      'INVALID_FIELD',
      'instruments[0].settlement',
    ],
    [
      'a coin perpetual',
      'instruments.1.settlement',
      'coin',
      'INVALID_FIELD',
      'instruments[1].settlement',
    ],
    [
      'inverse spot',
      'instruments.3.settlement',
      'inverse',
      'INVALID_FIELD',
      'instruments[3].settlement',
    ],
    [
      'an unknown underlying',
      'instruments.3.underlying',
      'SOL',
      'UNKNOWN_UNDERLYING',
      'instruments[3].underlying',
    ],
    [
      'an instrument twice',
      'instruments.3.id',
      'BTC-PERPETUAL',
      'DUPLICATE_ID',
      'instruments[3].id',
    ],
    ['an underlying twice', 'underlyings.1.id', 'BTC', 'DUPLICATE_ID', 'underlyings[1].id'],
    [
      'a forward twice, spelt otherwise',
      'underlyings.0.forwards.1.expiry',
      '2026-03-27T08:00:00.000+00:00',
      'DUPLICATE_ID',
      'underlyings[0].forwards[1].expiry',
    ],
    [
      'two volatilities of a strike',
      'underlyings.0.surface.0.quotes.1.strike',
      80000,
      'INVALID_FIELD',
      'underlyings[0].surface[0].quotes[1].iv',
    ],
    [
      'strikes an ulp apart',
      'underlyings.0.surface.0.quotes.1.strike',
      80000.00000000001,
      'INVALID_FIELD',
      'underlyings[0].surface[0].quotes[1].strike',
    ],
    [
      'no quotes',
      'underlyings.0.surface.0.quotes',
      [],
      'INVALID_FIELD',
      'underlyings[0].surface[0].quotes',
    ],
    [
      'depth that runs back',
      'underlyings.0.liquidity.depth.1.distance',
      0.0005,
      'INVALID_FIELD',
      'underlyings[0].liquidity.depth[1]',
    ],
    [
      'depth that shrinks',
      'underlyings.0.liquidity.depth.1.size',
      100,
      'INVALID_FIELD',
      'underlyings[0].liquidity.depth[1]',
    ],
    ['local time', 'asOf', '2025-12-30T17:31:15', 'INVALID_FIELD', 'asOf'],
    [
      'another offset',
      'underlyings.0.asOf',
      '2025-12-30T17:31:15+01:00',
      'INVALID_FIELD',
      'underlyings[0].asOf',
    ],
    [
      'a date alone',
      'instruments.0.expiry',
      '2026-03-27',
      'INVALID_FIELD',
      'instruments[0].expiry',
    ],
    [
      'a day that is not',
      'instruments.0.expiry',
      '2026-02-29T08:00:00Z',
      'INVALID_FIELD',
      'instruments[0].expiry',
    ],
    [
      'an hour that is not',
      'instruments.0.expiry',
      '2026-02-28T24:00:00Z',
      'INVALID_FIELD',
      'instruments[0].expiry',
    ],
  ])('refuses %s', (_name, path, value, code, at) => {
    const error = failure(set(path, value));
    expect([error.code, error.path]).toEqual([code, at]);
  });

  it('accepts a strike quoted twice alike, and minus zero as a rate', () => {
    const snapshot = example();
    snapshot.underlyings[0]!.surface![0]!.quotes.push({ strike: 80000, iv: 0.48 });
    snapshot.underlyings[0]!.rate = -0;
    expect(readSnapshot(snapshot)).toBe(snapshot);
  });

  it('accepts what cannot be margined yet', () => {
    const snapshot = example();
    const dated = {
      expiry: '2026-03-27T08:00:00Z',
      strike: 1,
      right: 'put',
      multiplier: 1,
    } as const;
    const common = { underlying: 'BTC', settlement: 'linear' } as const;
    snapshot.instruments.push(
      { id: 'b', type: 'binary', ...common, ...dated },
      { id: 'a', type: 'option', style: 'american', ...common, ...dated },
      { id: 'p', type: 'pool', ...common, multiplier: 1 },
    );
    expect(readSnapshot(snapshot)).toBe(snapshot);
  });

  it('refuses 1e999, which JSON reads as infinity', () => {
    const text =
      '{"asOf":"2025-12-30T00:00:00Z","currency":"USD","underlyings":[{"id":"A","spot":1e999}],"instruments":[]}';
    expect(() => readSnapshot(parseJson(text))).toThrow('underlyings[0].spot');
  });
});

describe('readInstant', () => {
  it('reads UTC to the millisecond', () => {
    // GNU date: `date -u -d '2025-12-30T17:31:15Z' +%s` is 1767115875.
    expect(readInstant('2025-12-30T17:31:15Z', 'asOf')).toBe(1_767_115_875_000);
    expect(readInstant('2025-12-30T17:31:15.944181+00:00', 'asOf')).toBe(1_767_115_875_944);
  });
});
