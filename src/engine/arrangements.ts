/**
 * The arrangements of scenarios over which a book's tail is taken: the scenario set itself, the same P&L with each underlying's scenarios
 * reordered, and the sets beside it. Which of them a session has, its methodology decides.
 */

import { PlimsollError } from '../errors.ts';
import type { Shortfalls } from '../margin/components/context.ts';
import { leastScenarios, type TailRanks, tailRanks } from '../risk/tail.ts';
import { rowsBehind, type ScenarioSet } from '../scenarios/scenarioSet.ts';
import type { Views } from './bookMemory.ts';
import { type Session, usableScenarios } from './sessionData.ts';

export type ArrangementName = keyof Shortfalls;

export type RankFinder = (masks: readonly number[]) => TailRanks;

export interface Arrangement {
  readonly name: ArrangementName;
  /** Its cube in blocks. */
  readonly cube: number;
  readonly scales: number;
  readonly scenarios: number;
  readonly ranksOf: RankFinder;
}

/** The worst of n losses, as ranks: VaR and ES are both that loss. */
function worstOf(n: number): TailRanks {
  return {
    n,
    effective: n,
    confidence: 1 - 1 / n,
    mass: 1,
    valueAtRisk: 1,
    spacing: 0,
    errorsKnown: false,
    upper: 0,
    lower: 0,
    keep: 1,
  };
}

/** Which rows count depends only on a book's masks, so ranks are found once for each set of them. */
function remembered(find: RankFinder): RankFinder {
  const known = new Map<string, TailRanks>();
  return (masks) => {
    const key = masks.length === 0 ? '' : masks.join(',');
    let ranks = known.get(key);
    if (ranks === undefined) {
      ranks = find(masks);
      known.set(key, ranks);
    }
    return ranks;
  };
}

/**
 * Ranks of the session's own scenario set.
 * @throws INSUFFICIENT_HISTORY where too few rows of the history count for a book
 */
export function rankFinder(session: Session): RankFinder {
  const { set, valuation } = session;
  const { confidence } = valuation.methodology;
  return remembered((masks) => {
    const usable = usableScenarios(session, masks);
    checkRows(set, usable, confidence);
    return tailRanks(usable, confidence, set.overlap);
  });
}

/** Whether so many of a set's scenarios are made of enough rows of the history for a tail, and there is one at all. */
export function enoughRows(set: ScenarioSet, scenarios: number, confidence: number): boolean {
  const have = rowsBehind(set, scenarios);
  return scenarios > 0 && (have === null || have >= leastScenarios(confidence));
}

/** @throws INSUFFICIENT_HISTORY for fewer rows of a history than put one loss into the tail */
export function checkRows(set: ScenarioSet, scenarios: number, confidence: number): void {
  if (enoughRows(set, scenarios, confidence)) return;
  const have = rowsBehind(set, scenarios) ?? scenarios;
  const need = leastScenarios(confidence);
  const message = `${set.model} has ${have} usable rows of history; a confidence of ${confidence} needs ${need}`;
  throw new PlimsollError('INSUFFICIENT_HISTORY', message, { path: 'history' });
}

/** The order of an underlying's scenarios under an arrangement, as the memory holds it. */
export function orderOf(
  { layout, set }: Session,
  views: Views,
  underlying: number,
  name: 'zero' | 'perfect',
): Uint32Array {
  const at = orderAddress(layout, underlying, name) / 4;
  return views.u32.subarray(at, at + set.scenarios);
}

export function orderAddress(
  { orders, orderBytes }: Session['layout'],
  underlying: number,
  name: 'zero' | 'perfect',
): number {
  return orders + (2 * underlying + (name === 'zero' ? 0 : 1)) * orderBytes;
}

const known = new WeakMap<Session, readonly Arrangement[]>();

/** All that a session has, its own set first. Found once for each session, with the ranks that were asked for. */
export function arrangementsOf(session: Session, views: Views): readonly Arrangement[] {
  const found = known.get(session) ?? allOf(session, views);
  known.set(session, found);
  return found;
}

function allOf(session: Session, views: Views): readonly Arrangement[] {
  const { layout, set, sides, valuation } = session;
  const { confidence } = valuation.methodology;
  const all: Arrangement[] = [
    {
      name: 'base',
      cube: layout.cube,
      scales: layout.scales,
      scenarios: set.scenarios,
      ranksOf: rankFinder(session),
    },
  ];
  if (layout.orders !== 0) {
    for (const name of ['zero', 'perfect'] as const) {
      const ranksOf = remembered((masks) => {
        const order = (underlying: number) => orderOf(session, views, underlying, name);
        const usable = usableScenarios(session, masks, session, order);
        return tailRanks(usable, confidence, set.overlap);
      });
      const { scales } = layout;
      all.push({ name, cube: layout[name], scales, scenarios: set.scenarios, ranksOf });
    }
  }
  for (const name of ['longRun', 'stressed', 'stress'] as const) {
    const side = sides[name];
    const cube = layout.sides[name];
    if (side === null || cube === null) continue;
    const { scenarios, overlap } = side.set;
    const ranksOf = remembered((masks) =>
      name === 'stress'
        ? worstOf(scenarios)
        : tailRanks(usableScenarios(session, masks, side), confidence, overlap),
    );
    all.push({ name, cube: cube.cube, scales: cube.scales, scenarios, ranksOf });
  }
  return all;
}
