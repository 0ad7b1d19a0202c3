/** A session after some underlyings have moved: the same scenarios on the same memory, of which only what moved is filled anew. */
import type { Market } from '../market/market.ts';
import { drawBlocks } from '../scenarios/scenarioSet.ts';
import { movedExposures } from '../valuation/exposures.ts';
import { replanValuation } from '../valuation/plan.ts';
import type { Executor } from './executor.ts';
import { plannedFactors } from './plannedFactors.ts';
import { nextSessionId } from './session.ts';
import { cubeOf, cubesOf, type Session } from './sessionData.ts';

/**
 * @param moved underlyings, as indices
 * @returns null where instruments cannot keep their rows: then a session is opened anew
 */
export function tickedSession(
  old: Session,
  market: Market,
  moved: ReadonlySet<number>,
): Session | null {
  const { set, gaps, sides, absent, valuation } = old;
  const { methodology, plan: before } = valuation;
  const horizon = methodology.instantaneous ? 0 : methodology.horizonDays;
  const lists = [gaps, ...Object.values(sides).map((side) => side?.gaps ?? [])];
  const factors = plannedFactors(set, lists, absent);
  const plan = replanValuation(market, factors, horizon, methodology.smileRule, {
    plan: before,
    moved,
  });
  if (plan === null) return null;
  const exposures = movedExposures(valuation.exposures, market, plan, moved);
  return {
    ...old,
    id: nextSessionId(),
    valuation: { ...valuation, market, plan, exposures },
  };
}

/** Revalues what moved and measures its rows, while nothing else runs on the memory. */
export async function refill(
  session: Session,
  moved: ReadonlySet<number>,
  executor: Executor,
): Promise<void> {
  const underlyings = [...moved];
  const options = { urgent: true, through: true };
  const cubes = cubesOf(session);
  await Promise.all(
    cubes.flatMap((cube) =>
      Array.from({ length: drawBlocks(cubeOf(session, cube).set.scenarios) }, (_, block) =>
        executor.run({ kind: 'revalue', cube, block, underlyings }, session, options),
      ),
    ),
  );
  const rows = rowsOf(session, moved);
  const share = Math.ceil(rows.length / (2 * executor.workers));
  const pieces: number[][] = [];
  for (let first = 0; first < rows.length; first += share)
    pieces.push(rows.slice(first, first + share));
  await Promise.all(
    cubes.flatMap((cube) =>
      pieces.map((piece) => executor.run({ kind: 'units', cube, rows: piece }, session, options)),
    ),
  );
}

function rowsOf({ valuation }: Session, moved: ReadonlySet<number>): number[] {
  const { plan, market } = valuation;
  const rows: number[] = [];
  for (const u of moved) {
    const planned = plan.underlyings[u];
    if (planned) rows.push(planned.spotRow, ...planned.masks.map(({ row }) => row));
  }
  market.instruments.forEach(({ underlying }, i) => {
    if (moved.has(underlying) && plan.rowOf[i] !== -1) rows.push(plan.rowOf[i]!);
  });
  return rows.sort((a, b) => a - b);
}
