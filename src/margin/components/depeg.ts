import type { Component } from './context.ts';

/** Σ over stable coins of (threshold − price)⁺ × factor × |amount| held as collateral. Initial-only. */
export const depeg: Component = {
  name: 'depeg',
  initialOnly: true,
  amount: ({ collateral, valuation: { methodology } }) => {
    const { threshold, factor, assets } = methodology.depeg;
    let total = 0;
    for (const { asset, amount, price } of collateral) {
      if (!(price < threshold) || !assets.includes(asset)) continue;
      total += (threshold - price) * factor * Math.abs(amount);
    }
    return total;
  },
  inputs: ({ collateral, valuation: { methodology } }) => ({
    threshold: methodology.depeg.threshold,
    factor: methodology.depeg.factor,
    ...Object.fromEntries(
      collateral
        .filter(({ asset }) => methodology.depeg.assets.includes(asset))
        .flatMap(({ asset, amount, price }) => [
          [`${asset}:price`, price],
          [`${asset}:amount`, amount],
        ]),
    ),
  }),
};
