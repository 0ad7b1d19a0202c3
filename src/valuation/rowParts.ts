/**
 * What the revaluation of rows costs, and the rows of some underlyings cut into parts of about equal cost: by data only, an underlying or an
 * expiry being cut where a part is full. How rows are cut decides no bit.
 */
import type { ExpiryRows, UnderlyingRows } from './plan.ts';

/** Microseconds of one row over one drawing block, about. */
const STRIKE_US = 14;
const BINARY_US = 10;
const AMERICAN_US = 450;
const LEVEL_US = 2;

/** Microseconds over one drawing block. */
export function costOf({ expiries, levels, payoffs, pools }: UnderlyingRows): number {
  let options = 0;
  for (const { strikes, binaries, americans, futures } of expiries) {
    options +=
      strikes.length * STRIKE_US + binaries.length * BINARY_US + americans.length * AMERICAN_US;
    options += futures.length * LEVEL_US;
  }
  return options + (levels.length + payoffs.length + pools.length + 1) * LEVEL_US;
}

export interface RowPart {
  /** What is to be revalued. Its spot row is written by every part of the underlying: the same bytes. */
  readonly plan: UnderlyingRows;
  /** The rows that are this part's and no other's, masks left out. */
  readonly rows: readonly number[];
}

/** The `part`-th of `parts`. Together they have every row of the underlyings once, but for masks: what each costs is above 0, so it begins in one part. */
export function partOf(
  underlyings: readonly UnderlyingRows[],
  part: number,
  parts: number,
): readonly RowPart[] {
  let total = 0;
  for (const underlying of underlyings) total += costOf(underlying);
  const [from, to] = [(total * part) / parts, (total * (part + 1)) / parts];
  let at = 0;
  const inside = (cost: number): boolean => {
    const own = at >= from && at < to;
    at += cost;
    return own;
  };
  return underlyings.flatMap((underlying): RowPart[] => {
    const rows = inside(LEVEL_US) ? [underlying.spotRow] : [];
    const plan = {
      ...underlying,
      levels: underlying.levels.filter(() => inside(LEVEL_US)),
      payoffs: underlying.payoffs.filter(() => inside(LEVEL_US)),
      pools: underlying.pools.filter(() => inside(LEVEL_US)),
      expiries: underlying.expiries.map((expiry) => ({
        ...expiry,
        strikes: expiry.strikes.filter(() => inside(STRIKE_US)),
        binaries: expiry.binaries.filter(() => inside(BINARY_US)),
        americans: expiry.americans.filter(() => inside(AMERICAN_US)),
        futures: expiry.futures.filter(() => inside(LEVEL_US)),
      })),
    };
    rows.push(...rowsOf(plan));
    const expiries = plan.expiries.filter((expiry) => rowsOfExpiry(expiry).length > 0);
    return rows.length === 0 ? [] : [{ plan: { ...plan, expiries }, rows }];
  });
}

function rowsOf({ levels, payoffs, pools, expiries }: UnderlyingRows): readonly number[] {
  return [
    ...[...levels, ...payoffs, ...pools].map(({ row }) => row),
    ...expiries.flatMap(rowsOfExpiry),
  ];
}

function rowsOfExpiry({ strikes, binaries, americans, futures }: ExpiryRows): readonly number[] {
  const sides = strikes.flatMap(({ call, put }) => [call, put].filter((side) => side !== null));
  return [...sides, ...binaries, ...americans, ...futures].map(({ row }) => row);
}
