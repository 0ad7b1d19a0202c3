/**
 * The market in the form that the engine computes on: defaults applied, ids resolved to indices, every option with its forward and
 * volatility. Plain objects, Maps and typed arrays only, because it is sent to workers by structured clone; nobody changes it.
 */
import { type ErrorCode, type ErrorRecord, PlimsollError } from '../errors.ts';
import { canonicalJson, sha256 } from '../json.ts';
import { black76, exp, log, normalCdf } from '../numerics.ts';
import {
  byId,
  type Deliverable,
  type InstrumentRecord,
  type InstrumentType,
  readInstant,
  type Settlement,
  yearFraction,
} from './instruments.ts';
import type { LiquidityRecord, MarketSnapshot, UnderlyingRecord } from './snapshot.ts';
import {
  compileSurface,
  type SurfaceModel,
  type VolatilitySurface,
  volatilityAt,
} from './surface.ts';

export interface Underlying {
  readonly id: string;
  readonly spot: number;
  readonly asOfMs: number;
  /** As written in the snapshot. */
  readonly asOfText: string;
  /** Continuous, per year. */
  readonly rate: number;
  readonly oracleConfidence: number;
  /** Forward price by expiry in ms. */
  readonly forwards: ReadonlyMap<number, number>;
  readonly surface: VolatilitySurface | null;
  readonly liquidity: LiquidityRecord | null;
  /** Canonical JSON of this underlying's own part of the snapshot, its asOf and its instruments included; and the SHA-256 of that. */
  readonly text: string;
  readonly hash: string;
}

export interface Instrument {
  readonly id: string;
  readonly type: InstrumentType;
  /** Index into `underlyings`. */
  readonly underlying: number;
  /** 0 where there is none. */
  readonly expiryMs: number;
  /** ACT/365F years from the underlying's asOf; 0 without an expiry, negative after it. */
  readonly maturity: number;
  /** NaN where there is none. */
  readonly strike: number;
  /** 1 a call, −1 a put, 0 neither. */
  readonly right: 1 | -1 | 0;
  readonly settlement: Settlement;
  /** An option that may be exercised at any time; the others only at expiry. */
  readonly american: boolean;
  /** What an option is exercised into: the underlying itself, or a future of the option's expiry. */
  readonly deliverable: Deliverable;
  readonly multiplier: number;
  /** Mark price of spot, perpetuals and futures; NaN for the rest. */
  readonly mark: number;
  /** Of the expiry; NaN where there is none. */
  readonly forward: number;
  /** Implied volatility of this option's strike; NaN where there is none. */
  readonly volatility: number;
  /** e^(−rate · maturity). */
  readonly df: number;
  /** Why a position in it must be rejected. The rest of the market is not affected. */
  readonly problem: ErrorRecord | null;
}

export interface Market {
  readonly currency: string;
  readonly asOf: string;
  /** By id, in code-unit order; so are the instruments. */
  readonly underlyings: readonly Underlying[];
  readonly instruments: readonly Instrument[];
  readonly underlyingIndex: ReadonlyMap<string, number>;
  readonly instrumentIndex: ReadonlyMap<string, number>;
}

/**
 * Indexes a snapshot that `readSnapshot` returned. A broken instrument does not fail it: it carries its problem.
 * @param surfaceModel how quotes become a surface
 */
export function compileMarket(
  snapshot: MarketSnapshot,
  surfaceModel: SurfaceModel = 'quotes',
): Market {
  const records = snapshot.instruments.toSorted(byId);
  const listed = new Map<string, InstrumentRecord[]>();
  for (const record of records) {
    const siblings = listed.get(record.underlying);
    if (siblings === undefined) listed.set(record.underlying, [record]);
    else siblings.push(record);
  }
  const underlyings = snapshot.underlyings
    .toSorted(byId)
    .map((record) =>
      compileUnderlying(record, snapshot.asOf, listed.get(record.id) ?? [], surfaceModel),
    );
  const underlyingIndex = indexOf(underlyings);
  const instruments = records.map((record) => {
    const index = underlyingIndex.get(record.underlying)!;
    return compileInstrument(record, index, underlyings[index]!);
  });
  return {
    currency: snapshot.currency,
    asOf: snapshot.asOf,
    underlyings,
    instruments,
    underlyingIndex,
    instrumentIndex: indexOf(instruments),
  };
}

/**
 * The market after some underlyings have moved: they and their instruments are compiled anew, the rest is shared. Equal to `compileMarket`
 * of the same snapshot.
 * @param snapshot with the same underlyings and instruments
 */
export function recompileMarket(
  market: Market,
  snapshot: MarketSnapshot,
  moved: ReadonlySet<string>,
  surfaceModel: SurfaceModel = 'quotes',
): Market {
  const listed = new Map<string, InstrumentRecord[]>();
  for (const record of snapshot.instruments) {
    if (!moved.has(record.underlying)) continue;
    const siblings = listed.get(record.underlying);
    if (siblings === undefined) listed.set(record.underlying, [record]);
    else siblings.push(record);
  }
  const underlyings = [...market.underlyings];
  const instruments = [...market.instruments];
  for (const record of snapshot.underlyings) {
    if (!moved.has(record.id)) continue;
    const siblings = (listed.get(record.id) ?? []).toSorted(byId);
    const index = market.underlyingIndex.get(record.id)!;
    const underlying = compileUnderlying(record, snapshot.asOf, siblings, surfaceModel);
    underlyings[index] = underlying;
    for (const sibling of siblings) {
      const place = market.instrumentIndex.get(sibling.id)!;
      instruments[place] = compileInstrument(sibling, index, underlying);
    }
  }
  return { ...market, asOf: snapshot.asOf, underlyings, instruments };
}

/** What recompiling changed of a market: small beside the whole. */
export interface MarketMoves {
  readonly asOf: string;
  readonly underlyings: readonly (readonly [index: number, Underlying])[];
  readonly instruments: readonly (readonly [index: number, Instrument])[];
}

export function movesOf(market: Market, moved: ReadonlySet<number>): MarketMoves {
  const instruments = [...market.instruments.entries()];
  return {
    asOf: market.asOf,
    underlyings: [...moved].map((index) => [index, market.underlyings[index]!]),
    instruments: instruments.filter(([, { underlying }]) => moved.has(underlying)),
  };
}

export function withMoves(market: Market, moves: MarketMoves): Market {
  const underlyings = [...market.underlyings];
  const instruments = [...market.instruments];
  for (const [index, underlying] of moves.underlyings) underlyings[index] = underlying;
  for (const [index, instrument] of moves.instruments) instruments[index] = instrument;
  return { ...market, asOf: moves.asOf, underlyings, instruments };
}

function indexOf(items: readonly { readonly id: string }[]): Map<string, number> {
  return new Map(items.map((item, i) => [item.id, i]));
}

function compileUnderlying(
  record: UnderlyingRecord,
  snapshotAsOf: string,
  instruments: readonly InstrumentRecord[],
  surfaceModel: SurfaceModel,
): Underlying {
  const asOfText = record.asOf ?? snapshotAsOf;
  const asOfMs = readInstant(asOfText, 'asOf');
  const forwards = new Map<number, number>();
  for (const { expiry, price } of record.forwards ?? []) {
    forwards.set(readInstant(expiry, 'expiry'), price);
  }
  const text = canonicalJson({ ...record, asOf: asOfText, instruments });
  return {
    id: record.id,
    spot: record.spot,
    asOfMs,
    asOfText,
    rate: record.rate ?? 0,
    oracleConfidence: record.oracleConfidence ?? 1,
    forwards,
    surface:
      record.surface === undefined
        ? null
        : compileSurface(record.surface, forwards, asOfMs, surfaceModel),
    liquidity: record.liquidity ?? null,
    text,
    hash: sha256(text),
  };
}

function compileInstrument(
  record: InstrumentRecord,
  index: number,
  underlying: Underlying,
): Instrument {
  const dated = record.expiry !== undefined;
  const expiryMs = dated ? readInstant(record.expiry!, 'expiry') : 0;
  const maturity = dated ? yearFraction(underlying.asOfMs, expiryMs) : 0;
  const forward = (dated ? underlying.forwards.get(expiryMs) : undefined) ?? Number.NaN;
  const strike = record.strike ?? Number.NaN;
  const option = record.type === 'option' || record.type === 'binary';
  const volatility =
    option && underlying.surface !== null
      ? volatilityAt(underlying.surface, { expiryMs, maturity, strike, forward })
      : Number.NaN;
  const instrument: Instrument = {
    id: record.id,
    type: record.type,
    underlying: index,
    expiryMs,
    maturity,
    strike,
    right: record.right === undefined ? 0 : record.right === 'call' ? 1 : -1,
    settlement: record.settlement,
    american: record.style === 'american',
    deliverable: record.deliverable ?? 'spot',
    multiplier: record.multiplier,
    mark: markOf(record, underlying.spot, forward),
    forward,
    volatility,
    df: underlying.rate === 0 ? 1 : exp(-underlying.rate * maturity),
    problem: null,
  };
  const problem = problemOf(record, instrument, underlying);
  return problem === null ? instrument : { ...instrument, problem };
}

function markOf(record: InstrumentRecord, spot: number, forward: number): number {
  if (record.type === 'spot') return spot;
  if (record.type === 'perpetual') return record.mark ?? spot;
  if (record.type === 'future') return record.mark ?? forward;
  return Number.NaN;
}

function problemOf(
  record: InstrumentRecord,
  instrument: Instrument,
  underlying: Underlying,
): ErrorRecord | null {
  const { id, type, expiry } = record;
  const problem = (code: ErrorCode, message: string): ErrorRecord => ({ code, message });
  const unsupported = instrument.american ? americanProblem(instrument, underlying) : null;
  if (unsupported !== null) return problem('UNSUPPORTED_INSTRUMENT', `${id}: ${unsupported}`);
  if (expiry !== undefined && !(instrument.expiryMs > underlying.asOfMs)) {
    return problem(
      'EXPIRED_INSTRUMENT',
      `${id} expired at ${expiry}; ${underlying.id} is as of ${underlying.asOfText}`,
    );
  }
  const priced = type === 'option' || type === 'binary';
  if (priced && Number.isNaN(instrument.forward)) {
    return problem('MISSING_FORWARD', `${id} needs a forward of ${underlying.id} at ${expiry}`);
  }
  if (type === 'future' && Number.isNaN(instrument.mark)) {
    return problem(
      'MISSING_FORWARD',
      `${id} has neither a mark nor a forward of ${underlying.id} at ${expiry}`,
    );
  }
  if (priced && !(instrument.volatility > 0)) {
    return problem(
      'MISSING_VOLATILITY',
      `${id}: the surface of ${underlying.id} does not reach ${expiry}`,
    );
  }
  return null;
}

/** What there is no price for. */
function americanProblem(
  { type, settlement, deliverable }: Instrument,
  { rate }: Underlying,
): string | null {
  if (type === 'binary') return 'an American binary option is not supported, a European one is';
  if (settlement !== 'linear') return 'an American option must settle linear';
  if (deliverable === 'spot' && rate < 0) {
    return `an American option on the spot needs a rate ≥ 0, got ${rate}: below, two exercise boundaries are possible`;
  }
  return null;
}

/**
 * Currency per contract and unit of undiscounted Black-76 price: m·df for a linear option; m·S/F for a coin-settled one, whose
 * quote B/F is in coin and is not discounted.
 */
export function optionScale(instrument: Instrument, market: Market): number {
  const { multiplier, forward, df } = instrument;
  if (instrument.settlement !== 'coin') return multiplier * df;
  return (multiplier * market.underlyings[instrument.underlying]!.spot) / forward;
}

/**
 * Value of one contract by closed form, in the market's currency: m·S of spot; 2k√S of a pool share, k the multiplier (constant product x·y = k²:
 * both halves are worth k√S); the model's price of a European option (METHODOLOGY section 2; F. Black, "The pricing of commodity contracts",
 * 1976) and of a binary one; 0 of perpetuals and futures, whose gain is settled or counted from the entry price. An American option has no closed
 * form: see `valuation/value.ts`.
 * @throws the instrument's problem, if it has one; UNSUPPORTED_INSTRUMENT for an American option
 */
export function baseValue(instrument: Instrument, market: Market): number {
  const { problem, type, multiplier, forward, strike, volatility, maturity, right } = instrument;
  if (problem !== null) throw new PlimsollError(problem.code, problem.message);
  if (instrument.american) {
    throw new PlimsollError('UNSUPPORTED_INSTRUMENT', `${instrument.id} has no closed form`);
  }
  const { spot } = market.underlyings[instrument.underlying]!;
  if (type === 'spot') return multiplier * spot;
  if (type === 'pool') return 2 * multiplier * Math.sqrt(spot);
  if (type !== 'option' && type !== 'binary') return 0;
  const v = volatility * Math.sqrt(maturity);
  const side = right === 1 ? 1 : -1;
  if (type === 'binary') return binaryValue(instrument, v, side);
  return optionScale(instrument, market) * black76(forward, strike, v, side);
}

/**
 * m · df · Φ(±d₂), at the implied volatility of the option's own strike. A smile that slopes there moves a replicated binary by vega times the
 * slope besides (−∂C/∂K of the smile); that part is left out, as METHODOLOGY section 2 has it.
 */
function binaryValue(instrument: Instrument, v: number, right: 1 | -1): number {
  const { multiplier, df, forward, strike } = instrument;
  return multiplier * df * normalCdf(right * (log(forward / strike) / v - 0.5 * v));
}

/**
 * Identity of the part of the market that an account touches: SHA-256 of the JSON array of the underlyings' own hashes, by id.
 * @param underlyings indices, in any order, repeats allowed
 */
export function marketHash(market: Market, underlyings: readonly number[]): string {
  const touched = ascends(underlyings)
    ? underlyings
    : [...new Set(underlyings)].sort((a, b) => a - b);
  return sha256(JSON.stringify(touched.map((i) => market.underlyings[i]!.hash)));
}

function ascends(indices: readonly number[]): boolean {
  for (let i = 1; i < indices.length; i++) if (indices[i - 1]! >= indices[i]!) return false;
  return true;
}

/** The latest asOf, as written, among these underlyings (indices); the market's own where there are none. */
export function latestAsOf(market: Market, underlyings: readonly number[]): string {
  let latest: Underlying | undefined;
  for (const index of underlyings) {
    const underlying = market.underlyings[index]!;
    // Of two spellings of one instant the lesser, so that the order of `underlyings` does not show.
    const later =
      latest === undefined ||
      underlying.asOfMs > latest.asOfMs ||
      (underlying.asOfMs === latest.asOfMs && underlying.asOfText < latest.asOfText);
    if (later) latest = underlying;
  }
  return latest?.asOfText ?? market.asOf;
}
