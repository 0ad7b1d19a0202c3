/** What the parameters of a methodology must be to each other; the range of each by itself is in `methodologySchema.ts`. */
import { PlimsollError } from '../errors.ts';
import { leastScenarios } from '../risk/tail.ts';
import type { ScenarioModel } from '../scenarios/scenarioSet.ts';
import type { Methodology } from './methodology.ts';

function refuse(field: string, reason: string): never {
  const path = `methodology.${field}`;
  throw new PlimsollError('INVALID_FIELD', `${path} ${reason}`, { path });
}

/** @throws INVALID_FIELD with the path of the parameter that does not fit the others */
export function checkMethodology(methodology: Methodology): void {
  checkLevels(methodology);
  checkRows(methodology);
  checkVolatilities(methodology);
}

/** A margin call that is held while equity is beyond the warning level would call an account that its band calls healthy. */
function checkLevels({ warningLevel, releaseLevel }: Methodology): void {
  const warns = warningLevel > 1;
  if (!warns || releaseLevel <= warningLevel) return;
  const reason = `is ${releaseLevel}: a call would last beyond the warning level (${warningLevel}); at most that, or a warningLevel of 1 for no warnings`;
  refuse('releaseLevel', reason);
}

/** A tail of rows that are replayed needs one row in it at least. */
function checkRows({ confidence, scenarioModel, filtered, antiProcyclicality }: Methodology): void {
  const least = leastScenarios(confidence);
  const tooFew = (rows: number) => `is ${rows}: a confidence of ${confidence} needs ${least}`;
  const { stressed, stressedRows } = antiProcyclicality;
  if (stressed && stressedRows < least) {
    refuse('antiProcyclicality.stressedRows', tooFew(stressedRows));
  }
  if (scenarioModel === 'filtered-historical' && filtered.residuals < least) {
    refuse('filtered.residuals', tooFew(filtered.residuals));
  }
}

/** Why a return does not measure the volatility of a scenario model. */
const UNFIT_FOR_DYNAMIC: Readonly<Partial<Record<ScenarioModel, string>>> = {
  historical: 'volatilities are those of its rows',
  'filtered-historical': 'volatilities are forecasts from its history',
  'jump-diffusion': 'its volatility is that of the diffusion alone, and a return has the jumps too',
};

function checkVolatilities({ scenarioModel, volatilities }: Methodology): void {
  const reason = UNFIT_FOR_DYNAMIC[scenarioModel];
  if (volatilities.estimate !== 'dynamic' || reason === undefined) return;
  refuse('volatilities.estimate', `is dynamic, which ${scenarioModel} cannot be: ${reason}`);
}
