/** The stressed period, long-run volatilities and their floor. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compileFactorModel } from '../../src/market/factorModel.ts';
import { type History, readHistory } from '../../src/market/history.ts';
import { replayHistory } from '../../src/scenarios/replay.ts';
import {
  flooredFactors,
  longRunScenarios,
  type ScenarioModel,
  sourceScenarios,
  stressedScenarios,
} from '../../src/scenarios/source.ts';
import { testData } from '../data.ts';
import { openKernels } from '../kernels.ts';
import { drawAll, MODEL, parametersOf } from './drawing.ts';

/** Two coins of random returns by the kernels' stream; `B` has a gap, and a dramatic month stands at `drama`, down or up. */
function simulated(rows: number, drama: number, sign: 1 | -1): History {
  const open = openKernels(1 << 20);
  const [state, scratch, out] = [128, 16_384, 16 * rows].map((bytes) => open.allocate(bytes));
  open.kernels.openStream(state!, 9n, 1n, 0, 0);
  open.kernels.normals(state!, out!, 2 * rows, scratch!);
  const z = open.floats(out!, 2 * rows);
  const levels = [0, 1].map((c) => {
    let log = 0;
    return Float64Array.from({ length: rows }, (_, t) => {
      const wild = t >= drama && t < drama + 30;
      log += 0.02 * z[c * rows + t]! + (wild && t % 3 === 0 ? sign * 0.15 : 0);
      return Math.exp(log);
    });
  });
  levels[1]![40] = Number.NaN;
  return {
    dates: Array.from({ length: rows }, (_, t) =>
      new Date(Date.UTC(2020, 0, 1 + t)).toISOString().slice(0, 10),
    ),
    columns: [
      { id: 'A:spot', values: levels[0]! },
      { id: 'A:vol', values: levels[0]!.map(() => 0.5) },
      { id: 'B:spot', values: levels[1]! },
    ],
  };
}

/** ES at α of every window of `count` rows by sorting each: the largest, and where. */
function bruteForce(
  {
    changes,
    set,
  }: { readonly changes: Float64Array; readonly set: { readonly scenarios: number } },
  count: number,
  sign: number,
): { readonly first: number; readonly es: number } {
  const losses = Array.from({ length: set.scenarios }, (_, s) => {
    const moves = [changes[3 * s]!, changes[3 * s + 2]!].filter((x) => !Number.isNaN(x));
    const total = moves.reduce((sum, x) => sum + Math.expm1(x), 0);
    return moves.length === 0 ? 0 : (-sign * total) / moves.length;
  });
  let best = { first: -1, es: Number.NEGATIVE_INFINITY };
  for (let first = 0; first + count <= losses.length; first++) {
    const worst = losses.slice(first, first + count).sort((x, y) => y - x);
    const mass = count * 0.05;
    const k = Math.ceil(mass);
    const sum = worst.slice(0, k - 1).reduce((x, y) => x + y, 0);
    const es = (sum + (mass - k + 1) * worst[k - 1]!) / mass;
    if (es > best.es + 1e-15) best = { first, es };
  }
  return best;
}

describe('stressedScenarios', () => {
  const parameters = { horizonDays: 2, maxLogShock: 3, confidence: 0.95, stressedRows: 50 };

  it.each([-1, 1] as const)('finds the worst stretch by a sorted window, drama %d', (sign) => {
    const history = simulated(400, 200, sign);
    const replay = replayHistory(history, parameters);
    const long = bruteForce(replay, 50, 1);
    const short = bruteForce(replay, 50, -1);
    const [side, best] = long.es >= short.es ? ['long', long] : ['short', short];
    const { window, set, changes } = stressedScenarios(parameters, history);
    expect(window.side).toBe(side);
    expect(side).toBe(sign === -1 ? 'long' : 'short');
    expect(Math.abs(window.expectedShortfall / best.es - 1)).toBeLessThan(1e-12);
    const { begins } = replay;
    expect(window.from).toBe(history.dates[begins[best.first]!]);
    expect(window.to).toBe(history.dates[begins[best.first + 49]! + 2]);
    expect(set.scenarios).toBe(50);
    expect(set.overlap).toBe(2);
    expect(set.factorIds).toEqual(['A:spot', 'A:vol', 'B:spot']);
    expect(changes).toEqual(replay.changes.slice(3 * best.first, 3 * (best.first + 50)));
  });

  it('keeps gaps, and has an id that moves with the rows', () => {
    const history = simulated(400, 20, -1);
    const stressed = stressedScenarios(parameters, history);
    expect(stressed.gaps[0]).toBeNull();
    expect(stressed.gaps[2]!.reduce((sum, gap) => sum + gap, 0)).toBe(2);
    const more = stressedScenarios({ ...parameters, stressedRows: 51 }, history);
    expect(more.set.id).not.toBe(stressed.set.id);
    expect(replayHistory(history, parameters).set.id).not.toBe(stressed.set.id);
  });

  it('weighs the book as told', () => {
    const history = simulated(400, 200, -1);
    const single: History = { dates: history.dates, columns: history.columns.slice(0, 1) };
    const weighted = stressedScenarios(parameters, history, { 'A:spot': 2 });
    expect(weighted.window).toEqual(stressedScenarios(parameters, single).window);
  });

  it.each([
    [{ stressedRows: 1000 }, {}, 'INSUFFICIENT_HISTORY'],
    [{ stressedRows: 0.5 }, {}, 'INVALID_FIELD'],
    [{}, { 'A:spot': -1 }, 'INVALID_FIELD'],
    [{}, { 'A:spot': Number.NaN }, 'INVALID_FIELD'],
    [{}, { 'C:spot': 1 }, 'MISSING_HISTORY'],
  ])('refuses %j with weights %j', (rest, weights, code) => {
    const history = simulated(400, 200, -1);
    const call = () =>
      stressedScenarios(
        { ...parameters, ...rest },
        history,
        Object.keys(weights).length === 0 ? undefined : (weights as Record<string, number>),
      );
    expect(call).toThrow(expect.objectContaining({ code }));
  });

  it.skipIf(testData === null)('finds a crash of ten real coins', async () => {
    const file = 'crypto_close_daily_2017_2024.csv.gz';
    const real = await readHistory(readFileSync(join(testData!, 'crypto', file)), file);
    const call = { horizonDays: 1, maxLogShock: 3, confidence: 0.99 };
    const { window, set } = stressedScenarios(call, real);
    expect(set.scenarios).toBe(250);
    // Shorts suffered in the winter of 2017 (XRP doubled within days), longs on 12 March 2020.
    const holds = (day: string) => window.from < day && window.to >= day;
    expect(holds(window.side === 'long' ? '2020-03-12' : '2017-12-13')).toBe(true);
  });
});

describe('long-run volatilities', () => {
  const factors = compileFactorModel({
    ...MODEL,
    factors: MODEL.factors.map((factor, i) =>
      i === 0 ? { ...factor, longRunVolatility: 1.2, longRunYears: 7 } : { ...factor },
    ),
  });

  it.each([
    'gaussian',
    'student-t',
    't-copula',
  ] as const)('are the only difference of the long-run set: %s', (model: ScenarioModel) => {
    const parameters = parametersOf(model, { maxLogShock: 100 });
    const today = sourceScenarios(parameters, factors, null);
    const longRun = longRunScenarios(parameters, factors);
    expect(longRun.set.id).not.toBe(today.set.id);
    const [x, y] = [drawAll(today.set).shocks, drawAll(longRun.set).shocks];
    expect(y[1]).toEqual(x[1]);
    // σ·mix·z each way, three roundings.
    x[0]!.forEach((shock, s) => {
      expect(Math.abs(y[0]![s]! - 1.5 * shock)).toBeLessThan(1e-15 + 1e-15 * Math.abs(shock));
    });
  });

  it('raise volatilities, and only raise them, as a floor', () => {
    const low = { ...MODEL, factors: MODEL.factors.map((f) => ({ ...f, longRunVolatility: 0.6 })) };
    const compiled = compileFactorModel(low);
    const floored = flooredFactors(compiled);
    expect([...floored.volatility]).toEqual([0.8, 0.6, 0.9]);
    expect(floored.hash).not.toBe(compiled.hash);
    expect(flooredFactors(floored)).toBe(floored);
    const plain = compileFactorModel(MODEL);
    expect(flooredFactors(plain)).toBe(plain);
  });

  it('leave historical as it is', () => {
    const history = simulated(100, 50, -1);
    const parameters = parametersOf('historical', { scenarios: 0 });
    const longRun = longRunScenarios(parameters, null, history);
    expect(longRun.set.id).toBe(sourceScenarios(parameters, null, history).set.id);
  });

  it('rescale filtered-historical by the root mean square of the history', () => {
    const history = simulated(300, 20, -1);
    const parameters = parametersOf('filtered-historical', { scenarios: 0 });
    const today = sourceScenarios(parameters, null, history);
    const longRun = longRunScenarios(parameters, null, history);
    const ratio = longRun.changes![0]! / today.changes![0]!;
    expect(ratio).toBeGreaterThan(1.1);
    longRun.changes!.forEach((x, i) => {
      if (i % 3 !== 0) return;
      expect(Math.abs(x - ratio * today.changes![i]!)).toBeLessThan(1e-14);
    });
    const level = (t: number) => Math.log(history.columns[0]!.values[t]!);
    const squares = Array.from({ length: 299 }, (_, t) => (level(t + 1) - level(t)) ** 2);
    const rms = Math.sqrt(squares.reduce((sum, x) => sum + x, 0) / 299);
    const volatility = ewmaToday(squares, 0.97);
    // A few hundred roundings.
    expect(Math.abs(ratio / (rms / volatility) - 1)).toBeLessThan(1e-11);
  });
});

/** √ of the exponentially weighted mean, written as one weighted sum. */
function ewmaToday(squares: readonly number[], lambda: number): number {
  const weights = squares.map((_, i) => lambda ** (squares.length - 1 - i));
  const sum = squares.reduce((total, x, i) => total + x * weights[i]!, 0);
  return Math.sqrt(sum / weights.reduce((total, w) => total + w, 0));
}

describe('what a model needs and was not given', () => {
  it.each([
    ['gaussian', 'MISSING_FACTOR', 'factors'],
    ['t-copula', 'MISSING_FACTOR', 'factors'],
    ['historical', 'MISSING_HISTORY', 'history'],
    ['filtered-historical', 'MISSING_HISTORY', 'history'],
  ] as const)('%s: %s at %s', (model, code, path) => {
    expect(() => sourceScenarios(parametersOf(model), null, null)).toThrow(
      expect.objectContaining({ code, path }),
    );
  });
});
