/** The made-up exchange: its size to the contract, free of arbitrage, the same for the same seed; and accounts that any market can hold. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type DemoAccount, demoAccounts } from '../../src/book/demoAccounts.ts';
import { hashOf } from '../../src/json.ts';
import { readAccount } from '../../src/margin/account.ts';
import { demoMarket, demoOptionsMarket } from '../../src/market/demoMarket.ts';
import { compileFactorModel } from '../../src/market/factorModel.ts';
import { baseValue, compileMarket, type Market } from '../../src/market/market.ts';
import { readMarketTexts } from '../../src/market/readers/marketFiles.ts';
import type { MarketSnapshot } from '../../src/market/snapshot.ts';
import { totalVarianceAt } from '../../src/market/surface.ts';

const DEMO = demoMarket();

function checkAccounts(market: MarketSnapshot, accounts: readonly DemoAccount[]): void {
  const listed = new Set(market.instruments.map(({ id }) => id));
  const assets = new Set([market.currency, ...market.underlyings.map(({ id }) => id)]);
  for (const account of accounts) {
    readAccount(account);
    const held = account.positions.map(({ instrument }) => instrument);
    expect(new Set(held).size).toBe(held.length);
    expect(held.filter((id) => !listed.has(id))).toEqual([]);
    expect(account.positions.every(({ size }) => Number.isFinite(size) && size !== 0)).toBe(true);
    expect(account.collateral.every(({ asset, amount }) => assets.has(asset) && amount > 0)).toBe(
      true,
    );
  }
}

describe('demoMarket', () => {
  it('lists what it says: 5 × (3 + 4 + 6·17·2)', () => {
    const { market, factors } = DEMO;
    const count = (type: string, settlement?: string) =>
      market.instruments.filter(
        (record) => record.type === type && (settlement ?? record.settlement) === record.settlement,
      ).length;
    expect(market.underlyings.map(({ id }) => id)).toEqual(['BTC', 'ETH', 'SOL', 'XRP', 'BNB']);
    expect(market.instruments).toHaveLength(5 * 211);
    expect([count('perpetual', 'inverse'), count('perpetual', 'linear')]).toEqual([5, 5]);
    expect([count('future', 'inverse'), count('future', 'linear')]).toEqual([8, 12]);
    expect([count('option', 'coin'), count('option', 'linear')]).toEqual([408, 612]);
    expect(factors.factors).toHaveLength(10);
    expect(market.asOf).toBe('2026-01-02T08:00:00Z');
    expect(compileMarket(market).instruments.filter(({ problem }) => problem !== null)).toEqual([]);
  });

  it('has expiries on Fridays at 08:00', () => {
    const expiries = DEMO.market.underlyings.flatMap(({ forwards }) => forwards ?? []);
    for (const { expiry } of expiries) {
      expect(new Date(expiry).getUTCDay()).toBe(5);
      expect(expiry).toMatch(/T08:00:00Z$/);
    }
  });

  it('is free of static arbitrage between its quotes', () => {
    for (const seed of ['plimsoll', 'a', 'b', 'c'])
      expectNoArbitrage(compileMarket(demoMarket({ seed }).market));
  });

  it('gives the same bytes for the same seed, others for another', () => {
    expect(hashOf(demoMarket())).toBe(hashOf(DEMO));
    expect(hashOf(demoMarket({ seed: 'other' }))).not.toBe(hashOf(DEMO));
    // A prefix of a larger exchange is the smaller one: each underlying has a stream of its own.
    expect(demoMarket({ underlyings: 2 }).market.underlyings).toEqual(
      DEMO.market.underlyings.slice(0, 2),
    );
  });

  it('has the size that is asked for, to the contract', () => {
    const bench = demoOptionsMarket({ factors: 50, options: 1000 });
    expect(bench.factors.factors).toHaveLength(50);
    expect(bench.market.instruments).toHaveLength(1000);
    expect(bench.market.instruments.every(({ type }) => type === 'option')).toBe(true);
    expect(demoOptionsMarket({ factors: 6, options: 101 }).market.instruments).toHaveLength(101);
    const wide = demoMarket({ underlyings: 60, strikes: 3, basis: true });
    expect(wide.factors.factors).toHaveLength(180);
    expect(compileFactorModel(wide.factors).kind.filter((kind) => kind === 1)).toHaveLength(60);
    expect(demoMarket({ optionExpiries: 0 }).market.instruments).toHaveLength(5 * 7);
    expect(() => demoMarket({ underlyings: 0 })).toThrow(/underlyings/);
    expect(() => demoMarket({ futureExpiries: 11 })).toThrow(/futureExpiries/);
    expect(() => demoOptionsMarket({ factors: 5, options: 10 })).toThrow(/even/);
  });
});

/** Calls fall and are convex in strike (no butterfly pays for itself), puts and calls agree; total variance never falls with time. */
function expectNoArbitrage(market: Market): void {
  for (const [index, underlying] of market.underlyings.entries()) {
    const { slices } = underlying.surface!;
    for (const { expiryMs } of slices) {
      const options = market.instruments.filter(
        (item) => item.underlying === index && item.type === 'option' && item.expiryMs === expiryMs,
      );
      const calls = options.filter(({ right }) => right === 1).sort((a, b) => a.strike - b.strike);
      const prices = calls.map((call) => baseValue(call, market));
      for (let i = 1; i < calls.length; i++) {
        const fall = (prices[i - 1]! - prices[i]!) / (calls[i]!.strike - calls[i - 1]!.strike);
        expect(fall).toBeGreaterThan(0);
        if (i === 1) continue;
        const before =
          (prices[i - 2]! - prices[i - 1]!) / (calls[i - 1]!.strike - calls[i - 2]!.strike);
        expect(before).toBeGreaterThan(fall);
      }
      for (const call of calls) {
        const put = options.find((item) => item.right === -1 && item.strike === call.strike)!;
        const units = underlying.spot / call.forward;
        const scale = call.settlement === 'coin' ? units : 1;
        const gap =
          baseValue(call, market) - baseValue(put, market) - scale * (call.forward - call.strike);
        // Black-76 is good to 1e-14 of the forward, call and put each, and the difference rounds as often.
        expect(Math.abs(gap)).toBeLessThan(1e-13 * call.forward);
      }
    }
    for (const k of [-0.1, 0, 0.1]) {
      const variances = slices.map((slice) => totalVarianceAt(slice, k));
      expect(variances).toEqual(variances.toSorted((a, b) => a - b));
    }
  }
}

describe('demoAccounts', () => {
  const accounts = [...demoAccounts({ market: DEMO.market, count: 2000 })];

  it('are well-formed, with about the mean number of positions', () => {
    checkAccounts(DEMO.market, accounts);
    expect(accounts[0]!.id).toBe('acct-000001');
    const counts = accounts.map(({ positions }) => positions.length);
    const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
    // Standard deviation of a count by the table of styles: √(Σ share·breadth²·13/12 − 1)·20 < 22; four standard errors of 2,000: 2.
    expect(Math.abs(mean - 20)).toBeLessThan(2);
  });

  it('depend on seed and number alone', () => {
    const few = [...demoAccounts({ market: DEMO.market, count: 10 })];
    expect(few).toEqual(accounts.slice(0, 10));
    const [other] = demoAccounts({ market: DEMO.market, count: 1, seed: 'other' });
    expect(other).not.toEqual(few[0]);
  });

  it('are of many kinds: long, short, with coins, with every kind of contract', () => {
    const positions = accounts.flatMap((account) => account.positions);
    const share = (part: number, whole: number) => part / whole;
    expect(
      share(positions.filter(({ size }) => size > 0).length, positions.length),
    ).toBeGreaterThan(0.3);
    expect(
      share(positions.filter(({ size }) => size < 0).length, positions.length),
    ).toBeGreaterThan(0.3);
    expect(new Set(positions.map(({ instrument }) => instrument)).size).toBeGreaterThan(1000);
    const coins = accounts.filter(({ collateral }) =>
      collateral.some(({ asset }) => asset !== 'USD'),
    );
    expect(share(coins.length, accounts.length)).toBeGreaterThan(0.5);
    // Options carry no entry price (a premium never enters equity), everything else does.
    for (const { instrument, entryPrice } of positions) {
      expect(entryPrice === undefined).toBe(/-[CP]$/.test(instrument));
    }
  });

  it('can all have the same number of positions, up to what there is', () => {
    const bench = demoOptionsMarket({ factors: 4, options: 40 });
    const equal = [
      ...demoAccounts({ market: bench.market, count: 50, positions: 30, equal: true }),
    ];
    expect(new Set(equal.map(({ positions }) => positions.length))).toEqual(new Set([30]));
    const all = [...demoAccounts({ market: bench.market, count: 3, positions: 60, equal: true })];
    expect(all.map(({ positions }) => positions.length)).toEqual([40, 40, 40]);
    checkAccounts(bench.market, [...equal, ...all]);
  });

  it('refuse a count that is none and a market with nothing to hold', () => {
    expect(() => [...demoAccounts({ market: DEMO.market, count: 1.5 })]).toThrow(/count/);
    const bare = { ...DEMO.market, instruments: [] };
    expect(() => [...demoAccounts({ market: bare, count: 1 })]).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_INSTRUMENT' }),
    );
  });

  const DATA =
    process.env.PLIMSOLL_TEST_DATA ??
    fileURLToPath(new URL('../../../shared/data', import.meta.url));
  const chain = join(DATA, 'deribit/deribit_options_snapshot_20251230T173115Z.csv.gz');
  const absent = !existsSync(chain);
  it.skipIf(absent)(`hold a real chain${absent ? ' (skipped: no PLIMSOLL_TEST_DATA)' : ''}`, () => {
    const snapshot = readMarketTexts([{ name: 'chain', bytes: readFileSync(chain) }]);
    const made = [...demoAccounts({ market: snapshot, count: 200 })];
    checkAccounts(snapshot, made);
  });
});
