/**
 * What stands behind each position in isolated mode. An exchange sets collateral apart out of what the account has and refuses more; after that
 * the collateral can fall below it, as coins fall or a position loses more than was set apart for it. Then what is left is shared out.
 */
import { PlimsollError } from '../errors.ts';
import type { Account } from './account.ts';

/** Sums of many amounts: more than the rounding of any, less than anybody would call a difference. */
const ROUNDING = 1e-9;

function sumOf(amounts: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < amounts.length; i++) sum += amounts[i]!;
  return sum;
}

function exceeds(amounts: ArrayLike<number>, pool: number): boolean {
  let gross = Math.abs(pool);
  for (let i = 0; i < amounts.length; i++) gross += Math.abs(amounts[i]!);
  return sumOf(amounts) - pool > ROUNDING * gross;
}

/**
 * The collateral of each position: what is stated where the account has as much, else all amounts above 0 in proportion, so that they come to
 * what it has (what a position owes, an amount below 0, it owes in full).
 * @param pool haircut value of the account's collateral, in currency
 * @returns `stated` itself where nothing is lacking
 */
export function sharedOut(stated: Float64Array, pool: number): Float64Array {
  if (!exceeds(stated, pool)) return stated;
  const claims = sumOf(stated.map((amount) => Math.max(0, amount)));
  const owed = sumOf(stated.map((amount) => Math.min(0, amount)));
  const share = Math.max(0, pool - owed) / claims;
  return stated.map((amount) => (amount > 0 ? amount * share : amount));
}

/** The account with what stands behind each position as what is stated: nothing more can be set apart than there is. */
export function withAllocations(
  account: Account,
  ids: readonly string[],
  allocated: Float64Array,
): Account {
  const amounts = new Map(ids.map((id, i) => [id, allocated[i]!]));
  return {
    ...account,
    allocated: Float64Array.from(account.instruments, (id) => amounts.get(id)!),
  };
}

/**
 * Setting apart more than there is.
 * @param before stated amounts by instrument
 * @throws INVALID_FIELD at `path`
 */
export function checkRaised(before: Account, after: Account, pool: number, path: string): void {
  if (after.mode !== 'isolated' || after.allocated === null) return;
  if (!exceeds(after.allocated, pool)) return;
  const had = (id: string): number => {
    const at = before.mode === 'isolated' ? before.instruments.indexOf(id) : -1;
    return at === -1 ? 0 : (before.allocated?.[at] ?? 0);
  };
  const raised = after.instruments.find((id, i) => after.allocated![i]! > had(id));
  if (raised === undefined) return;
  const sum = sumOf(after.allocated);
  const message = `${sum} would be set apart, with more for ${raised}; the account's collateral counts ${pool}`;
  throw new PlimsollError('INVALID_FIELD', message, { path, account: after.id });
}
