/** The scenarios of each method on one day of a walk, from rows before that day. */
import { factorise } from '../../market/correlation.ts';
import { correlationOf } from '../../market/ewma.ts';
import { fitStudentT } from '../../market/studentT.ts';
import { StandardDraws } from './draws.ts';
import type { ScaledScenarios } from './tailOfBook.ts';
import { type Walk, windowsKnown } from './walk.ts';

export const BACKTEST_METHODS = [
  'historical',
  'filtered-historical',
  'gaussian',
  'student-t',
] as const;
export type BacktestMethod = (typeof BACKTEST_METHODS)[number];

export interface MethodSettings {
  readonly lambda: number;
  /** Windows that the historical methods replay: the last so many, or as many as there are. */
  readonly window: number;
  readonly scenarios: number;
  readonly seed: string;
  /** ν of `student-t`; null: fitted to the last `window` rows by maximum likelihood. */
  readonly degreesOfFreedom: number | null;
}

/** Days are asked for in ascending order. */
export interface DayScenarios {
  at(s: number): ScaledScenarios;
  /** ν of the day that was asked for last; null where it is normal. */
  readonly degreesOfFreedom: number | null;
}

export function dayScenarios(
  method: BacktestMethod,
  walk: Walk,
  settings: MethodSettings,
): DayScenarios {
  if (method === 'historical') return new Replayed(walk, settings.window, false);
  if (method === 'filtered-historical') return new Replayed(walk, settings.window, true);
  return new Drawn(walk, settings, method === 'student-t');
}

/** Windows that a filtered method can use by day s: those before which a volatility stands. */
export function filteredKnown(walk: Walk, s: number): number {
  return Math.max(0, windowsKnown(walk, s) - walk.firstFiltered);
}

/**
 * Past windows, each used once. Plain: the log changes as they were; at long-run volatilities they are scaled by long-run over their own root
 * mean square. Filtered: each vector divided by the EWMA volatilities of the row that it starts from, as forecast before it, and multiplied by
 * today's (J. Hull, A. White, "Incorporating volatility updating into the historical simulation method for value-at-risk", J. Risk 1(1),
 * 1998); dependence is kept. Over h rows it is the h-row change that is filtered.
 */
class Replayed implements DayScenarios {
  readonly degreesOfFreedom = null;
  private readonly walk: Walk;
  private readonly filtered: boolean;
  private readonly window: number;
  private readonly columns: Float64Array[];

  constructor(walk: Walk, window: number, filtered: boolean) {
    this.walk = walk;
    this.window = window;
    this.filtered = filtered;
    this.columns = Array.from({ length: walk.rows.n }, () => new Float64Array(window));
  }

  at(s: number): ScaledScenarios {
    const walk = this.walk;
    const filtered = this.filtered;
    const columns = this.columns;
    const { n, windows, step } = walk.rows;
    const known = windowsKnown(walk, s);
    const first = Math.max(filtered ? walk.firstFiltered : 0, known - this.window);
    const count = known - first;
    const today = new Float64Array(n).fill(1);
    const longRun = walk.longRun.slice(s * n, s * n + n);
    columns.forEach((column, u) => {
      let squares = 0;
      for (let j = 0; j < count; j++) {
        const start = walk.starts[first + j]! * n + u;
        const change = windows[start]!;
        const value = filtered ? change / walk.volatility[start]! : change;
        column[j] = value;
        squares += value * value;
      }
      if (filtered) today[u] = walk.volatility[s * n + u]!;
      else longRun[u] = squares > 0 ? longRun[u]! * Math.sqrt((step * count) / squares) : 1;
    });
    return { count, columns, today, longRun };
  }
}

/** ν is fitted anew every so many rows of the history, at rows that do not depend on where the backtest begins. */
const REFIT_ROWS = 20;

/** Normal or Student-t draws with the EWMA covariance: volatilities and correlations with one λ, h-row ones by √h, ν kept. */
class Drawn implements DayScenarios {
  degreesOfFreedom: number | null = null;
  private readonly walk: Walk;
  private readonly settings: MethodSettings;
  private readonly heavy: boolean;
  private readonly draws: StandardDraws;
  private readonly normals: Float64Array[];
  private readonly columns: Float64Array[];
  private readonly sums: Float64Array;
  private weight = 0;
  private taken = 0;
  private fittedAt = -1;
  private mix: Float64Array | null = null;

  constructor(walk: Walk, settings: MethodSettings, heavy: boolean) {
    const { n } = walk.rows;
    this.walk = walk;
    this.settings = settings;
    this.heavy = heavy;
    this.draws = new StandardDraws(settings.scenarios, settings.seed);
    this.normals = Array.from({ length: n }, (_, f) => this.draws.normals(f));
    this.columns = Array.from({ length: n }, () => new Float64Array(settings.scenarios));
    this.sums = new Float64Array(n * n);
  }

  at(s: number): ScaledScenarios {
    const { n, step } = this.walk.rows;
    this.take(s);
    if (this.heavy) this.chooseMixing(s);
    this.correlate();
    const root = Math.sqrt(step);
    const scaled = (path: Float64Array): Float64Array =>
      path.slice(s * n, s * n + n).map((volatility) => volatility * root);
    return {
      count: this.settings.scenarios,
      columns: this.columns,
      today: scaled(this.walk.volatility),
      longRun: scaled(this.walk.longRun),
    };
  }

  /** Moves the covariance on to the rows before s. */
  private take(s: number): void {
    const { n, changes } = this.walk.rows;
    const { lambda } = this.settings;
    for (; this.taken < s; this.taken++) {
      const at = this.taken * n;
      if (Number.isNaN(changes[at])) continue;
      this.weight = lambda * this.weight + 1;
      for (let i = 0; i < n; i++) {
        for (let j = 0; j <= i; j++) {
          const sum = lambda * this.sums[i * n + j]! + changes[at + i]! * changes[at + j]!;
          this.sums[i * n + j] = sum;
        }
      }
    }
  }

  /** columns = L · normals (times the mixing variable), L the factor of the correlations: unit variances. */
  private correlate(): void {
    const { n } = this.walk.rows;
    const covariance = this.sums.map((sum) => sum / this.weight);
    const { lower } = factorise(correlationOf(covariance, n), n).factorisation!;
    this.columns.forEach((column, i) => {
      column.fill(0);
      for (let g = 0; g <= i; g++) {
        const weight = lower[i * n + g]!;
        const normals = this.normals[g]!;
        if (weight === 0) continue;
        for (let j = 0; j < column.length; j++) column[j]! += weight * normals[j]!;
      }
      const mix = this.mix;
      if (mix !== null) for (let j = 0; j < column.length; j++) column[j]! *= mix[j]!;
    });
  }

  private chooseMixing(s: number): void {
    const given = this.settings.degreesOfFreedom;
    const at = given === null ? s - (s % REFIT_ROWS) : 0;
    if (at === this.fittedAt) return;
    const degrees = given ?? this.fitted(at);
    this.fittedAt = at;
    this.degreesOfFreedom = degrees;
    this.mix = degrees === null ? null : this.draws.mixing(degrees);
  }

  /** One ν for all factors, from their standardised one-row changes together; null where they are as good as normal. */
  private fitted(s: number): number | null {
    const { rows, volatility } = this.walk;
    const { n, changes } = rows;
    const squares: number[] = [];
    for (let r = Math.max(0, s - this.settings.window); r < s; r++) {
      for (let at = r * n; at < r * n + n; at++) {
        const z = changes[at]! / volatility[at]!;
        if (Number.isFinite(z)) squares.push(z * z);
      }
    }
    if (squares.length === 0) return null;
    return fitStudentT(Float64Array.from(squares), 1, 0).degreesOfFreedom;
  }
}
