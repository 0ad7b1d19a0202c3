/**
 * Sensitivities of one contract, in the market's currency. All forwards of an underlying move in proportion to its spot and each option keeps
 * its strike's implied volatility (METHODOLOGY section 2, sticky strike), so that delta · ΔS + gamma · ΔS²/2 + vega · Δσ is the scenario P&L to
 * second order.
 */
import { PlimsollError } from '../errors.ts';
import { type Instrument, type Market, optionScale } from '../market/market.ts';
import { americanScenarioPrice, exp, log, normalCdf } from '../numerics.ts';
import { americanContract } from './value.ts';

export interface Greeks {
  /** dV/dS: units of the underlying per contract. */
  readonly delta: number;
  /** d²V/dS²: units of the underlying per unit of currency. */
  readonly gamma: number;
  /** dV/dσ: currency per 1.00 of annual volatility (a vol point is a hundredth of it). */
  readonly vega: number;
}

const INVERSE_SQRT_2_PI = 0.398_942_280_401_432_7;

/** φ(x), the standard normal density. */
function density(x: number): number {
  return INVERSE_SQRT_2_PI * exp(-0.5 * x * x);
}

/**
 * Of ONE contract, long, at the market as it stands. An inverse contract's P&L in coin is converted at the spot, so its delta is
 * multiplier / mark and its gamma 0 (an account's unrealised coins are the account's, not the contract's).
 * @throws the instrument's problem, if it has one
 */
export function greeksOf(instrument: Instrument, market: Market): Greeks {
  const { problem, type, multiplier, mark, settlement } = instrument;
  if (problem !== null) throw new PlimsollError(problem.code, problem.message);
  const { spot } = market.underlyings[instrument.underlying]!;
  if (type === 'spot') return { delta: multiplier, gamma: 0, vega: 0 };
  if (type === 'pool') return poolGreeks(multiplier, spot);
  if (type === 'binary') return binaryGreeks(instrument, spot);
  if (instrument.american) return americanGreeks(instrument, market);
  if (type === 'option') return europeanGreeks(instrument, market);
  const delta = settlement === 'inverse' ? multiplier / mark : (multiplier * mark) / spot;
  return { delta, gamma: 0, vega: 0 };
}

/** Of V = 2k√S. */
function poolGreeks(k: number, spot: number): Greeks {
  const delta = k / Math.sqrt(spot);
  return { delta, gamma: (-0.5 * delta) / spot, vega: 0 };
}

/** v = σ√T and d₁ of Black-76. */
function standardised({ forward, strike, volatility, maturity }: Instrument): {
  readonly v: number;
  readonly d1: number;
} {
  const v = volatility * Math.sqrt(maturity);
  return { v, d1: log(forward / strike) / v + 0.5 * v };
}

/**
 * Of V = scale · B(F, K, σ√T): ∂B/∂F = ±Φ(±d₁), ∂²B/∂F² = φ(d₁)/(Fv), ∂B/∂σ = F φ(d₁) √T (Black 1976). `scale` does not move with the spot: a
 * coin-settled option's m·S/F keeps its ratio.
 */
function europeanGreeks(instrument: Instrument, market: Market): Greeks {
  const { forward, maturity } = instrument;
  const { spot } = market.underlyings[instrument.underlying]!;
  const right = instrument.right === 1 ? 1 : -1;
  const { v, d1 } = standardised(instrument);
  const scale = optionScale(instrument, market);
  const carry = forward / spot;
  return {
    delta: scale * carry * right * normalCdf(right * d1),
    gamma: (scale * carry * density(d1)) / (spot * v),
    vega: scale * forward * density(d1) * Math.sqrt(maturity),
  };
}

/** Of V = m · df · Φ(±d₂) at the strike's own volatility: ∂d₂/∂S = 1/(Sv), ∂d₂/∂σ = −d₁/σ. */
function binaryGreeks(instrument: Instrument, spot: number): Greeks {
  const { multiplier, df, volatility } = instrument;
  const right = instrument.right === 1 ? 1 : -1;
  const { v, d1 } = standardised(instrument);
  const slope = right * multiplier * df * density(d1 - v);
  return {
    delta: slope / (spot * v),
    gamma: (-slope * d1) / (spot * spot * v * v),
    vega: (-slope * d1) / volatility,
  };
}

/** Bumps of the spot: this share of v = σ√T, and at most that; of the volatility, relatively. Their truncation is below 1e-4 of the result. */
const SPOT_BUMP = 0.02;
const SPOT_BUMP_MAX = 2e-3;
const VOLATILITY_BUMP = 0.01;

/**
 * Of m · V(S, F, σ) by central differences of the scenario kernel's price, spot and forward moving in proportion: the sensitivities that the
 * scenarios see. They differ from the reference pricer's as the kernel's price does (test/valuation/greeks.test.ts).
 */
function americanGreeks(instrument: Instrument, market: Market): Greeks {
  const { multiplier, volatility, maturity } = instrument;
  const { spot, rate } = market.underlyings[instrument.underlying]!;
  const contract = americanContract(instrument, market);
  const v = volatility * Math.sqrt(maturity);
  const price = (move: number, change: number): number => {
    const level = contract.level * move;
    const forward = contract.forward * move;
    return americanScenarioPrice({ ...contract, level, forward }, v * change, rate * maturity);
  };
  const h = Math.min(SPOT_BUMP_MAX, SPOT_BUMP * v);
  const [up, still, down] = [price(1 + h, 1), price(1, 1), price(1 - h, 1)];
  const rise = price(1, 1 + VOLATILITY_BUMP) - price(1, 1 - VOLATILITY_BUMP);
  return {
    delta: (multiplier * (up - down)) / (2 * h * spot),
    gamma: (multiplier * (up - 2 * still + down)) / (h * h * spot * spot),
    vega: (multiplier * rise) / (2 * VOLATILITY_BUMP * volatility),
  };
}
