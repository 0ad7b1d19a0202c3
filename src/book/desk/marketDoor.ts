/**
 * The way in of market changes: they wait for the next cycle, become durable together, and then move the engine at once. So no record of the
 * log that changes the market comes between figures and their record, and of many ticks for an underlying only the last costs a revaluation.
 */
import type { Engine } from '../../engine/engine.ts';
import { PlimsollError } from '../../errors.ts';
import { hashOf } from '../../json.ts';
import { LIMITS } from '../../limits.ts';
import type { VolatilityRule } from '../../market/dynamicVolatility.ts';
import { type FactorModel, readFactorModel } from '../../market/factorModel.ts';
import { compileMarket } from '../../market/market.ts';
import { type MarketSnapshot, readSnapshot } from '../../market/snapshot.ts';
import { event } from '../events.ts';
import { changedContracts } from '../listings.ts';
import type { Draft } from '../store/store.ts';
import { AT_START } from './factorState.ts';
import { type Journal, stopped } from './journal.ts';
import type { Lanes } from './lanes.ts';
import { afterTicks, readTicks, type TickBatch } from './ticks.ts';
import { factorsReplaced, MarketPlan } from './volatilities.ts';

export interface TicksTaken {
  /** Record of the log. */
  readonly seq: number;
  readonly source: string;
  /** Number of the last tick. */
  readonly last: number;
}

type Replacement =
  | { readonly source: string; readonly snapshot: MarketSnapshot }
  | { readonly source: string; readonly model: FactorModel };

interface Waiting {
  readonly change: TickBatch | Replacement;
  readonly resolve: (seq: number) => void;
  readonly reject: (error: unknown) => void;
}

type WaitingTicks = Waiting & { readonly change: TickBatch };
/** With its place among the records of its append. */
type AcceptedTicks = WaitingTicks & { readonly place: number };

export interface DoorParts {
  readonly journal: Journal;
  readonly engine: Engine;
  readonly lanes: Lanes;
  /** Null where volatilities stay as the factor model has them. */
  readonly rule: VolatilityRule | null;
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

  /** Resolves when the factor model is durable and the engine is on it. @throws as `readFactorModel`, and what `Engine.updateFactors` throws */
  async replaceFactors(value: unknown, source: string): Promise<number> {
    return this.wait({ source, model: structuredClone(readFactorModel(value)) });
  }

  /** Takes in all that waits. @returns underlyings that moved; null where all of them may have, or the scenarios did */
  async open(): Promise<ReadonlySet<string> | null> {
    const moved = new Set<string>();
    let all = false;
    const takeTicks = async (): Promise<void> => {
      const found = await this.takeTicks(batches);
      if (found === null) all = true;
      for (const id of found ?? []) moved.add(id);
      batches = [];
    };
    let batches: WaitingTicks[] = [];
    for (const waiting of this.queue.splice(0)) {
      if ('ticks' in waiting.change) {
        batches.push(waiting as WaitingTicks);
        continue;
      }
      await takeTicks();
      all = (await this.takeReplacement(waiting, waiting.change)) || all;
    }
    await takeTicks();
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

  private async takeTicks(waiting: readonly WaitingTicks[]): Promise<ReadonlySet<string> | null> {
    const { journal, lanes, rule } = this.parts;
    const plan = new MarketPlan(journal, rule);
    const accepted = this.accepted(waiting, plan);
    if (accepted.length === 0) return new Set();
    if (plan.model === undefined) return this.takeAccepted(accepted, plan);
    // As with a snapshot: nobody decides on one scenario set what is booked under another.
    const moved = await lanes.exclusive(() => this.takeAccepted(accepted, plan));
    return moved.size === 0 ? moved : null;
  }

  private async takeAccepted(
    accepted: readonly AcceptedTicks[],
    { drafts, model }: MarketPlan,
  ): Promise<ReadonlySet<string>> {
    const { journal, engine } = this.parts;
    const moved = new Set<string>();
    try {
      const records = await journal.append(drafts);
      for (const { place, resolve } of accepted) resolve(records[place]!.seq);
    } catch (error) {
      for (const { reject } of accepted) reject(error);
      return moved;
    }
    const ticks = accepted.flatMap(({ change }) => change.ticks);
    for (const { underlying } of ticks) moved.add(underlying);
    try {
      if (model === undefined) await engine.tick(ticks);
      else await engine.updateMarket(journal.market.snapshot!, model);
    } catch (error) {
      // Acknowledged, but nothing can be computed on it: no figure is better than an old one that looks new.
      journal.failure = stopped(error);
      throw journal.failure;
    }
    return moved;
  }

  /** Those that follow from each other; the rest are refused, each by itself. */
  private accepted(waiting: readonly WaitingTicks[], plan: MarketPlan): readonly AcceptedTicks[] {
    const { book, market } = this.parts.journal;
    const feeds = new Map(book.feeds);
    let { snapshot } = market;
    return waiting.flatMap((one) => {
      const { change, reject } = one;
      try {
        if (snapshot === null) throw new PlimsollError('NO_MARKET', 'no market is loaded');
        const after = afterTicks(snapshot, feeds, change).snapshot;
        const place = plan.add(booked(change), snapshot, change);
        snapshot = after;
        feeds.set(change.source, change.ticks.at(-1)!.sequence);
        return { ...one, place };
      } catch (error) {
        reject(error);
        return [];
      }
    });
  }

  /** @param own the engine's factor model */
  private planned(change: Replacement, own: FactorModel | null): Planned {
    const { source } = change;
    const { journal, rule } = this.parts;
    if ('model' in change) {
      const { model } = change;
      // The first one says what it takes the place of: a start with the same model as ever is then no news.
      const first = journal.market.factors.model === null ? own : null;
      const started = first === null ? [] : [factorsReplaced(AT_START, first)];
      return { drafts: [...started, factorsReplaced(source, model)], place: started.length, model };
    }
    const { snapshot } = change;
    checkContracts(journal, snapshot);
    const plan = new MarketPlan(journal, rule);
    const draft = replacement(source, snapshot);
    const place = plan.add(draft, journal.market.snapshot, { snapshot });
    return { drafts: plan.drafts, place, market: snapshot, model: plan.model };
  }

  private async takeReplacement(
    { resolve, reject }: Waiting,
    change: Replacement,
  ): Promise<boolean> {
    const { journal, lanes, engine } = this.parts;
    return lanes.exclusive(async () => {
      try {
        const before = { market: await engine.market(), model: await engine.factorModel() };
        const { drafts, place, market = before.market, model } = this.planned(change, before.model);
        // First the engine: what it cannot compute on must not be in the log.
        await engine.updateMarket(market, model);
        try {
          const records = await journal.append(drafts);
          resolve(records[place]!.seq);
        } catch (error) {
          await engine.updateMarket(before.market, before.model ?? undefined);
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

interface Planned {
  readonly drafts: readonly Draft[];
  /** Of the replacement among them. */
  readonly place: number;
  /** What the engine goes over to; absent: it stays. */
  readonly market?: MarketSnapshot;
  readonly model?: FactorModel | undefined;
}

function booked({ source, ticks }: TickBatch): Draft {
  const [first, last] = [ticks[0]!.sequence, ticks.at(-1)!.sequence];
  return event('ticks', { source, first, last, ticks: [...ticks] });
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
