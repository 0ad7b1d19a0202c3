/** What one contract is worth now: the model's price of every type. */
import { PlimsollError } from '../errors.ts';
import { baseValue, type Instrument, type Market } from '../market/market.ts';
import { type AmericanContract, americanPrice } from './american.ts';

/** An American option as its pricer wants it: exercise delivers the spot, or the forward of the option's own expiry. */
export function americanContract(instrument: Instrument, market: Market): AmericanContract {
  const { forward, strike, volatility, maturity, deliverable } = instrument;
  const { spot, rate } = market.underlyings[instrument.underlying]!;
  return {
    level: deliverable === 'future' ? forward : spot,
    forward,
    strike,
    volatility,
    maturity,
    rate,
    right: instrument.right === 1 ? 1 : -1,
  };
}

/**
 * Value of one contract in the market's currency, as it enters equity: that of `baseValue`, and of an American option the multiplier times the
 * reference price.
 * @throws the instrument's problem, if it has one
 */
export function contractValue(instrument: Instrument, market: Market): number {
  const { problem, american, multiplier } = instrument;
  if (problem !== null) throw new PlimsollError(problem.code, problem.message);
  if (!american) return baseValue(instrument, market);
  return multiplier * americanPrice(americanContract(instrument, market));
}
