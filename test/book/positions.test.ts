/** Position arithmetic against exact rationals (test/fixtures/positions.py) and against numbers worked out by hand. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterTrade,
  type ContractTerms,
  fundingPayment,
  type PositionState,
  settlementPayment,
  sum,
} from '../../src/margin/positionArithmetic.ts';

interface Case {
  readonly name: string;
  readonly inverse: boolean;
  readonly multiplier: number;
  readonly trades: readonly {
    readonly size: number;
    readonly price: number;
    readonly held: number;
    readonly entry: number | null;
    readonly paid: number;
    readonly total: number;
  }[];
}

const cases = JSON.parse(
  readFileSync(new URL('../fixtures/positions.json', import.meta.url), 'utf8'),
) as readonly Case[];

const EPS = 2 ** -52;

function terms(more: Partial<ContractTerms> = {}): ContractTerms {
  const usual = { multiplier: 1, strike: Number.NaN, right: 0 } as const;
  return { type: 'perpetual', settlement: 'linear', ...usual, ...more };
}

function trade(
  before: PositionState | null,
  size: number,
  price: number,
  contract: ContractTerms,
  mark = Number.NaN,
) {
  return afterTrade(before, { size, price, mark }, contract);
}

describe('average cost', () => {
  it.each(cases)('$name', ({ inverse, multiplier, trades }) => {
    const contract = terms({ multiplier, settlement: inverse ? 'inverse' : 'linear' });
    let position: PositionState | null = null;
    let realised = 0;
    let slack = 0;
    trades.forEach((expected, i) => {
      const { size, price } = expected;
      const before: PositionState | null = position;
      const { after, paid } = trade(before, size, price, contract);
      // Sizes have three decimals at most: their decimal sum is exact.
      expect(after?.size ?? 0).toBe(expected.held);
      // An average takes 5 roundings, relative to prices that differ by at most a factor of 4; each carries on to the next of i trades.
      const roundings = 20 * (i + 1);
      if (expected.entry === null) expect(after).toBeNull();
      else {
        const error = Math.abs(after!.entryPrice - expected.entry);
        expect(error).toBeLessThanOrEqual(roundings * EPS * expected.entry);
      }
      // A gain is a difference of two prices (or of two reciprocals): its error is relative to the larger of them.
      const scale = inverse ? 4 / price : 4 * price;
      const most = Math.abs(before?.size ?? 0) * multiplier * scale;
      expect(Math.abs(paid - expected.paid)).toBeLessThanOrEqual(roundings * EPS * most);
      // Their sum is off by what each is, and by one rounding of itself a trade.
      realised += paid;
      slack += EPS * (roundings * most + Math.abs(realised));
      expect(Math.abs(realised - expected.total)).toBeLessThanOrEqual(slack);
      position = after;
    });
  });

  it('linear: 2 at 100 and 1 at 130 stand at 110; selling 4 at 120 realises 3 × 10 and turns to −1 at 120', () => {
    const contract = terms();
    const two = trade(null, 2, 100, contract).after;
    const three = trade(two, 1, 130, contract).after;
    expect(three).toEqual({ size: 3, entryPrice: 110, allocated: Number.NaN });
    const turned = trade(three, -4, 120, contract);
    expect(turned).toEqual({
      after: { size: -1, entryPrice: 120, allocated: Number.NaN },
      paid: 30,
    });
  });

  it('inverse: 100 at 50 and 100 at 100 stand at 200/3; closing at 100 realises 100/50 + 100/100 − 200/100 coins', () => {
    const contract = terms({ settlement: 'inverse' });
    const first = trade(null, 100, 50, contract).after;
    const both = trade(first, 100, 100, contract).after!;
    // 200 / (100/50 + 100/100) = 66.67: one division of exact numbers.
    expect(both.entryPrice).toBe(200 / 3);
    const flat = trade(both, -200, 100, contract);
    expect(flat.after).toBeNull();
    // 3 coins bought back for 2: 1 coin, up to the rounding of 1/(200/3) times 200.
    expect(Math.abs(flat.paid - 1)).toBeLessThanOrEqual(4 * EPS);
  });

  it('a short inverse position gains coins when the price falls', () => {
    const contract = terms({ settlement: 'inverse', multiplier: 10 });
    const short = trade(null, -8, 80, contract).after;
    expect(trade(short, 8, 64, contract).paid).toBe(-8 * 10 * (1 / 80 - 1 / 64));
    expect(trade(short, 8, 64, contract).paid).toBeGreaterThan(0);
  });

  it('what has no entry price settles to the mark and still has none', () => {
    const contract = terms({ multiplier: 0.5 });
    const before = { size: 2, entryPrice: Number.NaN, allocated: Number.NaN };
    const { after, paid } = trade(before, 4, 100, contract, 103);
    expect(after).toEqual({ size: 6, entryPrice: Number.NaN, allocated: Number.NaN });
    expect(paid).toBe(4 * 0.5 * 3);
  });

  it('premiums are paid at once: options per multiplier, pool shares per share', () => {
    const option = terms({ type: 'option', settlement: 'coin', strike: 100, right: 1 });
    expect(trade(null, -2.5, 0.04, { ...option, multiplier: 2 }).paid).toBe(0.2);
    expect(trade(null, 3, 250, terms({ type: 'pool', multiplier: 7 })).paid).toBe(-750);
    expect(trade(null, 3, 250, terms({ type: 'spot', multiplier: 2 })).paid).toBe(-1500);
  });

  it('an allocation shrinks with its position and ends when it turns around', () => {
    const before = { size: 8, entryPrice: 100, allocated: 400 };
    expect(trade(before, -2, 100, terms()).after!.allocated).toBe(300);
    expect(trade(before, 2, 100, terms()).after!.allocated).toBe(400);
    expect(trade(before, -9, 100, terms()).after!.allocated).toBe(Number.NaN);
  });
});

describe('expiry and funding', () => {
  const long = { size: 3, entryPrice: 100 };
  const bare = { size: 3, entryPrice: Number.NaN };

  it('futures realise, options pay off, binaries pay or do not', () => {
    const future = terms({ type: 'future', multiplier: 2 });
    expect(settlementPayment(long, 110, Number.NaN, future)).toBe(60);
    expect(settlementPayment(bare, 110, 109, future)).toBe(6);
    const inverse = terms({ type: 'future', settlement: 'inverse', multiplier: 128 });
    expect(settlementPayment({ size: -1, entryPrice: 64 }, 128, Number.NaN, inverse)).toBe(-1);
    const call = terms({ type: 'option', strike: 90, right: 1, multiplier: 2 });
    expect(settlementPayment(bare, 100, Number.NaN, call)).toBe(60);
    expect(settlementPayment(bare, 90, Number.NaN, call)).toBe(0);
    expect(settlementPayment(bare, 100, Number.NaN, { ...call, settlement: 'coin' })).toBe(0.6);
    expect(settlementPayment(bare, 80, Number.NaN, { ...call, right: -1 })).toBe(60);
    const binary = terms({ type: 'binary', strike: 90, right: 1, multiplier: 50 });
    expect(settlementPayment(bare, 90.01, Number.NaN, binary)).toBe(150);
    expect(settlementPayment(bare, 90, Number.NaN, binary)).toBe(0);
    expect(settlementPayment(bare, 90, Number.NaN, { ...binary, right: -1 })).toBe(150);
  });

  it('longs pay a positive rate on the value at the mark', () => {
    expect(fundingPayment(4, 0.25, 100, terms({ multiplier: 0.5 }))).toBe(-50);
    expect(fundingPayment(-4, 0.25, 100, terms({ multiplier: 0.5 }))).toBe(50);
    expect(fundingPayment(400, 0.25, 100, terms({ settlement: 'inverse' }))).toBe(-1);
  });
});

describe('sum', () => {
  it('adds decimals as decimals', () => {
    expect(sum(sum(0.1, 0.2), -0.3)).toBe(0);
    expect(Object.is(sum(0.1, -0.1), 0)).toBe(true);
    expect(sum(1.1, 2.2)).toBe(3.3);
    expect(sum(1e15, 0.5)).toBe(1e15 + 0.5);
    expect(sum(123456.789, 1e-9)).toBe(123456.789000001);
  });

  it('is the double nearest to the decimal sum, by whole numbers', () => {
    // Both within 2^50 units of 1e-6: the exact sum is a whole number of units, written as a decimal and read back.
    const units = fc.maxSafeInteger().map((n) => n % 1_000_000_000_000);
    const property = fc.property(units, units, (a, b) => {
      const exact = Number(`${BigInt(a) + BigInt(b)}e-6`);
      expect(sum(Number(`${a}e-6`), Number(`${b}e-6`))).toBe(exact + 0);
    });
    fc.assert(property, { numRuns: 2_000, seed: 7 });
  });

  it('is never further off than the usual sum by more than its last place', () => {
    const any = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e18, max: 1e18 });
    const property = fc.property(any, any, (a, b) => {
      // Half an ulp of a, of b (read as decimals) and of the result, twice over for the plain sum's own.
      const slack = 2 * EPS * (Math.abs(a) + Math.abs(b));
      expect(Math.abs(sum(a, b) - (a + b))).toBeLessThanOrEqual(slack);
    });
    fc.assert(property, { numRuns: 2_000, seed: 8 });
  });
});
