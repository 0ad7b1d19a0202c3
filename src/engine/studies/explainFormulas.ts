/** The components' formulas in words, with the methodology's own parameters. */
import type { Methodology } from '../../margin/methodology.ts';
import type { ComponentName } from '../../margin/methodologySchema.ts';

const FORMULAS: Readonly<Record<ComponentName, (methodology: Methodology) => string>> = {
  marketRisk: ({ confidence, horizonDays, antiProcyclicality: { buffer, stressed } }) => {
    const measures = [
      ...(stressed ? ['75% of it and 25% of ES on stressed rows'] : []),
      ...(buffer ? ['times 1.25, but not above the greater of 1.25 × long-run ES and itself'] : []),
    ];
    const days = horizonDays === 1 ? '1 day' : `${horizonDays} days`;
    const after = measures.length === 0 ? '' : `; then ${measures.join(', then ')}`;
    return `expected shortfall at ${confidence} of the P&L over ${days}, at least 0${after}`;
  },
  stress: ({ stress: { weight } }) =>
    `${weight} × the worst loss over the stress library beyond market risk`,
  dependence: ({ dependence: { weight } }) =>
    `${weight} × what ES would be more if the underlyings moved independently or in step, whichever is worse`,
  liquidity: ({ liquidity: { impact, vegaSpread } }) =>
    `cost of closing the net delta of each underlying, by its depth ladder or by half-spread and ${impact} × daily volatility × value × √(value/daily volume), and ${vegaSpread} × |net vega|`,
  concentration: ({ concentration: { participation } }) =>
    `for each underlying that takes longer than the horizon to close at ${participation} of its daily volume: (√(days/horizon) − 1) × ES of its positions alone`,
  basis: ({ basis: { least, slope } }) =>
    `deltas that offset each other across expiries × spot × the greater of ${least} and e^(${slope} × longest maturity) − 1; 0 where the scenarios move the basis`,
  shortOptionMinimum: ({ shortOptionMinimum: { share } }) =>
    `${share} × spot × net short option units of each expiry and strike`,
  oracle: ({ oracle: { threshold, share } }) =>
    `(${threshold} − confidence in the price, at least 0) × ${share} × gross notional; initial only`,
  depeg: ({ depeg: { threshold, factor } }) =>
    `stable coins held as collateral: (${threshold} − price, at least 0) × ${factor} × amount; initial only`,
  openOrders: ({ openOrders: { feeRate } }) =>
    `what the worse side filled would add, fees of ${feeRate} of the notional, and what orders through the mark lose; initial only`,
};

export function formulaOf(name: ComponentName, methodology: Methodology): string {
  return FORMULAS[name](methodology);
}
