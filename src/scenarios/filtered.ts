/**
 * Filtered historical simulation: residual vectors of the past, so that dependence and tails are the market's own, at today's volatility.
 *
 * Over one row and for no more scenarios than there are residuals, each is used once (Hull and White 1998). Over several rows, or for
 * more scenarios, paths are drawn (Barone-Adesi, Giannopoulos and Vosper, "VaR without correlations for portfolios of derivative
 * securities", Journal of Futures Markets 19, 1999): at each step one residual vector, all as likely, and each factor's variance
 * updated by its own change, σ² ← λσ² + (1 − λ)x²; the shock is the sum of the changes. All of it is scaled by the horizon
 * through the number of steps. Today's volatility is the history's own, by the same EWMA that the residuals were divided by.
 */
import { PlimsollError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { History } from '../market/history.ts';
import { gapsOf, historyHash, horizonRows, periodName } from './historyRows.ts';
import { type Residuals, residualsOf } from './residuals.ts';
import {
  DRAW_BLOCK,
  PURPOSE,
  replayedSet,
  type ScenarioSet,
  scenarioSetId,
  streamKey,
  type VolatilityBasis,
} from './scenarioSet.ts';
import { drawIndices } from './streams.ts';

export interface FilteredParameters {
  readonly horizonDays: number;
  readonly maxLogShock: number;
  /** S; 0 for as many as there are residuals. */
  readonly scenarios: number;
  readonly seed: string;
  /** Residuals used at most, the latest ones; default 500. */
  readonly residuals?: number | undefined;
  /** Decay λ of the volatility; default 0.97. */
  readonly lambda?: number | undefined;
}

export const DEFAULT_RESIDUALS = 500;
export const DEFAULT_LAMBDA = 0.97;

export interface FilteredScenarios {
  readonly set: ScenarioSet;
  /** S × factors shocks, row-major; NaN where a residual that the scenario uses is missing. */
  readonly changes: Float64Array;
  readonly gaps: readonly (Uint8Array | null)[];
}

/** @throws INVALID_FIELD (horizonDays, residuals, lambda), INSUFFICIENT_HISTORY, OUT_OF_MEMORY */
export function filteredScenarios(
  history: History,
  parameters: FilteredParameters,
  basis: VolatilityBasis = 'today',
): FilteredScenarios {
  const { horizonDays, maxLogShock } = parameters;
  const { lambda = DEFAULT_LAMBDA, residuals: count = DEFAULT_RESIDUALS } = parameters;
  const model = 'filtered-historical';
  const steps = horizonRows(history, horizonDays, model);
  const residuals = residualsOf(history, { lambda, count, basis });
  const scenarios = parameters.scenarios === 0 ? residuals.rows : parameters.scenarios;
  const onceEach = steps === 1 && scenarios <= residuals.rows;
  checkSize(scenarios, residuals.factorIds.length);
  const changes = onceEach
    ? rescaled(residuals, scenarios)
    : paths(residuals, { scenarios, steps, lambda, key: streamKey(parameters.seed) });
  const { factorIds, absolute } = residuals;
  const id = scenarioSetId({
    source: historyHash(history),
    model,
    // The seed decides nothing where nothing is drawn.
    seed: onceEach ? '' : parameters.seed,
    scenarios,
    horizonDays,
    maxLogShock,
    residuals: count,
    lambda,
    volatility: basis === 'today' ? undefined : basis,
  });
  // However many are resampled, they know no more than the residuals that there are: errors count these.
  const overlap = Math.max(1, scenarios / residuals.rows);
  const shape = { model, scenarios, overlap, horizonDays, maxLogShock } as const;
  const latest = residuals.begins.subarray(residuals.rows - scenarios);
  const periods = onceEach ? Array.from(latest, (begin) => periodName(history, begin, 1)) : [];
  const set = replayedSet({ ...shape, absolute, factorIds, periods, id });
  return { set, changes, gaps: gapsOf(changes, factorIds.length) };
}

function checkSize(scenarios: number, factors: number): void {
  const bytes = scenarios * factors * 8;
  if (bytes <= LIMITS.sharedMemoryBytesMax) return;
  const message = `${scenarios} scenarios × ${factors} factors need ${bytes} bytes; the most is ${LIMITS.sharedMemoryBytesMax}`;
  throw new PlimsollError('OUT_OF_MEMORY', message, { path: 'scenarios' });
}

/** The last `scenarios` residuals at the given volatilities. */
function rescaled({ values, volatility, rows }: Residuals, scenarios: number): Float64Array {
  const n = volatility.length;
  return values.subarray((rows - scenarios) * n).map((z, i) => volatility[i % n]! * z);
}

/** Scenario s takes at step k the residual that stream (key, residuals; k, ⌊s/DRAW_BLOCK⌋) names. */
function paths(
  { values, volatility, rows }: Residuals,
  path: {
    readonly scenarios: number;
    readonly steps: number;
    readonly lambda: number;
    readonly key: bigint;
  },
): Float64Array {
  const { scenarios, steps, lambda, key } = path;
  const n = volatility.length;
  const changes = new Float64Array(scenarios * n);
  const picks = Array.from({ length: steps }, () => new Int32Array(DRAW_BLOCK));
  for (let first = 0; first < scenarios; first += DRAW_BLOCK) {
    const block = first / DRAW_BLOCK;
    picks.forEach((into, index) => {
      drawIndices({ key, purpose: PURPOSE.residuals, index, block }, rows, into);
    });
    const count = Math.min(DRAW_BLOCK, scenarios - first);
    for (let s = 0; s < count; s++) {
      for (let f = 0; f < n; f++) {
        let variance = volatility[f]! * volatility[f]!;
        let sum = 0;
        for (let k = 0; k < steps; k++) {
          const x = Math.sqrt(variance) * values[picks[k]![s]! * n + f]!;
          sum += x;
          variance = lambda * variance + (1 - lambda) * x * x;
        }
        changes[(first + s) * n + f] = sum;
      }
    }
  }
  return changes;
}
