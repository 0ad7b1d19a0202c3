/**
 * The triggers of all booked accounts: at which price of each underlying an account's held state changes, kept current in the time that
 * figures leave. A search is given up when something waits for the cycle, so that figures do not wait for it. Accounts near a threshold
 * come first, on the model of the search alone, and then exactly; the others take turns, on the model, in a stated part of the idle time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from '../../engine/engine.ts';
import type { Triggers } from '../../engine/studies/triggersSchema.ts';
import { ensure, PlimsollError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import { type BookAccount, toAccount } from '../book.ts';
import type { Figures } from './figures.ts';
import type { Journal } from './journal.ts';
import type { CycleObserver } from './observer.ts';

/** What is known of one account. */
export interface AccountTriggers extends Triggers {
  /** The record that published the figures that they begin with, and the last record then that had changed the market. */
  readonly seq: number;
  readonly marketSeq: number;
}

interface Known {
  readonly triggers: AccountTriggers;
  readonly basis: string;
}

interface Behind {
  /** By `performance.now()`: since when the account has figures that its triggers, if any, are not of. */
  readonly since: number;
  readonly figures: Figures;
}

interface Search {
  readonly id: string;
  readonly queue: Map<string, Behind> | Map<string, Figures>;
  readonly figures: Figures;
}

export interface TriggerParts {
  readonly journal: Journal;
  readonly engine: Engine;
}

/** Of so many searches in a row one is of an account far from its thresholds, however many are near. */
const PATIENCE = 4;

/** Told of each account whose triggers are new, or gone. */
export type TriggerListener = (account: string) => void;

export class TriggerBook implements Partial<CycleObserver> {
  /** Searches that failed; of those accounts nothing is said until their next figures. */
  failures = 0;
  private readonly parts: TriggerParts;
  private readonly known = new Map<string, Known>();
  /** In the order in which they fell behind. */
  private readonly near = new Map<string, Behind>();
  private readonly far = new Map<string, Behind>();
  /** Near ones that the model alone was asked about, with the figures that they are of. */
  private readonly rough = new Map<string, Figures>();
  /** Accounts that a worker is at. */
  private readonly searched = new Set<string>();
  private readonly listeners = new Set<TriggerListener>();
  private sorted: readonly string[] | null = null;
  private idling: AbortController | null = null;
  private running: Promise<void> = Promise.resolve();
  private turn = 0;

  constructor(parts: TriggerParts) {
    this.parts = parts;
  }

  /** Accounts whose triggers are behind their figures, or not known yet. */
  get waiting(): number {
    return this.near.size + this.far.size;
  }

  /** @returns how to stop listening */
  listen(listener: TriggerListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Null where none are known. */
  of(account: string): AccountTriggers | null {
    return this.known.get(account)?.triggers ?? null;
  }

  /** Ids of accounts whose triggers are known, in code-unit order. */
  ids(): readonly string[] {
    this.sorted ??= [...this.known.keys()].sort();
    return this.sorted;
  }

  /** Seconds for which what is known of the account, or that nothing is, has been behind its figures; 0 where it is of them. */
  ageOf(account: string, now: number = performance.now()): number {
    const since = (this.near.get(account) ?? this.far.get(account))?.since ?? now;
    return (now - since) / 1_000;
  }

  /** Of all accounts, in seconds. */
  greatestAge(): number {
    const now = performance.now();
    let since = now;
    for (const queue of [this.near, this.far])
      for (const behind of queue.values()) since = Math.min(since, behind.since);
    return (now - since) / 1_000;
  }

  kept(id: string, figures: Figures): void {
    const account = this.parts.journal.book.accounts.get(id);
    if (account === undefined || figures.result === null) {
      this.forgotten(id);
      return;
    }
    const { since } = this.near.get(id) ?? this.far.get(id) ?? { since: performance.now() };
    if (this.known.get(id)?.basis === basisOf(account, figures)) {
      this.near.delete(id);
      this.far.delete(id);
      return;
    }
    const near = figures.nearness <= LIMITS.triggersNear;
    const [queue, other] = near ? [this.near, this.far] : [this.far, this.near];
    // Who waits keeps the place, however often its figures change meanwhile.
    queue.set(id, { since, figures });
    other.delete(id);
    this.rough.delete(id);
  }

  forgotten(id: string): void {
    for (const queue of [this.near, this.far, this.rough]) queue.delete(id);
    if (!this.known.delete(id)) return;
    this.sorted = null;
    this.tell(id);
  }

  busy(): void {
    this.idling?.abort();
    this.idling = null;
  }

  idle(): void {
    if (this.idling !== null) return;
    this.idling = new AbortController();
    const { signal } = this.idling;
    const before = this.running;
    this.running = (async () => {
      await before;
      await pause(LIMITS.deskIdleAfterMs, signal);
      // Half of the workers stay free for those who come without a tick or a command.
      const searches = Math.max(1, Math.floor(this.parts.engine.workers / 2));
      await Promise.all(Array.from({ length: searches }, () => this.refresh(signal)));
    })();
  }

  /** Resolves when all triggers are of the latest figures, or when something waits for the cycle again. */
  settled(): Promise<void> {
    return this.running;
  }

  close(): Promise<void> {
    this.busy();
    return this.running;
  }

  /** One search after the other, until there is none to begin, or the cycle has work. */
  private async refresh(signal: AbortSignal): Promise<void> {
    let spent = 0;
    while (!signal.aborted) {
      const next = this.next();
      if (next === null) return;
      const start = performance.now();
      this.searched.add(next.id);
      const done = await this.search(next, signal);
      this.searched.delete(next.id);
      if (!done) {
        // Somebody else needed the worker.
        await pause(LIMITS.deskIdleAfterMs, signal);
        continue;
      }
      if (next.queue !== this.far) continue;
      spent += performance.now() - start;
      if (spent < LIMITS.triggersIdleMs) continue;
      // What is left of the cycle's time belongs to others on this machine.
      const rest = (spent * (LIMITS.deskCycleMs - LIMITS.triggersIdleMs)) / LIMITS.triggersIdleMs;
      spent = 0;
      await pause(rest, signal);
    }
  }

  private next(): Search | null {
    this.turn = (this.turn + 1) % PATIENCE;
    const { near, far, rough } = this;
    for (const queue of this.turn === 0 ? [far, near, rough] : [near, rough, far]) {
      for (const [id, held] of queue) {
        if (this.searched.has(id)) continue;
        return { id, queue, figures: 'figures' in held ? held.figures : held };
      }
    }
    return null;
  }

  /** @returns false where it was given up */
  private async search({ id, queue, figures }: Search, signal: AbortSignal): Promise<boolean> {
    const { journal, engine } = this.parts;
    const account = journal.book.accounts.get(id);
    if (account === undefined) {
      this.forgotten(id);
      return true;
    }
    const { heldState, mode } = account;
    const basis = basisOf(account, figures);
    const approximate = queue !== this.rough;
    const asked = mode === 'isolated' ? { approximate } : { approximate, heldState };
    try {
      const options = { signal, givesWay: true };
      const found = await engine.triggers(toAccount(journal.book, id), asked, options);
      if (signal.aborted) return false;
      ensure(figures.result?.market === found.market, 'triggers are of the market of the figures');
      const { seq, marketSeq } = figures;
      this.take({ ...found, seq, marketSeq }, basis, queue);
      if (queue === this.near) this.rough.set(id, figures);
    } catch (error) {
      if (error instanceof PlimsollError && error.code === 'CANCELLED') return false;
      this.failures += 1;
      this.forgotten(id);
    }
    return true;
  }

  private take(triggers: AccountTriggers, basis: string, queue: Search['queue']): void {
    const { account } = triggers;
    queue.delete(account);
    if (!this.known.has(account)) this.sorted = null;
    this.known.set(account, { triggers, basis });
    this.tell(account);
  }

  private tell(id: string): void {
    for (const listener of this.listeners) listener(id);
  }
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal, ref: false }).catch(() => {});
}

/** Triggers hold for these holdings, figures and held state. */
function basisOf({ changedSeq, heldState }: BookAccount, { hash }: Figures): string {
  return `${changedSeq} ${heldState} ${hash}`;
}
