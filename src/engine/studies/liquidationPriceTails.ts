/** Worst losses of an account as one underlying's price moves, read off a value table: where a search for liquidation prices looks. */

/** Scenarios of one set, as an account on a moved price sees them. */
export interface ScannedSet {
  /** P&L of what does not move with the price, by scenario; +∞ where the scenario does not count. */
  readonly others: Float64Array;
  /** Shocks of the spot, and of its volatility; null where there is none. */
  readonly moves: Float64Array;
  readonly vols: Float64Array | null;
  /** Scenarios (as a number, with a fraction) that the tail is the mean of. */
  readonly mass: number;
}

/**
 * Puts the `count` least values first, in no order (C. A. R. Hoare, "Algorithm 65: find", 1961).
 * @param room values, reordered in place
 */
export function selectLeast(room: Float64Array, count: number, length = room.length): void {
  let low = 0;
  let high = length - 1;
  while (low < high) {
    const pivot = room[(low + high) >> 1]!;
    let i = low;
    let j = high;
    while (i <= j) {
      while (room[i]! < pivot) i++;
      while (room[j]! > pivot) j--;
      if (i > j) break;
      const moved = room[i]!;
      room[i] = room[j]!;
      room[j] = moved;
      i++;
      j--;
    }
    if (count - 1 <= j) high = j;
    else if (count - 1 >= i) low = i;
    else return;
  }
}

/** Mean loss of the `mass` worst of some P&L values; `room` is reordered. */
export function worstMean(room: Float64Array, mass: number, length = room.length): number {
  const k = Math.min(length, Math.max(1, Math.ceil(mass)));
  selectLeast(room, k, length);
  let sum = 0;
  let last = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < k; i++) {
    sum += room[i]!;
    if (room[i]! > last) last = room[i]!;
  }
  return mass < 1 ? -last : -(sum - (k - mass) * last) / mass;
}

/** Gain of the moving part in a scenario of shock `move`, `vol`, when the price has been multiplied already. */
export type ScenarioGain = (move: number, vol: number) => number;

/** The tail of one set at any price, over the scenarios that were among the worst at some of the prices where it was looked at. */
export class ScannedTail {
  private readonly set: ScannedSet;
  private candidates: Int32Array;
  private readonly room: Float64Array;

  /** @param looks the gain at each of some prices over the range */
  constructor(set: ScannedSet, looks: readonly ScenarioGain[]) {
    this.set = set;
    const n = set.others.length;
    this.room = new Float64Array(n);
    this.candidates = Int32Array.from({ length: n }, (_, s) => s);
    // At a price between two looks the worst are among twice as many of both; a few more make up for bends.
    const keep = Math.min(n, 2 * Math.ceil(set.mass) + 16);
    if (looks.length * keep >= n) return;
    const found = new Uint8Array(n);
    for (const gain of looks) this.mark(found, gain, keep);
    this.candidates = this.candidates.filter((s) => found[s] === 1);
  }

  /** Mean of the worst losses. */
  loss(gain: ScenarioGain): number {
    return worstMean(this.room, this.set.mass, this.fill(gain));
  }

  private fill(gain: ScenarioGain): number {
    const { others, moves, vols } = this.set;
    const { candidates, room } = this;
    for (let i = 0; i < candidates.length; i++) {
      const s = candidates[i]!;
      room[i] = others[s]! + gain(moves[s]!, vols === null ? 0 : vols[s]!);
    }
    return candidates.length;
  }

  private mark(found: Uint8Array, gain: ScenarioGain, keep: number): void {
    const n = this.fill(gain);
    const values = this.room.slice(0, n);
    selectLeast(this.room, keep, n);
    let threshold = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < keep; i++) threshold = Math.max(threshold, this.room[i]!);
    for (let s = 0; s < n; s++) if (values[s]! <= threshold) found[s] = 1;
  }
}
