/** The rows of some underlyings, cut into parts for the workers. By data only: how they are cut decides no bit. */
import { drawBlocks } from '../scenarios/scenarioSet.ts';
import { costOf } from '../valuation/rowParts.ts';
import { cubeOf, cubesOf, type Session } from './sessionData.ts';

export interface FillPart {
  readonly kind: 'fill';
  readonly underlyings: readonly number[];
  readonly part: number;
  readonly parts: number;
}

/** Microseconds of the longest part, about: what is urgent may have to wait for one. */
const LONGEST_US = 50_000;

/** @param size microseconds of the shortest part, about, and how many there may be where none is too long */
export function fillParts(
  session: Session,
  underlyings: readonly number[],
  size: { readonly shortest: number; readonly most: number },
): readonly FillPart[] {
  const cost = costOfAll(session, underlyings);
  const wanted = Math.min(size.most, Math.floor(cost / size.shortest));
  const parts = Math.max(1, wanted, Math.ceil(cost / LONGEST_US));
  return Array.from({ length: parts }, (_, part) => ({ kind: 'fill', underlyings, part, parts }));
}

/** Microseconds, without the measuring. */
function costOfAll(session: Session, underlyings: readonly number[]): number {
  const rows = underlyings.flatMap((u) => session.valuation.plan.underlyings[u] ?? []);
  const blocks = cubesOf(session).map((cube) => drawBlocks(cubeOf(session, cube).set.scenarios));
  const once = rows.reduce((sum, one) => sum + costOf(one), 0);
  return once * blocks.reduce((sum, count) => sum + count, 0);
}
