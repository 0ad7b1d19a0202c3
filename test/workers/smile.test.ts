import { describe, expect, it } from 'vitest';
import { sliceParameters } from '../../src/market/sliceTable.ts';
import {
  compileSurface,
  type SurfaceModel,
  type VolatilitySurface,
  volatilityAt,
} from '../../src/market/surface.ts';
import { black76 } from '../../src/numerics.ts';
import quotesFixture from '../fixtures/marketSurface.json' with { type: 'json' };
import sviFixture from '../fixtures/svi.json' with { type: 'json' };
import { openKernels } from '../kernels.ts';
import { sliceVolatility } from '../reference/smile.ts';

const DAY = 86_400_000;
const AS_OF = Date.UTC(2025, 11, 30, 8);
const open = openKernels(1 << 20);

interface Inputs {
  readonly moves: readonly number[];
  readonly moneyness: number;
  readonly scale: number;
  readonly up?: readonly number[];
  readonly down?: readonly number[];
}

/** The kernel's two rows; what lies behind them must stay untouched. */
function run(words: Float64Array, { moves, moneyness, scale, up, down }: Inputs): Float64Array[] {
  const n = moves.length;
  const table = open.place(words);
  const logMove = open.place(moves);
  const [ups, downs] = [up, down].map((row) => (row === undefined ? 0 : open.place(row)));
  const outs = [open.allocate(8 * n + 16), open.allocate(8 * n + 16)];
  for (const out of outs) open.floats(out, n + 2).fill(-7);
  open.kernels.sliceVolatilities(
    table,
    n,
    logMove,
    moneyness,
    scale,
    ups!,
    downs!,
    outs[0]!,
    outs[1]!,
  );
  return outs.map((out) => {
    const row = open.floats(out, n + 2).slice();
    expect([row[n], row[n + 1]]).toEqual([-7, -7]);
    return row.subarray(0, n);
  });
}

function surfaceOf(
  slices: readonly { days: number; forward: number; quotes: readonly (readonly number[])[] }[],
  model: SurfaceModel = 'quotes',
): VolatilitySurface {
  const forwards = new Map(slices.map((slice) => [AS_OF + slice.days * DAY, slice.forward]));
  const records = slices.map((slice) => ({
    expiry: new Date(AS_OF + slice.days * DAY).toISOString(),
    quotes: slice.quotes.map(([strike, iv]) => ({ strike: strike!, iv: iv! })),
  }));
  return compileSurface(records, forwards, AS_OF, model);
}

const tableOf = (surface: VolatilitySurface, days: number): Float64Array =>
  sliceParameters(surface, AS_OF + days * DAY, days / 365)!.words;

/** Moves that meet knots, ends and everything between, an even number of them. */
const MOVES = Array.from({ length: 402 }, (_, i) => (i - 200) / 80);

describe('the smile kernel', () => {
  it.each(quotesFixture.slices)('$name: the cubic in 50 digits', (slice) => {
    const words = tableOf(surfaceOf([slice]), slice.days);
    const maturity = slice.days / 365;
    const wMax = Math.max(...slice.quotes.map(([, iv]) => iv! * iv! * maturity));
    const points =
      slice.points.length % 2 === 0 ? slice.points : [...slice.points, slice.points[0]!];
    // The strike of the forward (moneyness 0), the forward moved so that ln(K/F₁) is that of the point.
    const moves = points.map(([strike]) => -Math.log(strike! / slice.forward));
    const [v] = run(words, { moves, moneyness: 0, scale: 1 });
    points.forEach(([, sigma], i) => {
      const expected = sigma! * Math.sqrt(maturity);
      // As in surface.test.ts: some 16 roundings of w and 4 of k, through the slope; then dv = dw/2v.
      const limit = (Number.EPSILON * (16 * wMax + 8 * slice.slopeMax)) / (2 * expected);
      expect(Math.abs(v![i]! - expected)).toBeLessThan(limit + 2 * Number.EPSILON * expected);
    });
  });

  it.each(sviFixture.slices)('$name: SVI in high precision', ({ name, parameters, points }) => {
    const { a, b, rho, m, sigma } = parameters;
    const words = Float64Array.of(1, 1, 1, a, b, rho, m, sigma);
    const [v] = run(words, { moves: points.map(([k]) => 0.25 - k!), moneyness: -0.25, scale: 2 });
    points.forEach(([k, w], i) => {
      // Roundings of the terms of w, and of k by the way here (2^-53 of 4.25, times the slope 2b); dv = 2 dw/2√w.
      const error = 2 ** -53 * (8 * (Math.abs(a) + 2 * b * (Math.abs(k!) + 1 + sigma)) + 16 * b);
      const limit = error / Math.sqrt(w!) + 4 * 2 ** -53 * Math.sqrt(w!);
      expect(Math.abs(v![i]! - 2 * Math.sqrt(w!)), `${name} ${k}`).toBeLessThanOrEqual(limit);
    });
  });

  const smiles = quotesFixture.slices.slice(0, 2);
  const tables: readonly (readonly [string, Float64Array])[] = [
    ['quotes', tableOf(surfaceOf(smiles), smiles[0]!.days)],
    ['one quote', tableOf(surfaceOf([quotesFixture.slices[5]!]), quotesFixture.slices[5]!.days)],
    ['SVI', tableOf(surfaceOf(smiles, 'svi'), smiles[0]!.days)],
    ['between quotes', tableOf(surfaceOf(smiles), quotesFixture.between.days)],
    ['between SVI slices', tableOf(surfaceOf(smiles, 'svi'), quotesFixture.between.days)],
  ];

  it.each(tables)('%s: the bits of the plain twin, with and without a vol factor', (_, words) => {
    const up = MOVES.map((x) => Math.exp(0.3 * x));
    const down = up.map((x) => 1 / x);
    for (const moneyness of [0, -0.07, 0.4]) {
      const still = run(words, { moves: MOVES, moneyness, scale: 0.37 });
      const moved = run(words, { moves: MOVES, moneyness, scale: 0.37, up, down });
      MOVES.forEach((move, i) => {
        const alone = sliceVolatility(words, move, moneyness, 0.37);
        const both = sliceVolatility(words, move, moneyness, 0.37, up[i], down[i]);
        expect([still[0]![i], still[1]![i]]).toEqual(alone);
        expect([moved[0]![i], moved[1]![i]]).toEqual(both);
      });
    }
  });

  it('between two expiries: the surface in 50 digits', () => {
    const { days, forward, points } = quotesFixture.between;
    const words = tableOf(surfaceOf(smiles), days);
    const moves = [...points, points[0]!].slice(0, 2 * Math.ceil(points.length / 2));
    const [v] = run(words, {
      moves: moves.map(([strike]) => -Math.log(strike! / forward)),
      moneyness: 0,
      scale: 1 / Math.sqrt(days / 365),
    });
    moves.forEach(([, sigma], i) => {
      // As in surface.test.ts, w to 0.1 and slopes to 0.2, over 2σT = 0.07 and more.
      expect(Math.abs(v![i]! - sigma!)).toBeLessThan((Number.EPSILON * (1.6 + 1.6)) / 0.05);
    });
  });

  it.each(['quotes', 'svi'] as const)('%s: no move, no change of the volatility', (model) => {
    const surface = surfaceOf(smiles, model);
    const { days, forward } = smiles[0]!;
    const maturity = days / 365;
    for (const strike of [60_000, 84_000, 90_000, 130_000]) {
      const [v] = run(tableOf(surface, days), {
        moves: [0, 0],
        moneyness: Math.log(forward / strike),
        scale: 1 / Math.sqrt(maturity),
      });
      const sigma = volatilityAt(surface, {
        expiryMs: AS_OF + days * DAY,
        maturity,
        strike,
        forward,
      });
      // Two logarithms, a cubic and two square roots: a few 2.2e-16 of w ≤ 0.15, over 2σT ≥ 0.2.
      expect(Math.abs(v![0]! - sigma)).toBeLessThan(3e-15);
    }
  });

  it('feeds optionRows: v0 = 1 prices each scenario at its own volatility', () => {
    const words = tableOf(surfaceOf(smiles, 'svi'), smiles[0]!.days);
    const n = 16;
    const [forward0, strike, scale] = [89_500, 80_000, 0.99];
    const moves = Array.from({ length: n }, (_, i) => (i - 8) / 20);
    const moneyness = Math.log(forward0 / strike);
    const [up, down] = run(words, { moves, moneyness, scale });
    const forwards = moves.map((move) => forward0 * Math.exp(move));
    const out = open.allocate(8 * n);
    open.kernels.optionRows(
      n,
      open.place(moves),
      open.place(forwards),
      open.place(up!),
      open.place(down!),
      open.place(moves.map(() => 1)),
      moneyness,
      strike,
      1,
      1,
      0,
      0,
      0,
      out,
      n,
      0,
    );
    open.floats(out, n).forEach((price, i) => {
      const expected = black76(forwards[i]!, strike, up![i]!, -1);
      // ln(F₁/K) by two ways differs by 4e-16, which moves a price by its delta: 4e-16 of the forward at most; Black-76 itself by 4.2e-15.
      expect(Math.abs(price - expected)).toBeLessThan(1e-14 * forwards[i]!);
    });
  });
});

describe('the table of an expiry', () => {
  const surface = surfaceOf(quotesFixture.slices.slice(0, 2));
  const at = (days: number) => sliceParameters(surface, AS_OF + days * DAY, days / 365);

  it('has one part where it is listed, two between, none outside', () => {
    expect(at(2)!.words[0]).toBe(1);
    expect(at(31)!.words[0]).toBe(2);
    expect(at(31)!.maturity).toBe(31 / 365);
    expect(at(1)).toBeNull();
    expect(at(88)).toBeNull();
    const [, , weight] = at(2)!.words;
    expect(weight).toBe(1);
  });

  it('is none where a forward is missing', () => {
    const records = quotesFixture.slices.slice(0, 2).map((slice) => ({
      expiry: new Date(AS_OF + slice.days * DAY).toISOString(),
      quotes: slice.quotes.map(([strike, iv]) => ({ strike: strike!, iv: iv! })),
    }));
    const lost = compileSurface(records, new Map([[AS_OF + 2 * DAY, 88_600.5]]), AS_OF);
    expect(sliceParameters(lost, AS_OF + 2 * DAY, 2 / 365)).not.toBeNull();
    expect(sliceParameters(lost, AS_OF + 31 * DAY, 31 / 365)).toBeNull();
  });
});
