/** A remembered result is of the very account: another one with the same id gets its own. */
import { expect, it } from 'vitest';
import { demoAccounts } from '../../src/book/demoAccounts.ts';
import { AccountDesk } from '../../src/engine/accountDesk.ts';
import { type Account, readAccount } from '../../src/margin/account.ts';
import { demoMarket } from '../../src/market/demoMarket.ts';
import { fillInProcess } from './inProcess.ts';

const { market, factors } = demoMarket({ underlyings: 2, options: 20, seed: 'results' });
const [stated] = demoAccounts({ market, count: 1, positions: 5, seed: 'results' });
const account = readAccount(stated!);

const others: Readonly<Record<string, Account>> = {
  'a size': {
    ...account,
    sizes: Float64Array.from(account.sizes, (size, i) => size + (i === 0 ? 1 : 0)),
  },
  'an entry price': { ...account, entryPrices: Float64Array.from(account.sizes, () => 1) },
  'the collateral': { ...account, collateral: [{ asset: market.currency, amount: 5 }] },
  'the credit line': { ...account, creditLine: account.creditLine + 1 },
  'an order': {
    ...account,
    orders: [
      ...account.orders,
      { instrument: account.instruments[0]!, side: 'buy', size: 1, price: 1 },
    ],
  },
};

it.each(Object.entries(others))('another account by %s', (_, other) => {
  const { bench } = fillInProcess({ market, factors, methodology: { scenarios: 512 } });
  const fresh = (one: Account) => JSON.stringify(new AccountDesk(bench, 0).margin(one));
  const remembered = (one: Account) => new AccountDesk(bench, 0).marginAsBefore(one);
  const first = remembered(account);
  expect(JSON.stringify(first)).toBe(fresh(account));
  // The same holdings in another object: known.
  expect(remembered({ ...account, sizes: Float64Array.from(account.sizes) })).toBe(first);
  expect(JSON.stringify(remembered(other))).toBe(fresh(other));
  expect(JSON.stringify(remembered(other))).not.toBe(JSON.stringify(first));
  expect(JSON.stringify(remembered(account))).toBe(fresh(account));
});
