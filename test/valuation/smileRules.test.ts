/** Smile rules and surface models through the whole way: the P&L of an option in each scenario against textbook prices at the volatility that the rule says. */
import { describe, expect, it } from 'vitest';
import { shocksOf } from '../../src/engine/shards.ts';
import type { MethodologyInput } from '../../src/margin/methodology.ts';
import { compileMarket } from '../../src/market/market.ts';
import { moneynessVolatility } from '../../src/market/slice.ts';
import type { MarketSnapshot } from '../../src/market/snapshot.ts';
import { fillInProcess } from '../engine/inProcess.ts';
import { textbookBlack76 } from '../reference/black76.ts';

const expiry = '2026-04-02T08:00:00Z';
const strikes = [70, 80, 90, 100, 110, 120, 130];
const market: MarketSnapshot = {
  asOf: '2026-01-02T08:00:00Z',
  currency: 'USD',
  underlyings: [
    {
      id: 'U',
      spot: 98,
      forwards: [{ expiry, price: 100 }],
      // A smirk: the left wing is dearer.
      surface: [
        {
          expiry,
          quotes: [0.8, 0.7, 0.62, 0.56, 0.53, 0.52, 0.53].map((iv, i) => ({
            strike: strikes[i]!,
            iv,
          })),
        },
      ],
    },
  ],
  instruments: strikes.flatMap((strike) =>
    (['call', 'put'] as const).map((right) => ({
      id: `${strike}-${right}`,
      type: 'option' as const,
      underlying: 'U',
      expiry,
      strike,
      right,
      settlement: 'linear' as const,
      multiplier: 1,
    })),
  ),
};
const factors = {
  asOf: '2026-01-02T08:00:00Z',
  periodsPerYear: 365,
  factors: [
    { id: 'U:spot', volatility: 1.5 },
    { id: 'U:vol', volatility: 1 },
  ],
  correlation: [
    [1, -0.4],
    [-0.4, 1],
  ],
};
const SCENARIOS = 512;
const T = 90 / 365;
const LEFT = 89 / 365;
/** d = 90 days: (30/90)^0.13. */
const TERM = (30 / 90) ** 0.13;

function rowsUnder(methodology: MethodologyInput) {
  const { session, bench } = fillInProcess({
    market,
    factors,
    methodology: { ...methodology, preset: 'market-risk', scenarios: SCENARIOS },
  });
  const { rows, rowBytes } = session.layout;
  const compiled = session.valuation.market;
  const row = (id: string): Float64Array => {
    const index = compiled.instrumentIndex.get(id)!;
    const at = (rows + session.valuation.plan.rowOf[index]! * rowBytes) / 8;
    return bench.views.f64.slice(at, at + SCENARIOS);
  };
  const shocks = [0, 1].map((factor) => shocksOf(session, bench.views, factor));
  const [slice] = compiled.underlyings[0]!.surface!.slices;
  return { row, spot: shocks[0]!, vol: shocks[1]!, slice: slice!, compiled };
}

describe.each(['quotes', 'svi'] as const)('surface %s', (surfaceModel) => {
  it.each(['sticky-strike', 'sticky-moneyness'] as const)('%s', (smileRule) => {
    const { row, spot, vol, slice, compiled } = rowsUnder({ smileRule, surfaceModel });
    let worst = 0;
    for (const { id, strike, right, volatility, forward } of compiled.instruments) {
      const pnl = row(id);
      const base = textbookBlack76(
        forward,
        strike,
        volatility * Math.sqrt(T),
        right === 1 ? 1 : -1,
      );
      for (let s = 0; s < SCENARIOS; s++) {
        const forward1 = forward * Math.exp(spot[s]!);
        const sigma =
          smileRule === 'sticky-strike'
            ? volatility
            : moneynessVolatility(slice, Math.log(strike / forward1));
        const v = sigma * Math.exp(vol[s]! * TERM) * Math.sqrt(LEFT);
        const expected = textbookBlack76(forward1, strike, v, right === 1 ? 1 : -1) - base;
        worst = Math.max(worst, Math.abs(pnl[s]! - expected));
      }
    }
    // Prices of order 100 to 1e-14 of the forward each, the textbook form cancelling a few digits more.
    expect(worst).toBeLessThan(1e-11);
  });
});

it('the short put of a smirk loses less when the smile moves with the forward', () => {
  const sticky = rowsUnder({ smileRule: 'sticky-strike' });
  const moving = rowsUnder({ smileRule: 'sticky-moneyness' });
  const worst = sticky.spot.indexOf(Math.min(...sticky.spot));
  expect(moving.row('80-put')[worst]!).toBeLessThan(sticky.row('80-put')[worst]!);
});

it('an SVI surface prices its options at the fitted volatility, near the quoted one', () => {
  const quoted = compileMarket(market);
  const fitted = compileMarket(market, 'svi');
  quoted.instruments.forEach(({ volatility }, i) => {
    const other = fitted.instruments[i]!.volatility;
    expect(other).not.toBe(volatility);
    expect(Math.abs(other - volatility)).toBeLessThan(0.01);
  });
});
