/**
 * What each instrument adds to the sensitivities of an account, per contract, and which instruments belong together: one table a market,
 * so that margining an account reads numbers and computes no price.
 */
import type { Market } from '../market/market.ts';
import { greeksOf } from './greeks.ts';
import type { ValuationPlan } from './plan.ts';

export interface InstrumentExposures {
  /** dV/dS per contract, units of the underlying; 0 for instruments that cannot be held. */
  readonly deltas: Float64Array;
  /** Currency per 1.00 of volatility. */
  readonly vegas: Float64Array;
  /** Currency value of what one contract refers to: m·S; of inverse contracts m·S/mark. */
  readonly notionals: Float64Array;
  /** Instruments of one underlying and expiry share a number (undated ones too); so do options of one expiry and strike, −1 for others. */
  readonly expiryGroup: Int32Array;
  readonly strikeGroup: Int32Array;
  /** Working room, all 0 between uses: by expiry group and by strike group. */
  readonly expirySums: Float64Array;
  readonly strikeSums: Float64Array;
  /** By underlying: σ of one day's move of the spot factor, in its own units; NaN where the scenarios do not move it. */
  readonly dailyVolatility: Float64Array;
  /** By underlying: 1 where the scenarios move the basis. */
  readonly basisSimulated: Uint8Array;
}

export function instrumentExposures(
  market: Market,
  plan: ValuationPlan,
  /** By factor: σ of one day's move. */
  dailyVolatility: Float64Array,
): InstrumentExposures {
  const { instruments } = market;
  const n = instruments.length;
  const deltas = new Float64Array(n);
  const vegas = new Float64Array(n);
  const notionals = new Float64Array(n);
  const expiries = new Groups();
  const strikes = new Groups();
  const expiryGroup = new Int32Array(n);
  const strikeGroup = new Int32Array(n).fill(-1);
  instruments.forEach(({ underlying, expiryMs, type, strike }, i) => {
    expiryGroup[i] = expiries.of(`${underlying}|${expiryMs}`);
    if (type === 'option') strikeGroup[i] = strikes.of(`${underlying}|${expiryMs}|${strike}`);
    if (plan.rowOf[i] !== -1) measure(market, i, { deltas, vegas, notionals });
  });
  return {
    deltas,
    vegas,
    notionals,
    expiryGroup,
    strikeGroup,
    expirySums: new Float64Array(expiries.count),
    strikeSums: new Float64Array(strikes.count),
    dailyVolatility: Float64Array.from(plan.underlyings, (rows) =>
      rows === null ? Number.NaN : (dailyVolatility[rows.spotFactor] ?? Number.NaN),
    ),
    basisSimulated: Uint8Array.from(plan.underlyings, (rows) =>
      rows !== null && rows.basisFactor !== -1 ? 1 : 0,
    ),
  };
}

/** The table after some underlyings (indices) have moved. */
export function movedExposures(
  before: InstrumentExposures,
  market: Market,
  plan: ValuationPlan,
  moved: ReadonlySet<number>,
): InstrumentExposures {
  const deltas = before.deltas.slice();
  const vegas = before.vegas.slice();
  const notionals = before.notionals.slice();
  market.instruments.forEach(({ underlying }, i) => {
    if (moved.has(underlying) && plan.rowOf[i] !== -1) {
      measure(market, i, { deltas, vegas, notionals });
    }
  });
  return { ...before, deltas, vegas, notionals };
}

function measure(
  market: Market,
  i: number,
  to: Pick<InstrumentExposures, 'deltas' | 'vegas' | 'notionals'>,
): void {
  const instrument = market.instruments[i]!;
  const { type, multiplier, settlement, mark } = instrument;
  const { spot } = market.underlyings[instrument.underlying]!;
  const { delta, vega } = greeksOf(instrument, market);
  to.deltas[i] = delta;
  to.vegas[i] = vega;
  to.notionals[i] = (multiplier * spot) / (settlement === 'inverse' ? mark : 1);
  if (type === 'binary') to.notionals[i] = multiplier;
  if (type === 'pool') to.notionals[i] = 2 * multiplier * Math.sqrt(spot);
}

/** Dense numbers for keys, in the order in which they appear. */
class Groups {
  private readonly numbers = new Map<string, number>();

  get count(): number {
    return this.numbers.size;
  }

  of(key: string): number {
    const known = this.numbers.get(key);
    if (known !== undefined) return known;
    this.numbers.set(key, this.numbers.size);
    return this.numbers.size - 1;
  }
}
