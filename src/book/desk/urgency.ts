/** In which order accounts are margined: those that a small loss would move into another band first, but nobody waits for ever. */
import type { Standing, StateLevels } from '../states.ts';

/**
 * How far the account is from the nearest level at which its state changes, as a share of that level: 0.03 is a change of equity by 3% of the
 * requirement. Infinite where nothing is required.
 */
export function nearness(standings: readonly Standing[], { warningLevel }: StateLevels): number {
  let nearest = Number.POSITIVE_INFINITY;
  for (const { equity, initialRequirement, maintenanceRequirement } of standings) {
    const levels = [warningLevel * initialRequirement, initialRequirement, maintenanceRequirement];
    for (const level of levels) {
      if (level > 0) nearest = Math.min(nearest, Math.abs(equity / level - 1));
    }
  }
  return nearest;
}

/** Of each chunk, one in so many goes to whoever has waited longest. */
const PATIENCE = 6;

/** What waits, in the order of its arrival. */
export type Waiting = Map<string, number>;

/** Hands out accounts in chunks that grow: the first, with the most urgent ones, is answered soonest. */
export class Urgency {
  private readonly waiting: Waiting;
  private readonly ranked: readonly string[];
  private at = 0;
  private size: number;
  private readonly largest: number;

  /** @param waiting accounts, in the order of arrival, with their nearness; those that are handed out leave it */
  constructor(waiting: Waiting, first = 12, largest = 256) {
    this.waiting = waiting;
    this.ranked = [...waiting].sort((a, b) => a[1] - b[1]).map(([id]) => id);
    this.size = first;
    this.largest = largest;
  }

  /** None where nothing is left of what waited at the start. */
  next(): readonly string[] {
    const chunk: string[] = [];
    const patient = Math.floor(this.size / PATIENCE);
    while (this.at < this.ranked.length && chunk.length < this.size - patient) {
      const id = this.ranked[this.at++]!;
      if (this.waiting.delete(id)) chunk.push(id);
    }
    if (chunk.length === 0) return chunk;
    for (const id of this.waiting.keys()) {
      if (chunk.length >= this.size) break;
      this.waiting.delete(id);
      chunk.push(id);
    }
    this.size = Math.min(this.largest, this.size * 5);
    return chunk;
  }
}
