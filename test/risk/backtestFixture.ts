/** What test/fixtures/backtest.py wrote. */
import { readFileSync } from 'node:fs';
import type { SeriesRequest } from '../../src/risk/backtest/series.ts';

export interface CoverageCase {
  readonly tail: number;
  readonly hits: readonly number[];
  readonly pof: number;
  readonly pofP: number;
  readonly transitions: readonly number[];
  readonly independence: number;
  readonly independenceP: number;
  readonly conditional: number;
  readonly conditionalP: number;
}

export interface ShortfallCase {
  readonly name: string;
  readonly tail: number;
  readonly z1: number;
  readonly z2: number;
  readonly p1: number;
  readonly p2: number;
  readonly pnl: number[];
  readonly valueAtRisk: number[];
  readonly expectedShortfall: number[];
}

export type HistoricalMethod = 'historical' | 'filtered-historical';

interface WalkDay extends Readonly<Record<HistoricalMethod, Readonly<Record<string, number>>>> {
  readonly date: number;
  readonly pnl: number;
}

export interface WalkCase {
  readonly horizonDays: number;
  readonly days: number;
  readonly checked: readonly WalkDay[];
  readonly means: Readonly<Record<HistoricalMethod, Readonly<Record<string, number>>>>;
  readonly exceedances: Readonly<Record<HistoricalMethod, number>>;
}

export interface BacktestFixture {
  readonly chiSquare: readonly { readonly x: number; readonly one: number; readonly two: number }[];
  readonly coverage: readonly CoverageCase[];
  readonly binomial: readonly {
    readonly n: number;
    readonly tail: number;
    readonly amberFrom: number;
    readonly redFrom: number;
    readonly at: readonly { readonly x: number; readonly cumulative: number }[];
  }[];
  readonly overlap: readonly {
    readonly n: number;
    readonly h: number;
    readonly tail: number;
    readonly effect: number;
    readonly amberFrom: number;
    readonly redFrom: number;
  }[];
  readonly shortfall: readonly ShortfallCase[];
  readonly quantileLoss: SeriesRequest & { readonly mean: number };
  readonly attribution: readonly {
    readonly a: readonly number[];
    readonly b: readonly number[];
    readonly spearman: number;
    readonly distance: number;
  }[];
  readonly procyclicality: {
    readonly margins: readonly number[];
    readonly five: number;
    readonly thirty: number;
  };
  readonly walk: {
    readonly lambda: number;
    readonly window: number;
    readonly minimumRows: number;
    readonly confidence: number;
    readonly levels: readonly (readonly (number | null)[])[];
    readonly cases: readonly WalkCase[];
  };
  readonly studentQuantiles: readonly {
    readonly nu: number;
    readonly p: number;
    readonly unit: number;
  }[];
}

export const fixture = JSON.parse(
  readFileSync(new URL('../fixtures/backtest.json', import.meta.url), 'utf8'),
) as BacktestFixture;
