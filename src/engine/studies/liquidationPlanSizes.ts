/** The size of one trade: the least that closes a gap, or the one that closes most of it. */
import { leastOf } from './liquidationPriceSearch.ts';

/** What a trade of some size leads to. */
export interface Outcome {
  /** Contracts, > 0. */
  readonly size: number;
  /** What is still missing, in currency; ≤ 0 is none. */
  readonly gap: number;
}

/** Contracts that may be traded: multiples of `lot` (0: any), never more than `limit`. */
export interface SizeRule {
  readonly limit: number;
  readonly lot: number;
}

/** Relative width at which a search for a size ends: sizes are rounded to four digits. */
const WIDTH = 1e-5;
const DOUBLINGS = 24;
/** A gap that still falls at this share of the limit is taken to fall up to it. */
const NEARLY = 0.9;
/** Of golden section, where the least gap lies in between. */
const SECTIONS = 7;

/** Rounded away from 0 to the lot, or to four significant digits: a size that somebody may type. */
export function roundedSize(size: number, { limit, lot }: SizeRule): number {
  if (size >= limit) return limit;
  if (lot > 0) return Math.min(limit, Number((Math.ceil(size / lot - 1e-9) * lot).toPrecision(12)));
  const near = Number(size.toPrecision(4));
  const unit = Number(`1e${Number(size.toExponential().split('e')[1]) - 3}`);
  return Math.min(limit, near >= size ? near : Number((near + unit).toPrecision(4)));
}

/**
 * @param first where to begin, where there is no limit
 * @returns the least size whose gap is ≤ 0; else that of the least gap; null where no size lessens it
 */
export function sizeTrade<T extends Outcome>(
  evaluate: (size: number) => T,
  gap: number,
  first: number,
  rule: SizeRule,
): T | null {
  const known = new Map<number, T>();
  const at = (size: number): T => {
    const found = known.get(size) ?? evaluate(size);
    known.set(size, found);
    return found;
  };
  const reach = Number.isFinite(rule.limit) ? at(rule.limit) : reached(at, gap, first);
  let end = reach;
  if (!(end.gap <= 0) && at(NEARLY * reach.size).gap < end.gap) {
    const size = leastOf((x) => (x > 0 ? at(x).gap : gap), 0, reach.size, SECTIONS);
    if (!(size > 0)) return null;
    end = at(size);
  }
  if (end.gap <= 0) end = at(leastClosing(at, gap, end));
  const rounded = at(roundedSize(end.size, rule));
  // Where it does not close the gap, a thousandth of what is gained is not worth a crooked size.
  const worst = end.gap <= 0 ? 0 : end.gap + 1e-3 * (gap - end.gap);
  if (rounded.gap <= worst) return rounded;
  const best = rule.lot > 0 ? rounded : end;
  return best.gap < gap ? best : null;
}

/** Doubled until the gap is closed or grows again. */
function reached<T extends Outcome>(at: (size: number) => T, gap: number, first: number): T {
  let last = at(first);
  let before = gap;
  for (let i = 0; i < DOUBLINGS && last.gap > 0 && last.gap < before; i++) {
    before = last.gap;
    last = at(2 * last.size);
  }
  return last;
}

/** Illinois' regula falsi, from the side on which the gap is closed. */
function leastClosing<T extends Outcome>(at: (size: number) => T, gap: number, end: T): number {
  let [low, high, above, below] = [0, end.size, gap, end.gap];
  for (let i = 0; i < 24 && high - low > WIDTH * high && below < 0; i++) {
    const cut = i % 4 === 3 ? (low + high) / 2 : (low * below - high * above) / (below - above);
    if (!(cut > low && cut < high)) break;
    const value = at(cut).gap;
    if (value > 0) [low, above, below] = [cut, value, i % 4 === 3 ? below : below / 2];
    else [high, below, above] = [cut, value, i % 4 === 3 ? above : above / 2];
  }
  return high;
}
