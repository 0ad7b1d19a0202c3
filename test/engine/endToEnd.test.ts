/**
 * The whole pipeline against a second implementation of the method that shares nothing with it: every figure of every account by numpy
 * (fixtures/endToEnd.py) where scenarios are replayed; where they are drawn, the law of the shocks, then the accounts' tails recomputed
 * from those same shocks by the textbook's formulas.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { AccountOutcome } from '../../src/engine/evaluator.ts';
import type { AccountInput, ColumnarAccountInput } from '../../src/margin/account.ts';
import type { MethodologyInput } from '../../src/margin/methodology.ts';
import type { MarginResult } from '../../src/margin/result.ts';
import type { FactorModel } from '../../src/market/factorModel.ts';
import { readHistory } from '../../src/market/history.ts';
import type { InstrumentRecord } from '../../src/market/instruments.ts';
import type { MarketSnapshot, UnderlyingRecord } from '../../src/market/snapshot.ts';
import { DRAW_BLOCK, DRAW_STRIDE } from '../../src/scenarios/scenarioSet.ts';
import { fillInProcess, type InProcess } from './inProcess.ts';

type Pair = readonly [number, number];
type Input = AccountInput | ColumnarAccountInput;

interface Expected {
  readonly equity: number;
  readonly scenarios: number;
  readonly skipped: number;
  readonly valueAtRisk: number;
  readonly expectedShortfall: number;
  readonly seVar: number | null;
  readonly seEs: number | null;
  readonly initialMargin: number;
  readonly maintenanceMargin: number;
  readonly marginRatio: number | null;
  readonly state: string;
  readonly portfolio: Pair;
  readonly isolated: Pair;
  readonly positions?: readonly Omit<NonNullable<MarginResult['positions']>[number], 'allocated'>[];
}

const fixture = JSON.parse(
  readFileSync(new URL('../fixtures/endToEnd.json', import.meta.url), 'utf8'),
) as {
  readonly market: MarketSnapshot;
  readonly history: {
    readonly dates: readonly string[];
    readonly columns: Readonly<Record<string, readonly (number | null)[]>>;
  };
  readonly accounts: readonly Input[];
  readonly methodologies: Readonly<Record<string, MethodologyInput>>;
  readonly expected: Readonly<Record<string, Readonly<Record<string, Expected>>>>;
  readonly cases: readonly {
    readonly sentence: string;
    readonly methodology: MethodologyInput;
    readonly account: Input;
    readonly expected: Expected;
  }[];
  readonly drawn: {
    readonly factors: FactorModel;
    readonly inverseCorrelation: readonly (readonly number[])[];
    readonly volatilities: Readonly<Record<string, number>>;
    readonly radius: readonly (readonly [number, number, number])[];
  };
};
const { market, drawn } = fixture;

/** The referee of this file knows expected shortfall alone; fullMethod.test.ts has the other components. */
const riskAlone = (of: MethodologyInput): MethodologyInput => ({ preset: 'market-risk', ...of });

/**
 * A P&L entry is a sum of at most 25 products of size and price, each price good to 1e-14 of the underlying's on either side: 1e-13 of the
 * gross value, which is at most 4e6. So a figure of 100 is good to 4e-9 relative at worst and 1e-9 is asked; 3e-12 is the worst that is found.
 */
const RELATIVE = 1e-9;

function expectClose(got: number | null, expected: number | null, what: string): void {
  if (got === null || expected === null || expected === 0) {
    expect(got, what).toBe(expected);
  } else {
    const error = Math.abs(got - expected) / Math.abs(expected);
    expect(error, `${what}: ${got} for ${expected}`).toBeLessThan(RELATIVE);
  }
}

function resultOf(outcome: AccountOutcome | undefined): MarginResult {
  if (outcome === undefined || 'error' in outcome) throw new Error(JSON.stringify(outcome));
  return outcome;
}

function expectFigures(got: MarginResult, expected: Expected): void {
  const { risk, modes } = got;
  expect(risk.scenarios).toBe(expected.scenarios);
  expect(risk.skippedScenarios ?? 0).toBe(expected.skipped);
  expectClose(got.equity, expected.equity, 'equity');
  expectClose(risk.valueAtRisk, expected.valueAtRisk, 'VaR');
  expectClose(risk.expectedShortfall, expected.expectedShortfall, 'ES');
  expectClose(risk.standardError.valueAtRisk, expected.seVar, 'se(VaR)');
  expectClose(risk.standardError.expectedShortfall, expected.seEs, 'se(ES)');
  expectClose(modes.portfolio.initialMargin, expected.portfolio[0], 'portfolio IM');
  expectClose(modes.portfolio.maintenanceMargin, expected.portfolio[1], 'portfolio MM');
  expectClose(modes.isolated.initialMargin, expected.isolated[0], 'isolated IM');
  expectClose(modes.isolated.maintenanceMargin, expected.isolated[1], 'isolated MM');
  expect(got.positions?.map((position) => position.instrument)).toEqual(
    expected.positions?.map((position) => position.instrument),
  );
  expected.positions?.forEach((position, i) => {
    const { instrument, ...of } = got.positions![i]!;
    expectClose(of.equity, position.equity, `${instrument}: equity`);
    expectClose(of.initialMargin, position.initialMargin, `${instrument}: IM`);
    expectClose(of.maintenanceMargin, position.maintenanceMargin, `${instrument}: MM`);
    expectClose(of.marginRatio, position.marginRatio, `${instrument}: ratio`);
    expect(of.state, instrument).toBe(position.state);
  });
}

function expectRequirement(got: MarginResult, expected: Expected): void {
  expectClose(got.initialMargin, expected.initialMargin, 'IM');
  expectClose(got.maintenanceMargin, expected.maintenanceMargin, 'MM');
  expectClose(got.marginRatio, expected.marginRatio, 'ratio');
  expect(got.state).toBe(expected.state);
}

describe('replayed scenarios: every figure equals that of an independent implementation', async () => {
  const names = Object.keys(fixture.history.columns);
  const rows = fixture.history.dates.map((date, row) =>
    [date, ...names.map((name) => fixture.history.columns[name]![row] ?? '')].join(','),
  );
  const csv = [['date', ...names].join(','), ...rows].join('\n');
  const history = await readHistory(Buffer.from(csv), 'history.csv');

  describe.each(Object.entries(fixture.methodologies))('%s', (name, methodology) => {
    const { evaluate } = fillInProcess({ market, history, methodology: riskAlone(methodology) });
    const together = evaluate(fixture.accounts);

    it.each(fixture.accounts.map((account, i) => ({ ...account, i })))('$id', ({ id, i }) => {
      const expected = fixture.expected[name]![id]!;
      const result = resultOf(together[i]);
      expectFigures(result, expected);
      expectRequirement(result, expected);
    });
  });

  it.each(fixture.cases)('$sentence', ({ methodology, account, expected }) => {
    const own = riskAlone(methodology);
    const result = fillInProcess({ market, history, methodology: own }).margin(account);
    expectFigures(result, expected);
    expectRequirement(result, expected);
  });
});

/** The shocks of a session, by factor id. */
function shocksOf({ session }: InProcess): ReadonlyMap<string, Float64Array> {
  const { layout, set } = session;
  const f64 = new Float64Array(session.memory.buffer);
  const place = (s: number): number =>
    (layout.shocks + Math.floor(s / DRAW_BLOCK) * layout.shockBytes) / 8 + (s % DRAW_BLOCK);
  return new Map(
    set.factorIds.map((id, f) => [
      id,
      Float64Array.from({ length: set.scenarios }, (_, s) => f64[place(s) + f * DRAW_STRIDE]!),
    ]),
  );
}

const mean = (x: Float64Array): number => x.reduce((sum, v) => sum + v, 0) / x.length;

/** Φ by its Taylor series (Marsaglia 2004, "Evaluating the normal distribution"): 1e-15 absolute. */
function normalCdf(x: number): number {
  if (Math.abs(x) > 8.5) return x > 0 ? 1 : 0;
  let [sum, term, before] = [x, x, 0];
  for (let i = 3; sum !== before; i += 2) {
    before = sum;
    term *= (x * x) / i;
    sum += term;
  }
  return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
}

function black76(sign: number, forward: number, strike: number, sigma: number, t: number): number {
  const d1 = (Math.log(forward / strike) + (sigma * sigma * t) / 2) / (sigma * Math.sqrt(t));
  const d2 = d1 - sigma * Math.sqrt(t);
  return sign * (forward * normalCdf(sign * d1) - strike * normalCdf(sign * d2));
}

const instrumentOf = new Map(market.instruments.map((i) => [i.id, i]));

interface State {
  readonly underlying: UnderlyingRecord;
  /** S₁. */
  readonly spot: number;
  readonly vol: number;
  readonly basis: number;
}

/** Units of currency that one contract gains in a state (METHODOLOGY sections 2 and 3), after `days`. */
function gain(
  instrument: InstrumentRecord,
  entry: number | null,
  state: State,
  days: number,
): number {
  const { type, settlement, multiplier } = instrument;
  const { underlying, spot } = state;
  const ratio = spot / underlying.spot;
  if (type === 'spot') return multiplier * (spot - underlying.spot);
  const asOf = Date.parse(underlying.asOf ?? market.asOf);
  const t0 =
    instrument.expiry === undefined ? 0 : (Date.parse(instrument.expiry) - asOf) / 86_400_000 / 365;
  const t1 = t0 - days / 365;
  const forward = underlying.forwards?.find((f) => f.expiry === instrument.expiry)?.price ?? 0;
  if (type !== 'option') {
    const mark = instrument.mark ?? (type === 'future' ? forward : underlying.spot);
    const level = t0 > 0 && t1 <= 0 ? spot : mark * ratio * Math.exp(state.basis * t0);
    if (settlement === 'linear') return multiplier * (level - mark);
    // Coins gained since the entry are worth S₁ instead of S₀, those gained in the scenario S₁.
    const since = 1 / (entry ?? mark);
    return multiplier * ((since - 1 / level) * spot - (since - 1 / mark) * underlying.spot);
  }
  const strike = instrument.strike!;
  const sign = instrument.right === 'call' ? 1 : -1;
  const sigma = drawn.volatilities[instrument.id]!;
  const rate = underlying.rate ?? 0;
  const worth = (f: number, s: number, iv: number, t: number): number =>
    black76(sign, f, strike, iv, t) * (settlement === 'coin' ? s / f : Math.exp(-rate * t));
  const now = worth(forward, underlying.spot, sigma, t0);
  if (t1 <= 0) return multiplier * (Math.max(sign * (spot - strike), 0) - now);
  const d = t0 * 365;
  const moved = sigma * Math.exp(state.vol * (30 / Math.max(d, 1)) ** (d < 30 ? 0.3 : 0.13));
  const forwardThen = forward * ratio * Math.exp(state.basis * t0);
  return multiplier * (worth(forwardThen, spot, moved, t1) - now);
}

/** VaR and ES of P&L by METHODOLOGY section 4. */
function tailOf(pnl: Float64Array, confidence: number): Pair {
  const losses = pnl.map((x) => -x).sort((a, b) => b - a);
  const mass = Math.round(pnl.length * (1 - confidence) * 1e6) / 1e6;
  const k = Math.ceil(mass);
  const worst = losses.subarray(0, k - 1).reduce((sum, loss) => sum + loss, 0);
  return [losses[k - 1]!, (worst + (mass - (k - 1)) * losses[k - 1]!) / mass];
}

/** P&L of an account's coins and positions by underlying, and of each position by itself. */
function pnlOf(account: Input, shocks: ReadonlyMap<string, Float64Array>, days: number) {
  const scenarios = shocks.get('BTC:spot')!.length;
  const states = new Map<string, readonly State[]>();
  for (const underlying of market.underlyings) {
    const shock = (type: string, s: number): number =>
      shocks.get(`${underlying.id}:${type}`)?.[s] ?? 0;
    const spot = (s: number): number =>
      underlying.id === 'SOL'
        ? underlying.spot + shock('spot', s)
        : underlying.spot * Math.exp(shock('spot', s));
    states.set(
      underlying.id,
      Array.from({ length: scenarios }, (_, s) => {
        return { underlying, spot: spot(s), vol: shock('vol', s), basis: shock('basis', s) };
      }),
    );
  }
  const byUnderlying = new Map<string, Float64Array>();
  const add = (underlying: string, gains: Float64Array): void => {
    const sum = byUnderlying.get(underlying) ?? new Float64Array(scenarios);
    byUnderlying.set(
      underlying,
      sum.map((x, s) => x + gains[s]!),
    );
  };
  const haircut: Readonly<Record<string, number>> = { BTC: 0.05, ETH: 0.05, USDT: 0.01, SOL: 0.15 };
  for (const { asset, amount } of account.collateral ?? []) {
    if (asset === 'USD') continue;
    // Each asset stands once in these accounts; what is owed is owed in full.
    const coins = amount > 0 ? amount * (1 - haircut[asset]!) : amount;
    add(
      asset,
      Float64Array.from(states.get(asset)!, (at) => coins * (at.spot - at.underlying.spot)),
    );
  }
  const positions =
    'sizes' in account
      ? account.instruments.map((instrument, i) => {
          return { instrument, size: account.sizes[i]!, entryPrice: account.entryPrices?.[i] };
        })
      : ((account as AccountInput).positions ?? []);
  const alone = positions.map(({ instrument, size, entryPrice }) => {
    const record = instrumentOf.get(instrument)!;
    const gains = Float64Array.from(
      states.get(record.underlying)!,
      (at) => size * gain(record, entryPrice ?? null, at, days),
    );
    add(record.underlying, gains);
    return gains;
  });
  return { byUnderlying, alone };
}

const SCENARIOS = 12_000;

describe.each([
  { model: 'gaussian', horizonDays: 3, confidence: 0.99 },
  { model: 'student-t', horizonDays: 1, confidence: 0.975 },
] as const)('drawn scenarios: $model, $horizonDays days', ({ model, horizonDays, confidence }) => {
  const drawnBy = { scenarioModel: model, horizonDays, confidence, scenarios: SCENARIOS };
  const methodology = riskAlone(drawnBy);
  const { factors } = drawn;
  const filled = fillInProcess({ market, factors, methodology });
  const shocks = shocksOf(filled);
  const law = factors.factors.map((factor) => {
    const share = horizonDays / (factor.periodsPerYear ?? factors.periodsPerYear);
    const drift = (factor.drift ?? factors.drift ?? 0) * share;
    return { id: factor.id, mean: drift, deviation: factor.volatility * Math.sqrt(share) };
  });
  const standard = law.map((of) => shocks.get(of.id)!.map((x) => (x - of.mean) / of.deviation));
  // Fourth moment of one coordinate: 3 of a normal, 3 + 6/(ν − 4) of a t.
  const freedom = factors.degreesOfFreedom!;
  const fourth = model === 'gaussian' ? 3 : 3 + 6 / (freedom - 4);
  /** Five standard errors: 88 checks at a fixed seed pass with a probability of 0.99995 when the law is right. */
  const K = 5;

  it('each factor has the stated mean and variance at the horizon', () => {
    standard.forEach((x, f) => {
      const { id } = law[f]!;
      expect(Math.abs(mean(x)), `${id} mean`).toBeLessThan(K / Math.sqrt(SCENARIOS));
      const squares = mean(x.map((v) => v * v));
      // Var(x²) = E x⁴ − 1.
      const bound = K * Math.sqrt((fourth - 1) / SCENARIOS);
      expect(Math.abs(squares - 1), `${id} variance`).toBeLessThan(bound);
    });
  });

  it('each pair has the stated correlation', () => {
    for (let i = 0; i < law.length; i++) {
      for (let j = 0; j < i; j++) {
        const rho = factors.correlation[i]![j]!;
        const product = mean(standard[i]!.map((x, s) => x * standard[j]![s]!));
        // Of any elliptical law Var(xy) = (1 + 2ρ²)·E x⁴/3 − ρ².
        const variance = ((1 + 2 * rho * rho) * fourth) / 3 - rho * rho;
        const bound = K * Math.sqrt(variance / SCENARIOS);
        expect(Math.abs(product - rho), `${law[i]!.id}, ${law[j]!.id}`).toBeLessThan(bound);
      }
    }
  });

  it('all factors together have the law of one mixing variable', () => {
    const radius = standard[0]!.map((_, s) => {
      const x = standard.map((row) => row[s]!);
      return drawn.inverseCorrelation.reduce(
        (sum, row, i) => sum + x[i]! * row.reduce((dot, r, j) => dot + r * x[j]!, 0),
        0,
      );
    });
    for (const [p, gaussian, student] of drawn.radius) {
      const limit = model === 'gaussian' ? gaussian : student;
      const below = radius.filter((r) => r < limit).length;
      // A binomial count of SCENARIOS trials.
      const bound = K * Math.sqrt(SCENARIOS * p * (1 - p));
      expect(Math.abs(below - SCENARIOS * p), `quantile ${p}`).toBeLessThan(bound);
    }
  });

  it('a clamp that binds cuts log shocks off and leaves absolute ones as they were', () => {
    const maxLogShock = 0.06;
    const clamped = shocksOf(
      fillInProcess({ market, factors, methodology: { ...methodology, maxLogShock } }),
    );
    for (const [id, x] of shocks) {
      const absolute = id === 'SOL:spot' || id.endsWith(':basis');
      const cut = x.map((v) => Math.min(maxLogShock, Math.max(-maxLogShock, v)));
      expect(clamped.get(id), id).toEqual(absolute ? x : cut);
    }
    expect(clamped.get('ETH:vol')).not.toEqual(shocks.get('ETH:vol'));
  });

  it.each(
    fixture.accounts.map((account) => ({ id: account.id, account })),
  )('tails and margins of $id follow from the shocks', ({ account }) => {
    const got = filled.margin(account);
    const { byUnderlying, alone } = pnlOf(account, shocks, horizonDays);
    const parts = [...byUnderlying.values()];
    const total = new Float64Array(SCENARIOS).map((_, s) => parts.reduce((x, p) => x + p[s]!, 0));
    const [valueAtRisk, expectedShortfall] = tailOf(total, confidence);
    const sumOf = (books: readonly Float64Array[]): number =>
      books.reduce((sum, pnl) => sum + Math.max(0, tailOf(pnl, confidence)[1]), 0);
    const isolated = sumOf(alone);
    const margins = { portfolio: Math.max(0, expectedShortfall), cross: sumOf(parts), isolated };
    // The same equity as replayed: it does not depend on scenarios.
    expectClose(got.equity, fixture.expected['one day']![account.id]!.equity, 'equity');
    expectClose(got.risk.valueAtRisk, valueAtRisk + 0, 'VaR');
    expectClose(got.risk.expectedShortfall, expectedShortfall + 0, 'ES');
    expectClose(got.modes.isolated.initialMargin, isolated, 'isolated IM');
    expectClose(got.initialMargin, margins[account.mode ?? 'portfolio'], 'IM');
  });
});
