/**
 * Anti-procyclicality of market risk (EMIR RTS 153/2013, article 28(1); METHODOLOGY section 5). Measure (c), volatilities floored at
 * those of up to ten years, is in the scenarios themselves; (b) and (a) are applied here, in this order.
 */

/** Expected shortfalls of one book: over the scenario set, at long-run volatilities, and over the stressed rows. NaN where not needed. */
export interface ShortfallTriple {
  readonly es: number;
  readonly esLongRun: number;
  readonly esStressed: number;
}

export interface AppliedMeasures {
  /** (a) A buffer of 25%, used up as today's ES rises above that at long-run volatilities. */
  readonly buffer: boolean;
  /** (b) A quarter of the weight on the stressed set. */
  readonly stressed: boolean;
}

const BUFFER = 1.25;
const STRESSED_WEIGHT = 0.25;

/**
 * (b) ES ← 0.75 ES + 0.25 ES_stressed; then (a) min(1.25 · ES, max(1.25 · ES_longRun, ES)): 25% on top when calm, nothing on top where today's
 * ES exceeds the buffered long-run figure. Without a measure, ES as it is.
 */
export function antiProcyclical(
  { es, esLongRun, esStressed }: ShortfallTriple,
  { buffer, stressed }: AppliedMeasures,
): number {
  const weighted = stressed ? (1 - STRESSED_WEIGHT) * es + STRESSED_WEIGHT * esStressed : es;
  return buffer ? Math.min(BUFFER * weighted, Math.max(BUFFER * esLongRun, weighted)) : weighted;
}
