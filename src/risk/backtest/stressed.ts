/** The stressed set: the worst stretch of history that there has been so far. */
import { exp } from '../../numerics.ts';
import { TailRoom } from './tailOfBook.ts';
import { type Walk, windowsKnown } from './walk.ts';

/** METHODOLOGY section 5 (b): so many consecutive rows. */
export const STRESSED_ROWS = 250;

/**
 * For each end e (a number of usable windows known): where, among the usable windows, the 250 consecutive ones begin whose equal-weight long book
 * has the greatest ES of all that end by e; −1 where there are fewer. Nothing after e is looked at.
 */
export function stressedStarts(walk: Walk, confidence: number): Int32Array {
  const { n, windows } = walk.rows;
  const total = walk.starts.length;
  const pnl = Float64Array.from(walk.starts, (start) => {
    let sum = 0;
    for (let u = 0; u < n; u++) sum += exp(windows[start * n + u]!) - 1;
    return sum / n;
  });
  const found = new Int32Array(total + 1).fill(-1);
  const room = new TailRoom(0, confidence);
  let greatest = Number.NEGATIVE_INFINITY;
  for (let end = STRESSED_ROWS; end <= total; end++) {
    const { expectedShortfall } = room.tail(pnl.slice(end - STRESSED_ROWS, end));
    const worse = expectedShortfall > greatest;
    if (worse) greatest = expectedShortfall;
    found[end] = worse ? end - STRESSED_ROWS : found[end - 1]!;
  }
  return found;
}

/** The stressed windows known by day s, as columns of shocks; null where there are fewer than 250. */
export function stressedColumns(
  walk: Walk,
  starts: Int32Array,
  s: number,
): { readonly count: number; readonly columns: readonly Float64Array[] } | null {
  const { n, windows } = walk.rows;
  const first = starts[windowsKnown(walk, s)]!;
  if (first === -1) return null;
  const columns = Array.from({ length: n }, (_, u) =>
    Float64Array.from(
      { length: STRESSED_ROWS },
      (_row, j) => windows[walk.starts[first + j]! * n + u]!,
    ),
  );
  return { count: STRESSED_ROWS, columns };
}
