/**
 * The way in of market changes: they wait for the next cycle, become durable together, and then move the engine at once. So no record of the
 * log that changes the market comes between figures and their record, and of many ticks for an underlying only the last costs a revaluation.
 */
import type { Engine } from '../../engine/engine.ts';
import { PlimsollError } from '../../errors.ts';
import { hashOf } from '../../json.ts';
import { LIMITS } from '../../limits.ts';
import { compileMarket } from '../../market/market.ts';
import { type MarketSnapshot, readSnapshot } from '../../market/snapshot.ts';
import { event } from '../events.ts';
import { changedContracts } from '../listings.ts';
import type { Draft } from '../store/store.ts';
import { type Journal, stopped } from './journal.ts';
import type { Lanes } from './lanes.ts';
import { afterTicks, readTicks, type TickBatch } from './ticks.ts';

export interface TicksTaken {
  /** Record of the log. */
  readonly seq: number;
  readonly source: string;
  /** Number of the last tick. */
  readonly last: number;
}

interface Waiting {
  readonly change: TickBatch | { readonly source: string; readonly snapshot: MarketSnapshot };
  readonly resolve: (seq: number) => void;
  readonly reject: (error: unknown) => void;
}

type WaitingTicks = Waiting & { readonly change: TickBatch };

export interface DoorParts {
  readonly journal: Journal;
  readonly engine: Engine;
  readonly lanes: Lanes;
}

export class MarketDoor {
  private queue: Waiting[] = [];
  private readonly parts: DoorParts;
  private readonly wake: () => void;

  /** @param wake called when something waits */
  constructor(parts: DoorParts, wake: () => void) {
    this.parts = parts;
    this.wake = wake;
  }

  get waiting(): boolean {
    return this.queue.length > 0;
  }

  /** Resolves when the ticks are durable. @throws as `readTicks` and `afterTicks`; SATURATED */
  async ticks(value: unknown): Promise<TicksTaken> {
    const batch = readTicks(value);
    const seq = await this.wait(batch);
    return { seq, source: batch.source, last: batch.ticks.at(-1)!.sequence };
  }

  /** Resolves when the snapshot is durable and the engine is on it. @throws CONTRACT_CHANGED, and what `Engine.updateMarket` throws */
  replace(value: unknown, source: string): Promise<number> {
    return this.wait({ source, snapshot: readSnapshot(value) });
  }

  /** Takes in all that waits. @returns underlyings that moved; null where all of them may have */
  async open(): Promise<ReadonlySet<string> | null> {
    const moved = new Set<string>();
    let all = false;
    let batches: WaitingTicks[] = [];
    for (const waiting of this.queue.splice(0)) {
      if ('ticks' in waiting.change) {
        batches.push(waiting as WaitingTicks);
        continue;
      }
      for (const id of await this.takeTicks(batches)) moved.add(id);
      batches = [];
      all = (await this.takeSnapshot(waiting, waiting.change)) || all;
    }
    for (const id of await this.takeTicks(batches)) moved.add(id);
    return all ? null : moved;
  }

  /** Refuses all that waits. */
  shut(error: PlimsollError): void {
    for (const { reject } of this.queue.splice(0)) reject(error);
  }

  private wait(change: Waiting['change']): Promise<number> {
    return new Promise((resolve, reject) => {
      if (this.queue.length >= LIMITS.deskTicksWaitingMax) {
        const message = `${this.queue.length} market changes wait for their cycle, at most ${LIMITS.deskTicksWaitingMax} may`;
        throw new PlimsollError('SATURATED', message);
      }
      this.queue.push({ change, resolve, reject });
      this.wake();
    });
  }

  private async takeTicks(waiting: readonly WaitingTicks[]): Promise<ReadonlySet<string>> {
    const accepted = this.accepted(waiting);
    const moved = new Set<string>();
    if (accepted.length === 0) return moved;
    const drafts = accepted.map(({ change: { source, ticks } }): Draft => {
      const [first, last] = [ticks[0]!.sequence, ticks.at(-1)!.sequence];
      return event('ticks', { source, first, last, ticks: [...ticks] });
    });
    const { journal, engine } = this.parts;
    try {
      const records = await journal.append(drafts);
      for (const [i, { resolve }] of accepted.entries()) resolve(records[i]!.seq);
    } catch (error) {
      for (const { reject } of accepted) reject(error);
      return moved;
    }
    const ticks = accepted.flatMap(({ change }) => change.ticks);
    for (const { underlying } of ticks) moved.add(underlying);
    try {
      await engine.tick(ticks);
    } catch (error) {
      // Acknowledged, but nothing can be computed on it: no figure is better than an old one that looks new.
      journal.failure = stopped(error);
      throw journal.failure;
    }
    return moved;
  }

  /** Those that follow from each other; the rest are refused, each by itself. */
  private accepted(waiting: readonly WaitingTicks[]): readonly WaitingTicks[] {
    const { book, market } = this.parts.journal;
    const feeds = new Map(book.feeds);
    let { snapshot } = market;
    return waiting.filter(({ change, reject }) => {
      try {
        if (snapshot === null) throw new PlimsollError('NO_MARKET', 'no market is loaded');
        snapshot = afterTicks(snapshot, feeds, change).snapshot;
        feeds.set(change.source, change.ticks.at(-1)!.sequence);
        return true;
      } catch (error) {
        reject(error);
        return false;
      }
    });
  }

  private async takeSnapshot(
    { resolve, reject }: Waiting,
    { source, snapshot }: { readonly source: string; readonly snapshot: MarketSnapshot },
  ): Promise<boolean> {
    const { journal, lanes, engine } = this.parts;
    return lanes.exclusive(async () => {
      try {
        checkContracts(journal, snapshot);
        const { market } = journal;
        const before = market.snapshot;
        // First the engine: what it cannot compute on must not be in the log.
        await engine.updateMarket(snapshot);
        try {
          const [record] = await journal.append([replacement(source, snapshot)]);
          resolve(record!.seq);
        } catch (error) {
          if (before !== null) await engine.updateMarket(before);
          throw error;
        }
        return true;
      } catch (error) {
        reject(error);
        return false;
      }
    });
  }
}

export function replacement(source: string, snapshot: MarketSnapshot): Draft {
  const { asOf } = snapshot;
  return event('market-replaced', { source, hash: hashOf(snapshot), asOf, snapshot });
}

function checkContracts({ book }: Journal, snapshot: MarketSnapshot): void {
  const [first] = changedContracts(book, compileMarket(snapshot));
  if (first === undefined) return;
  const message = `the snapshot states other terms for ${first}, which is held`;
  throw new PlimsollError('CONTRACT_CHANGED', message, { path: 'instruments' });
}
