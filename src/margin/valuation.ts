/** What accounts are resolved and charged against: one market, planned under one methodology. */
import type { Market } from '../market/market.ts';
import type { InstrumentExposures } from '../valuation/exposures.ts';
import type { ValuationPlan } from '../valuation/plan.ts';
import type { Methodology } from './methodology.ts';

export interface Valuation {
  readonly market: Market;
  readonly plan: ValuationPlan;
  readonly methodology: Methodology;
  readonly exposures: InstrumentExposures;
  /** Underlyings (ids) whose moves in the stressed set are those of the equal-weight book: their own history does not reach back. */
  readonly stressedProxies: ReadonlySet<string>;
  /** Underlyings (ids) that the stress library names and the scenarios have no factor of. */
  readonly unknownStress: readonly string[];
}
