import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type AmericanContract, americanPrice } from '../../src/valuation/american.ts';
import { openKernels } from '../kernels.ts';
import { americanPrice as twinPrice } from '../reference/american.ts';
import { fraction } from './black76Points.ts';

const open = openKernels(1 << 22);
const { kernels } = open;
const scratch = open.allocate(672);

function kernelPrice(contract: AmericanContract): number {
  const { level, forward, strike, volatility, maturity, rate, right } = contract;
  const v = volatility * Math.sqrt(maturity);
  return kernels.americanPrice(level, forward, strike, v, rate * maturity, right, scratch);
}

/** What the error bound of METHODOLOGY section 2 is relative to. */
const BOUND = 0.0025;

describe('the scenario price of American options', () => {
  it('is within 0.25% of the strike of QuantLib’s spectral collocation', () => {
    const rows = JSON.parse(
      readFileSync(new URL('../fixtures/valuation/american.json', import.meta.url), 'utf8'),
    ) as readonly (readonly [string, 1 | -1, ...number[]])[];
    let worst = 0;
    let squares = 0;
    for (const [
      ,
      right,
      level,
      forward,
      strike,
      volatility,
      maturity,
      rate,
      ,
      ,
      spectral,
    ] of rows) {
      const contract = { right, level, forward, strike, volatility, maturity, rate };
      const error = Math.abs(kernelPrice(contract as AmericanContract) - spectral!) / strike!;
      worst = Math.max(worst, error);
      squares += error * error;
    }
    const rms = Math.sqrt(squares / rows.length);
    console.info(
      `American kernel against QuantLib: max ${worst.toExponential(2)}, rms ${rms.toExponential(2)} of K`,
    );
    expect(worst).toBeLessThan(BOUND);
    // The header of the kernel says so.
    expect(worst).toBeLessThan(1e-3);
    expect(rms).toBeLessThan(1e-4);
  });

  it('is within 0.25% of the larger of spot and strike over a grid of shocked states: yields to 20%, volatilities to 250%', () => {
    let worst = { error: 0, contract: {} };
    for (const right of [1, -1] as const) {
      for (const rate of [0, 0.002, 0.05, 0.1]) {
        for (const carry of [-0.1, -0.03, 0, 0.03, 0.08]) {
          for (const maturity of [1 / 365, 1 / 12, 0.5, 1.5, 3]) {
            for (const volatility of [0.08, 0.3, 0.9, 2.5]) {
              const forward = 100 * Math.exp(carry * maturity);
              // In units of the deviation and more: where exercise is decided, and both wings.
              const deviation = volatility * Math.sqrt(maturity);
              for (const distance of [-1.5, -0.5, 0, 0.7, 2]) {
                const strike = 100 * Math.exp(Math.max(-1.5, Math.min(distance * deviation, 1.5)));
                const contract = { level: 100, forward, strike, volatility, maturity, rate, right };
                const error =
                  Math.abs(kernelPrice(contract) - americanPrice(contract)) / Math.max(strike, 100);
                if (error > worst.error) worst = { error, contract };
              }
            }
          }
        }
      }
    }
    console.info(
      `American kernel against the reference: max ${worst.error.toExponential(2)} of max(S, K)`,
      worst.contract,
    );
    expect(worst.error).toBeLessThan(BOUND);
  });

  it('is the European price where exercise never pays, and the intrinsic value where it is due', () => {
    const base = { level: 100, strike: 110, volatility: 0.4, maturity: 0.5 };
    const european = (forward: number, rate: number, right: 1 | -1) =>
      kernels.exp(-rate * 0.5) * kernels.black76(forward, 110, 0.4 * Math.sqrt(0.5), right);
    // No yield; a negative one; puts without a rate; futures without a rate.
    for (const [forward, rate, right] of [
      [100 * Math.exp(0.05 * 0.5), 0.05, 1],
      [100 * Math.exp(0.09 * 0.5), 0.05, 1],
      [100 * Math.exp(-0.02 * 0.5), 0, -1],
      [100, 0, 1],
      [100, 0, -1],
    ] as const) {
      const price = kernelPrice({ ...base, forward, rate, right });
      // ln(F/K) divided by v once here and multiplied by 1/v nowhere: some ulp of the forward apart.
      expect(Math.abs(price - european(forward, rate, right))).toBeLessThan(1e-13 * 110);
    }
    expect(kernelPrice({ ...base, level: 40, forward: 41, rate: 0.05, right: -1 })).toBe(70);
    expect(kernelPrice({ ...base, level: 500, forward: 480, rate: 0.01, right: 1 })).toBe(390);
  });

  it('never falls below the European price or the intrinsic value, is finite, and keeps put-call symmetry', () => {
    for (let i = 0; i < 4_000; i++) {
      const volatility = 0.01 * 500 ** fraction(i, 1);
      const maturity = 1e-5 * 1e6 ** fraction(i, 2);
      const rate = i % 5 === 0 ? 0 : 0.3 * fraction(i, 3);
      const carry = (fraction(i, 4) - 0.5) * 0.6;
      const right = i % 2 === 0 ? 1 : -1;
      const forward = 100 * Math.exp(carry * maturity);
      const strike = 100 * Math.exp((fraction(i, 5) - 0.5) * 6);
      const contract = { level: 100, forward, strike, volatility, maturity, rate, right } as const;
      const price = kernelPrice(contract);
      const v = volatility * Math.sqrt(maturity);
      const european = kernels.exp(-rate * maturity) * kernels.black76(forward, strike, v, right);
      expect(price).toBeGreaterThanOrEqual(right * (100 - strike));
      expect(price).toBeGreaterThanOrEqual(european * (1 - 1e-12));
      expect(price).toBeLessThanOrEqual(
        Math.max(right === 1 ? 100 : strike, european * (1 + 1e-12)),
      );
    }
  });
});

describe('the plain twin', () => {
  it('has the same bits in every regime', () => {
    for (let i = 0; i < 3_000; i++) {
      const v = 1e-3 * 4e3 ** fraction(i, 11);
      const rateTime = i % 6 === 0 ? 0 : 0.4 * fraction(i, 12) ** 2;
      const forward = i % 7 === 0 ? 100 : 100 * Math.exp((fraction(i, 13) - 0.5) * 0.6);
      const strike = 100 * Math.exp((fraction(i, 14) - 0.5) * 4 * Math.min(v, 1));
      const right = i % 2 === 0 ? 1 : -1;
      const got = kernels.americanPrice(100, forward, strike, v, rateTime, right, scratch);
      expect(got).toBe(twinPrice(100, forward, strike, v, rateTime, right));
    }
  });
});

describe('rows of American options', () => {
  const n = 96;
  const shocks = Array.from({ length: n }, (_, i) => (i === 0 ? 0 : (fraction(i, 6) - 0.5) * 1.2));
  const bases = Array.from({ length: n }, (_, i) => (i === 0 ? 0 : (fraction(i, 7) - 0.5) * 0.2));
  const ups = Array.from({ length: n }, (_, i) => (i === 0 ? 1 : 0.5 + 1.5 * fraction(i, 8)));
  const [spot, forward, strike, volatility, maturity, rate] = [
    90, 93, 100, 0.35, 0.8, 0.04,
  ] as const;

  function row(right: 1 | -1, hasBasis: boolean, size: number, stride: number): Float64Array {
    const moves = shocks.map((x, i) => x + (hasBasis ? maturity * bases[i]! : 0));
    const carry = kernels.log(forward / spot);
    const v = volatility * Math.sqrt(maturity);
    const base =
      3 * kernels.americanPrice(spot, forward, strike, v, rate * maturity, right, scratch);
    const length = ((n / size) * stride) / 8 + size;
    const out = open.place(new Float64Array(length).fill(7));
    kernels.americanRow(
      n,
      open.place(shocks.map((x) => spot * kernels.exp(x))),
      open.place(shocks),
      open.place(moves.map((x) => forward * kernels.exp(x))),
      open.place(moves),
      hasBasis ? open.place(bases) : 0,
      open.place(ups),
      kernels.log(spot / strike),
      kernels.log(forward / strike),
      carry,
      maturity,
      strike,
      v,
      rate * maturity,
      right,
      3,
      base,
      out,
      size,
      stride,
      scratch,
    );
    const all = open.floats(out, length);
    return Float64Array.from(
      { length: n },
      (_, s) => all[(Math.floor(s / size) * stride) / 8 + (s % size)]!,
    );
  }

  it.each([
    [1, false],
    [-1, false],
    [1, true],
    [-1, true],
  ] as const)('right %d, basis %s: each scenario’s value less the base, nothing without a shock', (right, hasBasis) => {
    const values = row(right, hasBasis, n, 0);
    expect(values[0]).toBe(0);
    const at = { strike, maturity, rate, right };
    const today = americanPrice({ ...at, level: spot, forward, volatility });
    for (let i = 1; i < n; i++) {
      const level = spot * Math.exp(shocks[i]!);
      const moved = (forward / spot) * level * Math.exp(hasBasis ? maturity * bases[i]! : 0);
      const price = americanPrice({
        ...at,
        level,
        forward: moved,
        volatility: volatility * ups[i]!,
      });
      // Each of the two values is within the bound of the reference.
      expect(Math.abs(values[i]! - 3 * (price - today))).toBeLessThan(2 * 3 * BOUND * strike);
    }
    expect([...row(right, hasBasis, 16, 16 * 8 * 5)]).toEqual([...values]);
  });

  it('has the bits of the single price', () => {
    const values = row(-1, false, n, 0);
    const v = volatility * Math.sqrt(maturity);
    const base = 3 * kernels.americanPrice(spot, forward, strike, v, rate * maturity, -1, scratch);
    expect(values[0]! + base).toBe(base);
    expect(row(-1, false, 32, 32 * 8)).toEqual(values);
  });

  it('carries a NaN to its own scenario and no other', () => {
    const kept = shocks[13]!;
    shocks[13] = Number.NaN;
    for (const right of [1, -1] as const) {
      const values = row(right, true, n, 0);
      for (let s = 0; s < n; s++) expect(Number.isNaN(values[s])).toBe(s === 13);
    }
    shocks[13] = kept;
  });
});

describe('rows of binaries and pool shares', () => {
  const n = 32;
  const moves = Array.from({ length: n }, (_, i) => (fraction(i, 9) - 0.5) * 2);
  const ups = Array.from({ length: n }, (_, i) => 0.5 + fraction(i, 10));
  const levels = moves.map((x) => 100 * kernels.exp(x));
  const out = open.place(new Float64Array(n));
  const values = () => [...open.floats(out, n)];

  it('binaries: Φ(±d₂); at expiry a call pays above the strike, a put at or below', () => {
    for (const right of [1, -1]) {
      kernels.binaryRow(n, open.place(moves), open.place(ups), 0.1, 0.3, right, 5, 2, out, 16, 128);
      const wanted = moves.map((x, i) => {
        const v = 0.3 * ups[i]!;
        return 5 * kernels.normalCdf(right * ((0.1 + x) / v - v * 0.5)) - 2;
      });
      expect(values()).toEqual(wanted);
    }
    const spots = [...levels.slice(0, n - 1), 105];
    kernels.binaryPayoffRow(n, open.place(spots), 105, 1, 5, 2, out, 16, 128);
    expect(values()).toEqual(spots.map((s) => (s > 105 ? 3 : -2)));
    kernels.binaryPayoffRow(n, open.place(spots), 105, -1, 5, 2, out, 16, 128);
    expect(values()).toEqual(spots.map((s) => (s <= 105 ? 3 : -2)));
    kernels.binaryPayoffRow(
      n,
      open.place([Number.NaN, ...spots.slice(1)]),
      105,
      1,
      5,
      2,
      out,
      16,
      128,
    );
    expect(values()[0]).toBeNaN();
  });

  it('pool shares: scale · (√S₁ − √S₀)', () => {
    kernels.rootRow(n, open.place(levels), 100, 6, out, 16, 128);
    expect(values()).toEqual(levels.map((s) => 6 * (Math.sqrt(s) - 10)));
  });
});
