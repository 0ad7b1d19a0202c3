/** Three real Deribit chains of 30 and 31 December 2025, and what a market and its traders could have done between them. */
import { join } from 'node:path';
import type { AccountInput } from '../../src/margin/account.ts';
import { type DemoRandom, demoRandom } from '../../src/market/demoRandom.ts';
import { readMarketFiles } from '../../src/market/readers/marketFiles.ts';
import type { MarketSnapshot, UnderlyingRecord } from '../../src/market/snapshot.ts';
import { testData } from '../data.ts';

const STAMPS = ['20251230T173115Z', '20251230T211751Z', '20251231T091828Z'];

export const CHAIN_FILES: readonly string[] = STAMPS.map((stamp) =>
  join(testData ?? '', 'deribit', `deribit_options_snapshot_${stamp}.csv.gz`),
);

export const chainTitle = (text: string): string =>
  testData === null ? `${text} (skipped: no PLIMSOLL_TEST_DATA)` : text;

export const realChains = (): Promise<readonly MarketSnapshot[]> =>
  Promise.all(CHAIN_FILES.map((file) => readMarketFiles([file])));

/** The later snapshot's prices of what the earlier one has, a share of the way there: what an exchange could have sent meanwhile. */
export function between(
  before: MarketSnapshot,
  after: MarketSnapshot,
  share: number,
): MarketSnapshot {
  const later = new Map(after.underlyings.map((record) => [record.id, record]));
  return {
    ...before,
    underlyings: before.underlyings.map((record) => movedTo(record, later.get(record.id)!, share)),
  };
}

function movedTo(before: UnderlyingRecord, after: UnderlyingRecord, share: number) {
  const on = (from: number, to: number | undefined): number =>
    to === undefined ? from : from + share * (to - from);
  const prices = new Map(after.forwards!.map(({ expiry, price }) => [expiry, price]));
  const volatilities = new Map(
    after.surface!.flatMap(({ expiry, quotes }) =>
      quotes.map(({ strike, iv }) => [`${expiry} ${strike}`, iv] as const),
    ),
  );
  const at = on(Date.parse(before.asOf!), Date.parse(after.asOf!));
  return {
    ...before,
    asOf: new Date(Math.round(at)).toISOString(),
    spot: on(before.spot, after.spot),
    forwards: before.forwards!.map(({ expiry, price }) => ({
      expiry,
      price: on(price, prices.get(expiry)),
    })),
    surface: before.surface!.map(({ expiry, quotes }) => ({
      expiry,
      quotes: quotes.map(({ strike, iv }) => ({
        strike,
        iv: on(iv, volatilities.get(`${expiry} ${strike}`)),
      })),
    })),
  };
}

/** The contracts of the first that are not in the second: they expired between the two, and what each is settled at. */
export function expired(
  before: MarketSnapshot,
  after: MarketSnapshot,
): readonly { readonly instrument: string; readonly price: number }[] {
  const listed = new Set(after.instruments.map(({ id }) => id));
  const spots = new Map(after.underlyings.map(({ id, spot }) => [id, spot]));
  return before.instruments
    .filter(({ id }) => !listed.has(id))
    .map(({ id, underlying }) => ({ instrument: id, price: spots.get(underlying)! }));
}

/** Commands that nobody coordinates: trades, orders, deposits and withdrawals of random accounts. Some will be refused. */
export class Traders {
  private readonly accounts: readonly AccountInput[];
  private readonly random: DemoRandom;
  private made = 0;

  constructor(accounts: readonly AccountInput[], seed: string) {
    this.accounts = accounts;
    this.random = demoRandom(seed);
  }

  next(market: MarketSnapshot): Record<string, unknown> & { readonly account: string } {
    this.made += 1;
    const account = this.anyOf(this.accounts).id;
    const kind = this.random.index(8);
    if (kind === 0) return { do: 'cancel-orders', account, reason: 'changed our mind' };
    if (kind === 1) {
      const amount = Math.round(this.random.between(-2_000, 3_000)) + 0.5;
      return { do: 'move-collateral', account, asset: 'USD', amount, reason: 'moved' };
    }
    const instrument = this.anyOf(market.instruments).id;
    const size = Math.round(this.random.between(1, 40)) / 10;
    // A price in coin that a far option may have; what it truly is does not matter to the figures' equality.
    const price = Math.round(this.random.between(1, 400)) / 10_000;
    const id = `t-${this.made}`;
    if (kind < 4) {
      const side = this.random.index(2) === 0 ? 'buy' : 'sell';
      return { do: 'place-orders', account, orders: [{ id, instrument, side, size, price }] };
    }
    const signed = this.random.index(2) === 0 ? size : -size;
    return { do: 'fill', account, fills: [{ id, instrument, size: signed, price }] };
  }

  private anyOf<T>(list: readonly T[]): T {
    return list[this.random.index(list.length)]!;
  }
}
