import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Market } from '../../src/market/market.ts';
import { americanPricer } from '../../src/valuation/american.ts';
import { type Greeks, greeksOf } from '../../src/valuation/greeks.ts';
import { americanContract, contractValue } from '../../src/valuation/value.ts';
import { type Contract, find, type MarketTerms, marketOf } from './markets.ts';

const terms: MarketTerms = { spot: 100, forward: 103, volatility: 0.5, days: 73, rate: 0.04 };

/** Central differences of the value, spot and forward moved in proportion; one Richardson step, so that h⁴ is left. */
function differences(terms: MarketTerms, contract: Contract): Greeks {
  const value = (move: number, volatility: number): number => {
    const { spot, forward } = terms;
    const moved = { ...terms, spot: spot * move, forward: forward * move, volatility };
    const market = marketOf(moved, [contract]);
    return contractValue(find(market, contract.id), market);
  };
  const { volatility: vol, spot } = terms;
  const first = (h: number) => (value(1 + h, vol) - value(1 - h, vol)) / (2 * h * spot);
  const second = (h: number) =>
    (value(1 + h, vol) - 2 * value(1, vol) + value(1 - h, vol)) / (h * spot) ** 2;
  const bumped = (h: number) => (value(1, vol + h) - value(1, vol - h)) / (2 * h);
  const refine = (f: (h: number) => number, h: number) => (4 * f(h / 2) - f(h)) / 3;
  return { delta: refine(first, 2e-3), gamma: refine(second, 4e-3), vega: refine(bumped, 2e-3) };
}

const option = { type: 'option', strike: 96, multiplier: 2.5 } as const;
const contracts: readonly Contract[] = [
  { id: 'spot', type: 'spot', multiplier: 3 },
  { id: 'call', right: 'call', ...option },
  { id: 'put', right: 'put', ...option },
  { id: 'coin call', right: 'call', ...option, settlement: 'coin' },
  { id: 'coin put', right: 'put', ...option, settlement: 'coin' },
  { id: 'binary call', right: 'call', ...option, type: 'binary' },
  { id: 'binary put', right: 'put', ...option, type: 'binary' },
  { id: 'pool', type: 'pool', multiplier: 7 },
];

describe('against finite differences of the value', () => {
  it.each(contracts)('$id', (contract) => {
    const market = marketOf(terms, [contract]);
    const greeks = greeksOf(find(market, contract.id), market);
    const wanted = differences(terms, contract);
    // Truncation: h⁴/v⁴ ~ (2e-3/0.22)⁴ ~ 1e-8 relatively. Rounding: 1e-14 of the value over 2h·S and (hS)², the value at most 700.
    const close = (got: number, want: number, noise: number) =>
      expect(Math.abs(got - want)).toBeLessThan(1e-6 * Math.abs(want) + noise);
    close(greeks.delta, wanted.delta, 1e-10);
    close(greeks.gamma, wanted.gamma, 1e-9);
    close(greeks.vega, wanted.vega, 1e-8);
  });

  it.each([
    'linear',
    'inverse',
  ])('perpetual and future, %s: of the P&L in currency', (settlement) => {
    const inverse = settlement === 'inverse';
    const multiplier = inverse ? 1_000 : 4;
    const market = marketOf(terms, [
      { id: 'perpetual', type: 'perpetual', settlement, multiplier, mark: 100.5 },
      { id: 'future', type: 'future', settlement, multiplier },
    ]);
    for (const [id, mark] of [
      ['perpetual', 100.5],
      ['future', 103],
    ] as const) {
      const pnl = (move: number): number => {
        const [before, after] = [mark, mark * move];
        return inverse
          ? multiplier * (1 / before - 1 / after) * 100 * move
          : multiplier * (after - before);
      };
      const slope = (pnl(1.001) - pnl(0.999)) / 0.2;
      const { delta, gamma, vega } = greeksOf(find(market, id), market);
      // Both are linear in the spot: rounding only, 1e-13 of a P&L of 10.
      expect(Math.abs(delta - slope)).toBeLessThan(1e-11 * Math.abs(slope));
      expect([gamma, vega]).toEqual([0, 0]);
    }
  });
});

describe('binaries against mpmath', () => {
  const rows = JSON.parse(
    readFileSync(new URL('../fixtures/valuation/binary.json', import.meta.url), 'utf8'),
  ) as readonly (readonly number[])[];

  it('value, the strike derivative of an option, and the Greeks', () => {
    for (const [right, f, strike, volatility, days, rate, value, byStrike, ...greeks] of rows) {
      const at = { spot: f!, forward: f!, volatility: volatility!, days: days!, rate: rate! };
      const [side, other] = right === 1 ? (['call', 'put'] as const) : (['put', 'call'] as const);
      const market = marketOf(at, [
        { id: 'x', type: 'binary', strike: strike!, right: side },
        { id: 'other', type: 'binary', strike: strike!, right: other },
      ]);
      const x = find(market, 'x');
      // Φ to 3.5 ulp at a d₂ that is itself rounded: |d₂| ≤ 4, φ(d)/Φ(d) ≤ 5, so some 50 ulp.
      const near = (got: number, want: number) =>
        expect(Math.abs(got - want)).toBeLessThan(2e-14 * Math.abs(want));
      near(contractValue(x, market), value!);
      near(contractValue(x, market), byStrike!);
      const df = Math.exp((-rate! * days!) / 365);
      const both = contractValue(x, market) + contractValue(find(market, 'other'), market);
      expect(Math.abs(both - df)).toBeLessThan(4 * Number.EPSILON);
      const got = greeksOf(x, market);
      // A factor d₁ may be near 0: relatively to the largest of its kind, which is within (1 + |d|) of φ(d)'s scale.
      const v = volatility! * Math.sqrt(days! / 365);
      const slope = Math.abs(greeks[0]!) * f! * v;
      near(got.delta, greeks[0]!);
      expect(Math.abs(got.gamma - greeks[1]!)).toBeLessThan((1e-13 * slope) / (f! * v) ** 2);
      expect(Math.abs(got.vega - greeks[2]!)).toBeLessThan((1e-13 * slope) / volatility!);
    }
  });
});

describe('American options', () => {
  const american = { type: 'option', style: 'american', multiplier: 2 } as const;

  it('have the European Greeks where exercise never pays', () => {
    const call = { right: 'call', strike: 96 } as const;
    const market = marketOf({ ...terms, forward: 100 * Math.exp(0.04 * 0.2) }, [
      { id: 'american', ...american, ...call },
      { id: 'european', type: 'option', multiplier: 2, ...call },
    ]);
    const got = greeksOf(find(market, 'american'), market);
    const want = greeksOf(find(market, 'european'), market);
    // Truncation of the central differences: h²/v² / 6 with h = 2e-3, v = 0.22 is 1.4e-5 of φ's scale.
    expect(Math.abs(got.delta - want.delta)).toBeLessThan(2e-5 * 2);
    expect(Math.abs(got.gamma / want.gamma - 1)).toBeLessThan(2e-4);
    expect(Math.abs(got.vega / want.vega - 1)).toBeLessThan(2e-4);
  });

  it('are those of the reference price to the kernel’s accuracy, and −1 where exercise is due', () => {
    const reference = (market: Market, id: string) => {
      const contract = americanContract(find(market, id), market);
      const pricer = americanPricer(contract);
      const h = 1e-3;
      const { spot } = market.underlyings[0]!;
      const bump = (share: number) =>
        americanPricer({ ...contract, volatility: contract.volatility * (1 + share) }).value(1);
      return {
        delta: (2 * (pricer.value(1 + h) - pricer.value(1 - h))) / (2 * h * spot),
        vega: (2 * (bump(h) - bump(-h))) / (2 * h * contract.volatility),
      };
    };
    for (const days of [7, 90, 365]) {
      for (const strike of [80, 100, 125]) {
        for (const right of ['call', 'put'] as const) {
          const at = { ...terms, days, forward: 100 * Math.exp(-0.02 * (days / 365)) };
          const market = marketOf(at, [{ id: 'x', ...american, strike, right }]);
          const got = greeksOf(find(market, 'x'), market);
          const want = reference(market, 'x');
          // The kernel's price is within 0.1% of the strike of the reference; its slopes are as near, in units of theirs.
          expect(Math.abs(got.delta - want.delta)).toBeLessThan(2 * 0.004);
          expect(Math.abs(got.vega - want.vega)).toBeLessThan(
            2 * 0.01 * 100 * Math.sqrt(days / 365),
          );
        }
      }
    }
    const deep = marketOf(terms, [{ id: 'x', ...american, strike: 300, right: 'put' }]);
    const { delta, vega } = greeksOf(find(deep, 'x'), deep);
    // 2·(300 − S) by differences of 0.2: rounding of 400 over 0.4.
    expect(Math.abs(delta + 2)).toBeLessThan(1e-12);
    expect(vega).toBe(0);
  });
});
