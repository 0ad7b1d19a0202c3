import { describe, expect, it } from 'vitest';
import { leastOf, RootSearch } from '../../src/engine/studies/liquidationPriceSearch.ts';
import { selectLeast, worstMean } from '../../src/engine/studies/liquidationPriceTails.ts';
import type { Trial } from '../../src/engine/studies/liquidationPriceTrial.ts';

/** Headroom as a polynomial with these roots (in price over today's), and a model of it that is off by a share of the requirement. */
function searchOf(roots: readonly number[], side: 1 | -1, error: (x: number) => number) {
  const requirement = 1;
  const headroom = (factor: number): number =>
    roots.reduce((product, root) => product * ((factor - root) / (1 - root)), 1);
  let trials = 0;
  const revalue = (factor: number): Trial => {
    trials += 1;
    const value = headroom(factor);
    return { factor, equity: value + requirement, requirement, headroom: value, standardError: 0 };
  };
  const model = {
    at: (x: number) => ({
      headroom: headroom(Math.exp(x)) + requirement * error(x),
      requirement,
    }),
  };
  const found = new RootSearch(model, revalue, revalue(1), side).find();
  return { found, trials: () => trials };
}

const MODELS: readonly (readonly [string, (x: number) => number])[] = [
  ['exact', () => 0],
  ['low by 8%', () => -0.08],
  ['high, and the more the further', (x) => 0.1 * Math.min(1, Math.abs(x) / 0.5)],
  ['waving', (x) => 0.05 * Math.sin(9 * x)],
];

describe('the search for the nearest root', () => {
  for (const [name, error] of MODELS) {
    it(`finds it with a model that is ${name}`, () => {
      const cases: readonly (readonly [readonly number[], 1 | -1, number])[] = [
        [[0.7], -1, 0.7],
        [[1.4], 1, 1.4],
        [[0.9, 0.6, 0.2], -1, 0.9],
        [[1.2, 1.5, 3], 1, 1.2],
        [[0.05 + 1e-6], -1, 0.05 + 1e-6],
        [[0.8, 1.3], 1, 1.3],
        [[0.8, 1.3], -1, 0.8],
      ];
      for (const [roots, side, expected] of cases) {
        const { found, trials } = searchOf(roots, side, error);
        expect(found).not.toBeNull();
        // |headroom| ≤ 1e-9 of the requirement, over slopes from 0.5 on.
        expect(Math.abs(found!.trial.factor / expected - 1)).toBeLessThan(1e-8);
        expect(trials()).toBeLessThan(40);
      }
    });

    it(`finds none where there is none, with a model that is ${name}`, () => {
      expect(searchOf([], 1, error).found).toBeNull();
      expect(searchOf([], -1, error).found).toBeNull();
      expect(searchOf([0.8], 1, error).found).toBeNull();
      expect(searchOf([1.3], -1, error).found).toBeNull();
      expect(searchOf([0.04], -1, error).found).toBeNull();
    });
  }

  it('sees two roots closer together than its steps, as a minimum', () => {
    for (const [, error] of MODELS.slice(0, 3)) {
      for (const [roots, side, expected] of [
        [[0.8, 0.79], -1, 0.8],
        [[2, 2.06], 1, 2],
      ] as const) {
        const { found } = searchOf(roots, side, error);
        // Between them headroom falls to 6e-4 of the requirement: slopes of 0.2 and 0.05 at the roots.
        expect(Math.abs(found!.trial.factor / expected - 1)).toBeLessThan(1e-7);
      }
    }
  });

  it('takes few revaluations where the model is good', () => {
    for (const root of [0.5, 0.9, 1.1, 2.5]) {
      const { found, trials } = searchOf([root], root < 1 ? -1 : 1, (x) => 0.02 * x);
      expect(Math.abs(found!.trial.factor / root - 1)).toBeLessThan(1e-8);
      expect(trials()).toBeLessThanOrEqual(7);
    }
  });
});

describe('a headroom that jumps over 0', () => {
  // 1 − (distance)/2 up to the jump at 0.8 (or 1.3), beyond it −0.1.
  const jumping = (at: number, side: 1 | -1, error = 0) => {
    const headroom = (factor: number): number =>
      side * (factor - at) < 0 ? 1 - Math.abs(factor - 1) / 2 : -0.1;
    const revalue = (factor: number): Trial => {
      const value = headroom(factor);
      return { factor, equity: value + 1, requirement: 1, headroom: value, standardError: 0.1 };
    };
    const model = {
      at: (x: number) => ({ headroom: headroom(Math.exp(x)) + error, requirement: 1 }),
    };
    return new RootSearch(model, revalue, revalue(1), side).find();
  };

  it.each([
    [0.8, -1, 0],
    [1.3, 1, 0],
    [0.8, -1, 0.05],
    [2.1, 1, -0.02],
  ] as const)('at %d is found and said to be one: the price is just beyond', (at, side, error) => {
    const root = jumping(at, side, error)!;
    expect(root.jump).toBe(true);
    expect(root.trial.headroom).toBe(-0.1);
    expect(Math.abs(root.trial.factor / at - 1)).toBeLessThan(1e-6);
    expect(root.slope).toBeNaN();
  });

  it('is none where it only is steep', () => {
    // From 1 to −1 within 2e-4 of the price: a slope of 1e4.
    const root = searchOf([0.9], -1, () => 0).found!;
    expect(root.jump).toBe(false);
    const steep = (factor: number): number => Math.max(-1, Math.min(1, (factor - 0.9) * 1e4));
    const revalue = (factor: number): Trial => {
      const value = steep(factor);
      return { factor, equity: value + 1, requirement: 1, headroom: value, standardError: 0 };
    };
    const model = { at: (x: number) => ({ headroom: steep(Math.exp(x)), requirement: 1 }) };
    const found = new RootSearch(model, revalue, revalue(1), -1).find()!;
    expect(found.jump).toBe(false);
    // |headroom| ≤ 1e-6 over a slope of 1e4.
    expect(Math.abs(found.trial.factor - 0.9)).toBeLessThan(1e-10);
  });
});

describe('its tools', () => {
  it('golden section finds a minimum, also at an end', () => {
    // 12 sections leave 0.618¹² = 0.3% of the bracket.
    expect(Math.abs(leastOf((x) => (x - 0.3) ** 2, 0, 1) - 0.3)).toBeLessThan(0.005);
    expect(leastOf((x) => x, 0, 1)).toBe(0);
    expect(leastOf((x) => -x, 0, 1)).toBe(1);
  });

  it('selection leaves the least values first, whatever the order and the ties', () => {
    let state = 12345;
    const next = (): number => {
      state = (state * 1103515245 + 12345) % 2 ** 31;
      return state;
    };
    for (let n = 1; n < 60; n++) {
      const values = Array.from({ length: n }, () => next() % 17);
      for (const k of [1, Math.ceil(n / 3), n]) {
        const room = Float64Array.from(values);
        selectLeast(room, k);
        const sorted = values.toSorted((a, b) => a - b);
        expect([...room.subarray(0, k)].sort((a, b) => a - b)).toEqual(sorted.slice(0, k));
        // METHODOLOGY section 4: ES with a fractional weight on the k-th.
        const mass = Math.max(0.5, k - 0.25);
        const kth = sorted[k - 1]!;
        const sum = sorted.slice(0, k - 1).reduce((total, value) => total + value, 0);
        const expected = mass < 1 ? -kth : -(sum + (mass - (k - 1)) * kth) / mass;
        // Sums of a few integers in another order: a few ulp.
        expect(Math.abs(worstMean(Float64Array.from(values), mass) - expected)).toBeLessThan(
          1e-13 * 17,
        );
      }
    }
  });
});
