import type { Component } from './context.ts';

/**
 * w · max(0, max(ES₀, ES₁) − ES): what the account would need if its underlyings moved independently (ES₀: each one's scenarios reordered
 * by a permutation of its own) or in step (ES₁: reordered so that spots rank alike). The marginal laws stay as they are.
 */
export const dependence: Component = {
  name: 'dependence',
  initialOnly: false,
  amount: ({ shortfalls: { base, zero, perfect }, valuation }) => {
    const { weight } = valuation.methodology.dependence;
    // One underlying alone has nothing to depend on: its reordered losses are the same losses.
    if (Number.isNaN(zero) || Number.isNaN(perfect)) return 0;
    return weight * Math.max(0, Math.max(zero, perfect) - base);
  },
  inputs: ({ shortfalls: { base, zero, perfect }, valuation }) => ({
    expectedShortfall: base,
    expectedShortfallUnrelated: Number.isNaN(zero) ? base : zero,
    expectedShortfallInStep: Number.isNaN(perfect) ? base : perfect,
    weight: valuation.methodology.dependence.weight,
  }),
};
