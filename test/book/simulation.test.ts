/** The simulation, against cases that can be reckoned by hand, and against itself. */
import { afterEach, describe, expect, it } from 'vitest';
import { demoAccounts } from '../../src/book/demoAccounts.ts';
import {
  drawnPath,
  historyPath,
  type PricePath,
  ticksOf,
} from '../../src/book/simulation/prices.ts';
import type { SimulationReport } from '../../src/book/simulation/report.ts';
import { type SimulationOptions, simulate } from '../../src/book/simulation/simulation.ts';
import { createEngine, type Engine } from '../../src/engine/engine.ts';
import type { AccountInput } from '../../src/margin/account.ts';
import type { MethodologyInput } from '../../src/margin/methodology.ts';
import { demoMarket } from '../../src/market/demoMarket.ts';
import type { FactorModel } from '../../src/market/factorModel.ts';
import type { MarketSnapshot } from '../../src/market/snapshot.ts';
import { tickedSnapshot } from '../../src/market/ticks.ts';

const demo = demoMarket({ underlyings: 2, strikes: 5, seed: 'simulation' });
const open: Engine[] = [];
afterEach(async () => {
  for (const engine of open.splice(0)) await engine.close();
});

const DEFAULTS = {
  prices: 'factors',
  seed: 's',
  fund: 1e6,
  tradesPerDay: 2,
  answerShare: 0.7,
  callMinutes: 60,
} as const;

interface Case extends Partial<Omit<SimulationOptions, 'engine' | 'accounts' | 'path'>> {
  readonly market?: MarketSnapshot;
  readonly factors?: FactorModel;
  readonly methodology?: MethodologyInput;
  readonly workers?: number;
}

async function run(
  accounts: readonly AccountInput[],
  path: PricePath,
  { market = demo.market, factors = demo.factors, methodology, workers = 1, ...more }: Case = {},
): Promise<SimulationReport> {
  const engine = await createEngine({
    market,
    factors,
    methodology: { scenarios: 512, ...methodology },
    workers,
  });
  open.push(engine);
  return simulate({ ...DEFAULTS, ...more, engine, accounts, path });
}

const LINEAR: MarketSnapshot = {
  asOf: '2026-01-02T08:00:00Z',
  currency: 'USD',
  underlyings: [{ id: 'BTC', spot: 90_000 }],
  instruments: [
    { id: 'BTC-LIN', type: 'perpetual', underlying: 'BTC', settlement: 'linear', multiplier: 1 },
  ],
};
const FACTORS: FactorModel = {
  asOf: '2026-01-02T08:00:00Z',
  periodsPerYear: 365,
  factors: [
    { id: 'BTC:spot', volatility: 0.5 },
    { id: 'ETH:spot', volatility: 0.8 },
  ],
  correlation: [
    [1, 0.6],
    [0.6, 1],
  ],
};
const onLinear = {
  market: LINEAR,
  factors: FACTORS,
  methodology: { preset: 'market-risk' } as MethodologyInput,
  tradesPerDay: 0,
};
const long = (cash: number): AccountInput => ({
  id: 'long',
  collateral: [{ asset: 'USD', amount: cash }],
  positions: [{ instrument: 'BTC-LIN', size: 1, entryPrice: 90_000 }],
});

/** Days on which BTC closes at these prices. */
function closes(...prices: number[]): PricePath {
  const dates = prices.map((_, i) => new Date(Date.UTC(2025, 0, 1 + i)).toISOString().slice(0, 10));
  const history = { dates, columns: [{ id: 'BTC:spot', values: Float64Array.from(prices) }] };
  return historyPath(history, prices.length - 1);
}

describe('prices', () => {
  it('have the variances and the correlation of the model, at the length of a step', () => {
    const steps = 20_000;
    const path = drawnPath(FACTORS, { seed: 'x', steps, stepMinutes: 360 });
    const of = (id: string) => Array.from({ length: steps }, (_, i) => path.step(i).shock(id));
    const [btc, eth] = [of('BTC:spot'), of('ETH:spot')];
    const product = (a: number[], b: number[]) =>
      a.reduce((sum, x, i) => sum + x * b[i]!, 0) / steps;
    // σ²h/365 with h a quarter of a day; the mean square of n normals is off by √(2/n), five of which are 0.05.
    expect(Math.abs(product(btc, btc) / (0.25 / 4 / 365) - 1)).toBeLessThan(0.05);
    expect(Math.abs(product(eth, eth) / (0.64 / 4 / 365) - 1)).toBeLessThan(0.05);
    // A correlation is off by (1 − ρ²)/√n: five are 0.023.
    const rho = product(btc, eth) / Math.sqrt(product(btc, btc) * product(eth, eth));
    expect(Math.abs(rho - 0.6)).toBeLessThan(0.023);
    // Any two steps are of different draws, those of different blocks too; another seed has others.
    expect(new Set(btc).size).toBe(steps);
    expect(drawnPath(FACTORS, { seed: 'y', steps: 1, stepMinutes: 360 }).step(0)).not.toEqual(
      path.step(0),
    );
  });

  it('move spot, forwards and marks alike, and volatilities by the term rule', () => {
    const { market } = demo;
    const path: PricePath = {
      steps: 1,
      factorIds: ['BTC:spot', 'BTC:vol'],
      absolute: () => false,
      step: () => ({
        milliseconds: 86_400_000,
        shock: (id) => ({ 'BTC:spot': 0.1, 'BTC:vol': -0.2 })[id] ?? Number.NaN,
      }),
    };
    const asOf = Date.parse(market.asOf);
    const { ticks, clamped } = ticksOf(market, path, 0, asOf);
    const { snapshot } = tickedSnapshot(market, ticks);
    const [before, after] = [market, snapshot].map((one) => one.underlyings[0]!);
    const factor = Math.exp(0.1);
    expect(clamped).toBe(0);
    // One rounding of e^0.1 and one of the product.
    expect(after!.spot / before!.spot / factor).toBeCloseTo(1, 14);
    after!.forwards!.forEach(({ price }, i) => {
      expect(price / before!.forwards![i]!.price / factor).toBeCloseTo(1, 14);
    });
    after!.surface!.forEach(({ expiry, quotes }, i) => {
      const days = (Date.parse(expiry) - asOf) / 86_400_000;
      const moved = Math.exp(-0.2 * (30 / Math.max(days, 1)) ** (days < 30 ? 0.3 : 0.13));
      quotes.forEach(({ iv }, j) => {
        expect(iv / before!.surface![i]!.quotes[j]!.iv / moved).toBeCloseTo(1, 13);
      });
    });
    // What the path does not know stands still.
    const eth = (one: MarketSnapshot) => one.underlyings.find(({ id }) => id === 'ETH')!;
    expect(eth(snapshot)).toEqual({ ...eth(market), asOf: eth(snapshot).asOf });
  });

  it('of a history are its last rows', () => {
    const path = closes(100, 110, 99);
    expect(path.steps).toBe(2);
    expect(path.step(1).milliseconds).toBe(86_400_000);
    expect(path.step(0).shock('BTC:spot')).toBeCloseTo(Math.log(1.1), 14);
    expect(path.step(1).shock('BTC:spot')).toBeCloseTo(Math.log(0.9), 14);
    expect(path.step(1).shock('ETH:spot')).toBeNaN();
    expect(() => historyPath({ dates: ['2025-01-01'], columns: [] }, 1)).toThrow(/0 changes/);
  });
});

describe('days that can be reckoned by hand', () => {
  it('a loss against its margin', async () => {
    const report = await run([long(1e6)], closes(100, 90, 99), onLinear);
    const [first, second] = report.days.slice(1);
    // Equity follows the price: a loss of 9,000, then a gain of as much as 81,000 → 89,100.
    const margin = report.days[0]!.initialMargin;
    expect(first!.coverage!.worst! * margin).toBeCloseTo(9_000, 6);
    expect(second!.coverage!.worst!).toBeLessThan(0);
    expect(report.total.coverage).toMatchObject({ accountDays: 2, unmeasured: 0 });
    expect(report.total.coverage.covered).toBe(margin < 9_000 ? 1 : 2);
    expect(report.days[2]!.equity).toBeCloseTo(1e6 - 900, 6);
    // Margin of a linear book goes with its price.
    expect(report.days[1]!.initialMargin / margin).toBeCloseTo(0.9, 12);
    expect(report.peakToTrough).toBeCloseTo(1 / 0.9, 12);
    expect([report.to, report.total.trades]).toEqual(['2026-01-04T08:00:00Z', 0]);
  });

  it('a call is met, or expires into a liquidation', async () => {
    const { initialMargin } = (await run([long(1e6)], closes(1, 1), onLinear)).days[0]!;
    // 5% down: 4,500 of loss leave 0.97 of the margin then, between 0.8 and 1 of it; the next day nothing happens.
    const cash = 4_500 + 0.97 * 0.95 * initialMargin;
    const path = closes(100, 95, 95);
    const met = await run([long(cash)], path, { ...onLinear, answerShare: 1 });
    expect(met.total).toMatchObject({ callsOpened: 1, callsMet: 1, liquidations: 0 });
    // From 0.97 of the requirement to its release level, 1.05, rounded up by a cent and a tenth at most.
    const called = met.total.callsAmount - (1.05 - 0.97) * 0.95 * initialMargin;
    expect(called).toBeGreaterThan(0);
    expect(called).toBeLessThan(0.011 + 1e-6);
    // To 1.1 × the requirement, to the cent.
    expect(met.days[2]!.equity).toBeCloseTo(1.1 * 0.95 * initialMargin, 1);
    expect(met.days[2]!.states.warning).toBe(1);
    const not = await run([long(cash)], path, { ...onLinear, answerShare: 0 });
    expect(not.total).toMatchObject({ callsOpened: 1, callsExpired: 1, liquidations: 1 });
    expect(not.total.fundDraw).toBe(0);
    // Reduced until equity is 1.05 × the initial requirement: what is left is cash after the loss less the cost.
    const { equity, initialMargin: left } = not.days[2]!;
    expect(equity).toBeCloseTo(cash - 4_500 - not.total.liquidationCost, 6);
    expect(equity).toBeGreaterThanOrEqual(1.05 * left - 1e-6);
    expect(not.days[2]!.states['margin-call'] + not.days[2]!.states.liquidation).toBe(0);
  });

  it('a loss beyond collateral is the fund’s, and then nobody’s', async () => {
    const path = closes(100, 60);
    for (const fund of [1e6, 1_000]) {
      const report = await run([long(15_000)], path, { ...onLinear, fund });
      const { total, days } = report;
      // 36,000 are lost on 15,000, and the position is sold at a cost.
      const beyond = 36_000 - 15_000 + total.liquidationCost;
      const drawn = Math.min(fund, Math.ceil(100 * beyond) / 100);
      // A cent: what is rounded up may be a cent of cents itself.
      expect(Math.abs(total.fundDraw - drawn)).toBeLessThan(0.011);
      expect(total.uncovered).toBeCloseTo(Math.max(0, beyond - fund), 1);
      expect(days[1]!.fund).toBe(fund - total.fundDraw);
      expect(total).toMatchObject({ liquidations: 1, liquidationTrades: 1, rejected: 0 });
      // What was paid in rounds up to the cent.
      expect(Math.abs(days[1]!.equity)).toBeLessThan(0.011);
      expect(total.coverage).toMatchObject({ accountDays: 1, covered: 0 });
    }
  });

  it('what expires is settled at the spot', async () => {
    const expiry = '2026-01-03T08:00:00Z';
    const market: MarketSnapshot = {
      ...LINEAR,
      underlyings: [{ id: 'BTC', spot: 90_000, forwards: [{ expiry, price: 90_000 }] }],
      instruments: [
        {
          ...{ id: 'BTC-FUT', type: 'future', underlying: 'BTC', settlement: 'linear' },
          ...{ multiplier: 1, expiry },
        },
      ],
    };
    const account: AccountInput = {
      ...long(1e6),
      positions: [{ instrument: 'BTC-FUT', size: 2, entryPrice: 90_000 }],
    };
    const report = await run([account], closes(100, 110, 100), { ...onLinear, market });
    expect(report.total).toMatchObject({ settlements: 1, rejected: 0 });
    // 2 × 9,000 on the first day, and nothing after that.
    expect(report.days.map(({ equity }) => Math.round(equity))).toEqual([
      1_000_000, 1_018_000, 1_018_000,
    ]);
    // Held still over its expiry it has no value: not measured, and said.
    expect(report.days[1]!.coverage).toMatchObject({ accountDays: 0, unmeasured: 1 });
  });

  it('nothing moves without volatility', async () => {
    const still = { ...FACTORS, factors: [{ id: 'BTC:spot', volatility: 0 }], correlation: [[1]] };
    const path = drawnPath(still, { seed: 's', steps: 4, stepMinutes: 720 });
    const report = await run([long(1e5)], path, onLinear);
    expect(report.days.map(({ equity }) => equity)).toEqual([1e5, 1e5, 1e5]);
    expect(report.total.coverage).toMatchObject({ accountDays: 2, covered: 2, share: 1, worst: 0 });
  });
});

describe('a demo exchange', () => {
  const accounts = [...demoAccounts({ market: demo.market, count: 15, positions: 6, seed: 's' })];
  const path = () => drawnPath(demo.factors, { seed: 's', steps: 9, stepMinutes: 240 });

  it('gives the same bytes for the same seed, whatever the workers', async () => {
    const first = await run(accounts, path());
    const again = await run(accounts, path(), { workers: 2 });
    expect(JSON.stringify(again)).toBe(JSON.stringify(first));
    const other = await run(accounts, path(), { seed: 'other' });
    expect(other.book).not.toBe(first.book);
    expect(first.days.map(({ day }) => day)).toEqual([0, 1, 2]);
    expect(first.total.trades).toBeGreaterThan(10);
    expect(first.total.rejected).toBe(0);
    // Everybody is in one state; sums of days are the total.
    for (const { states } of first.days) {
      expect(Object.values(states).reduce((sum, n) => sum + n, 0)).toBe(accounts.length);
    }
    const drawn = first.days.reduce((sum, day) => sum + day.fundDraw, 0);
    expect(first.days.at(-1)!.fund).toBeCloseTo(1e6 - drawn, 6);
  });

  it('refuses options out of range', async () => {
    for (const wrong of [{ answerShare: 1.5 }, { callMinutes: 0 }, { fund: Number.NaN }]) {
      await expect(run([], path(), wrong)).rejects.toMatchObject({ code: 'INVALID_FIELD' });
    }
  });
});
