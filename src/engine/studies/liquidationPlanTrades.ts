/** Trades at the mark that pay their cost out of the account: how a liquidation, or a hedge, changes it. */
import type { Account, AccountInput, MarginMode } from '../../margin/account.ts';
import type { Valuation } from '../../margin/valuation.ts';
import { markPrice } from './accountDraft.ts';
import { applyChange } from './changes.ts';

/** The account after buying (size > 0) or selling at the mark; the cost leaves its collateral, in currency. */
export function traded(
  account: Account,
  instrument: number,
  size: number,
  cost: number,
  valuation: Valuation,
): Account {
  const { market } = valuation;
  const { id } = market.instruments[instrument]!;
  const paid = cost === 0 ? [] : [{ asset: market.currency, amount: -cost }];
  return applyChange(account, { fills: [{ instrument: id, size }], collateral: paid }, valuation);
}

/**
 * The same in isolated mode, where a position that is reduced in a liquidation keeps what is set apart for it: what the trade realises
 * is added to that, converted at spot, and the cost taken off.
 * @returns the account, and what is then set apart for the position (also where nothing of the position is left)
 */
export function tradedIsolated(
  account: Account,
  instrument: number,
  size: number,
  cost: number,
  valuation: Valuation,
): { readonly account: Account; readonly allocated: number } {
  const { market } = valuation;
  const { id } = market.instruments[instrument]!;
  const at = account.instruments.indexOf(id);
  const after = traded(account, instrument, size, cost, valuation);
  let allocated = account.allocated![at]!;
  const amounts = new Map(account.collateral.map(({ asset, amount }) => [asset, amount]));
  for (const { asset, amount } of after.collateral) {
    const price =
      asset === market.currency ? 1 : market.underlyings[market.underlyingIndex.get(asset)!]!.spot;
    // The cost is one of the differences.
    allocated += (amount - (amounts.get(asset) ?? 0)) * price;
  }
  if (!after.instruments.includes(id)) return { account: after, allocated };
  const change = { allocated: [{ instrument: id, amount: allocated }] };
  return { account: applyChange(after, change, valuation), allocated };
}

/** The mark, as it is quoted. */
export function quotedMark(instrument: number, { market, plan }: Valuation): number {
  return markPrice(market.instruments[instrument]!, instrument, { market, plan });
}

/** The account as a document: read again it is the same account, to the bit. */
export function accountDocument(account: Account): AccountInput {
  const { id, currency, creditLine, collateral, orders, instruments } = account;
  const mode: MarginMode = account.mode;
  const positions = instruments.map((instrument, i) => {
    const entryPrice = account.entryPrices?.[i] ?? Number.NaN;
    const allocated = account.allocated?.[i] ?? Number.NaN;
    return {
      instrument,
      size: account.sizes[i]!,
      ...(Number.isNaN(entryPrice) ? {} : { entryPrice }),
      ...(Number.isNaN(allocated) ? {} : { allocated }),
    };
  });
  return {
    id,
    mode,
    ...(currency === null ? {} : { currency }),
    ...(creditLine === 0 ? {} : { creditLine }),
    collateral: collateral.map(({ asset, amount }) => ({ asset, amount })),
    positions,
    ...(orders.length === 0 ? {} : { orders: [...orders] }),
  };
}
