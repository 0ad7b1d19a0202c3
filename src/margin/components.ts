/**
 * The named parts of a requirement. Each is a pure function of one typed context, in a file or a few lines of its own; what stands in
 * COMPONENTS is what is charged, in this order.
 */
import type { TailMeasures } from '../risk/tail.ts';
import type { Methodology } from './methodology.ts';
import type { Portfolio } from './portfolio.ts';

export interface ComponentContext {
  readonly portfolio: Portfolio;
  readonly methodology: Methodology;
  /** Tail of the account's net P&L; null for an account without risk. */
  readonly tail: TailMeasures | null;
  /** ES summed over the books of the margin mode: one, one per underlying, or one per position. */
  readonly expectedShortfall: number;
}

export interface Component {
  readonly name: string;
  /** Nobody is liquidated for it: it raises IM, not MM. */
  readonly initialOnly: boolean;
  /** In currency. */
  readonly amount: (context: ComponentContext) => number;
}

/** ES_α(h) of the account's P&L (METHODOLOGY section 5). A book that gains even in its tail needs nothing, not less than nothing. */
const marketRisk: Component = {
  name: 'marketRisk',
  initialOnly: false,
  amount: ({ expectedShortfall }) => Math.max(0, expectedShortfall),
};

export const COMPONENTS: readonly Component[] = [marketRisk];
