import { antiProcyclical } from '../antiProcyclicality.ts';
import type { Component, ComponentContext } from './context.ts';

/** ES_α(h) after anti-procyclicality (METHODOLOGY section 5). A book that gains even in its tail needs nothing, not less than nothing. */
export function marketRiskOf({ shortfalls, valuation }: ComponentContext): number {
  const { base, longRun, stressed } = shortfalls;
  const measures = { es: base, esLongRun: longRun, esStressed: stressed };
  return Math.max(0, antiProcyclical(measures, valuation.methodology.antiProcyclicality));
}

export const marketRisk: Component = {
  name: 'marketRisk',
  initialOnly: false,
  amount: marketRiskOf,
  inputs: ({ shortfalls: { base, longRun, stressed }, valuation }) => {
    const applied = valuation.methodology.antiProcyclicality;
    return {
      expectedShortfall: base,
      ...(applied.buffer ? { expectedShortfallAtLongRunVolatility: longRun } : {}),
      ...(applied.stressed ? { expectedShortfallStressed: stressed } : {}),
    };
  },
};
