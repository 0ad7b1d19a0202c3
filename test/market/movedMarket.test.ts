import { describe, expect, it } from 'vitest';
import { demoMarket } from '../../src/market/demoMarket.ts';
import { baseValue, compileMarket, type Market } from '../../src/market/market.ts';
import { type MovedSmile, movedMarket, narrowMarket } from '../../src/market/movedMarket.ts';
import type { MarketSnapshot } from '../../src/market/snapshot.ts';

const { market: SNAPSHOT } = demoMarket({ underlyings: 3, strikes: 9, seed: 'moved' });
const MARKET = compileMarket(SNAPSHOT);
const BTC = MARKET.underlyingIndex.get('BTC')!;

/** The same move made in the snapshot: prices times the factor; the quotes' strikes too where the smile moves with the forward. */
function movedSnapshot(id: string, factor: number, rule: MovedSmile): MarketSnapshot {
  const strikes = rule === 'sticky-moneyness' ? factor : 1;
  return {
    ...SNAPSHOT,
    underlyings: SNAPSHOT.underlyings.map((underlying) => {
      if (underlying.id !== id) return underlying;
      const { spot, forwards = [], surface = [] } = underlying;
      return {
        ...underlying,
        spot: spot * factor,
        forwards: forwards.map(({ expiry, price }) => ({ expiry, price: price * factor })),
        surface: surface.map(({ expiry, quotes }) => ({
          expiry,
          quotes: quotes.map(({ strike, iv }) => ({ strike: strike * strikes, iv })),
        })),
      };
    }),
    instruments: SNAPSHOT.instruments.map((instrument) =>
      instrument.underlying === id && instrument.mark !== undefined
        ? { ...instrument, mark: instrument.mark * factor }
        : instrument,
    ),
  };
}

/** Largest relative difference of a field over all instruments; NaN and NaN are equal. */
function differenceOf(a: Market, b: Market, field: 'mark' | 'forward' | 'volatility'): number {
  let worst = 0;
  a.instruments.forEach((instrument, i) => {
    const x = instrument[field];
    const y = b.instruments[i]![field];
    if (Number.isNaN(x) && Number.isNaN(y)) return;
    worst = Math.max(worst, Math.abs(x - y) / Math.abs(y));
  });
  return worst;
}

describe('a moved market', () => {
  for (const rule of ['sticky-strike', 'sticky-moneyness'] as const) {
    for (const factor of [0.05, 0.8, 1.25, 5]) {
      it(`is the market compiled from a moved snapshot: ${rule}, × ${factor}`, () => {
        const moved = movedMarket(MARKET, BTC, factor, rule);
        const compiled = compileMarket(movedSnapshot('BTC', factor, rule));
        expect(moved.underlyings[BTC]!.spot).toBe(compiled.underlyings[BTC]!.spot);
        expect([...moved.underlyings[BTC]!.forwards]).toEqual([
          ...compiled.underlyings[BTC]!.forwards,
        ]);
        // One product each on both sides: the same bits.
        expect(differenceOf(moved, compiled, 'mark')).toBe(0);
        expect(differenceOf(moved, compiled, 'forward')).toBe(0);
        // ln(K/F) rounds in another order: some 1e-15 of k, times dσ/dk/σ of order 1 (a few ulp more in the cubic).
        expect(differenceOf(moved, compiled, 'volatility')).toBeLessThan(1e-13);
        moved.instruments.forEach((instrument, i) => {
          expect(instrument.problem).toEqual(compiled.instruments[i]!.problem);
          if (instrument.problem !== null) return;
          const own = baseValue(instrument, moved);
          const other = baseValue(compiled.instruments[i]!, compiled);
          // vega · Δσ with Δσ as above is below 1e-13 of the underlying's price.
          expect(Math.abs(own - other)).toBeLessThan(1e-12 * moved.underlyings[BTC]!.spot);
        });
        // The surface that later readers take volatilities from moves alike.
        moved.underlyings[BTC]!.surface!.slices.forEach((slice, s) => {
          const { strikes, logMoneyness } = compiled.underlyings[BTC]!.surface!.slices[s]!;
          expect([...slice.strikes]).toEqual([...strikes]);
          slice.logMoneyness.forEach((k, i) => {
            expect(Math.abs(k - logMoneyness[i]!)).toBeLessThan(1e-14);
          });
        });
      });
    }
  }

  it('shares what did not move, and names itself by the move', () => {
    const moved = movedMarket(MARKET, BTC, 0.9, 'sticky-strike');
    MARKET.underlyings.forEach((underlying, u) => {
      expect(moved.underlyings[u] === underlying).toBe(u !== BTC);
    });
    MARKET.instruments.forEach((instrument, i) => {
      expect(moved.instruments[i] === instrument).toBe(instrument.underlying !== BTC);
    });
    expect(moved.underlyings[BTC]!.hash).not.toBe(MARKET.underlyings[BTC]!.hash);
    expect(MARKET.underlyings[BTC]!.spot).toBe(
      SNAPSHOT.underlyings.find(({ id }) => id === 'BTC')!.spot,
    );
  });

  it('moves only held instruments where they are named', () => {
    const own = MARKET.instruments.findIndex(({ underlying }) => underlying === BTC);
    const moved = movedMarket(MARKET, BTC, 2, 'sticky-strike', [own]);
    const changed = moved.instruments.flatMap((one, i) =>
      one === MARKET.instruments[i] ? [] : [i],
    );
    expect(changed).toEqual([own]);
  });

  it('can be narrowed to some instruments first', () => {
    const kept = new Set([0, 5, MARKET.instruments.length - 1]);
    const narrow = narrowMarket(MARKET, kept);
    expect(narrow.instruments).toEqual([...kept].map((i) => MARKET.instruments[i]));
    narrow.instruments.forEach(({ id }, i) => {
      expect(narrow.instrumentIndex.get(id)).toBe(i);
    });
    expect(narrow.underlyings).toBe(MARKET.underlyings);
  });
});
