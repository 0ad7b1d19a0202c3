/** The sensitivities of a holding, by underlying: what add-ons are computed from. */
import type { Holding, UnderlyingPart } from './holding.ts';
import type { Valuation } from './valuation.ts';

export interface UnderlyingExposure {
  readonly underlying: number;
  /** Net delta of what would have to be closed, units of the underlying: positions and unrealised coins, not the collateral. */
  readonly delta: number;
  /** Net vega, currency per 1.00 of volatility. */
  readonly vega: number;
  /** Σ |size| × notional, in currency. */
  readonly notional: number;
  /** Deltas that offset each other across expiries, collateral coins among the undated: Σ_e |Δ_e| − |Σ_e Δ_e|, units of the underlying. */
  readonly offsetDelta: number;
  /** The longest time to expiry among positions with a delta, in years; 0 without any. */
  readonly longestMaturity: number;
  /** Net short option contracts times multiplier, summed over expiries and strikes: units of the underlying. */
  readonly shortOptions: number;
}

export function exposuresOf(
  { instruments, sizes, parts }: Holding,
  valuation: Valuation,
): readonly UnderlyingExposure[] {
  const found: UnderlyingExposure[] = [];
  for (const part of parts) {
    if (part.end > part.start) found.push(exposureOf(instruments, sizes, part, valuation));
  }
  return found;
}

/** Of positions [start, end) of one part. */
export function exposureOf(
  instruments: Int32Array,
  sizes: Float64Array,
  { underlying, start, end, coins, unrealised }: UnderlyingPart,
  { market, exposures }: Valuation,
): UnderlyingExposure {
  const { deltas, vegas, notionals, expiryGroup, strikeGroup, expirySums, strikeSums } = exposures;
  // Unrealised coins are undated, as spot is.
  let delta = unrealised;
  let gross = 0;
  let vega = 0;
  let notional = 0;
  let longestMaturity = 0;
  // Collateral coins need not be closed, but against a future they are a basis position as any spot is.
  let undated = coins;
  for (let i = start; i < end; i++) {
    const index = instruments[i]!;
    const size = sizes[i]!;
    const instrument = market.instruments[index]!;
    const own = size * deltas[index]!;
    delta += own;
    vega += size * vegas[index]!;
    notional += Math.abs(size) * notionals[index]!;
    if (instrument.expiryMs === 0) undated += own;
    else {
      expirySums[expiryGroup[index]!]! += own;
      if (own !== 0 && instrument.maturity > longestMaturity) longestMaturity = instrument.maturity;
    }
    const strike = strikeGroup[index]!;
    if (strike !== -1) strikeSums[strike]! += size * instrument.multiplier;
  }
  gross = Math.abs(undated);
  // In the order of the gross sum, so that deltas of one sign offset by exactly nothing.
  let net = undated;
  let shortOptions = 0;
  // Each group is read once, by its first position, and left at 0 for the next holding.
  for (let i = start; i < end; i++) {
    const index = instruments[i]!;
    const expiry = expiryGroup[index]!;
    gross += Math.abs(expirySums[expiry]!);
    net += expirySums[expiry]!;
    expirySums[expiry] = 0;
    const strike = strikeGroup[index]!;
    if (strike === -1) continue;
    if (strikeSums[strike]! < 0) shortOptions -= strikeSums[strike]!;
    strikeSums[strike] = 0;
  }
  return {
    underlying,
    delta,
    vega,
    notional,
    offsetDelta: gross - Math.abs(net),
    longestMaturity,
    shortOptions,
  };
}
