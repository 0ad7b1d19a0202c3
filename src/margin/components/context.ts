/** What a component may look at, and what one is. */

import type { UnderlyingExposure } from '../exposures.ts';
import type { ComponentName } from '../methodologySchema.ts';
import type { MarginCollateral } from '../portfolio.ts';
import type { Valuation } from '../valuation.ts';

/** Expected shortfalls of one holding, each over its own arrangement of scenarios; in currency, losses positive. NaN: not computed. */
export interface Shortfalls {
  /** Over the scenario set itself. */
  base: number;
  /** Each underlying's scenarios reordered by a permutation of its own: nothing moves together. */
  zero: number;
  /** Reordered so that all spots rank alike: everything moves together. */
  perfect: number;
  /** At long-run volatilities. */
  longRun: number;
  /** Over the stressed rows of the history. */
  stressed: number;
  /** The worst loss over the stress library. */
  stress: number;
}

/** ES of the positions in one underlying alone, for those that take longer than the horizon to close. */
export interface Concentrated {
  readonly underlying: number;
  /** √(h_u/h) − 1. */
  readonly growth: number;
  readonly expectedShortfall: number;
}

/** One holding that is charged: an account, its part in one underlying, or one position. */
export interface ComponentContext {
  readonly valuation: Valuation;
  readonly shortfalls: Shortfalls;
  readonly exposures: readonly UnderlyingExposure[];
  readonly concentrated: readonly Concentrated[];
  /** What the holding's pool has as collateral. */
  readonly collateral: readonly MarginCollateral[];
}

export interface Component {
  readonly name: ComponentName;
  /** Nobody is liquidated for it: it raises IM, not MM. */
  readonly initialOnly: boolean;
  /** In currency, ≥ 0. */
  readonly amount: (context: ComponentContext) => number;
  /** The inputs that made the amount, for people: labelled figures. */
  readonly inputs: (context: ComponentContext) => Readonly<Record<string, number>>;
}
