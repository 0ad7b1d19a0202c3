import { expect, it } from 'vitest';
import { demoAccounts } from '../../src/book/demoAccounts.ts';
import { studyContext } from '../../src/engine/studies/studyShard.ts';
import { readAccount } from '../../src/margin/account.ts';
import { demoMarket } from '../../src/market/demoMarket.ts';
import { fillInProcess } from './inProcess.ts';

it('a lab on the session market gives its bytes; few and many accounts too', () => {
  const demo = demoMarket({ underlyings: 4, seed: 'lab' });
  const filled = fillInProcess({
    market: demo.market,
    factors: demo.factors,
    methodology: { scenarios: 3000 },
  });
  const accounts = [...demoAccounts({ market: demo.market, count: 40, positions: 12 })];
  const many = filled.evaluate(accounts);
  const context = studyContext(filled.bench, 0);
  accounts.forEach((account, i) => {
    const [one] = filled.evaluate([account]);
    expect(JSON.stringify(one)).toBe(JSON.stringify(many[i]));
    const lab = context.lab([readAccount(account)]);
    expect(JSON.stringify(lab.margin(readAccount(account)))).toBe(JSON.stringify(many[i]));
  });
  console.log(JSON.stringify(many[0], null, 1));
});
