/** Shocks by scenario model: whole drawing blocks of ten correlated factors, one core, and filtered paths. An item is one factor's shock. */

import { compileFactorModel, type FactorModel } from '../../src/market/factorModel.ts';
import type { History } from '../../src/market/history.ts';
import { drawBlock, drawScratchBytes } from '../../src/scenarios/draw.ts';
import { filteredScenarios } from '../../src/scenarios/filtered.ts';
import { DRAW_BLOCK, DRAW_STRIDE, drawBlockBytes } from '../../src/scenarios/scenarioSet.ts';
import { type ScenarioModel, sourceScenarios } from '../../src/scenarios/source.ts';
import { contest, KERNEL_EFFORT, QUICK_EFFORT } from '../contest.ts';
import type { Context, Suite } from '../context.ts';
import { type Desk, openDesk } from '../desk.ts';
import { digestOf } from '../digest.ts';
import { type Line, spreadOf } from '../line.ts';

const FACTORS = 10;
const BLOCKS = 4;
const RHO = 0.5;

export const models: Suite = {
  name: 'models',
  about: 'shocks by scenario model, one core',
  async run(context) {
    const desk = openDesk(1 << 22);
    const drawn = ['gaussian', 'student-t', 't-copula', 'jump-diffusion'] as const;
    const lines: Line[] = [];
    for (const model of drawn) lines.push(await drawnLine(desk, context, model));
    return [...lines, await filteredLine(context)];
  },
};

/** Every factor has a tail and jumps of its own, so that no table and no count serves two. */
function modelOf(scenarioModel: ScenarioModel): FactorModel {
  const ids = Array.from({ length: FACTORS }, (_, f) => `U${f}`);
  const size = { intensity: 6, mean: -0.05, volatility: 0.1 };
  return {
    asOf: '2026-01-02T08:00:00Z',
    periodsPerYear: 365,
    factors: ids.map((id, f) => ({ id: `${id}:spot`, volatility: 0.6, degreesOfFreedom: 3 + f })),
    correlation: ids.map((_, i) => ids.map((_, j) => (i === j ? 1 : RHO))),
    ...(scenarioModel === 'jump-diffusion'
      ? { jumps: { common: size, idiosyncratic: { '*': size } } }
      : { degreesOfFreedom: 4.5 }),
  };
}

async function drawnLine(
  desk: Desk,
  context: Context,
  scenarioModel: ScenarioModel,
): Promise<Line> {
  const factors = compileFactorModel(modelOf(scenarioModel));
  const rest = { horizonDays: 1, scenarios: 1 << 20, seed: 'plimsoll', maxLogShock: 3 };
  const { set } = sourceScenarios({ scenarioModel, ...rest }, factors, null);
  const cholesky = desk.array(set.cholesky.length);
  cholesky.values.set(set.cholesky);
  const scratch = desk.array(drawScratchBytes(FACTORS) / 8);
  const out = desk.array(drawBlockBytes(FACTORS) / 8);
  const memory = { cholesky: cholesky.at, scratch: scratch.at, out: out.at };
  // Other blocks at each call: the same again would be learnt by the branch predictor.
  let block = 0;
  const run = (): void => {
    for (let i = 0; i < BLOCKS; i++, block++) drawBlock(desk.kernels, set, block % 1024, memory);
  };
  run();
  const rows = Array.from({ length: FACTORS }, (_, f) =>
    out.values.slice(f * DRAW_STRIDE, f * DRAW_STRIDE + DRAW_BLOCK),
  );
  const items = BLOCKS * DRAW_BLOCK * FACTORS;
  return lineOf(scenarioModel, items, run, digestOf(...rows), context);
}

async function filteredLine(context: Context): Promise<Line> {
  const history = sawtooth(1000);
  const scenarios = context.quick ? 2048 : 10_240;
  const parameters = { horizonDays: 5, scenarios, seed: 'plimsoll', maxLogShock: 3 };
  const hash = digestOf(filteredScenarios(history, parameters).changes);
  const run = (): void => {
    filteredScenarios(history, parameters);
  };
  const name = 'filtered-historical, paths of 5 days';
  return lineOf(name, scenarios * FACTORS, run, hash, context);
}

/** Prices made of whole numbers, so that they are the same on every engine. */
function sawtooth(rows: number): History {
  const level = (t: number, f: number): number => 100 + ((t * (7 + f) + t * t) % 13);
  return {
    dates: Array.from({ length: rows }, (_, t) =>
      new Date(Date.UTC(2020, 0, 1 + t)).toISOString().slice(0, 10),
    ),
    columns: Array.from({ length: FACTORS }, (_, f) => ({
      id: `U${f}:spot`,
      values: Float64Array.from({ length: rows }, (_, t) => level(t, f)),
    })),
  };
}

async function lineOf(
  name: string,
  items: number,
  run: () => void,
  hash: string,
  context: Context,
): Promise<Line> {
  const effort = context.quick ? QUICK_EFFORT : KERNEL_EFFORT;
  const [ours] = await contest([{ name: 'ours', items, run }], effort);
  return {
    suite: 'models',
    name: `shocks, ${name}`,
    rate: ours!.rate,
    unit: '/s',
    seconds: ours!.best,
    per: `${items}`,
    spread: spreadOf(ours!),
    ratios: {},
    hash,
    targets: [],
    notes: [`${FACTORS} correlated factors`],
  };
}
