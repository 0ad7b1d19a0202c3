/** Where scenarios come from: a factor model that is drawn from, or rows of shocks that are replayed. One record for the engine. */
import { PlimsollError } from '../errors.ts';
import type { CompiledFactors } from '../market/factorModel.ts';
import type { History } from '../market/history.ts';
import { drawnSet } from './drawnSet.ts';
import { filteredScenarios } from './filtered.ts';
import { replayHistory } from './replay.ts';
import type { ScenarioModel, ScenarioSet, VolatilityBasis } from './scenarioSet.ts';

export { flooredFactors } from './drawnSet.ts';
export { SCENARIO_MODELS, type ScenarioModel, type VolatilityBasis } from './scenarioSet.ts';
export {
  type StressedScenarios,
  type StressedWindow,
  stressedScenarios,
} from './stressedWindow.ts';

/** What a methodology says of scenarios. */
export interface ScenarioParameters {
  readonly scenarioModel: ScenarioModel;
  readonly horizonDays: number;
  /** 0 with `historical`: the history says. With `filtered-historical` 0 is as many as there are residuals. */
  readonly scenarios: number;
  readonly seed: string;
  readonly maxLogShock: number;
  /** Of `filtered-historical`: how many residuals, the latest ones (default 500), and the decay of its volatility (default 0.97). */
  readonly residuals?: number | undefined;
  readonly lambda?: number | undefined;
}

export interface SourcedScenarios {
  readonly set: ScenarioSet;
  /** S × factors shocks, row-major, where they are replayed (NaN is a gap); null where workers draw them. */
  readonly changes: Float64Array | null;
  /** By factor: 1 for each scenario that lacks it; null where none does. Empty where scenarios are drawn. */
  readonly gaps: readonly (Uint8Array | null)[];
  /** The error code for a factor that an instrument needs and these scenarios lack. */
  readonly absent: 'MISSING_FACTOR' | 'MISSING_HISTORY';
}

/** Whether a model takes its shocks from a history; the others draw them from a factor model. */
export function needsHistory(model: ScenarioModel): boolean {
  return model === 'historical' || model === 'filtered-historical';
}

/**
 * @param basis which volatility the scenarios have; `historical` has that of its rows, whatever is asked
 * @throws MISSING_FACTOR, MISSING_HISTORY, MISSING_FIELD where what the model needs was not given, or what the history has wrong
 */
export function sourceScenarios(
  parameters: ScenarioParameters,
  factors: CompiledFactors | null,
  history: History | null,
  basis: VolatilityBasis = 'today',
): SourcedScenarios {
  const { scenarioModel } = parameters;
  if (needsHistory(scenarioModel)) {
    if (history === null) {
      throw new PlimsollError('MISSING_HISTORY', `${scenarioModel} scenarios need a history`, {
        path: 'history',
      });
    }
    const rows =
      scenarioModel === 'historical'
        ? replayHistory(history, parameters)
        : filteredScenarios(history, parameters, basis);
    const { set, changes, gaps } = rows;
    return { set, changes, gaps, absent: 'MISSING_HISTORY' };
  }
  if (factors === null) {
    throw new PlimsollError('MISSING_FACTOR', 'no factor model was given', { path: 'factors' });
  }
  const set = drawnSet(parameters, factors, basis);
  return { set, changes: null, gaps: [], absent: 'MISSING_FACTOR' };
}

/**
 * The same scenarios with every volatility the long-run one, from the same random numbers, under an id of their own: what
 * anti-procyclicality (a) measures at. `filtered-historical` takes the root mean square change of up to ten years of its history.
 */
export function longRunScenarios(
  parameters: ScenarioParameters,
  factors: CompiledFactors | null,
  history: History | null = null,
): SourcedScenarios {
  return sourceScenarios(parameters, factors, history, 'long-run');
}
