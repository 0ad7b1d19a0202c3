/** Which accounts a move of an underlying concerns: by contracts they hold or have orders for, and by coins that serve as collateral. */
import type { Book, BookAccount } from '../book.ts';

/** Underlyings that an account's margin hangs on, in no order. */
export function touchedBy({ contracts }: Book, account: BookAccount): ReadonlySet<string> {
  const touched = new Set<string>();
  for (const id of account.positions.keys()) {
    const contract = contracts.get(id);
    if (contract !== undefined) touched.add(contract.listed.underlying);
  }
  for (const { instrument } of account.orders.values()) {
    const contract = contracts.get(instrument);
    if (contract !== undefined) touched.add(contract.listed.underlying);
  }
  for (const asset of account.collateral.keys()) {
    if (asset !== account.currency) touched.add(asset);
  }
  return touched;
}

/** As of when each account was last looked at: whoever changes an account looks at it again. */
export class Exposures {
  private readonly holders = new Map<string, Set<string>>();
  private readonly touched = new Map<string, ReadonlySet<string>>();

  note(account: string, touched: ReadonlySet<string>): void {
    for (const id of this.touched.get(account) ?? []) {
      if (!touched.has(id)) this.holders.get(id)?.delete(account);
    }
    for (const id of touched) {
      const holders = this.holders.get(id);
      if (holders === undefined) this.holders.set(id, new Set([account]));
      else holders.add(account);
    }
    this.touched.set(account, touched);
  }

  forget(account: string): void {
    this.note(account, new Set());
    this.touched.delete(account);
  }

  of(account: string): ReadonlySet<string> {
    return this.touched.get(account) ?? new Set();
  }

  /** Accounts that any of the underlyings concerns. */
  holdersOf(underlyings: ReadonlySet<string>): ReadonlySet<string> {
    const all = new Set<string>();
    for (const id of underlyings)
      for (const account of this.holders.get(id) ?? []) all.add(account);
    return all;
  }
}
