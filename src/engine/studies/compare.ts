/** One account under each margin mode side by side, and what switching to another mode would mean. */
import type { Account } from '../../margin/account.ts';
import { afterCredit } from '../../margin/requirement.ts';
import { checkFigures, type MarginResult } from '../../margin/result.ts';
import type { Allocation, ModeFigures, ModesCompared } from './compareSchema.ts';
import type { StudyContext } from './study.ts';

/** Portfolio, cross and isolated margin of one account. Runs on the session as it is. */
export function compare(
  account: Account,
  _request: object,
  { margin }: StudyContext,
): ModesCompared {
  const without = { ...account, mode: 'isolated', allocated: nothing(account) } as const;
  const [portfolio, cross, bare] = margin([
    { ...account, mode: 'portfolio' },
    { ...account, mode: 'cross' },
    without,
  ]) as [MarginResult, MarginResult, MarginResult];
  const allocations = allocationsOf(account, bare);
  const amounts = new Map(allocations.map(({ instrument, allocated }) => [instrument, allocated]));
  const allocated = Float64Array.from(account.instruments, (id) => amounts.get(id)!);
  const [isolated] = margin([{ ...account, mode: 'isolated', allocated }]);
  const { currency, asOf, equity, modes, scenarioSet, methodology, market, engine } = portfolio;
  const answer: ModesCompared = {
    account: account.id,
    currency,
    asOf,
    equity,
    modes: [
      pooled(account, portfolio),
      pooled(account, cross),
      apart(account, isolated!, bare, allocations),
    ],
    capitalEfficiency: modes.capitalEfficiency,
    scenarioSet,
    methodology,
    market,
    engine,
  };
  checkFigures(answer, account.id);
  return answer;
}

function nothing({ instruments }: Account): Float64Array {
  return new Float64Array(instruments.length);
}

/** @param bare the account in isolated mode, nothing allocated: what each position needs does not depend on what it has */
function allocationsOf(account: Account, bare: MarginResult): Allocation[] {
  const stated = new Map(
    account.instruments.map((id, i) => [id, account.allocated?.[i] ?? Number.NaN]),
  );
  return bare.positions!.map(({ instrument, initialMargin, equity }) => {
    const needed = neededBeside(equity, initialMargin);
    const own = stated.get(instrument)!;
    const known = !Number.isNaN(own);
    return { instrument, allocated: known ? own : needed, stated: known, needed };
  });
}

/** The least that makes up for what the position's own value lacks, rounding included: with it the sum is not below the margin. */
function neededBeside(value: number, margin: number): number {
  const needed = Math.max(0, margin - value);
  if (needed + value >= margin) return needed;
  return needed + 2 * Number.EPSILON * Math.max(needed, Math.abs(value), margin);
}

function figuresOf(
  account: Account,
  result: MarginResult,
  credit: number,
): Omit<ModeFigures, 'allocations' | 'freeCollateral'> {
  const { initialMargin, maintenanceMargin, marginRatio, state, components } = result;
  const { mode } = result;
  const { initialRequirement, maintenanceRequirement } = afterCredit(result, credit);
  return {
    mode,
    current: mode === account.mode,
    initialMargin,
    maintenanceMargin,
    initialRequirement,
    maintenanceRequirement,
    marginRatio,
    state,
    components,
  };
}

function pooled(account: Account, result: MarginResult): ModeFigures {
  const figures = figuresOf(account, result, account.creditLine);
  return { ...figures, freeCollateral: result.equity - figures.initialRequirement };
}

function apart(
  account: Account,
  result: MarginResult,
  bare: MarginResult,
  allocations: readonly Allocation[],
): ModeFigures {
  // The account's equity less what its positions are worth is its collateral.
  let free = result.equity;
  for (const { equity } of bare.positions!) free -= equity;
  for (const { allocated } of allocations) free -= allocated;
  return { ...figuresOf(account, result, 0), freeCollateral: free, allocations: [...allocations] };
}
