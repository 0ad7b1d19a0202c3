/** The worst moves over the horizon that a history holds: of an equal-weight book, long and short, and of each underlying. */
import type { History } from '../../market/history.ts';
import { changesOver, coveringRows, type HistoryChanges, periodName } from '../historyRows.ts';
import { bookReturns } from '../stressedWindow.ts';

export interface HistoricalDay {
  /** The date of its last row; `first..last` where the horizon has several rows. */
  readonly name: string;
  /** Changes by factor id, as the history has them (log of spot and vol, difference of a basis); NaN is a gap. */
  readonly changes: ReadonlyMap<string, number>;
}

/** How the worst days of one history are looked up. */
export interface HistoricalDays {
  /** Those of the equal-weight book: the worst of the long one, then of the short one. */
  readonly ofBook: () => readonly HistoricalDay[];
  readonly ofUnderlying: (id: string) => readonly HistoricalDay[];
}

/**
 * @param count how many each way; windows that overlap a worse one of the same list are left out, and so are gains
 * @param horizonDays where it is no whole number of rows, the next longer one is taken
 * @throws INSUFFICIENT_HISTORY without a single change
 */
export function historicalDays(
  history: History,
  count: number,
  horizonDays: number,
  maxLogShock: number,
): HistoricalDays {
  const rows = changesOver(history, coveringRows(history, horizonDays));
  const n = rows.factorIds.length;
  const both = (returns: Float64Array): HistoricalDay[] =>
    [1, -1].flatMap((sign) =>
      worstRows(
        returns.map((r) => sign * r),
        count,
        rows,
      ).map((row) => dayOf(history, rows, row)),
    );
  return {
    ofBook: () => {
      if (!rows.factorIds.some((id) => id.endsWith(':spot'))) return [];
      return both(bookReturns(rows, undefined, maxLogShock));
    },
    ofUnderlying: (id) => {
      const f = rows.factorIds.indexOf(`${id}:spot`);
      if (f === -1) return [];
      const column = new Float64Array(rows.begins.length);
      return both(column.map((_, row) => rows.changes[row * n + f]!));
    },
  };
}

/**
 * Rows with the most negative values, worst first, the earlier of equals; NaN and what is ≥ 0 never. One pass over all rows for each: a
 * history may have a million, and few are looked for.
 */
function worstRows(values: Float64Array, count: number, rows: HistoryChanges): number[] {
  const chosen: number[] = [];
  const near = (row: number): boolean =>
    chosen.some((other) => Math.abs(rows.begins[other]! - rows.begins[row]!) < rows.step);
  while (chosen.length < count) {
    let worst = -1;
    let least = 0;
    for (let row = 0; row < values.length; row++) {
      if (!(values[row]! < least) || near(row)) continue;
      worst = row;
      least = values[row]!;
    }
    if (worst === -1) break;
    chosen.push(worst);
  }
  return chosen;
}

function dayOf(history: History, rows: HistoryChanges, row: number): HistoricalDay {
  const n = rows.factorIds.length;
  return {
    name: periodName(history, rows.begins[row]!, rows.step),
    changes: new Map(rows.factorIds.map((id, f) => [id, rows.changes[row * n + f]!])),
  };
}
