/** Filtered historical simulation: against numpy's loops, against closed forms of its paths, on real prices. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type History, readHistory } from '../../src/market/history.ts';
import { type FilteredParameters, filteredScenarios } from '../../src/scenarios/filtered.ts';
import { residualsOf } from '../../src/scenarios/residuals.ts';
import { testData } from '../data.ts';

const fixture = (
  JSON.parse(readFileSync(new URL('../fixtures/scenarioModels.json', import.meta.url), 'utf8')) as {
    readonly filtered: {
      readonly lambda: number;
      readonly residuals: number;
      readonly levels: readonly (readonly (number | null)[])[];
      readonly today: readonly number[];
      readonly longRunA: number;
      readonly shocks: readonly (readonly (number | null)[])[];
    };
  }
).filtered;

function historyOf(columns: Readonly<Record<string, ArrayLike<number | null>>>): History {
  const rows = Object.values(columns)[0]!.length;
  return {
    dates: Array.from({ length: rows }, (_, i) =>
      new Date(Date.UTC(2023, 0, 1 + i)).toISOString().slice(0, 10),
    ),
    columns: Object.entries(columns).map(([id, levels]) => ({
      id,
      values: Float64Array.from(Array.from(levels), (level) => level ?? Number.NaN),
    })),
  };
}

const [a, b, basis] = fixture.levels;
const history = historyOf({ 'A:spot': a!, 'B:spot': b!, 'A:basis': basis! });

function filtered(rest: Partial<FilteredParameters> = {}, from = history) {
  const { lambda, residuals } = fixture;
  const usual = { horizonDays: 1, maxLogShock: 3, scenarios: 0, seed: 's', lambda, residuals };
  return filteredScenarios(from, { ...usual, ...rest });
}

describe('filtered historical simulation of one row', () => {
  it("equals numpy's: residual vectors in their order, gaps as gaps, at today's volatility", () => {
    const { set, changes, gaps } = filtered();
    expect(set.scenarios).toBe(fixture.shocks.length);
    expect(set.overlap).toBe(1);
    fixture.shocks.forEach((row, s) => {
      row.forEach((shock, f) => {
        const got = changes[s * 3 + f]!;
        expect(Number.isNaN(got), `${s} ${f}`).toBe(shock === null);
        expect(gaps[f]?.[s] ?? 0).toBe(shock === null ? 1 : 0);
        // Logarithms of ratios against differences of logarithms: 4 ulp of ln 100 in a change of 1e-4 at least, 1e-11.
        if (shock !== null)
          expect(Math.abs(got - shock)).toBeLessThan(1e-11 * (1 + Math.abs(shock)));
      });
    });
  });

  it('takes volatilities of today, of the long run, or the greater', () => {
    const volatility = (name: 'today' | 'long-run' | 'greater') =>
      residualsOf(history, { lambda: fixture.lambda, count: 60, basis: name }).volatility;
    const today = volatility('today');
    fixture.today.forEach((v, f) => {
      expect(Math.abs(today[f]! / v - 1)).toBeLessThan(1e-12);
    });
    expect(Math.abs(volatility('long-run')[0]! / fixture.longRunA - 1)).toBeLessThan(1e-12);
    const greater = volatility('greater');
    volatility('long-run').forEach((v, f) => {
      expect(greater[f]).toBe(Math.max(v, today[f]!));
    });
  });

  it('takes the latest where fewer are asked for, and needs no seed for it', () => {
    const all = filtered();
    const few = filtered({ scenarios: 10, seed: 'other' });
    expect(few.changes).toEqual(all.changes.subarray(3 * (all.set.scenarios - 10)));
    expect(few.set.id).toBe(filtered({ scenarios: 10 }).set.id);
  });

  it('gives a price that stood still no residual once it moves, and 0 as long as it stands', () => {
    const still = Array.from({ length: 80 }, (_, i) => (i < 60 ? 1 : i === 60 ? 1.1 : 1));
    const other = Array.from({ length: 80 }, (_, i) => 1 + (i % 2) * 0.01);
    const { changes } = filtered({}, historyOf({ 'A:spot': still, 'B:spot': other }));
    const column = Array.from({ length: changes.length / 2 }, (_, s) => changes[2 * s]!);
    // The last 60 of 79 changes: the leap to 1.1 is the change from row 59 to 60.
    expect(column.slice(0, 40)).toEqual(new Array(40).fill(0));
    expect(column[40]).toBeNaN();
    expect(column[41]).toBeLessThan(0);
  });
});

describe('filtered paths', () => {
  // ±r in turn: every residual is ±1 and the volatility stays r, so that a sum of h steps is r times a simple random walk.
  const r = 0.01;
  const walk = Array.from({ length: 201 }, (_, i) => Math.exp(i % 2 === 0 ? 0 : r));
  const alternating = historyOf({ 'A:spot': walk });

  it('are sums of draws with replacement: a random walk has its binomial law', () => {
    const scenarios = 100_000;
    const horizonDays = 4;
    const { changes, set } = filtered({ scenarios, horizonDays, residuals: 100 }, alternating);
    expect(set.scenarios).toBe(scenarios);
    const seen = [0, 0, 0, 0, 0];
    for (const x of changes) {
      const ups = (x / r + 4) / 2;
      expect(Math.abs(ups - Math.round(ups))).toBeLessThan(1e-9);
      seen[Math.round(ups)]! += 1;
    }
    const statistic = [1, 4, 6, 4, 1]
      .map((ways, k) => ((seen[k]! - (scenarios * ways) / 16) ** 2 * 16) / (scenarios * ways))
      .reduce((sum, x) => sum + x, 0);
    // χ² with 4 degrees of freedom: P(> 23.5) = 1e-4.
    expect(statistic).toBeLessThan(23.5);
  });

  it('update the variance along the path: second moments in closed form', () => {
    const horizonDays = 3;
    const { lambda } = fixture;
    const scenarios = 400_000;
    const options = { lambda, count: 60, basis: 'today' } as const;
    const one = historyOf({ 'A:spot': a!.map((level, i) => (i === 130 ? a![129]! : level)) });
    const { values, volatility } = residualsOf(one, options);
    const mean = values.reduce((sum, z) => sum + z, 0) / values.length;
    const square = values.reduce((sum, z) => sum + z * z, 0) / values.length;
    // Steps are x_k = σ_k z_k with σ²_{k+1} = σ_k²(λ + (1 − λ)z_k²), z independent: E x_k² = σ² g^k E z², g = λ + (1 − λ)E z².
    // With the z of mean m, E x_j x_k = m E[σ_k x_j] for j < k; by pairs of steps below.
    const spread = (z: number) => Math.sqrt(lambda + (1 - lambda) * z * z);
    const drift = values.reduce((sum, z) => sum + spread(z), 0) / values.length;
    const cross = values.reduce((sum, z) => sum + z * spread(z), 0) / values.length;
    const g = lambda + (1 - lambda) * square;
    const sigma = volatility[0]!;
    let second = 0;
    for (let k = 0; k < 3; k++) {
      second += sigma ** 2 * g ** k * square;
      for (let j = 0; j < k; j++)
        second += 2 * sigma ** 2 * g ** j * cross * drift ** (k - j - 1) * mean;
    }
    const { changes } = filtered({ scenarios, horizonDays }, one);
    const squares = changes.map((x) => x * x);
    const average = squares.reduce((sum, x) => sum + x, 0) / scenarios;
    const variance = squares.reduce((sum, x) => sum + (x - average) ** 2, 0) / scenarios;
    expect(Math.abs(average - second) / Math.sqrt(variance / scenarios)).toBeLessThan(4);
  });

  it('resamples where more are asked for than there are residuals, each by its stream', () => {
    const many = filtered({ scenarios: 5000 });
    const one = filtered();
    const known = new Set(Array.from(one.changes, (x, i) => (i % 3 === 0 ? String(x) : '')));
    for (let s = 0; s < 5000; s++) expect(known.has(String(many.changes[3 * s]!))).toBe(true);
    // A longer set begins with the shorter one; another seed gives another.
    const longer = filtered({ scenarios: 7000 });
    expect(longer.changes.subarray(0, 15_000)).toEqual(many.changes);
    const other = filtered({ scenarios: 5000, seed: 'other' });
    expect(other.changes).not.toEqual(many.changes);
    expect(other.set.id).not.toBe(many.set.id);
  });

  it('keeps a gap of any residual that a path uses', () => {
    const { changes, gaps } = filtered({ scenarios: 20_000, horizonDays: 2 });
    const missing = fixture.shocks.filter((row) => row[0] === null).length / fixture.shocks.length;
    const share = gaps[0]!.reduce((sum, gap) => sum + gap, 0) / 20_000;
    const expected = 1 - (1 - missing) ** 2;
    expect(Math.abs(share - expected)).toBeLessThan(4 * Math.sqrt(expected / 20_000));
    expect(Number.isNaN(changes[3 * gaps[0]!.indexOf(1)]!)).toBe(true);
  });
});

describe('its id and its refusals', () => {
  it('covers everything that the set depends on', () => {
    const ids = [
      filtered(),
      filtered({ lambda: 0.95 }),
      filtered({ residuals: 59 }),
      filtered({ horizonDays: 2 }),
      filtered({ maxLogShock: 2 }),
      filtered({ scenarios: 100 }),
      filtered({}, historyOf({ 'A:spot': a!, 'B:spot': b! })),
    ].map(({ set }) => set.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(filtered().set.id).toBe(filtered({}, structuredClone(history)).set.id);
  });

  it.each([
    [{ horizonDays: 0.5 }, 'INVALID_FIELD', 'horizonDays'],
    [{ lambda: 1 }, 'INVALID_FIELD', 'lambda'],
    [{ lambda: Number.NaN }, 'INVALID_FIELD', 'lambda'],
    [{ residuals: 0 }, 'INVALID_FIELD', 'residuals'],
    [{ residuals: 2.5 }, 'INVALID_FIELD', 'residuals'],
    [{ scenarios: 1e9 }, 'OUT_OF_MEMORY', 'scenarios'],
    [{ lambda: 0.999 }, 'INSUFFICIENT_HISTORY', undefined],
  ])('refuses %j', (rest, code, path) => {
    expect(() => filtered(rest)).toThrow(
      expect.objectContaining(path === undefined ? { code } : { code, path }),
    );
  });
});

describe.skipIf(testData === null)('on real closes of ten coins', async () => {
  const file = 'crypto_close_daily_2017_2024.csv.gz';
  const real =
    testData === null
      ? null
      : await readHistory(readFileSync(join(testData, 'crypto', file)), file);

  it('uses the last 500 days once each, with residuals of about unit variance', () => {
    const parameters = { horizonDays: 1, maxLogShock: 3, scenarios: 0, seed: 's' };
    const { set, gaps } = filteredScenarios(real!, parameters);
    expect(set.scenarios).toBe(500);
    expect(gaps.every((gap) => gap === null)).toBe(true);
    const options = { lambda: 0.97, count: 500, basis: 'today' } as const;
    const { values, factorIds } = residualsOf(real!, options);
    factorIds.forEach((id, f) => {
      const column = values.filter((_, i) => i % factorIds.length === f);
      const square = column.reduce((sum, z) => sum + z * z, 0) / 500;
      // EWMA's forecasts are unbiased to a few per cent; kurtosis near 10 makes the standard error of 500 squares about 0.13.
      expect(square, id).toBeGreaterThan(0.6);
      expect(square, id).toBeLessThan(1.6);
    });
  });
});
