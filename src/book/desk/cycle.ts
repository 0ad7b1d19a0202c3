/**
 * The cycle of recomputation. A turn takes in the market changes that wait, then margins the accounts that they and the book's own events have
 * made dirty, nearest to a threshold first, and publishes what changed. When a turn has lasted `cycleMs` and something new waits, the next turn
 * begins with what is left.
 */
import { setTimeout as sleep, setImmediate as turnOfLoop } from 'node:timers/promises';
import type { Engine } from '../../engine/engine.ts';
import { PlimsollError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import type { VolatilityRule } from '../../market/dynamicVolatility.ts';
import { toAccount } from '../book.ts';
import { type CallSettings, overdueCalls } from '../calls.ts';
import type { BookEvent } from '../events.ts';
import { Exposures, touchedBy } from './exposure.ts';
import {
  type Figures,
  type Fresh,
  hashOfResult,
  publication,
  published,
  refused,
} from './figures.ts';
import { type Journal, stopped } from './journal.ts';
import type { Lanes } from './lanes.ts';
import { MarketDoor } from './marketDoor.ts';
import type { Cause, CycleObserver } from './observer.ts';
import { Urgency, type Waiting } from './urgency.ts';

export interface CycleParts {
  readonly journal: Journal;
  readonly engine: Engine;
  readonly lanes: Lanes;
  /** See `DoorParts`. */
  readonly rule: VolatilityRule | null;
  readonly settings: CallSettings;
  readonly cycleMs: number;
  readonly observer: CycleObserver;
  /** ISO-8601 UTC with milliseconds. */
  readonly now: () => string;
}

/** After a turn that came to nothing: those who are at the accounts, or the workers, may need a moment. */
const PAUSE_MS = 5;

export class Cycle {
  readonly door: MarketDoor;
  readonly exposures = new Exposures();
  readonly figures = new Map<string, Figures>();
  private readonly parts: CycleParts;
  private readonly dirty: Waiting = new Map();
  private readonly underway = new Set<string>();
  private readonly urgent = new Set<string>();
  private waiters: (() => void)[] = [];
  private arrived = false;
  /** When the first of the market changes came that wait. */
  private marketSince: number | null = null;
  private running: Promise<void> | null = null;
  /** Market changes are acknowledged one by one while they are taken in: whose figures are old by them is known only afterwards. */
  private moving = false;
  private closing = false;
  private pauseMs = PAUSE_MS;
  private readonly deadlines: NodeJS.Timeout;

  constructor(parts: CycleParts) {
    this.parts = parts;
    this.door = new MarketDoor(parts, () => {
      this.marketSince ??= performance.now();
      this.wake();
    });
    this.deadlines = setInterval(() => {
      this.mark(overdueCalls(parts.journal.book, parts.now()));
    }, LIMITS.deskDeadlineMs);
    this.deadlines.unref();
  }

  /** These accounts need new figures. */
  mark(accounts: Iterable<string>, cause: Cause = 'book', since = performance.now()): void {
    for (const id of accounts) {
      const nearness = this.urgent.has(id) ? -2 : (this.figures.get(id)?.nearness ?? -1);
      if (!this.dirty.has(id)) this.dirty.set(id, nearness);
      this.parts.observer.marked(id, cause, since);
      this.arrived = true;
    }
    if (this.dirty.size > 0) this.wake();
  }

  /** Resolves when nothing waits and nothing is under way. */
  async quiet(): Promise<void> {
    while (this.busy) await this.change();
  }

  /** Figures that are of the account and the market as the log has them now. @throws NOT_FOUND, SATURATED */
  async current(id: string): Promise<Figures> {
    const { journal } = this.parts;
    const end = performance.now() + LIMITS.deskWaitMs;
    for (;;) {
      const account = journal.book.accounts.get(id);
      if (account === undefined) {
        const message = `there is no account ${JSON.stringify(id)}`;
        throw new PlimsollError('NOT_FOUND', message, { account: id });
      }
      const figures = this.figures.get(id);
      const waits = this.dirty.has(id) || this.underway.has(id);
      const current = figures?.changedSeq === account.changedSeq && !waits;
      if (current && !this.moving) return figures;
      if (journal.failure !== null) throw journal.failure;
      if (performance.now() > end) {
        throw new PlimsollError('SATURATED', 'the figures are not computed yet', { account: id });
      }
      if (!this.urgent.has(id)) {
        this.urgent.add(id);
        this.dirty.delete(id);
        if (!current && !this.underway.has(id)) this.mark([id]);
      }
      await Promise.race([this.change(), sleep(LIMITS.deskDeadlineMs, undefined, { ref: false })]);
    }
  }

  async close(): Promise<void> {
    this.closing = true;
    clearInterval(this.deadlines);
    this.door.shut(new PlimsollError('CLOSED', 'the desk is closing'));
    await this.running;
  }

  private get busy(): boolean {
    if (this.closing || this.parts.journal.failure !== null) return false;
    return (
      this.dirty.size > 0 || this.underway.size > 0 || this.door.waiting || this.running !== null
    );
  }

  private wake(): void {
    if (this.running !== null || this.closing) return;
    this.parts.observer.busy();
    this.running = this.run().finally(() => {
      this.running = null;
      this.tell();
      // What came while the last turn ended.
      if ((this.dirty.size > 0 || this.door.waiting) && this.parts.journal.failure === null) {
        this.wake();
      } else if (!this.closing) this.parts.observer.idle();
    });
  }

  private async run(): Promise<void> {
    // What arrives in the same turn of the event loop shares the cycle.
    await turnOfLoop();
    while (!this.closing && (this.dirty.size > 0 || this.door.waiting)) {
      let progress = false;
      try {
        progress = await this.turn();
      } catch (error) {
        const { journal } = this.parts;
        // Anything but a refusal is a defect: figures of a book that may be half done are nobody's.
        if (!(error instanceof PlimsollError)) journal.failure ??= stopped(error);
        if (journal.failure !== null) {
          this.door.shut(journal.failure);
          return;
        }
      }
      this.tell();
      await (progress ? turnOfLoop() : sleep(this.pauseMs));
      this.pauseMs = PAUSE_MS;
    }
  }

  /** @returns whether anything came of it */
  private async turn(): Promise<boolean> {
    const { cycleMs, observer } = this.parts;
    const start = performance.now();
    let progress = this.door.waiting;
    const since = this.marketSince ?? start;
    this.marketSince = null;
    await this.takeIn(since);
    this.arrived = false;
    const urgency = new Urgency(this.dirty);
    const publishing: Promise<boolean>[] = [];
    const next = (urgent: boolean): Promise<readonly Fresh[]> | null => {
      const chunk = this.closing ? [] : urgency.next();
      return chunk.length === 0 ? null : this.compute(chunk, urgent);
    };
    let computing = next(true);
    for (let first = true; computing !== null; first = false) {
      const fresh = await computing;
      // Whoever is nearest to a threshold is told before anything else is begun: workers on all cores would hold that up. Later figures are
      // written down while the next ones are computed; the order in the log is that of the calls.
      if (first) progress = (await this.publish(fresh)) || progress;
      const late = performance.now() - start > cycleMs;
      const stop = late && (this.arrived || this.door.waiting);
      computing = stop ? null : next(false);
      if (!first) publishing.push(this.publish(fresh));
    }
    for (const done of await Promise.all(publishing)) progress ||= done;
    observer.turned(performance.now() - start);
    return progress;
  }

  /** Takes in the market changes that wait. */
  private async takeIn(since: number): Promise<void> {
    this.moving = true;
    try {
      const moved = await this.door.open();
      if (moved === null) this.mark(this.parts.journal.book.accounts.keys(), 'market', since);
      else if (moved.size > 0) this.mark(this.exposures.holdersOf(moved), 'market', since);
    } finally {
      this.moving = false;
    }
    this.tell();
  }

  private async compute(chunk: readonly string[], urgent: boolean): Promise<readonly Fresh[]> {
    const { journal, engine } = this.parts;
    const { book } = journal;
    const held = chunk.flatMap((id) => book.accounts.get(id) ?? []);
    for (const id of chunk) if (!book.accounts.has(id)) this.forget(id);
    const places = held.map((account) => {
      this.underway.add(account.id);
      const { id, changedSeq } = account;
      // What it holds it has held since its last figures.
      if (this.figures.get(id)?.changedSeq !== changedSeq) {
        this.exposures.note(id, touchedBy(book, account));
      }
      return { id, changedSeq, marketSeq: book.market?.seq ?? 0 };
    });
    const inputs = held.map(({ id }) => toAccount(book, id));
    const fresh: Fresh[] = [];
    try {
      for await (const outcome of engine.marginBatch(inputs, { urgent })) {
        fresh.push({ ...places[fresh.length]!, outcome });
      }
    } catch (error) {
      this.again(places.map(({ id }) => id));
      throw error;
    }
    return fresh;
  }

  /** Appends what the figures give rise to, while nobody else is at these accounts. */
  private async publish(list: readonly Fresh[]): Promise<boolean> {
    const { journal, lanes, settings, now } = this.parts;
    const events: BookEvent[] = [];
    const held: { readonly fresh: Fresh; readonly release: () => void }[] = [];
    for (const fresh of list) {
      const account = journal.book.accounts.get(fresh.id);
      const release = account?.changedSeq === fresh.changedSeq ? lanes.tryHold(fresh.id) : null;
      if (release === null) {
        // It changed, or is about to: figures of what it was are nobody's.
        this.again([fresh.id]);
        continue;
      }
      held.push({ fresh, release });
      const { outcome } = fresh;
      if ('error' in outcome) continue;
      events.push(...publication(account!, outcome, hashOfResult(outcome), settings, now()));
    }
    try {
      if (events.length > 0) await journal.append(events);
      for (const { fresh } of held) this.keep(fresh);
    } catch {
      // What is not durable was not published. The store says itself why it refuses, and for how long it will.
      this.pauseMs = LIMITS.storeRetryMs;
      this.again(held.map(({ fresh }) => fresh.id));
      return false;
    } finally {
      for (const { release } of held) release();
    }
    this.tell();
    return held.length > 0;
  }

  private keep(fresh: Fresh): void {
    const { id, outcome } = fresh;
    const { journal, settings } = this.parts;
    const account = journal.book.accounts.get(id)!;
    const figures =
      'error' in outcome
        ? refused(fresh, outcome.error, journal.book.seq)
        : published(fresh, account, outcome, settings);
    this.figures.set(id, figures);
    this.underway.delete(id);
    this.urgent.delete(id);
    this.parts.observer.kept(id, figures, !this.dirty.has(id));
  }

  private again(ids: readonly string[]): void {
    for (const id of ids) this.underway.delete(id);
    this.mark(ids);
  }

  private forget(id: string): void {
    this.figures.delete(id);
    this.exposures.forget(id);
    this.urgent.delete(id);
    this.parts.observer.forgotten(id);
    this.tell();
  }

  private change(): Promise<void> {
    return new Promise((resolve) => this.waiters.push(resolve));
  }

  private tell(): void {
    for (const resolve of this.waiters.splice(0)) resolve();
  }
}
