/** What a factor model may say, what it defaults to, and what is refused. */
import { describe, expect, it } from 'vitest';
import {
  compileFactorModel,
  type FactorModel,
  readFactorModel,
} from '../../src/market/factorModel.ts';

const MODEL: FactorModel = {
  asOf: '2026-01-02T08:00:00Z',
  periodsPerYear: 365,
  factors: [
    { id: 'BTC:spot', volatility: 0.52 },
    { id: 'BTC:vol', volatility: 0.9, drift: -0.1 },
    { id: 'ETH:basis', volatility: 0.05, periodsPerYear: 252 },
  ],
  correlation: [
    [1, -0.4, 0.8],
    [-0.4, 1, -0.3],
    [0.8, -0.3, 1],
  ],
  degreesOfFreedom: 4,
  drift: 0.02,
};
const code = (name: string, path?: string) =>
  expect.objectContaining(path === undefined ? { code: name } : { code: name, path });

describe('compileFactorModel', () => {
  it('applies defaults and factors the correlation', () => {
    const compiled = compileFactorModel(MODEL);
    expect(compiled.ids).toEqual(['BTC:spot', 'BTC:vol', 'ETH:basis']);
    expect(compiled.index.get('ETH:basis')).toBe(2);
    expect(Array.from(compiled.kind)).toEqual([0, 0, 1]);
    expect(Array.from(compiled.drift)).toEqual([0.02, -0.1, 0.02]);
    expect(Array.from(compiled.periodsPerYear)).toEqual([365, 365, 252]);
    expect(compiled.degreesOfFreedom).toBe(4);
    // By hand: l₂₁ = −0.4, l₂₂ = √0.84, l₃₁ = 0.8, l₃₂ = (−0.3 + 0.32)/√0.84, l₃₃ = √(1 − 0.64 − l₃₂²); a few roundings of values ≤ 1.
    const l32 = 0.02 / Math.sqrt(0.84);
    const expected = [1, 0, 0, -0.4, Math.sqrt(0.84), 0, 0.8, l32, Math.sqrt(0.36 - l32 * l32)];
    expected.forEach((value, i) => {
      expect(compiled.cholesky[i]).toBeCloseTo(value, 15);
    });
  });

  it('hashes the value as given', () => {
    const { hash } = compileFactorModel(MODEL);
    expect(hash).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(compileFactorModel(structuredClone(MODEL)).hash).toBe(hash);
    expect(compileFactorModel({ ...MODEL, drift: 0.03 }).hash).not.toBe(hash);
  });

  it.each([1, -1])('accepts a correlation of %d', (rho) => {
    const compiled = compileFactorModel({
      ...MODEL,
      factors: MODEL.factors.slice(0, 2),
      correlation: [
        [1, rho],
        [rho, 1],
      ],
    });
    expect(Array.from(compiled.cholesky)).toEqual([1, 0, rho, 0]);
  });

  it('is gaussian without degrees of freedom, and holds a factor still at volatility 0', () => {
    const { degreesOfFreedom: _, ...gaussian } = MODEL;
    const still = [{ id: 'X:spot', volatility: 0 }, ...MODEL.factors.slice(1)];
    const compiled = compileFactorModel({ ...gaussian, factors: still });
    expect(compiled.degreesOfFreedom).toBeNull();
    expect(compiled.volatility[0]).toBe(0);
  });
});

describe('readFactorModel refuses', () => {
  const factor = (change: object) => ({
    ...MODEL,
    factors: [{ ...MODEL.factors[0], ...change }, ...MODEL.factors.slice(1)],
  });
  const entry = (row: number, column: number, value: unknown) => {
    const correlation: unknown[][] = structuredClone(MODEL.correlation);
    correlation[row]![column] = value;
    return { ...MODEL, correlation };
  };

  it.each([
    ['an id without a type', factor({ id: 'BTC' }), 'INVALID_FIELD', 'factors[0].id'],
    ['an unknown type', factor({ id: 'BTC:rho' }), 'INVALID_FIELD', 'factors[0].id'],
    ['no underlying', factor({ id: ':spot' }), 'INVALID_FIELD', 'factors[0].id'],
    ['skew', factor({ id: 'BTC:skew' }), 'UNSUPPORTED_FACTOR', 'factors[0].id'],
    ['curvature', factor({ id: 'BTC:curvature' }), 'UNSUPPORTED_FACTOR', 'factors[0].id'],
    ['the same id twice', factor({ id: 'BTC:vol' }), 'DUPLICATE_ID', 'factors[1].id'],
    [
      'a negative volatility',
      factor({ volatility: -0.1 }),
      'INVALID_FIELD',
      'factors[0].volatility',
    ],
    [
      'a NaN volatility',
      factor({ volatility: Number.NaN }),
      'INVALID_FIELD',
      'factors[0].volatility',
    ],
    ['an infinite drift', factor({ drift: Infinity }), 'INVALID_FIELD', 'factors[0].drift'],
    ['an unknown kind', factor({ kind: 'square' }), 'INVALID_FIELD', 'factors[0].kind'],
    ['a field too many', factor({ mean: 0 }), 'UNKNOWN_FIELD', 'factors[0].mean'],
    ['no factor', { ...MODEL, factors: [], correlation: [] }, 'INVALID_FIELD', 'factors'],
    [
      'a row too few',
      { ...MODEL, correlation: MODEL.correlation.slice(1) },
      'INVALID_FIELD',
      'correlation',
    ],
    [
      'a short row',
      {
        ...MODEL,
        correlation: [
          [1, 0, 0],
          [0, 1],
          [0, 0, 1],
        ],
      },
      'INVALID_FIELD',
      'correlation[1]',
    ],
    ['asymmetry', entry(2, 0, 0.8 + 1e-11), 'INVALID_FIELD', 'correlation[2][0]'],
    ['a diagonal of 0.99', entry(1, 1, 0.99), 'INVALID_FIELD', 'correlation[1][1]'],
    ['a correlation of 1.1', entry(0, 1, 1.1), 'INVALID_FIELD', 'correlation[0][1]'],
    ['a correlation of NaN', entry(0, 1, Number.NaN), 'INVALID_FIELD', 'correlation[0][1]'],
    [
      'two degrees of freedom',
      { ...MODEL, degreesOfFreedom: 2 },
      'INVALID_FIELD',
      'degreesOfFreedom',
    ],
    ['no periods', { ...MODEL, periodsPerYear: 0 }, 'INVALID_FIELD', 'periodsPerYear'],
    ['a date alone', { ...MODEL, asOf: '2026-01-02' }, 'INVALID_FIELD', 'asOf'],
  ])('%s', (_, value, name, path) => {
    expect(() => readFactorModel(value)).toThrow(code(name, path));
  });

  it('a missing field', () => {
    const { periodsPerYear: _, ...rest } = MODEL;
    expect(() => readFactorModel(rest)).toThrow(code('MISSING_FIELD', 'periodsPerYear'));
  });

  it('a correlation with a negative eigenvalue, and says which', () => {
    const correlation = [
      [1, 1, 0],
      [1, 1, 1],
      [0, 1, 1],
    ];
    const read = () => readFactorModel({ ...MODEL, correlation });
    expect(read).toThrow(code('NOT_POSITIVE_SEMIDEFINITE', 'correlation'));
    // 1 − √2.
    expect(read).toThrow(/-0\.41421356/);
  });
});
