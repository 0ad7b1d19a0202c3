/** The size of a hedge: where it frees most margin after its cost. */
import { roundedSize } from './liquidationPlanSizes.ts';
import { leastOf } from './liquidationPriceSearch.ts';

const STEPS_MAX = 40;
/** Of golden section: a size within a hundredth of its bracket. */
const SECTIONS = 8;

/**
 * The benefit of a hedge is concave in its size as far as ES is convex: sizes are doubled (or halved) from the first one until the best of three
 * stands between the others, then narrowed by golden section.
 * @param first > 0, where to begin
 * @param lot contracts are multiples of it; 0: any, rounded to four digits
 * @returns null where no size has a benefit
 */
export function bestSize<T extends { readonly benefit: number }>(
  evaluate: (size: number) => T,
  first: number,
  lot: number,
): T | null {
  const known = new Map<number, T>();
  const at = (size: number): T => {
    const found = known.get(size) ?? evaluate(size);
    known.set(size, found);
    return found;
  };
  let middle = first;
  for (let i = 0; i < STEPS_MAX && at(2 * middle).benefit > at(middle).benefit; i++) middle *= 2;
  if (middle === first) {
    for (let i = 0; i < STEPS_MAX && at(middle / 2).benefit > at(middle).benefit; i++) middle /= 2;
  }
  const size = leastOf((x) => -at(x).benefit, middle / 2, 2 * middle, SECTIONS);
  const best = at(roundedSize(size, { limit: Number.POSITIVE_INFINITY, lot }));
  return best.benefit > 0 ? best : null;
}
