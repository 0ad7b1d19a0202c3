/** A desk on a small made-up exchange, its store in a folder of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demoAccounts } from '../../src/book/demoAccounts.ts';
import { type Desk, type DeskOptions, openDesk } from '../../src/book/desk/desk.ts';
import { openStore, type Store } from '../../src/book/store/store.ts';
import { createEngine, type Engine } from '../../src/engine/engine.ts';
import type { MethodologyInput } from '../../src/margin/methodology.ts';
import { demoMarket } from '../../src/market/demoMarket.ts';
import { demoRandom } from '../../src/market/demoRandom.ts';
import type { History } from '../../src/market/history.ts';
import type { MarketSnapshot } from '../../src/market/snapshot.ts';
import { exp } from '../../src/numerics.ts';

export const DEMO = demoMarket({ underlyings: 3, options: 24, seed: 'desk' });
export const ACCOUNTS = [
  ...demoAccounts({ market: DEMO.market, count: 12, positions: 5, seed: 'desk' }),
];
export const METHODOLOGY = { scenarios: 256 };

export const engineOn = (
  market: MarketSnapshot,
  methodology: MethodologyInput = METHODOLOGY,
  history?: History,
): Promise<Engine> =>
  createEngine({ market, factors: DEMO.factors, history, methodology, workers: 1 });

/** Levels of every factor on so many days before the market: random walks. */
export function madeUpHistory(days: number): History {
  const random = demoRandom('history');
  const last = Date.parse(DEMO.market.asOf);
  const dates = Array.from({ length: days }, (_, i) =>
    new Date(last - (days - i) * 86_400_000).toISOString().slice(0, 10),
  );
  const columns = DEMO.factors.factors.map(({ id, volatility }) => {
    let level = 100;
    const values = Float64Array.from(dates, () => {
      level *= exp((volatility / Math.sqrt(365)) * random.normal());
      return level;
    });
    return { id, values };
  });
  return { dates, columns };
}

export interface Site {
  readonly path: string;
  store: Store;
  desk: Desk;
  engine: Engine;
  /** Closes desk and store and opens them again. */
  restart(): Promise<void>;
  remove(): Promise<void>;
}

/**
 * @param engine closed by whoever made it
 * @param location of the store; default: a file in a folder of its own
 */
export async function deskSite(
  engine: Engine,
  options: Partial<DeskOptions> = {},
  location?: string,
): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-desk-'));
  const path = location ?? join(folder, 'book.db');
  const store = await openStore(path);
  const site: Site = {
    path,
    store,
    engine,
    desk: await openDesk({ store, engine, ...options }),
    restart: async () => {
      await site.desk.close();
      await site.store.close();
      site.store = await openStore(path);
      site.desk = await openDesk({ store: site.store, engine: site.engine, ...options });
    },
    remove: async () => {
      await site.desk.close();
      await site.store.close();
      rmSync(folder, { recursive: true });
    },
  };
  return site;
}

/** The outright of an underlying that has one: something to trade. */
export function outrights(market: MarketSnapshot): MarketSnapshot['instruments'] {
  return market.instruments.filter(({ type }) => type === 'perpetual');
}
