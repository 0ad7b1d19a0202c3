/** Parts of rows: together all of them, each once, whatever the market holds and however many parts there are. */
import { describe, expect, it } from 'vitest';
import { demoMarket } from '../../src/market/demoMarket.ts';
import { partOf } from '../../src/valuation/rowParts.ts';
import { fillInProcess } from '../engine/inProcess.ts';

const MARKETS = {
  'options and futures of their own basis': { underlyings: 3, options: 30, basis: true },
  'futures alone': { underlyings: 2, options: 0, futureExpiries: 4, basis: true },
  'one underlying': { underlyings: 1, options: 12 },
} as const;

describe.each(Object.entries(MARKETS))('%s', (_, size) => {
  const demo = demoMarket({ ...size, seed: 'parts' });
  const { bench } = fillInProcess({
    market: demo.market,
    factors: demo.factors,
    methodology: { preset: 'market-risk', scenarios: 64 },
  });
  const { plan } = bench.session.valuation;
  const underlyings = plan.underlyings.flatMap((rows) => rows ?? []);

  it.each([1, 2, 3, 4, 7, 64, 1_000])('%i parts', (parts) => {
    const rows = Array.from({ length: parts }, (_, part) => partOf(underlyings, part, parts))
      .flat()
      .flatMap((part) => part.rows);
    const all = [...plan.rowOf, ...underlyings.map(({ spotRow }) => spotRow)];
    const sorted = (list: readonly number[]) => list.toSorted((a, b) => a - b);
    expect(sorted(rows)).toEqual(sorted(all.filter((row) => row !== -1)));
  });
});
