import type { Component } from './context.ts';

/**
 * A share of spot × multiplier per net short option contract: far out-of-the-money shorts lose nothing in most scenarios, and are not free.
 * Calls and puts of one expiry and strike net: together they are a forward, without an option's tail.
 */
export const shortOptionMinimum: Component = {
  name: 'shortOptionMinimum',
  initialOnly: false,
  amount: ({ exposures, valuation }) => {
    let total = 0;
    for (const { underlying, shortOptions } of exposures) {
      total += shortOptions * valuation.market.underlyings[underlying]!.spot;
    }
    return total * valuation.methodology.shortOptionMinimum.share;
  },
  inputs: ({ exposures, valuation }) =>
    Object.fromEntries(
      exposures.map(({ underlying, shortOptions }) => [
        `${valuation.market.underlyings[underlying]!.id}:netShortUnits`,
        shortOptions,
      ]),
    ),
};
