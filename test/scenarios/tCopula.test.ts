/** The t-copula: each factor's own margin, the dependence of the copula, and what it has in common with the multivariate t. */
import { describe, expect, it } from 'vitest';
import { compileFactorModel, type FactorModel } from '../../src/market/factorModel.ts';
import { sourceScenarios } from '../../src/scenarios/source.ts';
import { studentDistribution } from '../../src/scenarios/studentDistribution.ts';
import { KOLMOGOROV_BOUND, kolmogorov } from '../workers/statistics.ts';
import { drawAll, drawnOf, MODEL, parametersOf } from './drawing.ts';

const OWN: FactorModel = {
  ...MODEL,
  factors: [
    { ...MODEL.factors[0]!, degreesOfFreedom: 3 },
    { ...MODEL.factors[1]!, degreesOfFreedom: 20 },
    MODEL.factors[2]!,
  ],
};

/** Level of a shock under a t with ν and standard deviation σ: held to scipy and mpmath in studentMargins.json by its quantiles. */
function levelOf(nu: number, sigma: number): (x: number) => number {
  const { tail } = studentDistribution(nu);
  const scale = sigma * Math.sqrt((nu - 2) / nu);
  return (x) => (x < 0 ? tail(-x / scale) : 1 - tail(x / scale));
}

/** Kendall's τ of n pairs by counting all of them. */
function kendall(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) {
    for (let j = 0; j < i; j++) sum += Math.sign((x[i]! - x[j]!) * (y[i]! - y[j]!));
  }
  return (2 * sum) / (x.length * (x.length - 1));
}

describe('t-copula', () => {
  it('gives each factor its own t margin at 10⁶ draws, scaled by √h', () => {
    const horizonDays = 4;
    const rest = { scenarios: 1_000_000, maxLogShock: 100, horizonDays };
    const { shocks } = drawnOf(OWN, 't-copula', rest);
    [3, 20, 5].forEach((nu, f) => {
      const sigma = OWN.factors[f]!.volatility * Math.sqrt(horizonDays / 365);
      const sorted = shocks[f]!.slice().sort();
      const level = levelOf(nu, sigma);
      expect(kolmogorov(sorted.map(level)), `factor ${f}`).toBeLessThan(KOLMOGOROV_BOUND);
    });
  });

  it('is the multivariate t to the bit where no factor has a tail of its own', () => {
    const { shocks } = drawnOf(MODEL, 't-copula');
    expect(shocks).toEqual(drawnOf(MODEL, 'student-t').shocks);
    // The copula's own ν, stated, is no other tail; and a factor that states none keeps the bits among others that do.
    const same = { ...MODEL, factors: MODEL.factors.map((f) => ({ ...f, degreesOfFreedom: 5 })) };
    expect(drawnOf(same, 't-copula').shocks).toEqual(shocks);
    expect(drawnOf(OWN, 't-copula').shocks[2]).toEqual(shocks[2]);
  });

  it('only maps margins: ranks are those of the multivariate t', () => {
    const own = drawnOf(OWN, 't-copula').shocks;
    const joint = drawnOf(MODEL, 'student-t').shocks;
    for (const f of [0, 1, 2]) {
      const order = (row: Float64Array) => [...row.keys()].sort((a, b) => row[a]! - row[b]!);
      expect(order(own[f]!)).toEqual(order(joint[f]!));
    }
  });

  it("has Kendall's τ = (2/π) asin ρ (Lindskog, McNeil and Schmock 2003)", () => {
    const n = 4096;
    const { shocks } = drawnOf(OWN, 't-copula', { scenarios: n });
    for (const [f, g] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ] as const) {
      const rho = OWN.correlation[f]![g]!;
      const tau = kendall(shocks[f]!, shocks[g]!);
      // Var τ̂ ≤ 2(1 − τ²)/n: four standard errors.
      const bound = 4 * Math.sqrt(2 / n);
      expect(Math.abs(tau - (2 / Math.PI) * Math.asin(rho))).toBeLessThan(bound);
    }
  });

  it('clamps and counts like the others', () => {
    const { shocks, clamped } = drawnOf(OWN, 't-copula', { maxLogShock: 0.05 });
    const at = shocks.flatMap((row) => [...row]).filter((x) => Math.abs(x) === 0.05).length;
    expect(at).toBeGreaterThan(100);
    expect(clamped).toBe(at);
  });

  it('needs degrees of freedom', () => {
    const { degreesOfFreedom: _, ...without } = OWN;
    expect(() => drawnOf(without, 't-copula')).toThrow(
      expect.objectContaining({ code: 'MISSING_FIELD', path: 'degreesOfFreedom' }),
    );
  });

  it('draws a block by itself as among others, and survives a copy to another thread', () => {
    const source = sourceScenarios(
      parametersOf('t-copula', { scenarios: 3000 }),
      compileFactorModel(OWN),
      null,
    );
    const copy = structuredClone(source.set);
    expect(drawAll(copy).shocks).toEqual(drawAll(source.set).shocks);
    const short = drawnOf(OWN, 't-copula', { scenarios: 1024 }).shocks;
    expect(short[0]).toEqual(drawAll(copy).shocks[0]!.subarray(0, 1024));
  });
});
