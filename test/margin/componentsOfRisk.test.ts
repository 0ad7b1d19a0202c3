/** Formulas of METHODOLOGY section 5 that read expected shortfalls alone, each against a case whose arithmetic stands here. */
import { describe, expect, it } from 'vitest';
import { antiProcyclical } from '../../src/margin/antiProcyclicality.ts';
import type { ComponentContext, Shortfalls } from '../../src/margin/components/context.ts';
import { dependence } from '../../src/margin/components/dependence.ts';
import { marketRisk } from '../../src/margin/components/marketRisk.ts';
import { stress } from '../../src/margin/components/stress.ts';
import type { ComponentName, MethodologyInput } from '../../src/margin/methodologySchema.ts';
import { readHistory } from '../../src/market/history.ts';
import { fillInProcess } from '../engine/inProcess.ts';
import { charging, factors, lineOf, market } from './roundMarket.ts';

/** Figures below are exact in decimals up to a million; doubles and some thirty operations keep twelve digits. */
const close = (got: number, expected: number) => {
  expect(Math.abs(got - expected)).toBeLessThanOrEqual(1e-12 * Math.abs(expected));
};

type Position = {
  readonly instrument: string;
  readonly size: number;
  readonly entryPrice?: number;
};
const held = (...positions: readonly Position[]) => ({ id: 'a', positions });

/** One component alone, as charged to an account. */
function initialOf(name: ComponentName, methodology?: MethodologyInput) {
  const { margin } = charging([name], methodology);
  return (account: object) => lineOf(margin(account), name).initial;
}

/** Components that only read expected shortfalls need nothing else. */
function context(
  shortfalls: Partial<Shortfalls>,
  methodology?: MethodologyInput,
): ComponentContext {
  const { session } = charging(['marketRisk'], methodology);
  const none = { base: 0, zero: NaN, perfect: NaN, longRun: NaN, stressed: NaN, stress: NaN };
  return {
    valuation: session.valuation,
    shortfalls: { ...none, ...shortfalls },
    exposures: [],
    concentrated: [],
    collateral: [],
  };
}

describe('anti-procyclicality', () => {
  const apply = (
    es: number,
    esLongRun: number,
    esStressed: number,
    buffer: boolean,
    stressed: boolean,
  ) => antiProcyclical({ es, esLongRun, esStressed }, { buffer, stressed });

  it.each([
    // min(1.25 · 100, max(1.25 · longRun, 100))
    [80, 100, '1.25 · 80 = 100: the buffer is used up exactly'],
    [60, 100, 'never below ES itself'],
    [90, 112.5, '1.25 · 90 is between ES and 1.25 ES'],
    [100, 125, 'at the long run the whole 25%'],
    [140, 125, 'never more than 25%'],
  ])('(a) with long-run ES %d a today’s 100 becomes %d: %s', (longRun, expected) => {
    expect(apply(100, longRun, NaN, true, false)).toBe(expected);
  });

  it('(b) is 0.75 · 100 + 0.25 · 200 = 125, upwards or downwards', () => {
    expect(apply(100, NaN, 200, false, true)).toBe(125);
    expect(apply(100, NaN, 60, false, true)).toBe(90);
  });

  it('b comes before a: min(1.25 · 125, max(1.25 · 110, 125)) = 137.5, where a before b would give 143.75', () => {
    expect(apply(100, 110, 200, true, true)).toBe(137.5);
    // 0.75 · min(125, max(137.5, 100)) + 0.25 · 200
    expect(0.75 * Math.min(125, Math.max(137.5, 100)) + 0.25 * 200).toBe(143.75);
  });

  it('(c) raises each volatility that is below its long run, and lowers none', () => {
    const at = (spot: object, more: MethodologyInput = {}) => {
      const model = {
        ...factors,
        factors: [{ ...factors.factors[0]!, ...spot }, ...factors.factors.slice(1)],
      };
      const account = held({ instrument: 'BTC-LIN', size: 100 });
      return charging(['marketRisk'], more, model).margin(account).risk.expectedShortfall;
    };
    const floored = { antiProcyclicality: { longRunFloor: true } };
    expect(at({ volatility: 0.3, longRunVolatility: 0.6 }, floored)).toBe(at({ volatility: 0.6 }));
    expect(at({ volatility: 0.6, longRunVolatility: 0.3 }, floored)).toBe(at({ volatility: 0.6 }));
    expect(at({ volatility: 0.3, longRunVolatility: 0.6 })).toBe(at({ volatility: 0.3 }));
  });

  it('c comes before a: at floored volatilities nothing of the buffer is used up by a calm market', () => {
    const model = {
      ...factors,
      factors: factors.factors.map((f) => ({ ...f, longRunVolatility: 2 * f.volatility })),
    };
    const account = held({ instrument: 'BTC-LIN', size: 100 });
    const both = { antiProcyclicality: { longRunFloor: true, buffer: true } };
    const result = charging(['marketRisk'], both, model).margin(account);
    expect(result.initialMargin).toBe(1.25 * result.risk.expectedShortfall);
  });

  it('market risk is not negative', () => {
    expect(marketRisk.amount(context({ base: -100 }))).toBe(0);
  });
});

describe('stress: w · max(0, worst loss − market risk)', () => {
  it.each([
    [3_000, 500, '0.25 · (3,000 − 1,000)'],
    [900, 0, 'what market risk covers costs nothing'],
    [-50, 0, 'nor does a gain'],
  ])('worst loss %d: %d (%s)', (worst, expected) => {
    expect(stress.amount(context({ base: 1_000, stress: worst }))).toBe(expected);
  });

  it('compares with market risk after anti-procyclicality: 0.25 · (3,000 − 1,250) = 437.5', () => {
    const anti = { antiProcyclicality: { buffer: true } };
    const shortfalls = { base: 1_000, longRun: 1_000, stress: 3_000 };
    expect(stress.amount(context(shortfalls, anti))).toBe(437.5);
  });

  it('takes the worst scenario of the library: 100 BTC short, +12%', () => {
    const library = {
      hypothetical: false,
      scenarios: [
        { name: 'up', spot: 0.12 },
        { name: 'down', spot: -0.5 },
      ],
    };
    const of = initialOf('stress', { stress: { library, weight: 1 } });
    const account = held({ instrument: 'BTC-LIN', size: -10_000 });
    const { margin } = charging(['marketRisk']);
    // 100 · 0.12 · 100,000 = 1,200,000, less the ES
    close(of(account), 1_200_000 - margin(account).risk.expectedShortfall);
  });
});

describe('dependence: w · max(0, max(ES unrelated, ES in step) − ES)', () => {
  it.each([
    [900, 1_600, 150, '0.25 · 600'],
    [1_200, 700, 50, '0.25 · 200'],
    [900, 700, 0, 'neither is worse'],
  ])('unrelated %d, in step %d: %d (%s)', (zero, perfect, expected) => {
    expect(dependence.amount(context({ base: 1_000, zero, perfect }))).toBe(expected);
  });

  it('is nothing for one underlying, whatever is held in it', () => {
    const of = initialOf('dependence');
    const options = [
      { instrument: 'BTC-NEAR-100-C', size: -3 },
      { instrument: 'BTC-LIN', size: 20 },
    ];
    expect(of({ ...held(...options), collateral: [{ asset: 'BTC', amount: 1 }] })).toBe(0);
  });

  it('of one law twice: long both, in step is twice the one', () => {
    const { margin } = charging(['dependence'], { dependence: { weight: 1 } });
    const [btc, eth, both] = [
      held({ instrument: 'BTC-LIN', size: 100 }),
      held({ instrument: 'ETH-LIN', size: 25 }),
      held({ instrument: 'BTC-LIN', size: 100 }, { instrument: 'ETH-LIN', size: 25 }),
    ].map((account) => margin(account));
    // Comonotone additivity: both fall in the same scenarios, so ES₁ is the sum of the two.
    const perfect = btc!.risk.expectedShortfall + eth!.risk.expectedShortfall;
    const charged = lineOf(both!, 'dependence').initial;
    expect(charged / (perfect - both!.risk.expectedShortfall)).toBeCloseTo(1, 10);
  });
});

describe('(b) of an absolute spot', () => {
  it('replays relative changes of the history, in price units', async () => {
    // Levels of 50 and a fall by a fifth: a fall from today's 200 to 160.
    const levels = Array.from({ length: 25 }, (_, i) => (i < 12 ? 50 + (i % 2) : 40 + (i % 2)));
    const rows = levels.map((level, i) => `2025-03-${String(i + 1).padStart(2, '0')},${level}`);
    const history = await readHistory(Buffer.from(['date,SOL:spot', ...rows].join('\n')), 'h.csv');
    const model = {
      asOf: factors.asOf,
      periodsPerYear: 365,
      factors: [{ id: 'SOL:spot', kind: 'absolute' as const, volatility: 100 }],
      correlation: [[1]],
    };
    const { margin } = fillInProcess({
      market,
      factors: model,
      history,
      methodology: {
        scenarios: 1_000,
        confidence: 0.95,
        components: ['marketRisk'],
        antiProcyclicality: { stressed: true, stressedRows: 20 },
      },
    });
    const result = margin(held({ instrument: 'SOL-LIN', size: 1 }));
    // A twentieth of 20 rows is the worst one, from 51 to 41 in the twelfth row: 200 · (1 − 40/51).
    const stressed = (result.initialMargin - 0.75 * result.risk.expectedShortfall) / 0.25;
    expect(stressed).toBeCloseTo(200 * (1 - 40 / 51), 9);
  });
});
