/** Scenario sets drawn here, as one array of shocks a factor. */
import { compileFactorModel, type FactorModel } from '../../src/market/factorModel.ts';
import { drawBlock, drawScratchBytes } from '../../src/scenarios/draw.ts';
import {
  DRAW_BLOCK,
  DRAW_STRIDE,
  drawBlockBytes,
  drawBlocks,
  type ScenarioSet,
} from '../../src/scenarios/scenarioSet.ts';
import {
  type ScenarioModel,
  type ScenarioParameters,
  sourceScenarios,
} from '../../src/scenarios/source.ts';
import { openKernels } from '../kernels.ts';

export function parametersOf(
  scenarioModel: ScenarioModel,
  rest: Partial<ScenarioParameters> = {},
): ScenarioParameters {
  const usual = { horizonDays: 1, scenarios: 4096, seed: 'test', maxLogShock: 3 };
  return { ...usual, ...rest, scenarioModel };
}

export function drawnOf(
  model: FactorModel,
  scenarioModel: ScenarioModel,
  rest: Partial<ScenarioParameters> = {},
): {
  readonly set: ScenarioSet;
  readonly shocks: readonly Float64Array[];
  readonly clamped: number;
} {
  const parameters = parametersOf(scenarioModel, rest);
  const { set } = sourceScenarios(parameters, compileFactorModel(model), null);
  return { set, ...drawAll(set) };
}

export function drawAll(set: ScenarioSet): {
  readonly shocks: readonly Float64Array[];
  readonly clamped: number;
} {
  const factors = set.factorIds.length;
  const scratchBytes = drawScratchBytes(factors);
  const open = openKernels(scratchBytes + drawBlockBytes(factors) + factors * factors * 8 + 4096);
  const memory = {
    cholesky: open.place(set.cholesky),
    scratch: open.allocate(scratchBytes),
    out: open.allocate(drawBlockBytes(factors)),
  };
  const shocks = set.factorIds.map(() => new Float64Array(set.scenarios));
  let clamped = 0;
  for (let block = 0; block < drawBlocks(set.scenarios); block++) {
    clamped += drawBlock(open.kernels, set, block, memory);
    const first = block * DRAW_BLOCK;
    const count = Math.min(DRAW_BLOCK, set.scenarios - first);
    shocks.forEach((row, f) => {
      row.set(open.floats(memory.out + f * DRAW_STRIDE * 8, count), first);
    });
  }
  return { shocks, clamped };
}

/** Two spots and a vol, ρ = 0.6, −0.4, −0.2. */
export const MODEL: FactorModel = {
  asOf: '2026-01-02T08:00:00Z',
  periodsPerYear: 365,
  factors: [
    { id: 'A:spot', volatility: 0.8 },
    { id: 'B:spot', volatility: 0.5 },
    { id: 'A:vol', volatility: 0.9 },
  ],
  correlation: [
    [1, 0.6, -0.4],
    [0.6, 1, -0.2],
    [-0.4, -0.2, 1],
  ],
  degreesOfFreedom: 5,
};
