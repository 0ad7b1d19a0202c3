import type { Component } from './context.ts';
import { marketRiskOf } from './marketRisk.ts';

/** w · max(0, worst loss over the stress library − marketRisk). */
export const stress: Component = {
  name: 'stress',
  initialOnly: false,
  amount: (context) => {
    const { weight } = context.valuation.methodology.stress;
    return weight * Math.max(0, context.shortfalls.stress - marketRiskOf(context));
  },
  inputs: (context) => ({
    worstStressLoss: context.shortfalls.stress,
    marketRisk: marketRiskOf(context),
    weight: context.valuation.methodology.stress.weight,
  }),
};
