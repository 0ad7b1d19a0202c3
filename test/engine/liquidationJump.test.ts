/** A liquidation price where equity and requirement do not meet: payoffs of a binary option jump from scenario to scenario. */
import { describe, expect, it } from 'vitest';
import { liquidationPrice } from '../../src/engine/studies/liquidationPrice.ts';
import { readAccount } from '../../src/margin/account.ts';
import { AS_OF, MARKET, openStudy } from './studyMarket.ts';

// 100 of them lose 100,000 where they pay. ES is that times the share of the worst 20 scenarios in which they do: steps of 5,000.
const METHODOLOGY = { preset: 'market-risk', scenarios: 2_000 } as const;
const DOCUMENT = {
  id: 'a',
  collateral: [{ asset: 'USD', amount: 50_000 }],
  positions: [{ instrument: 'BTC-SOON-BINARY', size: -100 }],
};

describe('a short binary option that expires within the horizon', () => {
  const soon = new Date(Date.parse(AS_OF) + 12 * 3_600_000).toISOString();
  const [bitcoin, ether] = MARKET.underlyings;
  const btc = {
    ...bitcoin!,
    forwards: [...bitcoin!.forwards!, { expiry: soon, price: 100_000 }],
    surface: [{ expiry: soon, quotes: [{ strike: 112_000, iv: 0.5 }] }, ...bitcoin!.surface!],
  };
  const market = {
    ...MARKET,
    underlyings: [btc, ether!],
    instruments: [
      {
        id: 'BTC-SOON-BINARY',
        type: 'binary' as const,
        underlying: 'BTC',
        expiry: soon,
        strike: 112_000,
        right: 'call' as const,
        settlement: 'linear' as const,
        multiplier: 1_000,
      },
    ],
  };
  const study = openStudy(METHODOLOGY, market);
  const { found } = liquidationPrice(readAccount(DOCUMENT), { part: 0, parts: 1 }, study.context);
  const { above, below, inLiquidation } = found[0]!.price;

  it('has a price that is a jump, and says so', () => {
    expect(inLiquidation).toBe(false);
    expect(below).toBeNull();
    expect(above!.jump).toBe(true);
    expect(above!.standardError).toBeNull();
    // Just beyond: the requirement is above equity by part of a step, 0.8 · 5,000.
    const gap = above!.maintenanceRequirement - above!.equity;
    expect(gap).toBeGreaterThan(1);
    expect(gap).toBeLessThan(0.8 * 5_000);
  });

  it('is in liquidation at that price, and not a millionth before it', () => {
    const stateAt = (factor: number) => {
      const forwards = btc.forwards.map((one) => ({ ...one, price: one.price * factor }));
      const there = { ...btc, spot: btc.spot * factor, forwards };
      return openStudy(METHODOLOGY, { ...market, underlyings: [there, ether!] }).margin(DOCUMENT)
        .state;
    };
    const factor = 1 + above!.move;
    expect([stateAt(factor * (1 - 1e-6)), stateAt(factor)]).toEqual(['margin-call', 'liquidation']);
  });
});
