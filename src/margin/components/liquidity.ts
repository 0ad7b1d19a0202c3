import type { UnderlyingExposure } from '../exposures.ts';
import type { Valuation } from '../valuation.ts';
import type { Component } from './context.ts';

/** Cost of closing |quantity| units at `spot` in a ladder of cumulative sizes; and the quantity that the ladder does not hold. */
export function ladderCost(
  quantity: number,
  spot: number,
  depth: readonly { readonly distance: number; readonly size: number }[],
): { readonly cost: number; readonly left: number } {
  let cost = 0;
  let done = 0;
  for (const { distance, size } of depth) {
    const taken = Math.min(quantity, size) - done;
    if (taken > 0) {
      cost += taken * distance * spot;
      done += taken;
    }
  }
  return { cost, left: quantity - done };
}

/**
 * η · σ_daily · |Q| · √(|Q|/ADV), Q and ADV in currency: the square-root law of market impact (Almgren, Thum, Hauptmann and Li, "Direct
 * estimation of equity market impact", 2005, with exponent ½).
 */
export function squareRootImpact(
  value: number,
  dailyValue: number,
  dailyVolatility: number,
  impact: number,
): number {
  return impact * dailyVolatility * value * Math.sqrt(value / dailyValue);
}

/**
 * Of one underlying: its net delta closed, by walking the depth ladder (whose distances are from mid, so that they hold the spread), or
 * by half-spread and square-root impact where there is none; what lies beyond the ladder pays its last distance or the impact,
 * whichever is more. Options add |vega| × the vega spread.
 */
export function closingCost(exposure: UnderlyingExposure, valuation: Valuation): number {
  const { market, plan, exposures, methodology } = valuation;
  const { spot, liquidity } = market.underlyings[exposure.underlying]!;
  const { impact, vegaSpread } = methodology.liquidity;
  const vega = Math.abs(exposure.vega) * vegaSpread;
  if (liquidity === null) return vega;
  const { halfSpread = 0, dailyVolume, depth } = liquidity;
  const quantity = Math.abs(exposure.delta);
  const move = exposures.dailyVolatility[exposure.underlying]!;
  // A Bachelier factor's σ is in price units.
  const sigma = plan.underlyings[exposure.underlying]?.absolute === true ? move / spot : move;
  const impactOf = (units: number): number =>
    dailyVolume === undefined || !(units > 0)
      ? 0
      : squareRootImpact(units * spot, dailyVolume * spot, sigma, impact);
  if (depth === undefined) return halfSpread * quantity * spot + impactOf(quantity) + vega;
  const { cost, left } = ladderCost(quantity, spot, depth);
  if (!(left > 0)) return cost + vega;
  const last = depth[depth.length - 1]!.distance;
  return cost + Math.max(left * last * spot, impactOf(quantity) - impactOf(quantity - left)) + vega;
}

export const liquidity: Component = {
  name: 'liquidity',
  initialOnly: false,
  amount: ({ exposures, valuation }) => {
    let total = 0;
    for (const exposure of exposures) total += closingCost(exposure, valuation);
    return total;
  },
  inputs: ({ exposures, valuation }) =>
    Object.fromEntries(
      exposures.flatMap((exposure) => {
        const { id } = valuation.market.underlyings[exposure.underlying]!;
        return [
          [`${id}:delta`, exposure.delta],
          [`${id}:vega`, exposure.vega],
          [`${id}:cost`, closingCost(exposure, valuation)],
        ];
      }),
    ),
};
