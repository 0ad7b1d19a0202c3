/** ES by factor type, the worst scenarios and the figures without simulation, against textbook revaluation and closed forms. */
import { describe, expect, it } from 'vitest';
import { readHistory } from '../../src/market/history.ts';
import { black76 } from '../reference/black76.ts';
import { normalCdf } from '../reference/maths.ts';
import { explained, sum } from './explained.ts';
import { fillInProcess } from './inProcess.ts';

const MARKET = {
  asOf: '2026-01-02T08:00:00Z',
  currency: 'USD',
  underlyings: [
    {
      id: 'A',
      spot: 100,
      forwards: [{ expiry: '2026-04-02T08:00:00Z', price: 104 }],
      surface: [{ expiry: '2026-04-02T08:00:00Z', quotes: [{ strike: 110, iv: 0.6 }] }],
    },
    { id: 'B', spot: 50 },
  ],
  instruments: [
    ...(['A', 'B'] as const).map((id) => ({
      id: `${id}-PERP`,
      type: 'perpetual' as const,
      underlying: id,
      settlement: 'linear' as const,
      multiplier: 1,
    })),
    {
      id: 'A-FUTURE',
      type: 'future' as const,
      underlying: 'A',
      expiry: '2026-04-02T08:00:00Z',
      settlement: 'linear' as const,
      multiplier: 1,
    },
    {
      id: 'A-CALL',
      type: 'option' as const,
      underlying: 'A',
      expiry: '2026-04-02T08:00:00Z',
      strike: 110,
      right: 'call' as const,
      style: 'european' as const,
      settlement: 'linear' as const,
      multiplier: 1,
    },
  ],
};
const FACTORS = {
  asOf: '2026-01-02T08:00:00Z',
  periodsPerYear: 365,
  factors: [
    { id: 'A:spot', volatility: 0.6 },
    { id: 'A:vol', volatility: 0.9 },
    { id: 'A:basis', volatility: 0.05 },
    { id: 'B:spot', volatility: 0.8 },
  ],
  correlation: [
    [1, -0.4, 0.1, 0.5],
    [-0.4, 1, 0, -0.2],
    [0.1, 0, 1, 0],
    [0.5, -0.2, 0, 1],
  ],
};

describe('by factor type and scenario', () => {
  const small = fillInProcess({
    market: MARKET,
    factors: FACTORS,
    methodology: { scenarios: 2_000, preset: 'market-risk' },
  });
  const T = 90 / 365;
  const left = 89 / 365;

  it('one type alone is the textbook revaluation of the tail', () => {
    const size = -3;
    const account = { id: 'a', positions: [{ instrument: 'A-CALL', size }] };
    const e = explained(account, { worst: 20 }, small);
    const value = (spot: number, vol: number, basis: number, years: number): number => {
      const scale = (30 / 90) ** 0.13;
      const forward = 104 * Math.exp(spot + basis * T);
      return black76(forward, 110, 0.6 * Math.exp(vol * scale) * Math.sqrt(years), 1);
    };
    const now = value(0, 0, 0, T);
    // The tail of 2,000 at 99% is the 20 worst, equally weighted.
    const moves = e.worst.map(({ shocks }) => shocks.slice(0, 3).map(({ shock }) => shock));
    const mean = (of: (m: readonly number[]) => number): number => sum(moves.map(of)) / 20;
    const time = -size * (value(0, 0, 0, left) - now);
    const loss = (v: number): number => -size * (v - now) - time;
    const expected = {
      spot: mean(([x]) => loss(value(x!, 0, 0, left))),
      vol: mean(([, v]) => loss(value(0, v!, 0, left))),
      basis: mean(([, , b]) => loss(value(0, 0, b!, left))),
    };
    // The kernel's price is good to 1e-14 of the forward: 3 · 104 · 1e-14 · 20.
    expect(Math.abs(e.factors.time - time)).toBeLessThan(1e-10);
    for (const { type, contribution } of e.factors.types) {
      expect(Math.abs(contribution - expected[type as 'spot'])).toBeLessThan(1e-10);
    }
    const all = mean(([x, v, b]) => -size * (value(x!, v!, b!, left) - now));
    expect(Math.abs(e.margin.risk.expectedShortfall - all)).toBeLessThan(1e-10);
    const rest = all - time - sum(Object.values(expected));
    expect(Math.abs(e.factors.interaction - rest)).toBeLessThan(1e-10);
  });

  it('a linear book is all spot; the worst scenarios replay', () => {
    const positions = [
      { instrument: 'A-PERP', size: -2 },
      { instrument: 'B-PERP', size: 3 },
    ];
    const e = explained({ id: 'a', positions }, { worst: 30 }, small);
    const es = e.margin.risk.expectedShortfall;
    expect(e.factors.time).toBe(0);
    expect(Math.abs(e.factors.types[0]!.contribution - es)).toBeLessThan(1e-12 * es);
    expect(e.factors.types.slice(1).map(({ contribution }) => contribution)).toEqual([0, 0]);
    for (const { pnl, shocks } of e.worst) {
      const move = (id: string): number => shocks.find(({ factor }) => factor === id)!.shock;
      const spot = (id: string): number => shocks.find(({ factor }) => factor === id)!.price!;
      const [a, b] = [100 * Math.exp(move('A:spot')), 50 * Math.exp(move('B:spot'))];
      // One rounding of e^x each way.
      expect(Math.abs(spot('A:spot') - a)).toBeLessThan(1e-12);
      expect(Math.abs(spot('B:spot') - b)).toBeLessThan(1e-12);
      expect(Math.abs(pnl - (-2 * (a - 100) + 3 * (b - 50)))).toBeLessThan(1e-11);
    }
    expect(e.worst.map(({ weight }) => weight)).toEqual([
      ...Array.from({ length: 20 }, () => 1 / 20),
      ...Array.from({ length: 10 }, () => 0),
    ]);
  });

  it('delta-normal of a linear book is the formula; of options what the greeks say', () => {
    const positions = [
      { instrument: 'A-FUTURE', size: 10 },
      { instrument: 'B-PERP', size: -15 },
    ];
    const { parametric } = explained({ id: 'a', positions }, {}, small);
    const [a, b, basis] = [10 * 104, -15 * 50, 10 * 104 * T];
    const daily = (v: number): number => v / Math.sqrt(365);
    const [sa, sb, sc] = [daily(0.6), daily(0.8), daily(0.05)];
    const variance =
      (a * sa) ** 2 +
      (b * sb) ** 2 +
      (basis * sc) ** 2 +
      2 * (0.5 * a * b * sa * sb + 0.1 * a * basis * sa * sc);
    // Φ⁻¹(0.99) and φ(Φ⁻¹(0.99))/0.01, to 12 digits.
    expect(parametric.deltaNormal!.valueAtRisk / Math.sqrt(variance)).toBeCloseTo(
      2.326_347_874_04,
      10,
    );
    expect(parametric.deltaNormal!.expectedShortfall / Math.sqrt(variance)).toBeCloseTo(
      2.665_214_220_35,
      9,
    );
    // A log spot has curvature: ½ Σ ΔS σ² is the mean; the futures' second order is their first.
    const drift = 0.5 * (a * sa * sa + b * sb * sb);
    expect(Math.abs(parametric.deltaGamma!.mean - drift)).toBeLessThan(1e-12);
    expect(parametric.refusal).toBeNull();
    const one = explained({ id: 'a', positions: [{ instrument: 'B-PERP', size: 1 }] }, {}, small);
    const { cornishFisher } = one.parametric;
    // VaR of a lognormal, exactly: 50 (1 − e^(−2.326 σ)). The expansion is good to the fourth order of σ = 4%.
    const exact = 50 * (1 - Math.exp(-2.326_347_874 * sb));
    expect(Math.abs(cornishFisher!.valueAtRisk / exact - 1)).toBeLessThan(2e-3);
    const short = explained(
      { id: 'a', positions: [{ instrument: 'A-CALL', size: -1 }] },
      {},
      small,
    );
    // Short calls lose to a lognormal and a convexity: simulated and quadratic agree to a few standard errors.
    const { expectedShortfall, standardError } = short.margin.risk;
    const quadratic = short.parametric.cornishFisher!.expectedShortfall;
    expect(Math.abs(quadratic - expectedShortfall)).toBeLessThan(
      4 * standardError.expectedShortfall!,
    );
  });

  it('refuses where the P&L is far from normal, and where nothing is drawn', () => {
    const still = FACTORS.factors.map((factor) =>
      factor.id.endsWith(':spot') ? factor : { ...factor, volatility: 0 },
    );
    const methodology = { scenarios: 2_000, preset: 'market-risk' } as const;
    const spots = fillInProcess({
      market: MARKET,
      factors: { ...FACTORS, factors: still },
      methodology,
    });
    // Short gamma, and the log spot's delta hedged away: Φ(d₁) · 104 of a forward that is 104.
    const d1 = Math.log(104 / 110) / (0.6 * Math.sqrt(T)) + 0.3 * Math.sqrt(T);
    const hedge = 100 * 1.04 * normalCdf(d1);
    const hedged = [
      { instrument: 'A-CALL', size: -100 },
      { instrument: 'A-PERP', size: hedge },
    ];
    const { parametric } = explained({ id: 'a', positions: hedged }, {}, spots);
    // What is left is −½Γ x²: a χ² with one degree of freedom, skewness −√8 and excess kurtosis 12.
    expect(parametric.deltaGamma!.skewness).toBeCloseTo(-Math.sqrt(8), 6);
    expect(parametric.deltaGamma!.excessKurtosis).toBeCloseTo(12, 6);
    expect(parametric.cornishFisher).toBeNull();
    expect(parametric.refusal).toContain('skewness -2.828');
    expect(parametric.deltaNormal!.valueAtRisk).toBeLessThan(1e-9);
  });

  it('rows with gaps: the tail is of those that count, also without a position', async () => {
    const days = Array.from({ length: 300 }, (_, i) => {
      const a = 100 + 9 * Math.sin(i * 1.7) + ((i * 37) % 11);
      const b = i % 7 === 3 ? '' : 50 + 5 * Math.cos(i * 2.3) + ((i * 13) % 5);
      const date = new Date(Date.UTC(2025, 0, 1 + i)).toISOString().slice(0, 10);
      return `${date},${a},${b}`;
    });
    const text = `date,A,B\n${days.join('\n')}\n`;
    const history = await readHistory(new TextEncoder().encode(text), 'closes.csv');
    const methodology = {
      scenarioModel: 'historical',
      preset: 'market-risk',
      confidence: 0.95,
    } as const;
    const replayed = fillInProcess({ market: MARKET, history, methodology });
    const positions = [
      { instrument: 'A-PERP', size: -2 },
      { instrument: 'B-PERP', size: 3 },
    ];
    const e = explained({ id: 'a', positions }, {}, replayed);
    const { scenarios, skippedScenarios, expectedShortfall } = e.margin.risk;
    expect(scenarios + skippedScenarios!).toBe(299);
    expect(e.tail.mass).toBe(Math.round(scenarios * 0.05 * 1e6) / 1e6);
    const parts = e.positions.map(({ contribution }) => contribution);
    expect(Math.abs(sum(parts) - expectedShortfall)).toBeLessThan(1e-12 * expectedShortfall);
    e.positions.forEach(({ incremental }, i) => {
      const rest = [positions[1 - i]!];
      const { risk } = replayed.margin({ id: 'a', positions: rest });
      expect(incremental).toBe(risk.expectedShortfall - expectedShortfall);
      // Without B all rows of A count.
      expect(risk.skippedScenarios ?? 0).toBe(i === 1 ? 0 : skippedScenarios);
    });
    expect(e.parametric.refusal).toContain('replayed');
    expect(e.parametric.deltaNormal).toBeNull();
  });
});
