/** A small market with a contract of every kind, and a book kept on it in memory. */
import { type Book, emptyBook } from '../../src/book/book.ts';
import { decide } from '../../src/book/decide.ts';
import type { BookEvent } from '../../src/book/events.ts';
import { foldTyped, type TypedRecord } from '../../src/book/fold.ts';
import type { DecisionContext } from '../../src/book/listings.ts';
import { compileMarket, type Market } from '../../src/market/market.ts';
import { type MarketSnapshot, readSnapshot } from '../../src/market/snapshot.ts';

export const START = '2026-01-02T08:00:00.000Z';
export const EXPIRY = '2026-03-27T08:00:00.000Z';

const option = {
  underlying: 'BTC',
  expiry: '2026-03-27T08:00:00Z',
  multiplier: 1,
} as const;

export const SNAPSHOT: MarketSnapshot = {
  asOf: '2026-01-02T08:00:00Z',
  currency: 'USD',
  underlyings: [
    {
      id: 'BTC',
      spot: 90_000,
      forwards: [{ expiry: '2026-03-27T08:00:00Z', price: 91_000 }],
      surface: [{ expiry: '2026-03-27T08:00:00Z', quotes: [{ strike: 90_000, iv: 0.5 }] }],
    },
    { id: 'ETH', spot: 3_000 },
    { id: 'USDT', spot: 0.9995 },
  ],
  instruments: [
    { id: 'BTC-SPOT', type: 'spot', underlying: 'BTC', settlement: 'linear', multiplier: 1 },
    { id: 'BTC-LIN', type: 'perpetual', underlying: 'BTC', settlement: 'linear', multiplier: 0.1 },
    { id: 'BTC-INV', type: 'perpetual', underlying: 'BTC', settlement: 'inverse', multiplier: 1 },
    {
      ...{ id: 'ETH-LIN', type: 'perpetual', underlying: 'ETH', settlement: 'linear' },
      ...{ multiplier: 1, mark: 3_010 },
    },
    { id: 'BTC-FUT', type: 'future', settlement: 'linear', ...option },
    { id: 'BTC-FUTINV', type: 'future', settlement: 'inverse', ...option },
    {
      ...{ id: 'BTC-CALL', type: 'option', settlement: 'coin', strike: 100_000, right: 'call' },
      ...option,
    },
    {
      ...{ id: 'BTC-PUT', type: 'option', settlement: 'linear', strike: 80_000, right: 'put' },
      ...option,
    },
    {
      ...{ id: 'BTC-DIGITAL', type: 'binary', settlement: 'linear', strike: 95_000 },
      ...{ ...option, right: 'call', multiplier: 100 },
    },
    { id: 'BTC-POOL', type: 'pool', underlying: 'BTC', settlement: 'linear', multiplier: 2 },
  ],
};

export const MARKET: Market = compileMarket(readSnapshot(SNAPSHOT));

export function marketWith(change: (snapshot: MarketSnapshot) => void): Market {
  const snapshot = structuredClone(SNAPSHOT);
  change(snapshot);
  return compileMarket(readSnapshot(snapshot));
}

/** A book whose log is an array: what a store would keep, as JSON. */
export class LoggedBook {
  readonly book: Book = emptyBook();
  readonly log: string[] = [];
  context: DecisionContext = { market: MARKET, now: START };

  /** Decides, appends and folds. */
  run(command: unknown, more: Partial<DecisionContext> = {}): readonly BookEvent[] {
    return this.append(decide(this.book, command, { ...this.context, ...more }));
  }

  append(events: readonly BookEvent[]): readonly BookEvent[] {
    for (const event of events) {
      const record: TypedRecord = { ...event, seq: this.book.seq + 1, at: this.context.now };
      this.log.push(JSON.stringify(record));
      foldTyped(this.book, record);
    }
    return events;
  }

  open(id: string, more: object = {}): void {
    this.run({ do: 'put-account', account: { id, ...more } });
  }

  fill(account: string, instrument: string, size: number, price: number, more: object = {}): void {
    const id = `f${this.book.seq}`;
    this.run({ do: 'fill', account, fills: [{ id, instrument, size, price, ...more }] });
  }

  balance(account: string, asset: string): number {
    return this.book.accounts.get(account)!.collateral.get(asset) ?? 0;
  }
}

/** What `run` throws, as `CODE path`. */
export function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    const { code, path } = error as { code?: string; path?: string };
    if (code === undefined) throw error;
    return path === undefined ? code : `${code} ${path}`;
  }
  return 'accepted';
}
