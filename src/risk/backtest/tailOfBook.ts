/** VaR and ES of a linear book on a set of scaled scenarios. */
import { expArray } from '../../numerics.ts';
import { type TailMeasures, type TailRanks, tailMeasures, tailRanks } from '../tail.ts';

/** Joint shocks yet to be scaled: shock of factor u in scenario j is columns[u][j] · scale[u]. */
export interface ScaledScenarios {
  readonly count: number;
  readonly columns: readonly Float64Array[];
  /** Scale at today's volatilities and at long-run ones. */
  readonly today: Float64Array;
  readonly longRun: Float64Array;
}

/** As everywhere: a factor of e³ = 20 in one horizon is the most that is believed. */
export const MAX_LOG_SHOCK = 3;

/** Working room for books of up to so many scenarios, reused from day to day. */
export class TailRoom {
  private readonly shocks: Float64Array;
  private readonly pnl: Float64Array;
  private readonly confidence: number;
  private readonly ranks = new Map<number, TailRanks>();

  constructor(scenarios: number, confidence: number) {
    this.shocks = new Float64Array(scenarios);
    this.pnl = new Float64Array(scenarios);
    this.confidence = confidence;
  }

  /**
   * P&L = Σ exposure (e^shock − 1), underlyings in their order, shocks clamped; its exact VaR and ES (METHODOLOGY section 4).
   * @param exposures in currency
   */
  measure(
    { count, columns }: Pick<ScaledScenarios, 'count' | 'columns'>,
    scale: Float64Array,
    exposures: Float64Array,
  ): TailMeasures {
    const shocks = this.shocks.subarray(0, count);
    const pnl = this.pnl.subarray(0, count).fill(0);
    columns.forEach((column, u) => {
      const factor = scale[u]!;
      for (let j = 0; j < count; j++) {
        shocks[j] = Math.max(-MAX_LOG_SHOCK, Math.min(MAX_LOG_SHOCK, column[j]! * factor));
      }
      expArray(shocks);
      const exposure = exposures[u]!;
      for (let j = 0; j < count; j++) pnl[j]! += exposure * (shocks[j]! - 1);
    });
    return this.tail(pnl);
  }

  /** Of P&L values; they are reordered. */
  tail(pnl: Float64Array): TailMeasures {
    let ranks = this.ranks.get(pnl.length);
    if (ranks === undefined) {
      ranks = tailRanks(pnl.length, this.confidence);
      this.ranks.set(pnl.length, ranks);
    }
    return tailMeasures(lowest(pnl, ranks.keep), ranks);
  }
}

/** The `keep` lowest values, ascending; by Hoare's selection, so that only they are sorted. */
export function lowest(values: Float64Array, keep: number): Float64Array {
  let [left, right] = [0, values.length - 1];
  while (left < right) {
    const pivot = values[(left + right) >>> 1]!;
    let [i, j] = [left, right];
    while (i <= j) {
      while (values[i]! < pivot) i++;
      while (values[j]! > pivot) j--;
      if (i > j) break;
      const swapped = values[i]!;
      values[i++] = values[j]!;
      values[j--] = swapped;
    }
    if (keep - 1 <= j) right = j;
    else if (keep - 1 >= i) left = i;
    else break;
  }
  return values.subarray(0, keep).sort();
}
