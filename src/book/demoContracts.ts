/** What made-up accounts can hold, with a rough measure of its risk: enough to size collateral by, no margin figure. */
import { referenceVolatility } from '../market/impliedFactors.ts';
import {
  baseValue,
  compileMarket,
  type Instrument,
  type Market,
  optionScale,
} from '../market/market.ts';
import type { MarketSnapshot } from '../market/snapshot.ts';
import { black76, exp } from '../numerics.ts';

export interface DemoContract {
  readonly id: string;
  readonly underlying: number;
  readonly option: boolean;
  readonly put: boolean;
  readonly inTheMoney: boolean;
  readonly inverse: boolean;
  readonly multiplier: number;
  readonly spot: number;
  /** Exposure of one contract, in the currency. */
  readonly notional: number;
  /** Price of perpetuals and futures; NaN of options. */
  readonly mark: number;
  /** Model value of one contract of an option, in the currency; 0 else. */
  readonly value: number;
  /** P&L of one contract, in the currency, for each of ROUGH_MOVES. */
  readonly moves: Float64Array;
}

export interface DemoUnderlying {
  /** As `DemoContract.underlying` counts. */
  readonly index: number;
  readonly id: string;
  readonly spot: number;
  readonly outrights: readonly DemoContract[];
  readonly options: readonly DemoContract[];
  /** P&L of one coin, for each of ROUGH_MOVES. */
  readonly moves: Float64Array;
}

/** Moves of a day in the tail: spot in daily standard deviations (3.7 is the 99% ES of a Student-t with ν = 4), volatility as a factor. */
export const ROUGH_MOVES: readonly (readonly [spot: number, vol: number])[] = [
  [-3.7, 1.2],
  [-3.7, 0.95],
  [-1.8, 1.1],
  [1.8, 0.95],
  [3.7, 0.9],
  [3.7, 1.15],
];

const ROUGH_VOLATILITY = 0.7;
const DAY = 1 / 365;

/**
 * Underlyings that have something to hold, in id order: perpetuals, futures and European options without a problem. Spot is held as
 * collateral.
 */
export function demoContracts(snapshot: MarketSnapshot): DemoUnderlying[] {
  const market = compileMarket(snapshot);
  const records = new Map(snapshot.underlyings.map((record) => [record.id, record]));
  const contracts = market.underlyings.map(() => [] as DemoContract[]);
  const changes = market.underlyings.map(({ id }) => {
    // A volatility that nobody quotes is stood in for here: only the size of a made-up deposit hangs on it.
    const volatility = referenceVolatility(records.get(id)!, snapshot.asOf) ?? ROUGH_VOLATILITY;
    return ROUGH_MOVES.map(([deviations]) => exp(deviations * volatility * Math.sqrt(DAY)) - 1);
  });
  for (const instrument of market.instruments) {
    if (instrument.problem !== null || instrument.type === 'spot') continue;
    const contract = describe(instrument, market, changes[instrument.underlying]!);
    contracts[instrument.underlying]!.push(contract);
  }
  return market.underlyings
    .map(({ id, spot }, i) => ({
      index: i,
      id,
      spot,
      outrights: contracts[i]!.filter((contract) => !contract.option),
      options: contracts[i]!.filter((contract) => contract.option),
      moves: Float64Array.from(changes[i]!, (change) => spot * change),
    }))
    .filter(({ outrights, options }) => outrights.length + options.length > 0);
}

function describe(
  instrument: Instrument,
  market: Market,
  changes: readonly number[],
): DemoContract {
  const { id, underlying, type, settlement, multiplier, mark, right } = instrument;
  const spot = market.underlyings[underlying]!.spot;
  const inverse = settlement === 'inverse';
  return {
    id,
    underlying,
    option: type === 'option',
    put: right === -1,
    inTheMoney: right * (instrument.forward - instrument.strike) > 0,
    inverse,
    multiplier,
    spot,
    notional: inverse ? multiplier : multiplier * spot,
    mark,
    value: baseValue(instrument, market),
    moves: Float64Array.from(changes, (change, i) =>
      roughChange(instrument, market, change, ROUGH_MOVES[i]![1]),
    ),
  };
}

/** Full revaluation of one contract a day later, the smile held at its strike. */
function roughChange(
  instrument: Instrument,
  market: Market,
  change: number,
  volFactor: number,
): number {
  const { type, settlement, multiplier, mark, forward, strike, right, maturity } = instrument;
  const spot = market.underlyings[instrument.underlying]!.spot * (1 + change);
  if (type !== 'option') {
    const moved = mark * (1 + change);
    if (settlement !== 'inverse') return multiplier * (moved - mark);
    return multiplier * (1 / mark - 1 / moved) * spot;
  }
  const moved = forward * (1 + change);
  const deviation = instrument.volatility * volFactor * Math.sqrt(Math.max(0, maturity - DAY));
  const call = right === 1;
  const price =
    deviation > 0
      ? black76(moved, strike, deviation, call ? 1 : -1)
      : Math.max(0, call ? moved - strike : strike - moved);
  // Spot and forward move together, so S/F of a coin-settled option stays as it was.
  return optionScale(instrument, market) * price - baseValue(instrument, market);
}
