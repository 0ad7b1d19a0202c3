import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { openKernels } from '../kernels.ts';
import { black76, textbookBlack76 } from '../reference/black76.ts';
import { exp } from '../reference/maths.ts';
import { Errors, readPoints } from './black76Points.ts';

const open = openKernels(1 << 20);
const { kernels } = open;
const points = readPoints();

describe('Black-76 against 50-digit arithmetic', () => {
  it('one price at a time', () => {
    expect(points.length).toBeGreaterThan(3_000);
    const errors = new Errors();
    for (const { forward, strike, v, call, put } of points) {
      errors.add(kernels.black76(forward, strike, v, 1), call, forward);
      errors.add(kernels.black76(forward, strike, v, -1), put, forward);
    }
    errors.check();
  });

  it('arrays, of the same bits, for calls, puts or both, and any length', () => {
    const n = points.length - 1; // odd
    const [f, k, v] = (['forward', 'strike', 'v'] as const).map((key) =>
      open.place(points.map((point) => point[key])),
    ) as [number, number, number];
    expect(n % 2).toBe(1);
    const out = [0, 1, 2, 3].map(() => open.place(new Float64Array(n + 1).fill(7)));
    kernels.black76Array(f, k, v, out[0]!, out[1]!, n);
    kernels.black76Array(f, k, v, out[2]!, 0, n);
    kernels.black76Array(f, k, v, 0, out[3]!, n);
    const [calls, puts, callsAlone, putsAlone] = out.map((at) => [...open.floats(at, n + 1)]);
    const expected = points.map((p) => kernels.black76(p.forward, p.strike, p.v, 1));
    const expectedPuts = points.map((p) => kernels.black76(p.forward, p.strike, p.v, -1));
    expected[n] = expectedPuts[n] = 7; // not written
    expect(calls).toEqual(expected);
    expect(puts).toEqual(expectedPuts);
    expect(callsAlone).toEqual(expected);
    expect(putsAlone).toEqual(expectedPuts);
  });

  it('has the bits of its plain twin', () => {
    for (const { forward, strike, v } of points) {
      for (const right of [1, -1] as const) {
        expect(kernels.black76(forward, strike, v, right)).toBe(black76(forward, strike, v, right));
      }
    }
  });

  it('agrees with the formula as printed', () => {
    // The printed form loses some ulp of F or K to cancellation, and d₁² ≤ 1,000 enters φ through d₁'s rounding where the
    // price is not yet negligible: 1e-13 of the larger price.
    for (const { forward, strike, v } of points) {
      const difference =
        kernels.black76(forward, strike, v, 1) - textbookBlack76(forward, strike, v, 1);
      expect(Math.abs(difference) / Math.max(forward, strike)).toBeLessThan(1e-13);
    }
  });
});

describe('Black-76 in its limits', () => {
  it('keeps put-call parity', () => {
    for (const { forward, strike, v } of points) {
      const gap = kernels.black76(forward, strike, v, 1) - kernels.black76(forward, strike, v, -1);
      // Both sides hold the same time value: what remains is the rounding of two sums and their difference, 3 half ulp.
      const scale = Math.max(forward, strike);
      expect(Math.abs(gap - (forward - strike))).toBeLessThan(4e-16 * scale);
    }
  });

  it('is the intrinsic value at v = 0, exactly, and as v → 0', () => {
    for (const v of [0, 5e-324, 1e-300, 1e-100]) {
      expect(kernels.black76(100, 90, v, 1)).toBe(10);
      expect(kernels.black76(100, 110, v, -1)).toBe(10);
      // Beyond |u| = 35 a price under φ(35) v K stands for 0.
      expect(kernels.black76(100, 110, v, 1)).toBeLessThanOrEqual(1e-260 * v);
      expect(kernels.black76(100, 90, v, -1)).toBeLessThanOrEqual(1e-260 * v);
      expect(kernels.black76(100, 100, v, 1)).toBeLessThanOrEqual(100 * v);
    }
    for (const v of [1e-12, 1e-9, 1e-6]) {
      // At the money the price is F (2Φ(v/2) − 1) = F v/√(2π) (1 − v²/24 + …), and 1 − 2φM rounds to some ulp of 1: 1e-15 F.
      const exact = (100 * v) / Math.sqrt(2 * Math.PI);
      expect(Math.abs(kernels.black76(100, 100, v, 1) - exact)).toBeLessThan(1e-13);
    }
  });

  it('is the forward for a call and the strike for a put as v → ∞', () => {
    for (const v of [40, 70, 100, 1e10, 1e300, Number.POSITIVE_INFINITY]) {
      for (const [forward, strike] of [
        [100, 100],
        [100, 5],
        [1, 20],
        [1e-150, 1e150],
      ] as const) {
        // The time value falls short of min(F, K) by Φ(−v/2 + |x|/v) and the like; at |x| = 690 a v of 40 is small.
        if (forward < 1e-100 && v < 70) continue;
        expect(kernels.black76(forward, strike, v, 1)).toBe(forward);
        expect(kernels.black76(forward, strike, v, -1)).toBe(strike);
      }
    }
  });

  it('takes a strike of 0 and prices far apart', () => {
    for (const v of [0, 0.2, 5, Number.POSITIVE_INFINITY]) {
      expect(kernels.black76(100, 0, v, 1)).toBe(100);
      expect(kernels.black76(100, 0, v, -1)).toBe(0);
    }
    expect(kernels.black76(1e-300, 1e300, 0.5, 1)).toBe(0);
    expect(kernels.black76(1e300, 1e-300, 0.5, 1)).toBe(1e300);
  });

  it('passes NaN on', () => {
    expect(kernels.black76(Number.NaN, 1, 0.2, 1)).toBeNaN();
    expect(kernels.black76(1, Number.NaN, 0.2, 1)).toBeNaN();
    expect(kernels.black76(1, 1, Number.NaN, -1)).toBeNaN();
    expect(kernels.black76(-1, 1, 0.2, 1)).toBeNaN();
  });

  it.each([
    -3, -1, -0.1, -0.001, 0, 0.0001, 0.01, 0.5, 2, 3,
  ])('rises with v, and never below 0, at ln(F/K) = %d', (x) => {
    const strike = exp(-x);
    const least = Math.min(1, strike);
    let last = 0;
    for (let i = 0; i <= 4_000; i++) {
      const v = 1e-4 * exp(i * 0.003); // 1e-4 to 16
      const price = kernels.black76(1, strike, v, strike >= 1 ? 1 : -1);
      expect(price).toBeGreaterThanOrEqual(0);
      // The step's true rise may be below the error, 2e-15 of min(F, K) or 6e-11 of the price where that is less.
      expect(price).toBeGreaterThanOrEqual(last - Math.min(2e-15 * least, 6e-11 * last));
      last = price;
    }
    expect(last).toBeGreaterThan(0.999 * least);
  });
});

const dataFolder =
  process.env.PLIMSOLL_TEST_DATA ?? fileURLToPath(new URL('../../../shared/data', import.meta.url));
const deribit = `${dataFolder}/deribit`;
const snapshots = existsSync(deribit)
  ? readdirSync(deribit).filter((name) => /^deribit_options_snapshot_.*\.csv\.gz$/.test(name))
  : [];

describe.skipIf(snapshots.length === 0)(
  'Deribit chains (skipped where PLIMSOLL_TEST_DATA and ../shared/data are absent)',
  () => {
    it.each(snapshots)('marks of %s follow from their forward and volatility', (name) => {
      const [header, ...lines] = gunzipSync(readFileSync(`${deribit}/${name}`))
        .toString('utf8')
        .trimEnd()
        .split('\n');
      const names = header!.split(',');
      const errors: number[] = [];
      for (const line of lines) {
        const cells = line.split(',');
        const cell = (column: string) => cells[names.indexOf(column)]!;
        const marks = [cell('underlying'), cell('implied_volatility'), cell('mark_price')];
        if (marks.includes('')) continue;
        const [forward, sigma, mark] = marks.map(Number) as [number, number, number];
        const remaining = Date.parse(cell('expiry_datetime')) - Date.parse(cell('timestamp'));
        const v = sigma * Math.sqrt(remaining / (365 * 86_400_000));
        const right = cell('option_type') === 'call' ? 1 : -1;
        const price = kernels.black76(forward, Number(cell('strike')), v, right);
        errors.push(Math.abs(price / forward - mark));
      }
      expect(errors.length).toBeGreaterThan(1_000);
      errors.sort((a, b) => a - b);
      // Deribit prints the volatility to 1e-4 and the mark to 1e-8: a vega of 0.1 coin gives 5e-6 in the middle.
      expect(errors[Math.floor(errors.length / 2)]).toBeLessThan(1e-5);
    });
  },
);
