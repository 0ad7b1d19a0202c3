/** `plimsoll liquidate`. */
import { describe, expect, it } from 'vitest';
import type { Liquidation } from '../../src/engine/studies/liquidation.ts';
import { place, plimsoll, SMALL_FACTORS, SMALL_MARKET, temporaryFolder } from './command.ts';

const folder = temporaryFolder();
const market = place(folder, 'market.json', SMALL_MARKET);
const factors = place(folder, 'factors.json', SMALL_FACTORS);
const low = {
  id: 'low',
  collateral: [{ asset: 'USD', amount: 9_000 }],
  positions: [{ instrument: 'BTC-LINEAR', size: 2, entryPrice: 90_000 }],
};
const account = place(folder, 'account.json', low);
const run = (...args: string[]) =>
  plimsoll(['liquidate', '-m', market, '-f', factors, '-a', account, '-n', '2048', ...args]);

describe('plimsoll liquidate', () => {
  it('shows prices, plan and hedges', async () => {
    const { code, stdout } = await run('--plan', '--hedges', '2');
    expect(code).toBe(0);
    expect(stdout).toContain('Liquidation of low, in USD, mode portfolio.');
    expect(stdout).toMatch(/BTC +90,000\.00 +out of liquidation +none +[\d,.]+ ± [\d.]+ +[\d.]+%/);
    expect(stdout).toMatch(/Plan: the release level is restored \(1\.05 × the maintenance/);
    expect(stdout).toMatch(/close +BTC-LINEAR +-[\d.]+ +90000 /);
    expect(stdout).toMatch(/Hedges: initial margin [\d,.]+ → [\d,.]+/);
  });

  it('writes the answer as JSON', async () => {
    const { code, stdout } = await run('--json', '--plan', '--fund', '5', '--hedges', '1');
    expect(code).toBe(0);
    const answer = JSON.parse(stdout) as Liquidation & { hedges: unknown };
    expect(answer.prices[0]).toMatchObject({ underlying: 'BTC', inLiquidation: true, below: null });
    expect(answer.plan!.outcome).toBe('restored');
    expect(answer.hedges).toHaveProperty('after');
    const plain = JSON.parse((await run('--json')).stdout) as object;
    expect(Object.keys(plain)).toEqual(['margin', 'prices']);
  });

  it('reads counterparties', async () => {
    const lost = { ...low, collateral: [{ asset: 'USD', amount: -5_000 }] };
    const path = place(folder, 'lost.json', lost);
    const other = {
      id: 'other',
      collateral: [{ asset: 'USD', amount: 1e6 }],
      positions: [{ instrument: 'BTC-LINEAR', size: -3, entryPrice: 95_000 }],
    };
    const others = place(folder, 'others.ndjson', `${JSON.stringify(other)}\n`);
    const args = ['liquidate', '-m', market, '-f', factors, '-a', path, '-n', '1024', '--plan'];
    const { code, stdout } = await plimsoll([...args, '--counterparties', others]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/other bears +[\d,.]+, trading 2 BTC-LINEAR/);
  });

  it('refuses options that would do nothing', async () => {
    for (const args of [
      ['--fund', '5'],
      ['--level', 'initial'],
      ['--lot', '1'],
    ]) {
      const { code, stderr } = await run(...args);
      expect(code).toBe(2);
      expect(stderr).toContain('needs --plan');
    }
    expect((await run('--hedges', '1.5')).code).toBe(2);
  });
});
