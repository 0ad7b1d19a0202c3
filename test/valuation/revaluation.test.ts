/** American options, binaries and pool shares through plan and revaluation, with shocks that the test sets. */
import { describe, expect, it } from 'vitest';
import type { Market } from '../../src/market/market.ts';
import { DRAW_STRIDE } from '../../src/scenarios/scenarioSet.ts';
import { americanPrice } from '../../src/valuation/american.ts';
import { type PlannedFactors, planValuation } from '../../src/valuation/plan.ts';
import { REVALUATION_SCRATCH_BYTES, revalue } from '../../src/valuation/revaluation.ts';
import { contractValue } from '../../src/valuation/value.ts';
import { fillInProcess } from '../engine/inProcess.ts';
import { openKernels } from '../kernels.ts';
import { textbookBlack76 } from '../reference/black76.ts';
import { type Contract, find, type MarketTerms, marketOf } from './markets.ts';

const N = 16;
const spotShocks = [
  0, 0.3, -0.3, 0.05, -0.05, 1, -1, 0.1, -0.1, 0.2, -0.2, 0.01, -0.01, 0.5, -0.5, 0,
];
const volShocks = spotShocks.map((_, i) => (i === 0 ? 0 : Math.sin(i) * 0.3));
const basisShocks = spotShocks.map((_, i) => (i === 0 ? 0 : Math.cos(i) * 0.05));

function factorsOf(types: readonly string[], absolute: readonly string[] = []): PlannedFactors {
  return {
    index: new Map(types.map((type, i) => [`U:${type}`, i])),
    absolute: Uint8Array.from(types, (type) => (absolute.includes(type) ? 1 : 0)),
    gaps: () => false,
    absent: 'MISSING_FACTOR',
  };
}

/** P&L rows of a market's instruments, by id. */
function revalued(
  market: Market,
  types: readonly string[],
  days: number,
): (id: string) => Float64Array {
  const plan = planValuation(market, factorsOf(types), days);
  const open = openKernels(1 << 19);
  const columns = { spot: spotShocks, vol: volShocks, basis: basisShocks };
  const shocks = open.allocate(types.length * DRAW_STRIDE * 8);
  types.forEach((type, i) => {
    open.floats(shocks + i * DRAW_STRIDE * 8, N).set(columns[type as keyof typeof columns]);
  });
  const scratch = open.allocate(REVALUATION_SCRATCH_BYTES);
  const out = open.allocate(plan.rows * N * 8);
  const f64 = new Float64Array(open.memory.buffer);
  const target = { out, rowBytes: N * 8 };
  revalue(open.kernels, plan.underlyings[0]!, N, { shocks, scratch, f64 }, target);
  return (id) => open.floats(out + plan.rowOf[market.instrumentIndex.get(id)!]! * N * 8, N);
}

const terms: MarketTerms = { spot: 100, forward: 102, volatility: 0.6, days: 146, rate: 0.05 };
const T = 0.4;
const american = { type: 'option', style: 'american', strike: 105, multiplier: 2 } as const;
const contracts: readonly Contract[] = [
  { id: 'put', ...american, right: 'put' },
  { id: 'call', ...american, right: 'call' },
  { id: 'future put', ...american, right: 'put', deliverable: 'future' },
  { id: 'future call', ...american, right: 'call', deliverable: 'future' },
  { id: 'binary call', type: 'binary', strike: 105, right: 'call', multiplier: 10 },
  { id: 'binary put', type: 'binary', strike: 105, right: 'put', multiplier: 10 },
  { id: 'pool', type: 'pool', multiplier: 4 },
];
const all = ['spot', 'vol', 'basis'];

/** Volatility of the option's strike in scenario i: (30/146)^0.13 of the 30-day shock. */
const volatilityIn = (i: number): number => 0.6 * Math.exp(volShocks[i]! * (30 / 146) ** 0.13);

describe('in each scenario', () => {
  const days = 1;
  const left = T - days / 365;
  const market = marketOf(terms, contracts);
  const pnl = revalued(market, all, days);

  it.each([
    ['put', -1, false],
    ['call', 1, false],
    ['future put', -1, true],
    ['future call', 1, true],
  ] as const)('%s: the reference’s P&L to the kernel’s bound', (id, right, future) => {
    const at = { strike: 105, rate: 0.05, right } as const;
    const now = { forward: 102, volatility: 0.6, maturity: T };
    const today = americanPrice({ ...at, ...now, level: future ? 102 : 100 });
    for (let i = 0; i < N; i++) {
      const spot = 100 * Math.exp(spotShocks[i]!);
      const forward = 1.02 * spot * Math.exp(T * basisShocks[i]!);
      const moved = { forward, volatility: volatilityIn(i), maturity: left };
      const price = americanPrice({ ...at, ...moved, level: future ? forward : spot });
      // Base and scenario, each within 0.25% of the strike of the reference.
      expect(Math.abs(pnl(id)[i]! - 2 * (price - today))).toBeLessThan(2 * 2 * 0.0025 * 105);
    }
  });

  it('American puts and calls are worth at least the European ones, less the error of the base', () => {
    for (const [id, right] of [
      ['put', -1],
      ['call', 1],
    ] as const) {
      const today = contractValue(find(market, id), market);
      for (let i = 0; i < N; i++) {
        const forward = 102 * Math.exp(spotShocks[i]! + T * basisShocks[i]!);
        const v = volatilityIn(i) * Math.sqrt(left);
        const european = 2 * Math.exp(-0.05 * left) * textbookBlack76(forward, 105, v, right);
        expect(pnl(id)[i]! + today).toBeGreaterThan(european - 2 * 0.0025 * 105);
      }
    }
  });

  it('binaries: m·df·Φ(±d₂), the two together m·df', () => {
    const df = Math.exp(-0.05 * left);
    const [call, put] = ['binary call', 'binary put'].map((id) =>
      contractValue(find(market, id), market),
    );
    for (let i = 0; i < N; i++) {
      const forward = 102 * Math.exp(spotShocks[i]! + T * basisShocks[i]!);
      const v = volatilityIn(i) * Math.sqrt(left);
      // By the strike slope of the printed Black formula: differences of 1e-3 leave h²·C''' ~ 1e-9 and rounding 1e-14·S/h ~ 1e-9.
      const h = 1e-3;
      const slope =
        (textbookBlack76(forward, 105 - h, v, 1) - textbookBlack76(forward, 105 + h, v, 1)) /
        (2 * h);
      expect(Math.abs(pnl('binary call')[i]! + call! - 10 * df * slope)).toBeLessThan(1e-7);
      const both = pnl('binary call')[i]! + call! + pnl('binary put')[i]! + put!;
      expect(Math.abs(both - 10 * df)).toBeLessThan(1e-13);
    }
  });

  it('pool shares: 2k(√S₁ − √S₀), a loss against holding in every move', () => {
    for (let i = 0; i < N; i++) {
      const ratio = Math.exp(spotShocks[i]!);
      // k√S of each half: holding them gives k√S₀(ratio − 1).
      const wanted = 8 * 10 * (Math.sqrt(ratio) - 1);
      expect(Math.abs(pnl('pool')[i]! - wanted)).toBeLessThan(1e-13 * 80);
      expect(pnl('pool')[i]!).toBeLessThanOrEqual(40 * (ratio - 1) + 1e-12);
    }
    expect(contractValue(find(market, 'pool'), market)).toBe(80);
  });
});

describe('nothing moves', () => {
  it('exactly nothing without a shock and a horizon', () => {
    const market = marketOf(terms, contracts);
    const pnl = revalued(market, all, 0);
    for (const { id } of contracts) expect([id, pnl(id)[0]]).toEqual([id, 0]);
  });
});

describe('exercise that never pays', () => {
  it('the rows of European options, to rounding', () => {
    const at = { ...terms, forward: 100 * Math.exp(0.05 * T) };
    const call = { type: 'option', strike: 105, right: 'call', multiplier: 2 } as const;
    const put = { ...call, right: 'put' } as const;
    // A call without a yield; a put without a rate, under a forward below the spot. No basis shock: it would change the yield.
    for (const [market, contract] of [
      [at, call],
      [{ ...terms, rate: 0, forward: 97 }, put],
    ] as const) {
      const both = marketOf(market, [
        { id: 'american', style: 'american', ...contract },
        { id: 'european', ...contract },
      ]);
      const pnl = revalued(both, ['spot', 'vol'], 1);
      // The forward that is quoted carries to within an ulp of the rate: a yield of ±1e-16, and a premium as small.
      for (let i = 0; i < N; i++) {
        expect(Math.abs(pnl('american')[i]! - pnl('european')[i]!)).toBeLessThan(1e-11);
      }
    }
  });
});

describe('expiry inside the horizon', () => {
  it('is the payoff at the spot', () => {
    const market = marketOf({ ...terms, days: 1 }, contracts);
    const pnl = revalued(market, all, 2);
    for (let i = 0; i < N; i++) {
      const spot = 100 * Math.exp(spotShocks[i]!);
      const payoffs: readonly (readonly [string, number])[] = [
        ['put', 2 * Math.max(105 - spot, 0)],
        ['future call', 2 * Math.max(spot - 105, 0)],
        ['binary call', spot > 105 ? 10 : 0],
        ['binary put', spot > 105 ? 0 : 10],
      ];
      for (const [id, payoff] of payoffs) {
        const base = contractValue(find(market, id), market);
        expect(Math.abs(pnl(id)[i]! - (payoff - base))).toBeLessThan(1e-12 * 210);
      }
    }
  });
});

describe('factors', () => {
  it('options need a vol factor; options and pools a log spot', () => {
    const market = marketOf(terms, contracts);
    const codes = (factors: PlannedFactors): readonly (string | undefined)[] => {
      const { problems } = planValuation(market, factors, 1);
      return market.instruments.map((_, i) => problems.get(i)?.code);
    };
    // By id: binaries, call, future options, pool, put.
    const missing = 'MISSING_FACTOR';
    const noVol = [missing, missing, missing, missing, missing, undefined, missing];
    expect(codes(factorsOf(['spot']))).toEqual(noVol);
    const absolute = codes(factorsOf(['spot', 'vol'], ['spot']));
    expect(absolute).toEqual(Array(7).fill('UNSUPPORTED_FACTOR'));
    expect(codes(factorsOf(['spot', 'vol']))).toEqual(Array(7).fill(undefined));
  });
});

describe('an account', () => {
  it('is margined with all of them, its equity by the reference price', () => {
    const expiry = '2026-06-26T08:00:00Z';
    const dated = { underlying: 'U', settlement: 'linear', expiry, strike: 105, right: 'put' };
    const { margin, session } = fillInProcess({
      market: {
        asOf: '2026-01-01T00:00:00Z',
        currency: 'USD',
        underlyings: [
          {
            id: 'U',
            spot: 100,
            rate: 0.05,
            forwards: [{ expiry, price: 102 }],
            surface: [{ expiry, quotes: [{ strike: 105, iv: 0.6 }] }],
          },
        ],
        instruments: [
          { id: 'a', type: 'option', style: 'american', multiplier: 2, ...dated },
          { id: 'b', type: 'binary', multiplier: 10, ...dated },
          { id: 'p', type: 'pool', underlying: 'U', settlement: 'linear', multiplier: 4 },
        ],
      } as never,
      factors: {
        asOf: '2026-01-01T00:00:00Z',
        periodsPerYear: 365,
        factors: [
          { id: 'U:spot', volatility: 0.6 },
          { id: 'U:vol', volatility: 0.9 },
        ],
        correlation: [
          [1, -0.4],
          [-0.4, 1],
        ],
      },
      methodology: { scenarios: 1_000 },
    });
    const sizes = { a: -3, b: 5, p: 1 };
    const positions = Object.entries(sizes).map(([instrument, size]) => ({ instrument, size }));
    const collateral = [{ asset: 'USD', amount: 500 }];
    const result = margin({ id: 'x', collateral, positions });
    const { market } = session.valuation;
    const value = Object.entries(sizes).reduce(
      (sum, [id, size]) => sum + size * contractValue(find(market, id), market),
      500,
    );
    expect(Math.abs(result.equity - value)).toBeLessThan(1e-12 * 1_000);
    expect(result.initialMargin).toBeGreaterThan(0);
  });
});
