/** What liquidation prices are asked of: each underlying that an account touches; in isolated mode each position on its own collateral. */
import type { Account } from '../../margin/account.ts';
import { allocatedAccount, type Portfolio } from '../../margin/portfolio.ts';
import type { Market } from '../../market/market.ts';

export const SIDES_OF_PRICE = ['below', 'above'] as const;
export type SideOfPrice = (typeof SIDES_OF_PRICE)[number];

export interface PriceTarget {
  /** Index of the underlying. */
  readonly underlying: number;
  /** Isolated mode: the position's instrument. */
  readonly instrument: number | null;
  /** What is margined: without open orders, which raise no maintenance margin. */
  readonly account: Account;
  /** Contracts that are revalued at each trial. */
  readonly work: number;
}

export function priceTargets(portfolio: Portfolio, market: Market): PriceTarget[] {
  const { instruments } = market;
  const { account, parts } = portfolio;
  if (account.mode !== 'isolated') {
    const alone = { ...account, orders: [] };
    return parts.map(({ underlying, start, end }) => {
      const held = portfolio.instruments.subarray(start, end);
      const work = held.filter((i) => instruments[i]!.type === 'option').length + 1;
      return { underlying, instrument: null, account: alone, work };
    });
  }
  const allocated = allocatedAccount(portfolio, market);
  return Array.from(portfolio.instruments, (index) => {
    const { underlying, id } = instruments[index]!;
    const at = account.instruments.indexOf(id);
    return {
      underlying,
      instrument: index,
      account: positionAccount(allocated, at, market.currency),
      work: 1,
    };
  });
}

/**
 * One isolated position as an account: its own allocation is all its collateral, and no credit line reaches it.
 * @param account as its positions stand (`allocatedAccount`)
 */
export function positionAccount(account: Account, at: number, currency: string): Account {
  const entry = account.entryPrices?.[at] ?? Number.NaN;
  const amount = account.allocated![at]!;
  return {
    ...account,
    mode: 'portfolio',
    creditLine: 0,
    orders: [],
    instruments: [account.instruments[at]!],
    sizes: Float64Array.of(account.sizes[at]!),
    entryPrices: Float64Array.of(entry),
    allocated: null,
    collateral: [{ asset: currency, amount }],
  };
}

export interface PriceTask {
  readonly target: number;
  readonly sides: readonly SideOfPrice[];
}

/**
 * The tasks of one of several workers. Each target belongs to one of them whole, so that it is tabulated once; where there are fewer
 * targets than workers, below and above are tasks of their own.
 */
export function tasksOf(
  targets: readonly PriceTarget[],
  { part, parts }: { readonly part: number; readonly parts: number },
): PriceTask[] {
  const whole = targets.length >= parts;
  const tasks = targets.flatMap(({ work }, target) =>
    whole
      ? [{ target, sides: [...SIDES_OF_PRICE], work: 2 * work }]
      : SIDES_OF_PRICE.map((side) => ({ target, sides: [side], work })),
  );
  const loads = new Array<number>(parts).fill(0);
  const mine: PriceTask[] = [];
  // The largest first, each to whoever has least to do.
  for (const task of tasks.toSorted((a, b) => b.work - a.work || a.target - b.target)) {
    const least = loads.indexOf(Math.min(...loads));
    loads[least]! += task.work;
    if (least === part) mine.push({ target: task.target, sides: task.sides });
  }
  return mine.sort((a, b) => a.target - b.target);
}
