import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PlimsollError } from '../../src/errors.ts';
import { impliedVolatility } from '../../src/market/impliedVolatility.ts';
import { black76 } from '../../src/numerics.ts';

interface Point {
  readonly forward: number;
  readonly strike: number;
  readonly maturity: number;
  readonly right: 1 | -1;
  readonly price: number;
  readonly sigma: number;
}

const double = (hexadecimal: string): number => Buffer.from(hexadecimal, 'hex').readDoubleBE();

const points: readonly Point[] = readFileSync(
  new URL('../fixtures/impliedVolatility.csv', import.meta.url),
  'utf8',
)
  .trim()
  .split('\n')
  .map((line) => {
    const [forward, strike, maturity, right, price, sigma] = line.split(',') as [
      string,
      ...string[],
    ];
    return {
      forward: double(forward),
      strike: double(strike!),
      maturity: double(maturity!),
      right: right === '1' ? 1 : -1,
      price: double(price!),
      sigma: double(sigma!),
    };
  });

const outOfTheMoney = ({ forward, strike, right }: Point): boolean =>
  right * (forward - strike) <= 0;

function errorOf(point: Point): number {
  const { price, forward, strike, maturity, right, sigma } = point;
  return Math.abs(impliedVolatility(price, forward, strike, maturity, right) - sigma);
}

/** In σ, by the textbook derivative of Black (1976). */
function vegaOf({ forward, strike, maturity, sigma }: Point): number {
  const v = sigma * Math.sqrt(maturity);
  const d1 = Math.log(forward / strike) / v + v / 2;
  return ((forward * Math.exp((-d1 * d1) / 2)) / Math.sqrt(2 * Math.PI)) * Math.sqrt(maturity);
}

const ulp = (x: number): number => 2 ** (Math.floor(Math.log2(x)) - 52);

describe('implied volatility against 50 digits', () => {
  it('an out-of-the-money price of 1e-10 of the forward or more: to 1e-12', () => {
    const own = points.filter(outOfTheMoney);
    expect(own.length).toBeGreaterThan(800);
    // The bound is what METHODOLOGY section 2 states.
    for (const point of own) expect(errorOf(point), JSON.stringify(point)).toBeLessThan(1e-12);
  });

  it('an in-the-money price: to 4 ulp of the price over vega', () => {
    const own = points.filter((point) => !outOfTheMoney(point));
    expect(own.length).toBeGreaterThan(500);
    for (const point of own) {
      const limit = Math.max(1e-12, (4 * ulp(point.price)) / vegaOf(point));
      expect(errorOf(point), JSON.stringify(point)).toBeLessThanOrEqual(limit);
    }
  });

  it('inverts the Black-76 kernel over seven orders of maturity', () => {
    const some = fc.record({
      x: fc.double({ min: -3, max: 3, noNaN: true }),
      logSigma: fc.double({ min: Math.log(0.01), max: Math.log(3), noNaN: true }),
      logT: fc.double({ min: Math.log(1e-6), max: Math.log(10), noNaN: true }),
    });
    fc.assert(
      fc.property(some, ({ x, logSigma, logT }) => {
        const [strike, sigma, maturity] = [100 * Math.exp(x), Math.exp(logSigma), Math.exp(logT)];
        const right = strike >= 100 ? 1 : -1;
        const price = black76(100, strike, sigma * Math.sqrt(maturity), right);
        const vega = vegaOf({ forward: 100, strike, maturity, right, price, sigma });
        fc.pre(price > 1e-8 && vega > 1e-5);
        // The kernel's price is good to 4.2e-15 of the forward (kernels/black76.ts); the inverse itself to 1e-12.
        const limit = 1e-12 + (2 * 4.2e-13) / vega;
        return Math.abs(impliedVolatility(price, 100, strike, maturity, right) - sigma) < limit;
      }),
      { numRuns: 2_000, seed: 2015 },
    );
  });
});

describe('prices at and beyond the bounds', () => {
  const refusal = (...args: Parameters<typeof impliedVolatility>): [string, string | undefined] => {
    try {
      impliedVolatility(...args);
    } catch (error) {
      if (error instanceof PlimsollError) return [error.code, error.path];
    }
    return ['none', undefined];
  };

  it('the intrinsic value is that of volatility 0', () => {
    expect(impliedVolatility(10, 100, 90, 1, 1)).toBe(0);
    expect(impliedVolatility(0, 100, 90, 1, -1)).toBe(0);
    expect(impliedVolatility(0, 100, 100, 1, 1)).toBe(0);
  });

  it('what no volatility gives is refused', () => {
    const wrong = ['MISSING_VOLATILITY', 'price'];
    expect(refusal(9.99, 100, 90, 1, 1)).toEqual(wrong);
    expect(refusal(-1e-300, 100, 90, 1, -1)).toEqual(wrong);
    expect(refusal(100, 100, 90, 1, 1)).toEqual(wrong);
    expect(refusal(90, 100, 90, 1, -1)).toEqual(wrong);
    expect(refusal(Number.POSITIVE_INFINITY, 100, 90, 1, 1)).toEqual(wrong);
    expect(refusal(Number.NaN, 100, 90, 1, 1)).toEqual(wrong);
  });

  it('so is an argument out of range', () => {
    for (const bad of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(refusal(1, bad, 90, 1, 1)).toEqual(['INVALID_FIELD', 'forward']);
      expect(refusal(1, 100, bad, 1, 1)).toEqual(['INVALID_FIELD', 'strike']);
      expect(refusal(1, 100, 90, bad, 1)).toEqual(['INVALID_FIELD', 'maturity']);
    }
    expect(refusal(1, 100, 90, 1, 0 as 1)).toEqual(['INVALID_FIELD', 'right']);
  });

  it('the last doubles inside the bounds have a finite volatility', () => {
    const doubles = [5e-324, 1e-300, 1e-100, 1e-30, 90 * (1 - 2 ** -53), 90 * (1 - 2 ** -40)];
    for (const price of doubles) {
      const sigma = impliedVolatility(price, 100, 90, 1, -1);
      expect(sigma).toBeGreaterThan(0);
      expect(sigma).toBeLessThan(40);
    }
    for (const price of [5e-324, 1e-18, 1e-9, 100 * (1 - 2 ** -53)]) {
      const sigma = impliedVolatility(price, 100, 100, 1, 1);
      expect(sigma).toBeGreaterThan(0);
      expect(sigma).toBeLessThan(40);
    }
  });
});
