import type { Component } from './context.ts';

/** Σ_u (threshold − confidence)⁺ × share × gross notional. Initial-only: nobody is liquidated on a doubtful price. */
export const oracle: Component = {
  name: 'oracle',
  initialOnly: true,
  amount: ({ exposures, valuation: { market, methodology } }) => {
    const { threshold, share } = methodology.oracle;
    let total = 0;
    for (const { underlying, notional } of exposures) {
      total +=
        Math.max(0, threshold - market.underlyings[underlying]!.oracleConfidence) *
        share *
        notional;
    }
    return total;
  },
  inputs: ({ exposures, valuation: { market, methodology } }) => ({
    threshold: methodology.oracle.threshold,
    ...Object.fromEntries(
      exposures.flatMap(({ underlying, notional }) => {
        const { id, oracleConfidence } = market.underlyings[underlying]!;
        return [
          [`${id}:confidence`, oracleConfidence],
          [`${id}:notional`, notional],
        ];
      }),
    ),
  }),
};
