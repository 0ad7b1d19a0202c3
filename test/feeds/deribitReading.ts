/** Reading the client of Deribit in tests: in the background, with waiting for what is to come. */
import { type DeribitOptions, deribitFeed } from '../../src/feeds/deribit/feed.ts';
import type { FeedItem, SequencedTick, TickProblem } from '../../src/feeds/feed.ts';
import { DeribitServer } from './deribitServer.ts';

export const CALL = 'BTC-27MAR26-100000-C';
export const PUT = 'BTC-27MAR26-80000-P';
export const EXPIRY = '2026-03-27T08:00:00Z';
export const INSTRUMENTS = ['BTC-PERPETUAL', 'BTC-27MAR26', CALL, PUT];

const closing: (() => Promise<void>)[] = [];

/** Of a test's servers and readers: to be called after it. */
export async function closeAll(): Promise<void> {
  for (const close of closing.splice(0)) await close();
}

export async function serve(): Promise<DeribitServer> {
  const server = await DeribitServer.start();
  closing.push(() => server.close());
  return server;
}

/** Reads a feed in the background: what has come so far, and waiting for more of it. */
export class Reading {
  readonly ticks: SequencedTick[] = [];
  readonly problems: TickProblem[] = [];
  failure: unknown = null;
  private readonly watchers = new Set<() => void>();
  private readonly stopping = new AbortController();
  private readonly done: Promise<void>;

  constructor(options: DeribitOptions) {
    const feed = deribitFeed({ firstSequence: 1, ...options, signal: this.stopping.signal });
    this.done = this.read(feed);
    closing.push(() => this.stop());
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.done;
  }

  until(condition: (reading: Reading) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!condition(this)) return;
        this.watchers.delete(look);
        resolve();
      };
      this.watchers.add(look);
      look();
    });
  }

  kinds(): string[] {
    return this.problems.map(({ kind }) => kind);
  }

  private async read(feed: AsyncIterable<FeedItem>): Promise<void> {
    try {
      for await (const item of feed) {
        if ('batch' in item) this.ticks.push(...item.batch.ticks);
        else this.problems.push(item.problem);
        for (const watcher of this.watchers) watcher();
      }
    } catch (error) {
      this.failure = error;
    }
    for (const watcher of this.watchers) watcher();
  }
}

/** Short pauses: 2 … 20 ms. */
export const QUICK = { pauseMs: 4, pauseMaxMs: 20 };

export async function started(
  more: Partial<DeribitOptions> = {},
): Promise<{ server: DeribitServer; reading: Reading }> {
  const server = await serve();
  const reading = new Reading({ url: server.url, instruments: INSTRUMENTS, ...QUICK, ...more });
  await server.until(() => server.count('public/get_book_summary_by_currency') === 1);
  return { server, reading };
}
