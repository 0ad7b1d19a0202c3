/** How the desk keeps up: how long figures are behind, turns and commits last. Whoever watches is told of each; nothing is kept of the past. */
import type { Figures } from './figures.ts';
import type { Cause, CycleObserver } from './observer.ts';

/** All times are in seconds. */
export interface Meter {
  /** One append to the log, from the call until it is durable. */
  committed(seconds: number): void;
  /** One turn of the cycle. */
  turned(seconds: number): void;
  /** New figures of one account after a move of the market: from the arrival of the earliest tick that they were behind. */
  followed(seconds: number): void;
}

interface Mark {
  readonly cause: Cause;
  readonly since: number;
}

/** Marks that the next figures answer; after figures that were begun before it, the latest stands alone. */
interface Behind {
  readonly first: Mark;
  readonly latest: Mark;
}

export class Measures implements Partial<CycleObserver> {
  private readonly behind = new Map<string, Behind>();
  private readonly meters = new Set<Meter>();

  /** @returns how to stop being told */
  watch(meter: Meter): () => void {
    this.meters.add(meter);
    return () => this.meters.delete(meter);
  }

  /** Accounts whose figures are behind. */
  get waiting(): number {
    return this.behind.size;
  }

  /** Seconds for which the figures of any account have been behind its holdings or the market; 0 where all are current. */
  greatestAge(): number {
    let since = performance.now();
    const now = since;
    for (const one of this.behind.values()) since = Math.min(since, one.first.since);
    return (now - since) / 1_000;
  }

  marked(account: string, cause: Cause, since: number): void {
    const latest = { cause, since };
    const { first = latest } = this.behind.get(account) ?? {};
    this.behind.set(account, { first, latest });
  }

  kept(account: string, _: Figures, current: boolean): void {
    const behind = this.behind.get(account);
    if (behind === undefined) return;
    const { first, latest } = behind;
    if (current) this.behind.delete(account);
    else this.behind.set(account, { first: latest, latest });
    if (first.cause === 'book') return;
    const seconds = (performance.now() - first.since) / 1_000;
    for (const meter of this.meters) meter.followed(seconds);
  }

  forgotten(account: string): void {
    this.behind.delete(account);
  }

  turned(milliseconds: number): void {
    for (const meter of this.meters) meter.turned(milliseconds / 1_000);
  }

  committed(milliseconds: number): void {
    for (const meter of this.meters) meter.committed(milliseconds / 1_000);
  }
}
