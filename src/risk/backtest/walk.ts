/** What is known on each day of a walk through history: volatilities and usable windows, made of earlier rows only. */
import type { ChangeRows } from './rows.ts';

/** EWMA volatilities are used once so many rows stand behind them, and the price has moved. */
const BURN_IN = 30;
const LONG_RUN_YEARS = 10;

/** Row s of each array is made of changes 0 … s − 1 alone. */
export interface Walk {
  readonly rows: ChangeRows;
  /** (count + 1) × n EWMA volatilities per row of the history; NaN in the burn-in. */
  readonly volatility: Float64Array;
  /** (count + 1) × n, equally weighted over up to ten years. */
  readonly longRun: Float64Array;
  /** Rows behind each long-run volatility. */
  readonly longRunRows: Uint32Array;
  /** Starts of the usable windows, ascending, and how many of them lie before row r. */
  readonly starts: Uint32Array;
  readonly startsBefore: Uint32Array;
  /** The first of `starts` that a volatility of its own stands before. */
  readonly firstFiltered: number;
}

/**
 * Mean zero throughout. EWMA weights (1 − λ)λⁱ are divided by their sum (RiskMetrics 1996); a gap is passed over.
 * @param lambda 0 < λ < 1, per row
 */
export function walkOf(rows: ChangeRows, lambda: number): Walk {
  const { n, count, changes, windows, step, periodsPerYear } = rows;
  const volatility = new Float64Array((count + 1) * n).fill(Number.NaN);
  const longRun = new Float64Array((count + 1) * n).fill(Number.NaN);
  const longRunRows = new Uint32Array(count + 1);
  const reach = Math.max(1, Math.round(LONG_RUN_YEARS * periodsPerYear));
  const present = Uint8Array.from({ length: count }, (_, r) =>
    Number.isNaN(changes[r * n]) ? 0 : 1,
  );
  let burnt = 0;
  for (let u = 0; u < n; u++) {
    let from = count + 1;
    let [sum, weight, squares, held, seen] = [0, 0, 0, 0, 0];
    for (let s = 1; s <= count; s++) {
      const leaving = s - 1 - reach;
      if (leaving >= 0 && present[leaving] === 1) {
        const old = changes[leaving * n + u]!;
        squares = Math.max(0, squares - old * old);
        held -= 1;
      }
      if (present[s - 1] === 1) {
        const square = changes[(s - 1) * n + u]! * changes[(s - 1) * n + u]!;
        sum = lambda * sum + square;
        weight = lambda * weight + 1;
        squares += square;
        held += 1;
        seen += 1;
      }
      // A price that has never moved has no volatility to divide by.
      if (seen < BURN_IN || !(sum > 0)) continue;
      from = Math.min(from, s);
      volatility[s * n + u] = Math.sqrt(sum / weight);
      longRun[s * n + u] = Math.sqrt(squares / held);
      longRunRows[s] = held;
    }
    burnt = Math.max(burnt, from);
  }
  const usable = usableStarts(windows, n);
  const firstFiltered = usable.starts.findIndex((start) => start >= burnt);
  return {
    rows,
    volatility,
    longRun,
    longRunRows,
    ...usable,
    startsBefore: prefix(usable.starts, count - step + 2),
    firstFiltered: firstFiltered === -1 ? usable.starts.length : firstFiltered,
  };
}

function usableStarts(windows: Float64Array, n: number): { starts: Uint32Array } {
  const starts: number[] = [];
  for (let r = 0; r * n < windows.length; r++) if (!Number.isNaN(windows[r * n])) starts.push(r);
  return { starts: Uint32Array.from(starts) };
}

function prefix(starts: Uint32Array, length: number): Uint32Array {
  const before = new Uint32Array(length);
  for (const start of starts) before[start + 1]! += 1;
  for (let r = 1; r < length; r++) before[r]! += before[r - 1]!;
  return before;
}

/** How many usable windows end by row s: those that a forecast made there may look at. */
export function windowsKnown(walk: Walk, s: number): number {
  return walk.startsBefore[Math.max(0, s - walk.rows.step + 1)]!;
}
