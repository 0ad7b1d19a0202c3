/** How options are planned: by expiry and strike, binaries and American ones each with a row of their own. */
import { type Instrument, type Market, optionScale, type Underlying } from '../market/market.ts';
import type { SliceTable } from '../market/sliceTable.ts';
import { americanScenarioPrice, exp, log, pow } from '../numerics.ts';
import type {
  AmericanRow,
  BinaryRow,
  LevelRow,
  MaskRow,
  OptionSide,
  PayoffRow,
  PoolRow,
  StrikeRows,
} from './plan.ts';
import { americanContract } from './value.ts';

/** The rows of one underlying while they are being planned. */
export interface Draft {
  readonly source: Underlying;
  readonly spotFactor: number;
  readonly volFactor: number;
  readonly basisFactor: number;
  readonly absolute: boolean;
  readonly spotRow: number;
  readonly masks: readonly MaskRow[];
  readonly spotMasks: readonly number[];
  readonly futureMasks: readonly number[];
  readonly optionMasks: readonly number[];
  readonly levels: LevelRow[];
  readonly pools: PoolRow[];
  readonly payoffs: PayoffRow[];
  /** By expiry and forward: a future that has only a mark is a forward of its own. */
  readonly expiries: Map<string, DraftExpiry>;
}

export interface DraftExpiry {
  readonly forward: number;
  readonly maturity: number;
  /** Null under sticky-strike. */
  readonly smile: SliceTable | null;
  readonly strikes: Map<string, StrikeRows>;
  readonly binaries: BinaryRow[];
  readonly americans: AmericanRow[];
  readonly futures: LevelRow[];
}

const DAYS = 365;

/** METHODOLOGY section 2: the term scaling of volatility moves, d in calendar days before the horizon is taken off. */
export function volatilityTermScale(maturity: number): number {
  const days = Math.max(maturity * DAYS, 1);
  return pow(30 / days, days < 30 ? 0.3 : 0.13);
}

/** The draft of an expiry, made when first asked for. */
export function expiryOf(
  draft: Draft,
  instrument: Instrument,
  forward: number,
  smile: SliceTable | null = null,
): DraftExpiry {
  const { expiryMs, maturity } = instrument;
  const key = `${expiryMs}|${forward}`;
  let expiry = draft.expiries.get(key);
  if (expiry === undefined) {
    const empty = {
      strikes: new Map<string, StrikeRows>(),
      binaries: [],
      americans: [],
      futures: [],
    };
    expiry = { forward, maturity, smile, ...empty };
    draft.expiries.set(key, expiry);
  } else if (smile !== null && expiry.smile === null) {
    // A future of this expiry came first: it has no use for a smile.
    expiry = { ...expiry, smile };
    draft.expiries.set(key, expiry);
  }
  return expiry;
}

/** An option to be planned: its value now, its row, and the horizon in years. */
export interface PlannedOption {
  readonly instrument: Instrument;
  readonly value: number;
  readonly row: number;
  readonly horizon: number;
  /** Of its expiry, under sticky-moneyness; else null. */
  readonly smile: SliceTable | null;
}

/** Adds the row of an option. One that expires inside the horizon is worth its payoff at the spot. */
export function planOption(draft: Draft, option: PlannedOption, market: Market): void {
  const { instrument, value, row, horizon } = option;
  const { type, strike, maturity, multiplier, forward } = instrument;
  const right = instrument.right === 1 ? 1 : -1;
  const left = maturity - horizon;
  if (!(left > 0)) {
    const binary = type === 'binary';
    draft.payoffs.push({ row, base: value, strike, right, scale: multiplier, binary });
    return;
  }
  const expiry = expiryOf(draft, instrument, forward, option.smile);
  if (type === 'binary') expiry.binaries.push(binaryRow(option, draft.source.rate, left));
  else if (instrument.american) expiry.americans.push(americanRow(option, left, market));
  else addStrike(expiry, option, { left, rate: draft.source.rate }, market);
}

function binaryRow(
  { instrument, value, row }: PlannedOption,
  rate: number,
  left: number,
): BinaryRow {
  const { forward, strike, volatility, multiplier, right } = instrument;
  return {
    row,
    base: value,
    logMoneyness: log(forward / strike),
    totalVolatility: volatility * Math.sqrt(left),
    right: right === 1 ? 1 : -1,
    scale: multiplier * exp(-rate * left),
  };
}

function americanRow(
  { instrument, row }: PlannedOption,
  left: number,
  market: Market,
): AmericanRow {
  const { volatility, maturity, multiplier, deliverable } = instrument;
  const contract = americanContract(instrument, market);
  const { level, forward, strike, rate, right } = contract;
  const v = volatility * Math.sqrt(maturity);
  return {
    row,
    base: multiplier * americanScenarioPrice(contract, v, rate * maturity),
    strike,
    right,
    future: deliverable === 'future',
    logLevel: log(level / strike),
    logForward: log(forward / strike),
    carry: log(forward / level),
    totalVolatility: volatility * Math.sqrt(left),
    rateTime: rate * left,
    scale: multiplier,
  };
}

/** A European option: it shares one evaluation with the other right of its strike. */
function addStrike(
  expiry: DraftExpiry,
  { instrument, value, row }: PlannedOption,
  { left, rate }: { readonly left: number; readonly rate: number },
  market: Market,
): void {
  const { forward, strike, volatility, multiplier, right } = instrument;
  const coin = instrument.settlement === 'coin';
  const scale = coin ? optionScale(instrument, market) : multiplier * exp(-rate * left);
  const totalVolatility = volatility * Math.sqrt(left);
  const logMoneyness = log(forward / strike);
  const key = `${strike}|${scale}|${totalVolatility}|${coin}`;
  const fresh = { strike, logMoneyness, totalVolatility, scale, coin, call: null, put: null };
  const shared = expiry.strikes.get(key) ?? fresh;
  const side: OptionSide = { row, base: value };
  // Two listings of the same contract: the second one gets an evaluation of its own.
  const taken = right === 1 ? shared.call !== null : shared.put !== null;
  const target = taken ? fresh : shared;
  expiry.strikes.set(
    taken ? `${key}|${row}` : key,
    right === 1 ? { ...target, call: side } : { ...target, put: side },
  );
}
