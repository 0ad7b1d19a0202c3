/** From what a stress test is asked for to rows of shocks of a session's factors. Apart from the study: a worker has no history. */

import type { Methodology } from '../margin/methodology.ts';
import { parseFactorId } from '../market/factorIds.ts';
import type { History } from '../market/history.ts';
import type { Market } from '../market/market.ts';
import type { ScenarioSet } from '../scenarios/scenarioSet.ts';
import {
  type StressScenarios,
  type StressSubject,
  stressScenarios,
} from '../scenarios/stress/library.ts';
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
  const { stress } = methodology;
  const grid = request.grid ?? stress.library.grid ?? DEFAULT_GRID;
  const library = { ...stress.library, ...request, grid };
  const pathOf = (field: keyof StressLibrary): string | null => {
    if (request[field] !== undefined) return field;
    return stress.library[field] === undefined ? null : libraryPath(field);
  };
  const subject = { ...stressSubject(set, market, methodology, history), pathOf };
  const { set: drawn, ...rows } = stressScenarios(library, subject);
  return { rows, id: drawn.id, grid };
}

/**
 * The methodology's library is applied to every underlying that the scenarios move, whatever the market lists: an account's figures depend
 * on nothing that it does not touch.
 */
export function stressSubject(
  { factorIds, absolute }: ScenarioSet,
  market: Market,
  { horizonDays, maxLogShock }: Methodology,
  history: History | null,
): StressSubject {
  const underlyings = factorIds
    .map((id) => parseFactorId(id))
    .filter(({ type }) => type === 'spot')
    .map(({ underlying: id }) => ({ id, spot: spotOf(market, id) }));
  const shape = { factorIds, absolute, underlyings, history, horizonDays, maxLogShock };
  return { ...shape, pathOf: libraryPath };
}

function libraryPath(field: keyof StressLibrary): string {
  return `methodology.stress.library.${field}`;
}

/** Of an underlying that is not listed nothing can be held: its price does not matter. */
export function spotOf(market: Market, id: string): number {
  const index = market.underlyingIndex.get(id);
  return index === undefined ? 0 : market.underlyings[index]!.spot;
}
