import { exp } from '../../numerics.ts';
import type { UnderlyingExposure } from '../exposures.ts';
import type { Valuation } from '../valuation.ts';
import type { Component } from './context.ts';

/** Offset deltas in currency × max(least, e^(slope·T) − 1), T the longest expiry; 0 where the scenarios move the basis. */
function basisCharge(
  exposure: UnderlyingExposure,
  { market, exposures, methodology }: Valuation,
): number {
  const { underlying, offsetDelta, longestMaturity } = exposure;
  if (offsetDelta === 0 || exposures.basisSimulated[underlying] === 1) return 0;
  const { least, slope } = methodology.basis;
  return (
    offsetDelta *
    market.underlyings[underlying]!.spot *
    Math.max(least, exp(slope * longestMaturity) - 1)
  );
}

/** (Σ_e|Δ_e| − |Σ_e Δ_e|) × rate: forwards of one underlying need not move together. */
export const basis: Component = {
  name: 'basis',
  initialOnly: false,
  amount: ({ exposures, valuation }) => {
    let total = 0;
    for (const exposure of exposures) total += basisCharge(exposure, valuation);
    return total;
  },
  inputs: ({ exposures, valuation }) =>
    Object.fromEntries(
      exposures.flatMap((exposure) => {
        const { id } = valuation.market.underlyings[exposure.underlying]!;
        return [
          [`${id}:offsetDelta`, exposure.offsetDelta],
          [`${id}:longestMaturity`, exposure.longestMaturity],
        ];
      }),
    ),
};
