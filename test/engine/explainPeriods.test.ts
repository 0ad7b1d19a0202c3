/** The worst scenarios of a history are days with a date: against the history itself. */
import { describe, expect, it } from 'vitest';
import type { MethodologyInput } from '../../src/margin/methodology.ts';
import { demoRandom } from '../../src/market/demoRandom.ts';
import type { History } from '../../src/market/history.ts';
import { explained } from './explained.ts';
import { fillInProcess } from './inProcess.ts';
import { FACTORS, MARKET } from './studyMarket.ts';

const ROWS = 400;
const random = demoRandom('periods');
let price = 50_000;
const levels = Float64Array.from({ length: ROWS }, (_, i) => {
  price *= 1 + 0.02 * random.normal();
  // No price on the 100th day: two changes less.
  return i === 100 ? Number.NaN : price;
});
const dates = Array.from({ length: ROWS }, (_, i) =>
  new Date(Date.UTC(2024, 0, 1 + i)).toISOString().slice(0, 10),
);
const history: History = { dates, columns: [{ id: 'BTC:spot', values: levels }] };
const account = { id: 'a', positions: [{ instrument: 'BTC-PERP', size: 1 }] };

function worst(methodology: MethodologyInput) {
  const filled = fillInProcess({
    market: {
      ...MARKET,
      underlyings: MARKET.underlyings.slice(0, 1),
      instruments: [MARKET.instruments[1]!],
    },
    ...(methodology.scenarioModel === 'gaussian' ? { factors: FACTORS } : { history }),
    methodology: { preset: 'market-risk', confidence: 0.95, ...methodology },
  });
  return explained(account, { worst: 10 }, filled).worst;
}

/** Changes over `step` rows, the worst first: where they begin. */
function fallsOver(step: number): { readonly begin: number; readonly change: number }[] {
  return Array.from({ length: ROWS - step }, (_, begin) => ({
    begin,
    change: Math.log(levels[begin + step]! / levels[begin]!),
  }))
    .filter(({ change }) => !Number.isNaN(change))
    .sort((a, b) => a.change - b.change);
}

describe('the worst scenarios', () => {
  it('of historical simulation have the date on which they ended', () => {
    const found = worst({ scenarioModel: 'historical' });
    const expected = fallsOver(1).slice(0, 10);
    expect(found.map(({ period }) => period)).toEqual(
      expected.map(({ begin }) => dates[begin + 1]),
    );
    // The logarithm of a ratio against a difference of logarithms near 11: a few 1e-15.
    expect(found[0]!.shocks[0]!.shock).toBeCloseTo(expected[0]!.change, 13);
  });

  it('of several days have the first and the last', () => {
    const found = worst({ scenarioModel: 'historical', horizonDays: 3 });
    const expected = fallsOver(3).slice(0, 10);
    expect(found.map(({ period }) => period)).toEqual(
      expected.map(({ begin }) => `${dates[begin]}..${dates[begin + 3]}`),
    );
  });

  it('of filtered historical simulation have the date of the residual, where each is used once', () => {
    const found = worst({ scenarioModel: 'filtered-historical', filtered: { residuals: 200 } });
    // A residual keeps the sign and the day of its change: which they are, the shocks' order says.
    const changes = new Map(fallsOver(1).map(({ begin, change }) => [dates[begin + 1], change]));
    for (const { period } of found) expect(changes.get(period!)).toBeLessThan(0);
    expect(new Set(found.map(({ period }) => period)).size).toBe(10);
    expect(found.every(({ period }) => period! > dates[ROWS - 202]!)).toBe(true);
    const paths = worst({ scenarioModel: 'filtered-historical', scenarios: 2_000 });
    expect(paths.every(({ period }) => period === undefined)).toBe(true);
  });

  it('that are drawn have none', () => {
    const drawn = worst({ scenarioModel: 'gaussian', scenarios: 1_000 });
    expect(drawn).toHaveLength(10);
    expect(drawn.every(({ period }) => period === undefined)).toBe(true);
  });
});
