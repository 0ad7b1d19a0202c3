import type { ScenarioSet } from '../scenarios/scenarioSet.ts';
import type { PlannedFactors } from '../valuation/plan.ts';

/**
 * What a valuation plan needs to know of a session's factors.
 * @param gaps of each of its scenario sets
 */
export function plannedFactors(
  set: Pick<ScenarioSet, 'factorIds' | 'absolute'>,
  gaps: readonly (readonly (Uint8Array | null)[])[],
  absent: PlannedFactors['absent'],
): PlannedFactors {
  return {
    index: new Map(set.factorIds.map((id, f) => [id, f])),
    absolute: set.absolute,
    gaps: (factor) => gaps.some((one) => (one[factor] ?? null) !== null),
    absent,
  };
}
