/** Optional fields of a factor: own tails and long-run volatility; models without them keep their identity. */
import { describe, expect, it } from 'vitest';
import { compileFactorModel, type FactorModel } from '../../src/market/factorModel.ts';

const MODEL: FactorModel = {
  asOf: '2026-01-02T08:00:00Z',
  periodsPerYear: 365,
  factors: [
    { id: 'BTC:spot', volatility: 0.5 },
    { id: 'ETH:spot', volatility: 0.7 },
  ],
  correlation: [
    [1, 0.8],
    [0.8, 1],
  ],
};

const withField = (field: object): FactorModel => ({
  ...MODEL,
  factors: [MODEL.factors[0]!, { ...MODEL.factors[1]!, ...field }],
});

describe('optional fields of a factor', () => {
  it('default to the model: its tail, its volatility, no jumps', () => {
    const compiled = compileFactorModel(MODEL);
    expect([...compiled.tailDegrees]).toEqual([0, 0]);
    expect([...compiled.longRunVolatility]).toEqual([0.5, 0.7]);
    expect(compiled.jumps).toEqual([]);
    // SHA-256 of the model's canonical JSON, by `sha256sum`: fields that a model does not have are not in it.
    expect(compiled.hash).toBe(
      'sha256:57feca9c6e1c846b97d28d34da582bf8b6ba8921bf03063ca0fe86efe105cdd4',
    );
  });

  it('are taken where they stand', () => {
    const model = withField({ degreesOfFreedom: 3.5, longRunVolatility: 0.9, longRunYears: 6.5 });
    const compiled = compileFactorModel(model);
    expect([...compiled.tailDegrees]).toEqual([0, 3.5]);
    expect([...compiled.longRunVolatility]).toEqual([0.5, 0.9]);
    expect(compiled.hash).not.toBe(compileFactorModel(MODEL).hash);
  });

  it.each([
    ['degreesOfFreedom', 2],
    ['degreesOfFreedom', 1e10],
    ['longRunVolatility', 0],
    ['longRunVolatility', '0.5'],
    ['longRunYears', -1],
    ['longRunYears', 1000],
  ])('refuses %s %s', (field, value) => {
    expect(() => compileFactorModel(withField({ [field]: value }))).toThrow(
      expect.objectContaining({ code: 'INVALID_FIELD', path: `factors[1].${field}` }),
    );
  });
});
