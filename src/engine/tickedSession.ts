/** A session after some underlyings have moved: the same scenarios on the same memory, of which only what moved is filled anew. */
import { ensure } from '../errors.ts';
import { type Market, movesOf, withMoves } from '../market/market.ts';
import { movedExposures } from '../valuation/exposures.ts';
import { replanValuation } from '../valuation/plan.ts';
import { plannedFactors } from './plannedFactors.ts';
import type { Session, SessionStep } from './sessionData.ts';

/**
 * @param id of the new session
 * @param moved underlyings, as indices
 * @returns null where instruments cannot keep their rows: then a session is opened anew
 */
export function tickedSession(
  old: Session,
  id: number,
  market: Market,
  moved: ReadonlySet<number>,
): Session | null {
  const { set, gaps, sides, absent, valuation } = old;
  const { methodology, plan: before } = valuation;
  const horizon = methodology.instantaneous ? 0 : methodology.horizonDays;
  const lists = [gaps, ...Object.values(sides).map((side) => side?.gaps ?? [])];
  const factors = plannedFactors(set, lists, absent);
  // A stress scenario of a spot that moves by amounts is a share of the spot as it was when the scenarios were made.
  const { underlyings } = before;
  if (sides.stress !== null && [...moved].some((u) => underlyings[u]?.absolute)) return null;
  const plan = replanValuation(market, factors, horizon, methodology.smileRule, {
    plan: before,
    moved,
  });
  if (plan === null) return null;
  const exposures = movedExposures(valuation.exposures, market, plan, moved);
  return {
    ...old,
    id,
    step: { from: old.id, moved: [...moved], market: movesOf(market, moved) },
    valuation: { ...valuation, market, plan, exposures },
  };
}

/** The same session again, in a worker that has the one before. */
export function steppedSession(old: Session, id: number, { moved, market }: SessionStep): Session {
  const next = tickedSession(old, id, withMoves(old.valuation.market, market), new Set(moved));
  ensure(next !== null, 'a step that was made once can be made again');
  return next;
}
