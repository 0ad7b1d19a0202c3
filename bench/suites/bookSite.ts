/** What the suite `book` works on: a desk over a store on this machine's disk, and made-up accounts in it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DemoAccount, demoAccounts } from '../../src/book/demoAccounts.ts';
import { type Desk, openDesk } from '../../src/book/desk/desk.ts';
import { openStore, type Store } from '../../src/book/store/store.ts';
import { createEngine, type Engine } from '../../src/engine/engine.ts';
import { type DemoMarketOptions, demoMarket } from '../../src/market/demoMarket.ts';
import type { MarketSnapshot } from '../../src/market/snapshot.ts';
import type { Line } from '../line.ts';

export type PresetName = 'exchange-crypto' | 'market-risk';

export interface SiteOptions {
  readonly market: DemoMarketOptions;
  readonly preset: PresetName;
  readonly scenarios: number;
  readonly accounts: number;
  readonly positions: number;
}

/** For `--quick`. */
export const SMALL = {
  market: { underlyings: 2, options: 24, futureExpiries: 1 },
  scenarios: 256,
  accounts: 16,
  positions: 4,
} as const;

export interface Site {
  readonly desk: Desk;
  readonly store: Store;
  readonly engine: Engine;
  /** Lets go of everything; the store's file stays. */
  close(): Promise<void>;
}

/** @param path where the store is, or is made @param made whether the accounts are in it already */
export async function openSite(
  path: string,
  options: SiteOptions,
  made: boolean = false,
): Promise<Site> {
  const { preset, scenarios } = options;
  const { market, factors } = demoMarket(options.market);
  const engine = await createEngine({ market, factors, methodology: { preset, scenarios } });
  const store = await openStore(path);
  const desk = await openDesk({ store, engine });
  if (!made) await desk.load(wealthyAccounts(market, options.accounts, options.positions));
  return {
    desk,
    store,
    engine,
    close: async () => {
      await desk.close();
      await store.close();
      await engine.close();
    },
  };
}

/** Every account has as many positions, each another contract. */
export function bookedAccounts(
  market: MarketSnapshot,
  count: number,
  positions: number,
): readonly DemoAccount[] {
  return [...demoAccounts({ market, count, positions, equal: true })];
}

/** Half as much again of all collateral: most of them can place an order. */
function wealthyAccounts(
  market: MarketSnapshot,
  count: number,
  positions: number,
): readonly DemoAccount[] {
  return bookedAccounts(market, count, positions).map((account) => ({
    ...account,
    collateral: account.collateral.map(({ asset, amount }) => ({ asset, amount: 1.5 * amount })),
  }));
}

export async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-bench-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The value below which a share of them lies. @param sorted ascending */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.ceil(share * (sorted.length - 1))]!;
}

export function line(
  measured: Pick<Line, 'name' | 'rate' | 'unit' | 'seconds' | 'per'> & Partial<Line>,
): Line {
  return {
    suite: 'book',
    spread: null,
    ratios: {},
    figures: {},
    hash: null,
    targets: [],
    notes: [],
    ...measured,
  };
}
