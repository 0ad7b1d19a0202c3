/** From what a stress test is asked for to rows of shocks of a session's factors. Apart from the study: a worker has no history. */
import { parseFactorId } from '../market/factorIds.ts';
import type { History } from '../market/history.ts';
import { type StressScenarios, stressScenarios } from '../scenarios/stress/library.ts';
import type { StressLibrary } from '../scenarios/stress/schema.ts';
import type { Session } from './sessionData.ts';

export type StressGrid = NonNullable<StressLibrary['grid']>;

const DEFAULT_GRID: StressGrid = {
  spot: [-0.5, -0.4, -0.3, -0.2, -0.1, 0, 0.1, 0.2, 0.3, 0.4, 0.5],
  vol: [-0.25, 0, 0.25, 0.5, 1],
};

/** Plain data, as it is sent to a worker. */
export interface StressRows {
  readonly rows: Omit<StressScenarios, 'set'>;
  readonly id: string;
  readonly grid: StressGrid;
}

/** @throws as `stressScenarios` does */
export function stressRows(
  request: StressLibrary,
  { set, valuation }: Session,
  history: History | null,
): StressRows {
  const { market, methodology } = valuation;
  const { horizonDays, maxLogShock, stress } = methodology;
  const grid = request.grid ?? stress.library.grid ?? DEFAULT_GRID;
  const library = { ...stress.library, ...request, grid };
  const { factorIds, absolute } = set;
  const underlyings = factorIds
    .map((id) => parseFactorId(id))
    .filter(({ type }) => type === 'spot')
    .map(({ underlying: id }) => {
      const index = market.underlyingIndex.get(id);
      // Of an underlying that is not listed nothing can be held: its price does not matter.
      return { id, spot: index === undefined ? 0 : market.underlyings[index]!.spot };
    });
  const subject = { factorIds, absolute, underlyings, history, horizonDays, maxLogShock };
  const { set: drawn, ...rows } = stressScenarios(library, subject);
  return { rows, id: drawn.id, grid };
}
