/**
 * What a trade, a funding payment or an expiry does to one position and to the collateral that it pays from. The live book folds with it and a
 * what-if drafts with it: the margin that was promised before a trade is then, bit for bit, the margin after it.
 */
import type { InstrumentType, Settlement } from '../market/instruments.ts';

/** What the arithmetic needs to know of a contract. */
export interface ContractTerms {
  readonly type: InstrumentType;
  readonly settlement: Settlement;
  readonly multiplier: number;
  /** NaN where there is none. */
  readonly strike: number;
  /** 1 a call, −1 a put, 0 neither. */
  readonly right: 1 | -1 | 0;
}

export interface PositionState {
  /** Signed, in contracts; not 0. */
  readonly size: number;
  /** Quote price; NaN: none, gains are settled to the mark as they come. */
  readonly entryPrice: number;
  /** Isolated mode: collateral set apart, in currency; NaN: none. */
  readonly allocated: number;
}

export interface Trade {
  /** Signed: > 0 is bought. Not 0. */
  readonly size: number;
  readonly price: number;
  /** Mark price; read only where the position has no entry price. */
  readonly mark: number;
}

export interface TradeEffect {
  /** Null where the position is closed. */
  readonly after: PositionState | null;
  /** What comes into the collateral (< 0 leaves it), in what the contract pays in; 0 where nothing is paid. */
  readonly paid: number;
}

/** Perpetuals and futures: nothing is paid when they are opened, gains are realised when they are closed. */
export function isMarked(type: InstrumentType): boolean {
  return type === 'perpetual' || type === 'future';
}

const POWERS_OF_TEN = Array.from({ length: 16 }, (_, digits) => Number(`1e${digits}`));

/** Scaled whole numbers up to here: two roundings of the scaling stay below a quarter, so rounding to a whole number finds the right one. */
const WHOLE_MAX = 2 ** 50;

/**
 * a + b as decimals: 0.1 + 0.2 − 0.3 is 0, so that a position which is closed in the parts that it was bought in is closed. Sizes and amounts
 * come as decimals; where both have at most 15 decimal places and, in units of the last of them, stay below 2^50, the answer is the double
 * nearest to the exact decimal sum. Elsewhere (gains of 17 digits) it is the usual sum of doubles.
 */
export function sum(a: number, b: number): number {
  // The last term turns −0 into 0.
  if (Number.isInteger(a) && Number.isInteger(b)) return a + b + 0;
  const largest = Math.max(Math.abs(a), Math.abs(b));
  let digits = 15;
  while (digits > 0 && !(largest * POWERS_OF_TEN[digits]! <= WHOLE_MAX)) digits--;
  const scale = POWERS_OF_TEN[digits]!;
  const x = Math.round(a * scale);
  const y = Math.round(b * scale);
  // At the finest unit that the larger has room for: what is not a whole number of it is no such decimal.
  if (!(x / scale === a && y / scale === b)) return a + b;
  // A quotient of two exact numbers is rounded once.
  return (x + y) / scale + 0;
}

/**
 * What `contracts` of a perpetual or future gain on the way between two prices: size · m · (to − from) in currency, of inverse contracts
 * size · m · (1/from − 1/to) in coin (METHODOLOGY section 2).
 */
export function gainOf(
  { multiplier, settlement }: ContractTerms,
  contracts: number,
  from: number,
  to: number,
): number {
  return contracts * multiplier * (settlement === 'inverse' ? 1 / from - 1 / to : to - from);
}

/**
 * Entry price after a trade: averaged while the position grows (weighted by size; of inverse contracts the average of 1/price, so that the
 * unrealised coins are those of the single trades), kept while it shrinks, the trade's where it opens or turns around. An average lies
 * between what it is the average of: rounding cannot carry it out of the range of prices.
 */
export function averagedEntry(
  before: PositionState | null,
  change: number,
  price: number,
  inverse: boolean,
): number {
  if (before === null) return price;
  const { size: held, entryPrice } = before;
  const size = sum(held, change);
  if (held * change < 0) return held * size < 0 ? price : entryPrice;
  if (Number.isNaN(entryPrice)) return entryPrice;
  const average = inverse
    ? size / (held / entryPrice + change / price)
    : (held * entryPrice + change * price) / size;
  return Math.min(Math.max(average, Math.min(entryPrice, price)), Math.max(entryPrice, price));
}

/**
 * Spot, options, binaries and pool shares are paid for at once: size · m · price leaves the collateral, in currency, or in coin for
 * coin-settled options (a pool share is quoted per share, so without m). Perpetuals and futures realise what they close against the average
 * entry. One without an entry price settles the trade's distance from the mark and still has none.
 */
export function afterTrade(
  before: PositionState | null,
  trade: Trade,
  terms: ContractTerms,
): TradeEffect {
  const { size, price, mark } = trade;
  const { type, multiplier } = terms;
  if (!isMarked(type)) {
    const after = resized(before, size, averagedEntry(before, size, price, false));
    return { after, paid: -size * (type === 'pool' ? 1 : multiplier) * price };
  }
  if (before !== null && Number.isNaN(before.entryPrice)) {
    return { after: resized(before, size, Number.NaN), paid: gainOf(terms, size, price, mark) };
  }
  const closed = closedPart(before?.size ?? 0, size);
  const paid = closed === 0 ? 0 : gainOf(terms, closed, before!.entryPrice, price);
  const inverse = terms.settlement === 'inverse';
  return { after: resized(before, size, averagedEntry(before, size, price, inverse)), paid };
}

/** How much of a position a trade closes, with the position's sign. */
function closedPart(held: number, change: number): number {
  if (!(held * change < 0)) return 0;
  return Math.sign(held) * Math.min(Math.abs(held), Math.abs(change));
}

/** In isolated margin, a position that is reduced gives back its part of what was set apart; one that turns around is another position. */
function resized(
  before: PositionState | null,
  change: number,
  entryPrice: number,
): PositionState | null {
  const held = before?.size ?? 0;
  const size = sum(held, change);
  if (size === 0) return null;
  let allocated = before?.allocated ?? Number.NaN;
  if (held * size < 0) allocated = Number.NaN;
  else if (Math.abs(size) < Math.abs(held)) allocated *= size / held;
  return { size, entryPrice, allocated };
}

/**
 * What a position receives when its contract expires at a settlement price: futures the gain since entry (without one, since the mark at
 * which they were last settled), options their payoff, m · max(±(P − K), 0) in currency, or that over P in coin; binaries m where P > K (call)
 * or P ≤ K (put).
 */
export function settlementPayment(
  position: Pick<PositionState, 'size' | 'entryPrice'>,
  price: number,
  mark: number,
  terms: ContractTerms,
): number {
  const { size, entryPrice } = position;
  const { type, multiplier, strike, right, settlement } = terms;
  if (isMarked(type))
    return gainOf(terms, size, Number.isNaN(entryPrice) ? mark : entryPrice, price);
  if (type === 'binary') return (right === 1) === price > strike ? size * multiplier : 0;
  const payoff = size * multiplier * Math.max(right * (price - strike), 0);
  return (settlement === 'coin' ? payoff / price : payoff) + 0;
}

/**
 * What a funding rate costs a perpetual: rate × value of the position at the mark, paid by longs and received by shorts where rate > 0; in
 * currency, of inverse contracts in coin (size · m / mark).
 */
export function fundingPayment(
  size: number,
  rate: number,
  mark: number,
  { multiplier, settlement }: ContractTerms,
): number {
  return -size * multiplier * (settlement === 'inverse' ? 1 / mark : mark) * rate + 0;
}
