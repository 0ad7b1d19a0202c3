/**
 * Deribit as a feed: it connects, subscribes, answers heartbeats, and whatever breaks (the connection, an answer that does not come, a book whose
 * changes do not follow one another) is named and mended: by a new connection after a growing pause, and by reading the whole chain again.
 * Source: docs.deribit.com, "JSON-RPC over WebSocket", "Notifications", public/set_heartbeat, public/subscribe.
 */
import seedrandom from 'seedrandom';
import { asPlimsollError, PlimsollError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import { readRpcAnswer } from '../../market/readers/jsonRpc.ts';
import { type Clock, systemClock } from '../clock.ts';
import { type FeedItem, instantOf, type ProblemKind, type TickProblem } from '../feed.ts';
import { type Letter, Mailbox } from '../mailbox.ts';
import { BookChanges } from './bookChanges.ts';
import { readChannels, type Subscription } from './messages.ts';
import { type Converted, DeribitPrices } from './prices.ts';
import { DeribitSession, type SessionLimits } from './session.ts';
import { bookChannel, type Plan, planSubscription } from './subscription.ts';

export interface DeribitOptions extends Subscription {
  /** `wss://www.deribit.com/ws/api/v2`, or its like. */
  readonly url: string;
  /** Default `deribit`. */
  readonly source?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock | undefined;
  /** Number of the first tick. Default: microseconds since 1970, so that a feed that is started again numbers on, with a gap that tells of the pause. */
  readonly firstSequence?: number | undefined;
  /** Seconds between heartbeats, from 10 (the exchange's least). Default 10. */
  readonly heartbeatSeconds?: number | undefined;
  /** The whole chain is read again this often, besides after every connection and gap. Milliseconds; default: not. */
  readonly refreshMs?: number | undefined;
  /** Milliseconds; defaults 10,000, 10,000 and 2.5 heartbeats. */
  readonly connectMs?: number | undefined;
  readonly requestMs?: number | undefined;
  readonly silenceMs?: number | undefined;
  /** Pause before the first new connection; it doubles up to the most, and each is drawn from its upper half. Milliseconds, defaults 250 and 30,000. */
  readonly pauseMs?: number | undefined;
  readonly pauseMaxMs?: number | undefined;
  /** Of those draws. Default `deribit`. */
  readonly seed?: string | undefined;
  /** Connections that fail one after the other until the feed does. Default: it goes on for ever. */
  readonly attemptsMax?: number | undefined;
  /** Items that wait for the reader before they are conflated. */
  readonly queueMax?: number | undefined;
}

/**
 * Connects when it is first read, and goes on until it is aborted or its reader leaves the loop.
 * @throws INVALID_FIELD, MISSING_FIELD, TOO_LARGE for what is asked for, at once; while it is read, FEED_FAILED after `attemptsMax`
 */
export function deribitFeed(options: DeribitOptions): AsyncIterable<FeedItem> {
  const plan = planSubscription(options);
  return { [Symbol.asyncIterator]: () => read(options, plan) };
}

async function* read(options: DeribitOptions, plan: Plan): AsyncGenerator<FeedItem> {
  const { source = 'deribit', clock = systemClock, signal } = options;
  const left = new AbortController();
  const abort = (): void => left.abort();
  signal?.addEventListener('abort', abort);
  if (signal?.aborted === true) abort();
  const link = new Link(options, plan, left.signal);
  const running = link.run();
  let sequence = options.firstSequence ?? clock.now() * 1000;
  try {
    for (;;) {
      const letters = await link.mailbox.take();
      if (letters === null) return;
      for (const letter of letters) yield itemOf(letter);
    }
  } finally {
    abort();
    signal?.removeEventListener('abort', abort);
    await running;
  }

  // Numbered as they are handed over: what was conflated while it waited leaves no gap.
  function itemOf(letter: Letter): FeedItem {
    if ('problem' in letter) return letter;
    const { tick, receivedMs } = letter;
    const ticks = [{ sequence: sequence++, ...tick }];
    return { batch: { source, receivedAt: instantOf(receivedMs), ticks } };
  }
}

/** The connections, one after the other. */
class Link {
  readonly mailbox: Mailbox;
  private readonly options: DeribitOptions;
  private readonly plan: Plan;
  private readonly signal: AbortSignal;
  private readonly clock: Clock;
  private readonly prices: DeribitPrices;
  private books = new BookChanges();
  private session: DeribitSession | null = null;
  private refreshing: Promise<void> | null = null;
  private refreshAgain = false;

  constructor(options: DeribitOptions, plan: Plan, signal: AbortSignal) {
    this.options = options;
    this.plan = plan;
    this.signal = signal;
    this.clock = options.clock ?? systemClock;
    this.prices = new DeribitPrices(plan);
    this.mailbox = new Mailbox(options.queueMax ?? LIMITS.feedQueueMax, (ticks, problems) => {
      const message = `the reader is slow: ${ticks} ticks conflated, ${problems} problems dropped`;
      return this.problem('overrun', message);
    });
  }

  /** Resolves when the signal is aborted or the attempts are used up; never rejects. */
  async run(): Promise<void> {
    const { pauseMs = 250, pauseMaxMs = 30_000, seed = 'deribit', attemptsMax } = this.options;
    const draws = seedrandom(seed);
    let failures = 0;
    while (!this.signal.aborted) {
      const { why, worked } = await this.connection();
      if (this.signal.aborted) break;
      this.post('disconnected', why);
      failures = worked ? 1 : failures + 1;
      if (failures >= (attemptsMax ?? Number.POSITIVE_INFINITY)) {
        this.mailbox.close(new PlimsollError('FEED_FAILED', `${this.options.url}: ${why}`));
        return;
      }
      const pause = Math.min(pauseMaxMs, pauseMs * 2 ** Math.min(failures - 1, 30));
      // Half of it fixed, half drawn: clients that were cut off together do not come back together.
      await this.clock.sleep((pause * (1 + draws.quick())) / 2, this.signal);
    }
    this.mailbox.close();
  }

  /** From connecting to the end. */
  private async connection(): Promise<{ readonly why: string; readonly worked: boolean }> {
    const timers: NodeJS.Timeout[] = [];
    try {
      const handlers = {
        notification: (channel: string, data: unknown) => this.notified(channel, data),
        malformed: (message: string) => this.post('malformed', message),
      };
      const { url } = this.options;
      this.books = new BookChanges();
      this.session = await DeribitSession.open(url, this.limits(), handlers, this.signal);
      await this.setUp(this.session);
      const { refreshMs } = this.options;
      if (refreshMs !== undefined) timers.push(setInterval(() => this.refresh(), refreshMs));
      return { why: await this.session.ended, worked: true };
    } catch (error) {
      const why = asPlimsollError(error).message;
      this.session?.end(why);
      return { why, worked: false };
    } finally {
      for (const timer of timers) clearInterval(timer);
      await this.session?.ended;
      await this.refreshing;
      this.session = null;
    }
  }

  private limits(): SessionLimits {
    const { connectMs = 10_000, requestMs = 10_000, heartbeatSeconds = 10 } = this.options;
    const silenceMs = this.options.silenceMs ?? heartbeatSeconds * 2_500;
    return { connectMs, requestMs, silenceMs };
  }

  /** @throws FEED_FAILED */
  private async setUp(session: DeribitSession): Promise<void> {
    const { heartbeatSeconds: interval = 10 } = this.options;
    await session.request('public/set_heartbeat', { interval });
    const { channels } = this.plan;
    for (let at = 0; at < channels.length; at += LIMITS.feedChannelsPerRequest) {
      const some = channels.slice(at, at + LIMITS.feedChannelsPerRequest);
      await this.subscribe(session, some);
    }
    // Subscribed first: nothing that moves while the chain is read is missed.
    this.refresh();
    await this.refreshing;
  }

  /** Channels that the exchange passes over in its answer are named: nothing will ever come of them. */
  private async subscribe(session: DeribitSession, channels: readonly string[]): Promise<void> {
    const answer = await session.request('public/subscribe', { channels });
    const taken = new Set(readChannels(answer, { prefix: 'result' }));
    const refused = channels.filter((channel) => !taken.has(channel));
    if (refused.length === 0) return;
    const message = `the exchange did not subscribe to ${refused.slice(0, 10).join(', ')} (${refused.length} in all)`;
    this.post('refused', message);
  }

  /** Reads the chain of every book anew; while that is under way, once more afterwards. */
  private refresh(): void {
    if (this.refreshing !== null) {
      this.refreshAgain = true;
      return;
    }
    this.refreshing = this.readChains().finally(() => {
      this.refreshing = null;
      const again = this.refreshAgain;
      this.refreshAgain = false;
      if (again && this.session !== null) this.refresh();
    });
  }

  private async readChains(): Promise<void> {
    const { session } = this;
    if (session === null) return;
    const currencies = new Set(this.plan.indices.map(({ currency }) => currency));
    for (const currency of currencies) {
      try {
        const method = 'public/get_book_summary_by_currency';
        const result = await session.request(method, { currency });
        this.deliver(this.prices.summary(readRpcAnswer({ result }).rows));
      } catch (error) {
        const { code, path, message } = asPlimsollError(error);
        // The end of the session is told by itself.
        if (code === 'FEED_FAILED' && path !== 'answer') return;
        const kind = code === 'FEED_FAILED' ? 'refused' : 'malformed';
        this.post(kind, `summary of ${currency}: ${message}`);
      }
    }
  }

  private notified(channel: string, data: unknown): void {
    try {
      if (channel.startsWith('ticker.')) this.deliver(this.prices.ticker(data));
      else if (channel.startsWith('deribit_price_index.')) this.deliver(this.prices.index(data));
      else if (channel.startsWith('markprice.options.')) {
        this.deliver(this.prices.markPrices(channel, data));
      } else if (channel.startsWith('book.')) this.bookChanged(data);
      else this.post('malformed', `a message of ${channel}, which was not asked for`);
    } catch (error) {
      this.post('malformed', `${channel}: ${asPlimsollError(error).message}`);
    }
  }

  private bookChanged(data: unknown): void {
    const broken = this.books.follow(data);
    if (broken === null) return;
    const { instrument, message } = broken;
    const underlying = this.plan.contracts.get(instrument)?.underlying;
    this.post('gap', message, underlying);
    const { session } = this;
    if (session === null) return;
    const channels = [bookChannel(instrument)];
    // A new subscription begins with a snapshot of the book.
    session
      .request('public/unsubscribe', { channels })
      .then(() => this.subscribe(session, channels))
      .catch((error: unknown) => {
        const { path, message: why } = asPlimsollError(error);
        if (path === 'answer') this.post('refused', `${channels[0]}: ${why}`);
      });
    this.refresh();
  }

  private deliver({ ticks, notices }: Converted): void {
    const receivedMs = this.clock.now();
    for (const { kind, message, underlying } of notices) this.post(kind, message, underlying);
    for (const tick of ticks) this.mailbox.post({ tick, receivedMs });
  }

  private post(kind: ProblemKind, message: string, underlying?: string): void {
    this.mailbox.post({ problem: this.problem(kind, message, underlying) });
  }

  private problem(kind: ProblemKind, message: string, underlying?: string): TickProblem {
    const { source = 'deribit' } = this.options;
    const at = instantOf(this.clock.now());
    return { kind, source, message, at, ...(underlying === undefined ? {} : { underlying }) };
  }
}
