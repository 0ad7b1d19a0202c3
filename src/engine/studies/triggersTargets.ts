/** What triggers are asked of: each underlying that an account holds or has orders in; in isolated mode each position with its orders. */
import type { Account } from '../../margin/account.ts';
import { allocatedAccount, type Portfolio } from '../../margin/portfolio.ts';
import type { Market } from '../../market/market.ts';
import { type PriceTarget, positionAccount } from './liquidationPriceTargets.ts';

/** Open orders stay: they raise the initial margin, by which an account is warned and called. */
export function triggerTargets(portfolio: Portfolio, market: Market): PriceTarget[] {
  const { account } = portfolio;
  if (account.mode === 'isolated') return positionTargets(portfolio, market);
  const touched = new Map(portfolio.parts.map((part) => [part.underlying, part.end - part.start]));
  for (const { instrument } of portfolio.orders) {
    const { underlying } = market.instruments[instrument]!;
    if (!touched.has(underlying)) touched.set(underlying, 0);
  }
  const idOf = (underlying: number): string => market.underlyings[underlying]!.id;
  return [...touched]
    .map(([underlying, positions]) => ({
      underlying,
      instrument: null,
      account,
      work: positions + 1,
    }))
    .sort((a, b) => (idOf(a.underlying) < idOf(b.underlying) ? -1 : 1));
}

function positionTargets(portfolio: Portfolio, market: Market): PriceTarget[] {
  const account = allocatedAccount(portfolio, market);
  return Array.from(portfolio.instruments, (instrument) => {
    const { underlying, id } = market.instruments[instrument]!;
    const alone = positionAccount(account, account.instruments.indexOf(id), market.currency);
    const orders = account.orders.filter((order) => order.instrument === id);
    return { underlying, instrument, account: { ...alone, orders } as Account, work: 1 };
  });
}
