/** Jump-diffusion: cumulants of a compound Poisson sum in closed form, who takes part in a jump, what the bits depend on. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compileFactorModel, type FactorModel } from '../../src/market/factorModel.ts';
import type { Jumps } from '../../src/market/jumps.ts';
import { correlation, rawMoments } from '../workers/statistics.ts';
import { drawnOf, MODEL } from './drawing.ts';

interface Case {
  readonly volatility: number;
  readonly intensity: number;
  readonly mean: number;
  readonly deviation: number;
  readonly horizonDays: number;
  /** κ₁ … κ₄ of the shock over the horizon. */
  readonly cumulants: readonly [number, number, number, number];
}
const { jumps: cases } = JSON.parse(
  readFileSync(new URL('../fixtures/scenarioModels.json', import.meta.url), 'utf8'),
) as { readonly jumps: readonly Case[] };

const { degreesOfFreedom: _, ...GAUSSIAN } = MODEL;
const withJumps = (jumps: Jumps, model: FactorModel = GAUSSIAN): FactorModel => ({
  ...model,
  jumps,
});
const wide = { maxLogShock: 100 } as const;

function oneAsset(at: Case, own: boolean): FactorModel {
  const size = { intensity: at.intensity, mean: at.mean, volatility: at.deviation };
  return {
    asOf: MODEL.asOf,
    periodsPerYear: 365,
    factors: [{ id: 'A:spot', volatility: at.volatility }],
    correlation: [[1]],
    jumps: own ? { idiosyncratic: { A: size } } : { common: size },
  };
}

/** Sample cumulants and their standard errors, by splitting the sample into 100 parts. */
function cumulants(sample: Float64Array): { readonly value: number; readonly error: number }[] {
  const parts = 100;
  const size = Math.floor(sample.length / parts);
  const of = (part: Float64Array): readonly number[] => {
    const [a, b, c, d] = rawMoments(part);
    return [
      a,
      b - a * a,
      c - 3 * a * b + 2 * a ** 3,
      d - 4 * a * c - 3 * b * b + 12 * a * a * b - 6 * a ** 4,
    ];
  };
  const each = Array.from({ length: parts }, (_, i) =>
    of(sample.subarray(i * size, (i + 1) * size)),
  );
  return of(sample).map((value, k) => {
    const mean = each.reduce((sum, part) => sum + part[k]!, 0) / parts;
    const variance = each.reduce((sum, part) => sum + (part[k]! - mean) ** 2, 0) / (parts - 1);
    return { value, error: Math.sqrt(variance / parts) };
  });
}

describe('jump-diffusion', () => {
  describe.each(cases)('$intensity jumps a year over $horizonDays days', (at) => {
    it.each([true, false])('has mean, variance, skew and kurtosis of the law (own: %s)', (own) => {
      const rest = { ...wide, scenarios: 1_000_000, horizonDays: at.horizonDays };
      const { shocks } = drawnOf(oneAsset(at, own), 'jump-diffusion', rest);
      cumulants(shocks[0]!).forEach(({ value, error }, k) => {
        // Uncompensated: the mean is λh·m. Four standard errors at a fixed seed.
        expect(Math.abs(value - at.cumulants[k]!) / error, `κ${k + 1}`).toBeLessThan(4);
      });
    });
  });

  it('adds the same jump to every log spot, and volJump times it to vols', () => {
    const jumps: Jumps = { common: { intensity: 300, mean: -0.1, volatility: 0.2, volJump: -1.5 } };
    const calm = drawnOf(GAUSSIAN, 'gaussian', wide).shocks;
    const jumpy = drawnOf(withJumps(jumps), 'jump-diffusion', wide).shocks;
    const jump = jumpy.map((row, f) => row.map((x, s) => x - calm[f]![s]!));
    // One rounding of values below 4 each way.
    for (let s = 0; s < 4096; s++) {
      expect(Math.abs(jump[1]![s]! - jump[0]![s]!)).toBeLessThan(2e-15);
      expect(Math.abs(jump[2]![s]! + 1.5 * jump[0]![s]!)).toBeLessThan(4e-15);
    }
    expect(jump[0]!.some((x) => x === 0)).toBe(true);
    expect(jump[0]!.some((x) => Math.abs(x) > 0.1)).toBe(true);
  });

  it('takes loadings by factor, and lets the others stay', () => {
    const common = { intensity: 300, mean: -0.1, volatility: 0.2, volJump: 9 };
    const loadings = { 'B:spot': 0.5, 'A:vol': 0 };
    const calm = drawnOf(GAUSSIAN, 'gaussian', wide).shocks;
    const usual = drawnOf(withJumps({ common }), 'jump-diffusion', wide).shocks;
    const loaded = drawnOf(withJumps({ common: { ...common, loadings } }), 'jump-diffusion', wide);
    expect(loaded.shocks[0]).toEqual(usual[0]);
    expect(loaded.shocks[2]).toEqual(calm[2]);
    loaded.shocks[1]!.forEach((x, s) => {
      const half = 0.5 * (usual[1]![s]! - calm[1]![s]!);
      expect(Math.abs(x - calm[1]![s]! - half)).toBeLessThan(2e-15);
    });
  });

  it('draws idiosyncratic jumps independently, a vol with its own spot', () => {
    const size = { intensity: 365, mean: 0, volatility: 0.3 };
    const idiosyncratic = { '*': size, A: { ...size, volJump: 2 } };
    const still = { ...GAUSSIAN, factors: GAUSSIAN.factors.map((f) => ({ ...f, volatility: 0 })) };
    const rest = { ...wide, scenarios: 100_000 };
    const { shocks } = drawnOf(withJumps({ idiosyncratic }, still), 'jump-diffusion', rest);
    // 1/√n is the standard error of a correlation of 0; tails are heavy, but the product's variance is finite and theirs is 1.
    expect(Math.abs(correlation(shocks[0]!, shocks[1]!))).toBeLessThan(4 / Math.sqrt(1e5));
    expect(shocks[2]).toEqual(shocks[0]!.map((x) => 2 * x));
  });

  it('stands on Student t where the model has degrees of freedom, with the same random numbers', () => {
    const never: Jumps = { common: { intensity: 1e-300, mean: 1, volatility: 1 } };
    const t = drawnOf(withJumps(never, MODEL), 'jump-diffusion').shocks;
    expect(t).toEqual(drawnOf(MODEL, 'student-t').shocks);
    const normal = drawnOf(withJumps(never), 'jump-diffusion').shocks;
    expect(normal).toEqual(drawnOf(GAUSSIAN, 'gaussian').shocks);
  });

  it('clamps the sum of both, and counts it once', () => {
    const jumps: Jumps = { common: { intensity: 365, mean: -1, volatility: 1 } };
    const { shocks, clamped } = drawnOf(withJumps(jumps), 'jump-diffusion', { maxLogShock: 0.5 });
    const at = shocks.flatMap((row) => [...row]).filter((x) => Math.abs(x) === 0.5).length;
    expect(clamped).toBe(at);
    expect(at).toBeGreaterThan(1000);
  });

  it.each([
    [{}, 'INVALID_FIELD', 'jumps'],
    [{ idiosyncratic: {} }, 'INVALID_FIELD', 'jumps'],
    [
      { common: { intensity: 0, mean: 0, volatility: 1 } },
      'INVALID_FIELD',
      'jumps.common.intensity',
    ],
    [{ common: { intensity: 1, mean: 0 } }, 'MISSING_FIELD', 'jumps.common.volatility'],
    [
      { common: { intensity: 1, mean: 0, volatility: 1, loadings: { 'C:spot': 1 } } },
      'INVALID_FIELD',
      'jumps.common.loadings.C:spot',
    ],
    [
      { idiosyncratic: { C: { intensity: 1, mean: 0, volatility: 1 } } },
      'INVALID_FIELD',
      'jumps.idiosyncratic.C',
    ],
  ])('refuses %j', (jumps, code, path) => {
    expect(() => compileFactorModel(withJumps(jumps as Jumps))).toThrow(
      expect.objectContaining({ code, path }),
    );
  });

  it('needs jumps, and not too many in a horizon', () => {
    const missing = expect.objectContaining({ code: 'MISSING_FIELD', path: 'jumps' });
    expect(() => drawnOf(MODEL, 'jump-diffusion')).toThrow(missing);
    const many = withJumps({ common: { intensity: 100_000, mean: 0, volatility: 0.1 } });
    const refused = expect.objectContaining({ code: 'INVALID_FIELD', path: 'jumps' });
    expect(() => drawnOf(many, 'jump-diffusion', { horizonDays: 10 })).toThrow(refused);
  });

  it('leaves absolute spots out unless they are named', () => {
    const factors = MODEL.factors.map((f, i) =>
      i === 1 ? { ...f, kind: 'absolute' as const } : f,
    );
    const size = { intensity: 365, mean: 0.1, volatility: 0 };
    const model = { ...GAUSSIAN, factors };
    const { jumps } = compileFactorModel({
      ...model,
      jumps: { common: size, idiosyncratic: { '*': size } },
    });
    expect(jumps.map(({ loads }) => loads.map(({ factor }) => factor))).toEqual([[0], [0]]);
    expect(() => compileFactorModel({ ...model, jumps: { idiosyncratic: { B: size } } })).toThrow(
      expect.objectContaining({ code: 'INVALID_FIELD', path: 'jumps.idiosyncratic.B' }),
    );
  });
});
