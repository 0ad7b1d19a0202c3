/** What an account's P&L is the sum of: its positions, each with its unrealised coins, and the coins of its collateral. */
import { countedAmounts, type Portfolio } from '../../margin/portfolio.ts';
import type { Valuation } from '../../margin/valuation.ts';
import type { ValuationPlan } from '../../valuation/plan.ts';

export interface Line {
  readonly underlying: number;
  /** −1: collateral coins. */
  readonly instrument: number;
  /** Contracts; 0 of collateral. */
  readonly size: number;
  /** Coins that move with the spot: unrealised ones of an inverse position, or collateral after haircut. */
  readonly coins: number;
}

/** Positions in the canonical order, then collateral by underlying id. */
export function linesOf(portfolio: Portfolio, valuation: Valuation): readonly Line[] {
  const { instruments, sizes, unrealisedCoins } = portfolio;
  const { market } = valuation;
  const positions = Array.from(instruments, (instrument, i) => ({
    underlying: market.instruments[instrument]!.underlying,
    instrument,
    size: sizes[i]!,
    coins: unrealisedCoins[i]!,
  }));
  const collateral = [...collateralCoins(portfolio, valuation)]
    .filter(([, coins]) => coins !== 0)
    .sort(([a], [b]) => a - b)
    .map(([underlying, coins]) => ({ underlying, instrument: -1, size: 0, coins }));
  return [...positions, ...collateral];
}

/** Collateral coins after haircut, by underlying: the sums that the account's book is made with. */
export function collateralCoins(
  { collateral }: Portfolio,
  { market, methodology }: Valuation,
): ReadonlyMap<number, number> {
  const coins = new Map<number, number>();
  for (const [asset, amount] of countedAmounts(collateral, market.currency, methodology)) {
    if (asset !== market.currency) coins.set(market.underlyingIndex.get(asset)!, amount);
  }
  return coins;
}

/** Rows of a plan's cube that make up a line, and how much of each. */
export function rowsOf(
  { underlying, instrument, size, coins }: Line,
  plan: ValuationPlan,
): readonly { readonly row: number; readonly size: number }[] {
  const rows = instrument === -1 ? [] : [{ row: plan.rowOf[instrument]!, size }];
  if (coins !== 0) rows.push({ row: plan.underlyings[underlying]!.spotRow, size: coins });
  return rows;
}
