/** What a worker remembers of accounts saves it time and changes no byte: figures are those of a session that was never asked before. */
import { describe, expect, it, vi } from 'vitest';
import { demoAccounts } from '../../src/book/demoAccounts.ts';
import { AccountDesk } from '../../src/engine/accountDesk.ts';
import { type Account, readAccount } from '../../src/margin/account.ts';
import { demoMarket } from '../../src/market/demoMarket.ts';
import { demoRandom } from '../../src/market/demoRandom.ts';
import { fillInProcess } from './inProcess.ts';
import { documentOf } from './studyMarket.ts';

const UNDERLYINGS = 4;
const demo = demoMarket({ underlyings: UNDERLYINGS, options: 80, seed: 'remembered', basis: true });
const accounts = [
  ...demoAccounts({ market: demo.market, count: 40, positions: 12, seed: 'remembered' }),
].map((account) => readAccount({ ...account, id: 'one' }));

/** Rows that there is room for. */
const ROOM = 256;
vi.mock('../../src/limits.ts', async (original) => {
  const { LIMITS } = await original<typeof import('../../src/limits.ts')>();
  // 320 bytes lie between two rows (subtotals.ts).
  return { LIMITS: { ...LIMITS, subtotalBytes: 256 * (512 * 8 + 320) } };
});

/** With a few positions, none or all of them of other sizes. */
function changed(account: Account, random: ReturnType<typeof demoRandom>): Account {
  const sizes = Float64Array.from(account.sizes, (size) =>
    random.uniform() < 0.2 ? size * (1 + random.uniform()) : size,
  );
  return { ...account, sizes };
}

describe('books that are remembered', () => {
  it.each([
    ['with reordered scenarios and a stress library', {}],
    ['one order alone', { preset: 'market-risk' }],
  ] as const)('%s', (_, methodology) => {
    const filled = fillInProcess({
      market: demo.market,
      factors: demo.factors,
      methodology: { ...methodology, scenarios: 512 },
    });
    const random = demoRandom('remembered/changes');
    // Some of them again and again, so that rows are found, and more rows in all than there is room for.
    let rows = 0;
    for (let trial = 0; trial < 200; trial++) {
      const account = changed(accounts[Math.floor(random.uniform() * accounts.length)]!, random);
      rows += UNDERLYINGS;
      const known = new AccountDesk(filled.bench, 0);
      const [fresh] = filled.evaluate([documentOf(account)]);
      expect(JSON.stringify(known.margin(account))).toBe(JSON.stringify(fresh));
    }
    expect(rows).toBeGreaterThan(2 * ROOM);
  });

  it('survives an account that cannot be margined', () => {
    const filled = fillInProcess({
      market: demo.market,
      factors: demo.factors,
      methodology: { scenarios: 256 },
    });
    const desk = new AccountDesk(filled.bench, 0);
    const [account] = accounts;
    const huge = { ...account!, sizes: Float64Array.from(account!.sizes, (size) => size * 1e299) };
    expect(() => desk.margin(huge)).toThrow(expect.objectContaining({ code: 'NUMERIC_OVERFLOW' }));
    const [fresh] = filled.evaluate([documentOf(account!)]);
    expect(JSON.stringify(desk.margin(account!))).toBe(JSON.stringify(fresh));
  });
});
