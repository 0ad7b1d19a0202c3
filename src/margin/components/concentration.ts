import type { UnderlyingExposure } from '../exposures.ts';
import type { Valuation } from '../valuation.ts';
import type { Component } from './context.ts';

/**
 * √(h_u/h) − 1 with h_u = max(h, |Δ_u|/(participation × dailyVolume)): how much longer than the horizon the position takes to close. 0 where
 * it does not, or where the underlying states no volume.
 */
export function horizonGrowth(
  exposure: UnderlyingExposure,
  { market, methodology }: Valuation,
): number {
  const { dailyVolume } = market.underlyings[exposure.underlying]!.liquidity ?? {};
  if (dailyVolume === undefined) return 0;
  const { horizonDays, concentration } = methodology;
  const days = Math.abs(exposure.delta) / (concentration.participation * dailyVolume);
  return days > horizonDays ? Math.sqrt(days / horizonDays) - 1 : 0;
}

/** Σ_u (√(h_u/h) − 1) · ES of the positions in u alone, collateral coins left out. */
export const concentration: Component = {
  name: 'concentration',
  initialOnly: false,
  amount: ({ concentrated }) => {
    let total = 0;
    for (const { growth, expectedShortfall } of concentrated) {
      total += growth * Math.max(0, expectedShortfall);
    }
    return total;
  },
  inputs: ({ concentrated, valuation }) =>
    Object.fromEntries(
      concentrated.flatMap(({ underlying, growth, expectedShortfall }) => {
        const { id } = valuation.market.underlyings[underlying]!;
        return [
          [`${id}:horizonGrowth`, growth],
          [`${id}:expectedShortfall`, expectedShortfall],
        ];
      }),
    ),
};
