/** The market as the log has it: snapshots and ticks, folded; and compiled when somebody decides on it. */
import { PlimsollError } from '../../errors.ts';
import { readInstant } from '../../market/instruments.ts';
import { compileMarket, type Market, recompileMarket } from '../../market/market.ts';
import { type MarketSnapshot, readSnapshot } from '../../market/snapshot.ts';
import { tickedSnapshot } from '../../market/ticks.ts';
import type { BookEvent } from '../events.ts';
import { FactorState } from './factorState.ts';

export class MarketState {
  /** Null before the first. Never changed in place. */
  snapshot: MarketSnapshot | null = null;
  /** When each underlying was last heard of, in milliseconds since 1970. */
  readonly heard = new Map<string, number>();
  readonly factors = new FactorState();
  private compiled: Market | null = null;
  private latest: string | null = null;
  private readonly moved = new Set<string>();

  /** @throws INVALID_RECORD where ticks come before any snapshot, a snapshot was left out of its record, or factors are updated that are not there */
  fold(record: BookEvent, seq: number, at: string): void {
    this.factors.fold(record, seq);
    const { kind, body } = record;
    if (kind === 'market-replaced') {
      if (body.snapshot === undefined) throw misfit(seq, 'has no snapshot');
      this.replace(body.snapshot, Date.parse(at));
    } else if (kind === 'ticks') {
      if (this.snapshot === null) throw misfit(seq, 'has ticks of no market');
      const { snapshot, moved } = tickedSnapshot(this.snapshot, body.ticks);
      this.snapshot = snapshot;
      this.latest = null;
      for (const id of moved) {
        this.moved.add(id);
        this.heard.set(id, Date.parse(at));
      }
    }
  }

  /**
   * The market's own time, the latest instant that any of it is of: ISO-8601 UTC with milliseconds. Contracts expire by it, as their figures do,
   * so that a recorded market can be traded as it was.
   */
  asOf(): string | null {
    if (this.snapshot === null) return null;
    if (this.latest !== null) return this.latest;
    let latest = readInstant(this.snapshot.asOf, 'asOf');
    for (const { asOf } of this.snapshot.underlyings) {
      if (asOf !== undefined) latest = Math.max(latest, readInstant(asOf, 'asOf'));
    }
    this.latest = new Date(latest).toISOString();
    return this.latest;
  }

  restore(snapshot: MarketSnapshot | null, heard: readonly (readonly [string, number])[]): void {
    this.snapshot = snapshot;
    for (const [id, at] of heard) this.heard.set(id, at);
  }

  /** For decisions: terms and marks. The smile does not count in them, so no model is fitted to it. */
  market(): Market | null {
    if (this.snapshot === null) return null;
    if (this.compiled === null) this.compiled = compileMarket(this.snapshot);
    else if (this.moved.size > 0) {
      this.compiled = recompileMarket(this.compiled, this.snapshot, this.moved);
    }
    this.moved.clear();
    return this.compiled;
  }

  private replace(snapshot: MarketSnapshot, at: number): void {
    this.snapshot = snapshot;
    this.compiled = null;
    this.latest = null;
    this.moved.clear();
    this.heard.clear();
    for (const { id } of snapshot.underlyings) this.heard.set(id, at);
  }
}

function misfit(seq: number, message: string): PlimsollError {
  return new PlimsollError('INVALID_RECORD', `record ${seq} ${message}`);
}

/** What ticks moved must still be a market: the rules of a snapshot, of these underlyings alone. @throws as `readSnapshot` */
export function checkMoved(snapshot: MarketSnapshot, moved: ReadonlySet<string>): void {
  const underlyings = snapshot.underlyings.filter(({ id }) => moved.has(id));
  readSnapshot({ ...snapshot, underlyings, instruments: [] });
}
