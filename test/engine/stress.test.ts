/** Stress scenarios: closed forms of the moves, and the worst loss that the margin component charges. */
import { describe, expect, it } from 'vitest';
import { stressRows } from '../../src/engine/stressRows.ts';
import { stress } from '../../src/engine/studies/stress.ts';
import type { StressRequest } from '../../src/engine/studies/stressSchema.ts';
import type { Account } from '../../src/margin/account.ts';
import type { MethodologyInput } from '../../src/margin/methodology.ts';
import type { History } from '../../src/market/history.ts';
import { fillInProcess } from './inProcess.ts';
import { accountOf, FACTORS, MARKET, openStudy } from './studyMarket.ts';

const open = (methodology: MethodologyInput = {}, history: History | null = null) => {
  const study = openStudy(methodology);
  return (account: Account, request: StressRequest = {}) =>
    stress(account, stressRows(request, study.session, history), study.context);
};

const USD = [{ asset: 'USD', amount: 100_000 }];
/** Φ by its Taylor series at 0, to 1e-15 for |x| ≤ 3. */
function normal(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n < 60; n++) {
    term *= -(x * x) / (2 * n);
    sum += term / (2 * n + 1);
  }
  return 0.5 + sum / Math.sqrt(2 * Math.PI);
}

/** Undiscounted Black-76 call (F. Black, 1976). */
function call(forward: number, strike: number, v: number): number {
  const d1 = Math.log(forward / strike) / v + v / 2;
  return forward * normal(d1) - strike * normal(d1 - v);
}

describe('P&L under a scenario', () => {
  const run = open({ instantaneous: true });
  const user: StressRequest = {
    hypothetical: false,
    grid: { spot: [-0.3, 0, 0.25], vol: [-0.2, 0, 0.5] },
    scenarios: [
      { name: 'up and wild', spot: 0.25, vol: 0.5 },
      { name: 'ether alone', underlyings: { ETH: { spot: -0.4 } } },
    ],
  };

  it('of linear, inverse, spot and pool positions is in closed form', () => {
    const account = accountOf({
      collateral: [...USD, { asset: 'ETH', amount: 10 }],
      positions: [
        { instrument: 'BTC-PERP', size: 3 },
        { instrument: 'BTC-PERP-INVERSE', size: 200 },
        { instrument: 'BTC-SPOT', size: -40 },
        { instrument: 'ETH-POOL', size: 5 },
      ],
    });
    const { scenarios, grid, worst, equity } = run(account, user);
    const btc = (x: number): number =>
      // The inverse one: 10 · 200 · (1/mark₀ − 1/mark₁) coins at the spot that moved.
      3 * 0.1 * 100_200 * x +
      ((2_000 * (1 - 1 / (1 + x))) / 100_200) * 100_000 * (1 + x) -
      0.4 * 100_000 * x;
    // Collateral coins move with what the haircut of 5% leaves; a pool share is worth 2 · 3 · √S.
    const eth = (x: number): number =>
      10 * 0.95 * 4_000 * x + 5 * 6 * (Math.sqrt(4_000 * (1 + x)) - Math.sqrt(4_000));
    const [up, alone] = scenarios;
    // ln and exp of the move and back: some 2e-16 each, of the 40,000 that stand in the largest part.
    const close = 1e-10;
    expect(up).toMatchObject({ name: 'up and wild', kind: 'user' });
    expect(Math.abs(up!.pnl! - btc(0.25) - eth(0.25))).toBeLessThan(close);
    expect(up!.underlyings.map(({ underlying }) => underlying)).toEqual(['BTC', 'ETH']);
    expect(Math.abs(alone!.underlyings[0]!.pnl!)).toBeLessThan(close);
    expect(Math.abs(alone!.pnl! - eth(-0.4))).toBeLessThan(close);
    // Volatilities do not matter here; the three cells of a move are one figure.
    expect(Math.abs(grid.pnl[0]![0]! - btc(-0.3) - eth(-0.3))).toBeLessThan(close);
    expect(new Set(grid.pnl[0]).size).toBe(1);
    expect(Math.abs(grid.pnl[1]![1]!)).toBeLessThan(close);
    const least = Math.min(...grid.pnl.flat().map(Number), up!.pnl!, alone!.pnl!);
    expect(worst).toMatchObject({ pnl: least, equity: equity + least });
  });

  it('of an option is that of Black’s formula at the moved forward and volatility', () => {
    const account = accountOf({ positions: [{ instrument: 'BTC-FAR-C', size: 2 }] });
    const { scenarios, grid } = run(account, user);
    const maturity = 84 / 365;
    // Volatilities at 84 days follow those at 30 by (30/84)^0.13; F = 101,200, K = 110,000, quoted at 0.52.
    const value = (spot: number, vol: number): number => {
      const sigma = 0.52 * (1 + vol) ** ((30 / 84) ** 0.13);
      const forward = 101_200 * (1 + spot);
      return (
        2 * 0.1 * Math.exp(-0.04 * maturity) * call(forward, 110_000, sigma * Math.sqrt(maturity))
      );
    };
    // The pricer is good to 1e-14 of the forward.
    const close = 1e-14 * 0.2 * 130_000 * 4;
    expect(Math.abs(scenarios[0]!.pnl! - value(0.25, 0.5) + value(0, 0))).toBeLessThan(close);
    user.grid!.spot.forEach((spot, i) => {
      user.grid!.vol.forEach((vol, j) => {
        const expected = value(spot, vol) - value(0, 0);
        expect(Math.abs(grid.pnl[i]![j]! - expected)).toBeLessThan(close);
      });
    });
  });
});

describe('the library', () => {
  const account = accountOf({
    collateral: USD,
    positions: [
      { instrument: 'BTC-PERP', size: 5 },
      { instrument: 'BTC-NEAR-P', size: -20 },
      { instrument: 'ETH-PERP', size: -8 },
    ],
  });

  it('is the methodology’s: its worst loss is what the stress component charges', () => {
    const methodology = { stress: { weight: 1 }, scenarios: 500 };
    const { scenarios } = open(methodology)(account);
    const losses = scenarios.map(({ pnl }) => -pnl!);
    const { components } = openStudy(methodology).context.margin([account])[0]!;
    const [marketRisk, charged] = components;
    expect(charged!.name).toBe('stress');
    expect(charged!.initial).toBeGreaterThan(0);
    // Its weight is 1: the charge is the loss beyond market risk, to the rounding of that difference.
    const worst = Math.max(...losses);
    expect(Math.abs(marketRisk!.initial + charged!.initial - worst)).toBeLessThan(1e-12 * worst);
    expect(new Set(scenarios.map(({ kind }) => kind))).toEqual(new Set(['hypothetical']));
  });

  it('follows the smile rule', () => {
    const methodology = {
      stress: { weight: 1 },
      scenarios: 500,
      smileRule: 'sticky-moneyness',
    } as const;
    const { worst } = open(methodology)(account, { grid: { spot: [0], vol: [0] } });
    const [marketRisk, charged] = openStudy(methodology).context.margin([account])[0]!.components;
    const loss = marketRisk!.initial + charged!.initial;
    expect(Math.abs(loss + worst!.pnl)).toBeLessThan(1e-12 * loss);
    expect(worst!.pnl).not.toBe(open()(account, { grid: { spot: [0], vol: [0] } }).worst!.pnl);
  });

  it('has a grid of 11 moves of price by 5 of volatility beside it', () => {
    const { grid } = open()(account);
    expect([grid.spot.length, grid.vol.length]).toEqual([11, 5]);
    expect(grid.pnl.map((row) => row.length)).toEqual(grid.spot.map(() => 5));
  });

  it('names what is held still, and refuses what moves nothing', () => {
    const named = { name: 'basis', basis: 0.1 };
    const { heldFactors } = open()(account, { scenarios: [named] });
    expect(heldFactors).toContain('BTC:basis');
    const none = { scenarios: [{ name: 'calm' }] };
    expect(() => open()(account, none)).toThrow(expect.objectContaining({ code: 'INVALID_FIELD' }));
  });

  it('says where a fault stands: in the request or in the methodology’s library', () => {
    const none = [{ name: 'calm' }];
    const library = { scenarios: [{ name: 'far', vol: 30 }] };
    const fails = (run: () => unknown, path: string) =>
      expect(run).toThrow(expect.objectContaining({ code: 'INVALID_FIELD', path }));
    fails(() => open()(account, { scenarios: none }), 'scenarios[0]');
    fails(() => openStudy({ stress: { library } }), 'methodology.stress.library.scenarios[0].vol');
    // Without the component the session has no stress set; the study reads the same library.
    const plain = open({ preset: 'market-risk', stress: { library } });
    fails(() => plain(account), 'methodology.stress.library.scenarios[0].vol');
    fails(() => plain(account, { scenarios: none }), 'scenarios[0]');
  });

  it('names an underlying that it does not know, in the report and in every margin', () => {
    const scenarios = [{ name: 'typo', underlyings: { BCT: { spot: -0.5 }, BTC: { spot: 0.1 } } }];
    expect(open()(account, { scenarios }).unknownUnderlyings).toEqual(['BCT']);
    const { margin } = openStudy({ stress: { library: { scenarios } } });
    expect(margin({ id: 'a' }).absentInputs).toEqual(['BCT:stress']);
    const known = [{ name: 'right', underlyings: { BTC: { spot: -0.5 } } }];
    const right = openStudy({ stress: { library: { scenarios: known } } });
    expect(right.margin({ id: 'a' }).absentInputs).toBeUndefined();
  });

  it('replays days of a history; a gap in a factor of the account is no figure', () => {
    const btc = [100, 90, 99, 80, 88, 88, 92];
    const eth = [50, 55, Number.NaN, 60, 45, 45, 46];
    const history: History = {
      dates: btc.map((_, i) => `2025-01-0${i + 1}`),
      columns: [
        { id: 'BTC:spot', values: Float64Array.from(btc) },
        { id: 'ETH:spot', values: Float64Array.from(eth) },
      ],
    };
    const asked = { hypothetical: false, historicalDays: 2 };
    const run = open({ scenarios: 100 }, history);
    const long = accountOf({ positions: [{ instrument: 'BTC-PERP', size: 1 }] });
    const both = run(
      accountOf({
        positions: [
          { instrument: 'BTC-PERP', size: 1 },
          { instrument: 'ETH-PERP', size: 1 },
        ],
      }),
      asked,
    );
    const of = ({ scenarios }: typeof both, name: string) =>
      scenarios.find((one) => one.name === name)!;
    // 2025-01-04: bitcoin fell from 99 to 80; ether has no level the day before.
    const alone = run(long, asked);
    expect(of(alone, '2025-01-04').pnl).toBeCloseTo(0.1 * 100_200 * (80 / 99 - 1), 8);
    expect(of(both, '2025-01-04').pnl).toBeNull();
    expect(of(both, '2025-01-04').underlyings[0]!.pnl).toBe(of(alone, '2025-01-04').pnl);
    expect(of(both, '2025-01-05').pnl).toBeCloseTo(
      0.1 * 100_200 * (88 / 80 - 1) + 4_000 * (45 / 60 - 1),
      8,
    );
    expect(both.heldInHistory).toEqual(['BTC:vol']);
  });

  it('needs no session that has one', () => {
    const filled = fillInProcess({
      market: MARKET,
      factors: FACTORS,
      methodology: { preset: 'market-risk', scenarios: 100 },
    });
    expect(filled.session.sides.stress).toBeNull();
    const study = open({ preset: 'market-risk', scenarios: 100 });
    expect(study(account).scenarios.length).toBeGreaterThan(20);
  });
});
