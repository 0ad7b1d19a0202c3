/** VaR, ES and their reported standard errors against closed forms: the estimate must be right, and so must what it says of its error. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { FactorModel } from '../../src/market/factorModel.ts';
import type { MarketSnapshot } from '../../src/market/snapshot.ts';
import { fillInProcess } from './inProcess.ts';

const truth = JSON.parse(
  readFileSync(new URL('../fixtures/closedForms.json', import.meta.url), 'utf8'),
) as {
  readonly esOfNormal: number;
  readonly z: number;
  readonly volatility: number;
  readonly lognormal: Sides;
  readonly clampedT: Sides & { readonly degreesOfFreedom: number };
};

interface Sides {
  readonly long: readonly [number, number];
  readonly short: readonly [number, number];
}

const asOf = '2026-01-02T08:00:00Z';

function spotMarket(ids: readonly string[]): MarketSnapshot {
  return {
    asOf,
    currency: 'USD',
    underlyings: ids.map((id) => ({ id, spot: 100 })),
    instruments: ids.map((id) => ({
      id: `${id}-PERPETUAL`,
      type: 'perpetual' as const,
      underlying: id,
      settlement: 'linear' as const,
      multiplier: 1,
    })),
  };
}

interface Scores {
  readonly valueAtRisk: number[];
  readonly expectedShortfall: number[];
}

/** z-scores of VaR and ES over seeds, in units of the error that each result reports. */
function scores(
  seeds: number,
  model: { readonly market: MarketSnapshot; readonly factors: FactorModel },
  sizes: Readonly<Record<string, number>>,
  expected: readonly [number, number],
): Scores {
  const valueAtRisk: number[] = [];
  const expectedShortfall: number[] = [];
  const positions = Object.entries(sizes).map(([instrument, size]) => ({ instrument, size }));
  for (let seed = 1; seed <= seeds; seed++) {
    const { margin } = fillInProcess({ ...model, methodology: { seed, scenarios: 10_240 } });
    const { risk } = margin({ id: 'a', positions });
    valueAtRisk.push((risk.valueAtRisk - expected[0]) / risk.standardError.valueAtRisk!);
    expectedShortfall.push(
      (risk.expectedShortfall - expected[1]) / risk.standardError.expectedShortfall!,
    );
  }
  return { valueAtRisk, expectedShortfall };
}

function meanAndDeviation(values: readonly number[]): {
  readonly mean: number;
  readonly deviation: number;
} {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (values.length - 1);
  return { mean, deviation: Math.sqrt(variance) };
}

const worstOf = (values: readonly number[]): number =>
  Math.max(...values.slice(0, 20).map(Math.abs));

describe.each(['long', 'short'] as const)('one lognormal asset, %s', (side) => {
  const market = spotMarket(['A']);
  const factors: FactorModel = {
    asOf,
    periodsPerYear: 365,
    factors: [{ id: 'A:spot', volatility: truth.volatility }],
    correlation: [[1]],
  };
  const z = scores(
    200,
    { market, factors },
    { 'A-PERPETUAL': side === 'long' ? 1 : -1 },
    truth.lognormal[side],
  );

  it('is within 4 standard errors for each of seeds 1 to 20', () => {
    expect(worstOf(z.valueAtRisk)).toBeLessThanOrEqual(4);
    expect(worstOf(z.expectedShortfall)).toBeLessThanOrEqual(4);
  });

  it.each([
    'valueAtRisk',
    'expectedShortfall',
  ] as const)('reports the right standard error of %s', (measure) => {
    const { mean, deviation } = meanAndDeviation(z[measure]);
    expect(Math.abs(mean)).toBeLessThanOrEqual(0.25);
    expect(deviation).toBeGreaterThanOrEqual(0.85);
    expect(deviation).toBeLessThanOrEqual(1.15);
  });
});

describe('a Bachelier sum of correlated normals', () => {
  const ids = ['A', 'B', 'C'];
  const volatility = [10, 20, 5];
  const correlation = [
    [1, 0.6, -0.3],
    [0.6, 1, 0.1],
    [-0.3, 0.1, 1],
  ];
  const sizes = [3, -1, 4];
  const factors: FactorModel = {
    asOf,
    periodsPerYear: 365,
    factors: ids.map((id, i) => ({
      id: `${id}:spot`,
      volatility: volatility[i]!,
      kind: 'absolute' as const,
    })),
    correlation,
  };
  let variance = 0;
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 3; j++) {
      variance += sizes[i]! * sizes[j]! * volatility[i]! * volatility[j]! * correlation[i]![j]!;
    }
  }
  const sigma = Math.sqrt(variance / 365);
  const expected = [truth.z * sigma, truth.esOfNormal * sigma] as const;
  const held = Object.fromEntries(ids.map((id, i) => [`${id}-PERPETUAL`, sizes[i]!]));
  const z = scores(200, { market: spotMarket(ids), factors }, held, expected);

  it('is within 4 standard errors for each of seeds 1 to 20', () => {
    expect(worstOf(z.valueAtRisk)).toBeLessThanOrEqual(4);
    expect(worstOf(z.expectedShortfall)).toBeLessThanOrEqual(4);
  });

  it.each([
    'valueAtRisk',
    'expectedShortfall',
  ] as const)('reports the right standard error of %s', (measure) => {
    const { mean, deviation } = meanAndDeviation(z[measure]);
    expect(Math.abs(mean)).toBeLessThanOrEqual(0.25);
    expect(deviation).toBeGreaterThanOrEqual(0.85);
    expect(deviation).toBeLessThanOrEqual(1.15);
  });
});

describe.each([
  'long',
  'short',
] as const)('clamped Student t with 4 degrees of freedom, %s', (side) => {
  const market = spotMarket(['A']);
  const factors: FactorModel = {
    asOf,
    periodsPerYear: 365,
    factors: [{ id: 'A:spot', volatility: truth.volatility }],
    correlation: [[1]],
    degreesOfFreedom: truth.clampedT.degreesOfFreedom,
  };
  const z = scores(
    200,
    { market, factors },
    { 'A-PERPETUAL': side === 'long' ? 1 : -1 },
    truth.clampedT[side],
  );

  it('is within 6 standard errors for each of seeds 1 to 20', () => {
    expect(worstOf(z.valueAtRisk)).toBeLessThanOrEqual(6);
    expect(worstOf(z.expectedShortfall)).toBeLessThanOrEqual(6);
  });

  it('reports a standard error of ES that a heavy tail allows', () => {
    // The sample's own variance is too small where the tail was missed, so z leans to the left and spreads.
    const { mean, deviation } = meanAndDeviation(z.expectedShortfall);
    expect(mean).toBeGreaterThanOrEqual(-0.45);
    expect(mean).toBeLessThanOrEqual(0.15);
    expect(deviation).toBeGreaterThanOrEqual(0.85);
    expect(deviation).toBeLessThanOrEqual(1.3);
  });
});
