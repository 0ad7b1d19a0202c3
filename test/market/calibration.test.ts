/** Calibration against numpy: on a committed fixture (fixtures/market/ewma.py), and by running the same script on real files where they are. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type Calibration, calibrate } from '../../src/market/calibration.ts';
import { ewmaVolatilityPath } from '../../src/market/ewma.ts';
import { type History, readHistory } from '../../src/market/history.ts';
import { impliedFactorModel } from '../../src/market/impliedFactors.ts';
import { readSnapshot } from '../../src/market/snapshot.ts';
import fixture from '../fixtures/market/ewma.json' with { type: 'json' };

interface Expected {
  readonly rows: number;
  readonly effective: number;
  readonly volatility: readonly number[];
  readonly correlation: readonly (readonly number[])[];
}

const table = (
  ids: readonly string[],
  dates: readonly string[],
  rows: readonly (readonly (number | null)[])[],
): History => ({
  dates,
  columns: ids.map((id, c) => ({
    id,
    values: Float64Array.from(rows, (row) => row[c] ?? Number.NaN),
  })),
});
const days = (count: number, first = '2024-01-01'): string[] =>
  Array.from({ length: count }, (_, i) =>
    new Date(Date.parse(first) + i * 86_400_000).toISOString().slice(0, 10),
  );
const SYNTHETIC = table(['A:spot', 'B:spot', 'A:vol'], fixture.dates, fixture.levels);

/** Both sum the same m terms of one sign (volatility) or two (correlation) in double precision: m·ε relative, 35,000·2.2e-16 = 8e-12 at most. */
function expectAgreement({ model, report }: Calibration, expected: Expected): void {
  expect(report.usableRows).toBe(expected.rows);
  expect(report.effectiveObservations / expected.effective).toBeCloseTo(1, 11);
  expected.volatility.forEach((volatility, i) => {
    expect(model.factors[i]!.volatility / volatility).toBeCloseTo(1, 11);
    expected.correlation[i]!.forEach((rho, j) => {
      expect(model.correlation[i]![j]).toBeCloseTo(rho, 11);
    });
  });
}

describe('calibrate', () => {
  it.each(fixture.cases)('agrees with numpy at λ = $lambda', (expected) => {
    const calibration = calibrate(SYNTHETIC, { lambda: expected.lambda });
    expectAgreement(calibration, expected);
    expect(calibration.report.periodsPerYear).toBe(365);
    expect(calibration.model.asOf).toBe('2024-04-29T00:00:00Z');
  });

  it('takes correlations at a decay of their own', () => {
    const [slow, fast] = [fixture.cases[1]!, fixture.cases[0]!];
    const { model } = calibrate(SYNTHETIC, { lambda: fast.lambda, correlationLambda: slow.lambda });
    expect(model.factors[0]!.volatility / fast.volatility[0]!).toBeCloseTo(1, 11);
    expect(model.correlation[0]![1]).toBeCloseTo(slow.correlation[0]![1]!, 11);
  });

  it('names gaps and late starts, and what it assumed', () => {
    const { model, report } = calibrate(SYNTHETIC, { degreesOfFreedom: 4.5 });
    // B starts five rows late; two other rows have a gap, which spoils two changes each.
    expect(report.usableRows).toBe(119 - 5 - 4);
    expect(report.problems.map(({ kind, factor, count }) => [kind, factor, count])).toEqual([
      ['gap', 'A:spot', 1],
      ['late-start', 'B:spot', 5],
      ['gap', 'A:vol', 1],
    ]);
    expect(report.problems[0]!.dates).toEqual(['2024-02-10']);
    expect(model.factors.map(({ id }) => id)).toEqual(['A:spot', 'B:spot', 'A:vol', 'B:vol']);
    expect(model.degreesOfFreedom).toBe(4.5);
    expect(report.assumptions.join()).toMatch(/B:vol was not measured/);
    // The assumed factor follows its spot: −0.4 with it, −0.4 times the spot's own correlation with the rest.
    expect(model.correlation[3]![1]).toBe(-0.4);
    expect(model.correlation[3]![0]).toBeCloseTo(-0.4 * model.correlation[1]![0]!, 15);
    expect(calibrate(SYNTHETIC, { defaultVol: null }).model.factors).toHaveLength(3);
  });

  it('names stale prices, outliers and constants', () => {
    // ±1% in turn; two rows alike; a fall by a third on row 50. A stable coin that does not move.
    const levels = days(60).map((_, i) => [i >= 50 ? 66 + (i % 2) : 100 + (i % 2), 1]);
    levels[30] = levels[29]!;
    const { report, model } = calibrate(table(['A:spot', 'S:spot'], days(60), levels));
    const problems = report.problems.map(({ kind, factor, dates }) => [kind, factor, dates[0]]);
    expect(problems).toContainEqual(['stale', 'A:spot', '2024-01-31']);
    expect(problems).toContainEqual(['outlier', 'A:spot', '2024-02-20']);
    expect(problems).toContainEqual(['constant', 'S:spot', '2024-01-01']);
    expect(model.factors[1]!.volatility).toBe(0);
    expect(model.correlation[0]![1]).toBe(0);
  });

  it('reads how many rows make a year off the dates, or says that it cannot', () => {
    const walk = (dates: readonly string[]) =>
      table(
        ['A:spot'],
        dates,
        dates.map((_, i) => [100 + (i % 3)]),
      );
    const business = days(90).filter((day) => ![0, 6].includes(new Date(day).getUTCDay()));
    const hours = Array.from({ length: 90 }, (_, i) =>
      new Date(Date.UTC(2024, 0, 5) + i * 3_600_000).toISOString().replace('.000Z', 'Z'),
    );
    expect(calibrate(walk(days(90))).report.periodsPerYear).toBe(365);
    expect(calibrate(walk(business)).report).toMatchObject({ periodsPerYear: 252, problems: [] });
    expect(calibrate(walk(hours)).report.periodsPerYear).toBe(8760);
    const odd = days(180).filter((_, i) => i % 3 === 0);
    expect(() => calibrate(walk(odd))).toThrow(expect.objectContaining({ path: 'periodsPerYear' }));
    expect(calibrate(walk(odd), { periodsPerYear: 122 }).model.periodsPerYear).toBe(122);
    const holed = days(90).filter((_, i) => i < 40 || i > 44);
    expect(calibrate(walk(holed)).report.problems).toMatchObject([
      { kind: 'irregular-spacing', count: 1, dates: ['2024-02-15'] },
    ]);
  });

  it('refuses too little history, unknown underlyings and decays outside (0, 1)', () => {
    const short = table(
      ['A:spot'],
      days(20),
      days(20).map((_, i) => [1 + i]),
    );
    expect(() => calibrate(short)).toThrow(
      expect.objectContaining({ code: 'INSUFFICIENT_HISTORY' }),
    );
    expect(() => calibrate(table([], [], []))).toThrow(
      expect.objectContaining({ code: 'MISSING_HISTORY' }),
    );
    expect(() => calibrate(SYNTHETIC, { underlyings: ['Z'] })).toThrow(
      expect.objectContaining({ code: 'MISSING_HISTORY' }),
    );
    for (const lambda of [0, 1, Number.NaN]) {
      expect(() => calibrate(SYNTHETIC, { lambda })).toThrow(/lambda/);
    }
  });

  it('is one computation at every length: the path ends where the weights do', () => {
    const path = ewmaVolatilityPath(Float64Array.of(0.01, Number.NaN, -0.03), 0.9);
    // Two observations: √((0.9·1e-4 + 9e-4)/1.9), by hand; the gap leaves the day before.
    expect(path[1]).toBe(path[0]);
    expect(path[0]).toBeCloseTo(0.01, 16);
    expect(path[2]).toBeCloseTo(Math.sqrt(0.00099 / 1.9), 16);
  });
});

describe('impliedFactorModel', () => {
  const slice = (expiry: string, iv: number) => ({
    expiry,
    quotes: [
      { strike: 90, iv: iv + 0.02 },
      { strike: 100, iv },
      { strike: 110, iv: iv + 0.01 },
    ],
  });
  const dated = (days_: number) =>
    new Date(Date.UTC(2026, 0, 1) + days_ * 86_400_000).toISOString();
  const snapshot = (surfaceDays: readonly (readonly [number, number])[], others: object[] = []) =>
    readSnapshot({
      asOf: '2026-01-01T00:00:00Z',
      currency: 'USD',
      underlyings: [
        {
          id: 'A',
          spot: 100,
          forwards: surfaceDays.map(([day]) => ({ expiry: dated(day), price: 100 })),
          surface: surfaceDays.map(([day, iv]) => slice(dated(day), iv)),
        },
        ...others,
      ],
      instruments: [],
    });

  it('reads 30-day at-the-money volatility, linear in total variance', () => {
    const { model } = impliedFactorModel(
      snapshot([
        [20, 0.5],
        [60, 0.4],
      ]),
    );
    expect(model.factors.map(({ id }) => id)).toEqual(['A:spot', 'A:vol']);
    // w(20) = 0.25·20, w(60) = 0.16·60 in day units: w(30) = 5 + (9.6 − 5)/4, σ² = w/30. A few roundings.
    expect(model.factors[0]!.volatility).toBeCloseTo(Math.sqrt(6.15 / 30), 14);
    expect(model.correlation).toEqual([
      [1, -0.4],
      [-0.4, 1],
    ]);
    expect(model.degreesOfFreedom).toBe(4);
  });

  it('takes the nearest expiry outside, and a given volatility without a surface', () => {
    expect(
      impliedFactorModel(
        snapshot([
          [60, 0.4],
          [90, 0.3],
        ]),
      ).model.factors[0]!.volatility,
    ).toBeCloseTo(0.4, 14);
    expect(
      impliedFactorModel(
        snapshot([
          [5, 0.7],
          [10, 0.6],
        ]),
      ).model.factors[0]!.volatility,
    ).toBeCloseTo(0.6, 14);
    const two = snapshot([[30, 0.5]], [{ id: 'B', spot: 3 }]);
    expect(() => impliedFactorModel(two)).toThrow(
      expect.objectContaining({ code: 'MISSING_VOLATILITY', path: 'underlyings[1].surface' }),
    );
    const { model, assumptions } = impliedFactorModel(two, { volatilities: { B: 0.8 } });
    expect(model.factors.map(({ id }) => id)).toEqual(['A:spot', 'A:vol', 'B:spot']);
    expect(model.correlation[0]).toEqual([1, -0.4, 0.8]);
    expect(model.correlation[1]).toEqual([-0.4, 1, -0.3]);
    expect(assumptions[0]).toMatch(/B:spot.*0\.8/);
  });

  it('repairs constants that contradict each other and says so, refuses those out of range', () => {
    const three = snapshot(
      [[30, 0.5]],
      [
        { id: 'B', spot: 3 },
        { id: 'C', spot: 4 },
      ],
    );
    const options = { volatilities: { B: 0.8, C: 0.8 }, spotSpot: -0.9 };
    // Three correlations of −0.9: least eigenvalue 1 − 1.8.
    const { model, assumptions } = impliedFactorModel(three, options);
    expect(assumptions.at(-1)).toMatch(/cannot stand together: 1 negative/);
    expect(model.correlation[0]![2]).toBeGreaterThan(-0.9);
    expect(() => impliedFactorModel(three, { ...options, spotSpot: 1.5 })).toThrow(/spotSpot/);
    expect(() => impliedFactorModel(three, { volatilities: { Q: 1 } })).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_UNDERLYING' }),
    );
  });
});

const DATA =
  process.env.PLIMSOLL_TEST_DATA ?? fileURLToPath(new URL('../../../shared/data', import.meta.url));
const script = fileURLToPath(new URL('../fixtures/market/ewma.py', import.meta.url));
const numpy = spawnSync('python3', ['-c', 'import numpy']).status === 0;
const absent = !existsSync(join(DATA, 'crypto'));
const why = absent
  ? ' (skipped: no PLIMSOLL_TEST_DATA)'
  : numpy
    ? ''
    : ' (skipped: no python3 with numpy)';

describe.skipIf(absent || !numpy)(`real files against numpy${why}`, () => {
  it.each([
    ['crypto/crypto_close_daily_2017_2024.csv.gz', 0.94, 365, ['BTC', 'ETH', 'SOL', 'DOGE']],
    [
      'crypto/crypto_close_hourly_2021_2024.csv.gz',
      0.97,
      8760,
      ['BTC', 'ETH', 'SOL', 'DOT', 'TRX'],
    ],
    ['equity/skfolio_sp500_20stocks_adjclose_1990_2022.csv.gz', 0.97, 252, ['AAPL', 'JPM', 'XOM']],
  ])('%s', async (name, lambda, periods, columns) => {
    const path = join(DATA, name);
    const run = spawnSync('python3', [script, path, String(lambda), String(periods), ...columns]);
    const expected = JSON.parse(run.stdout.toString()) as Expected;
    const history = await readHistory(readFileSync(path), name);
    const calibration = calibrate(history, { lambda, underlyings: columns, defaultVol: null });
    expect(calibration.report.periodsPerYear).toBe(periods);
    expectAgreement(calibration, expected);
  });

  it('finds the crash, the late starts and every repeated close', async () => {
    const file = readFileSync(join(DATA, 'crypto/crypto_close_daily_2017_2024.csv.gz'));
    const { report } = calibrate(await readHistory(file));
    const dates = (kind: string, factor: string) =>
      report.problems.find((problem) => problem.kind === kind && problem.factor === factor)?.dates;
    expect(dates('outlier', 'BTC:spot')).toContain('2020-03-12');
    expect(dates('late-start', 'SOL:spot')?.[0]).toBe('2017-11-09');
    // Counted again from the text: cells equal to the one above, empty ones left out.
    const rows = gunzipSync(file)
      .toString()
      .trim()
      .split(/\r?\n/)
      .map((line) => line.split(','));
    rows[0]!.slice(1).forEach((asset, i) => {
      const repeats = rows.filter(
        (row, at) => row[i + 1] !== '' && row[i + 1] === rows[at - 1]?.[i + 1],
      );
      const stale = report.problems.find(
        (problem) => problem.kind === 'stale' && problem.factor === `${asset}:spot`,
      );
      expect(stale?.count ?? 0).toBe(repeats.length);
    });
  });
});
