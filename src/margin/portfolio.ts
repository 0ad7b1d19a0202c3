/**
 * An account resolved against a market: positions by cube row in the canonical order, what its coins are worth, its equity now. Every
 * error of the account's content is found here.
 */
import { type ErrorCode, PlimsollError } from '../errors.ts';
import type { Market } from '../market/market.ts';
import type { ValuationPlan } from '../valuation/plan.ts';
import { type Account, positionPath } from './account.ts';
import type { Methodology } from './methodology.ts';

/** Positions of one underlying, and its coins. */
export interface UnderlyingPart {
  readonly underlying: number;
  /** First position of this part and the one behind its last, in the portfolio's columns. */
  readonly start: number;
  readonly end: number;
  /** Coins that move with the spot, beside the positions: collateral · (1 − haircut), and unrealised coins of inverse contracts. */
  readonly coins: number;
}

export interface Portfolio {
  readonly account: Account;
  /** Instrument index, signed size and row, by instrument id within underlying id: the canonical order of the sum. */
  readonly instruments: Int32Array;
  readonly sizes: Float64Array;
  /** Of each position, in currency: unrealised P&L plus net option (and spot) value. */
  readonly values: Float64Array;
  /** Unrealised coins of each inverse position; 0 for others. */
  readonly unrealisedCoins: Float64Array;
  /** Isolated mode: the collateral of each position; NaN where none is stated. */
  readonly allocated: Float64Array;
  /** By underlying id. */
  readonly parts: readonly UnderlyingPart[];
  /** Haircut value of the collateral, in currency. */
  readonly collateralValue: number;
  /** Equity of the account: collateral plus all positions' values. */
  readonly equity: number;
}

export interface Valuation {
  readonly market: Market;
  readonly plan: ValuationPlan;
  readonly methodology: Methodology;
}

export function haircutOf(asset: string, currency: string, methodology: Methodology): number {
  const { haircuts } = methodology;
  if (asset === currency) return 0;
  // An own property only: an asset may be called `constructor`.
  return Object.hasOwn(haircuts, asset) ? haircuts[asset]! : haircuts['*']!;
}

/** @throws the first error of the account, with its field */
export function resolvePortfolio(account: Account, valuation: Valuation): Portfolio {
  const { market } = valuation;
  checkCurrency(account, market);
  const order = canonicalOrder(account, valuation);
  const n = order.length;
  const instruments = new Int32Array(n);
  const sizes = new Float64Array(n);
  const values = new Float64Array(n);
  const unrealisedCoins = new Float64Array(n);
  const allocated = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const at = order[i]! % PLACES;
    const index = Math.floor(order[i]! / PLACES) % market.instruments.length;
    instruments[i] = index;
    sizes[i] = account.sizes[at]!;
    allocated[i] = allocationOf(account, at);
    const entry = account.entryPrices?.[at] ?? Number.NaN;
    const value = positionValue(index, sizes[i]!, entry, valuation);
    values[i] = value.currency;
    unrealisedCoins[i] = value.coins;
  }
  const coins = new Map<number, number>();
  const collateralValue = addCollateral(account, valuation, coins);
  checkOrders(account, market);
  const parts = splitParts(instruments, unrealisedCoins, coins, market);
  let equity = collateralValue;
  for (let i = 0; i < n; i++) equity += values[i]!;
  if (!Number.isFinite(equity)) {
    throw new PlimsollError('NUMERIC_OVERFLOW', `the account's equity is ${equity}`, {
      account: account.id,
    });
  }
  return {
    account,
    instruments,
    sizes,
    values,
    unrealisedCoins,
    allocated,
    parts,
    collateralValue,
    equity,
  };
}

function checkCurrency(account: Account, market: Market): void {
  if (account.currency === null || account.currency === market.currency) return;
  throw new PlimsollError(
    'CURRENCY_MISMATCH',
    `the account's currency is ${account.currency}, the market's ${market.currency}`,
    { account: account.id, path: 'currency' },
  );
}

/** Sort keys hold a position's place in their low digits: more than the positions an account may have. */
const PLACES = 2 ** 20;

/**
 * Positions by underlying, then by instrument, as keys: instrument = ⌊key / PLACES⌋ mod the number of instruments, place in the account =
 * key mod PLACES. Both of the market's lists stand in id order, so indices compare as ids do.
 */
function canonicalOrder(account: Account, { market, plan }: Valuation): Float64Array {
  const n = account.instruments.length;
  const count = market.instruments.length;
  const keys = new Float64Array(n);
  for (let at = 0; at < n; at++) {
    const index = market.instrumentIndex.get(account.instruments[at]!);
    if (index === undefined || plan.rowOf[index] === -1 || account.sizes[at] === 0) {
      throw positionError(account, at, index, plan);
    }
    keys[at] = (market.instruments[index]!.underlying * count + index) * PLACES + at;
  }
  keys.sort();
  for (let i = 1; i < n; i++) {
    if (Math.floor(keys[i]! / PLACES) !== Math.floor(keys[i - 1]! / PLACES)) continue;
    const at = keys[i]! % PLACES;
    throw new PlimsollError('DUPLICATE_POSITION', `two positions in ${account.instruments[at]}`, {
      account: account.id,
      path: positionPath(account, at, 'instrument'),
    });
  }
  return keys;
}

function positionError(
  account: Account,
  at: number,
  index: number | undefined,
  plan: ValuationPlan,
): PlimsollError {
  const name = account.instruments[at]!;
  const error = (code: ErrorCode, message: string, field: 'instrument' | 'size') =>
    new PlimsollError(code, message, {
      account: account.id,
      path: positionPath(account, at, field),
    });
  if (index === undefined) {
    return error('UNKNOWN_INSTRUMENT', `the market has no instrument ${name}`, 'instrument');
  }
  if (plan.rowOf[index] !== -1) {
    return error('INVALID_FIELD', `the size of ${name} is 0`, 'size');
  }
  const problem = plan.problems.get(index);
  const message = problem?.message ?? `${name} has no row`;
  return error(problem?.code ?? 'INTERNAL', message, 'instrument');
}

/** The collateral that is set apart for a position; required in isolated mode. */
function allocationOf(account: Account, at: number): number {
  const allocated = account.allocated?.[at] ?? Number.NaN;
  if (account.mode !== 'isolated' || !Number.isNaN(allocated)) return allocated;
  const path = positionPath(account, at, 'allocated');
  throw new PlimsollError('MISSING_FIELD', `${path} is required in isolated mode`, {
    account: account.id,
    path,
  });
}

/** What a position adds to equity, and its unrealised coins (METHODOLOGY section 5). */
function positionValue(
  index: number,
  size: number,
  entryPrice: number,
  { market, plan }: Valuation,
): { readonly currency: number; readonly coins: number } {
  const instrument = market.instruments[index]!;
  if (instrument.type === 'option' || instrument.type === 'spot') {
    return { currency: size * plan.baseValues[index]!, coins: 0 };
  }
  if (Number.isNaN(entryPrice)) return { currency: 0, coins: 0 };
  const { mark, multiplier } = instrument;
  if (instrument.settlement === 'inverse') {
    const coins = size * multiplier * (1 / entryPrice - 1 / mark);
    return { currency: coins * market.underlyings[instrument.underlying]!.spot, coins };
  }
  return { currency: size * multiplier * (mark - entryPrice), coins: 0 };
}

/** Adds the collateral coins, after haircut, to `coins` and returns the collateral's value. */
function addCollateral(
  account: Account,
  { market, plan, methodology }: Valuation,
  coins: Map<number, number>,
): number {
  let value = 0;
  account.collateral.forEach(({ asset, amount }, i) => {
    const share = 1 - haircutOf(asset, market.currency, methodology);
    if (asset === market.currency) {
      value += amount * share;
      return;
    }
    const path = `collateral[${i}].asset`;
    const u = market.underlyingIndex.get(asset);
    if (u === undefined) {
      const message = `${asset} is neither the currency ${market.currency} nor an underlying with a spot`;
      throw new PlimsollError('UNKNOWN_ASSET', message, { account: account.id, path });
    }
    if (plan.underlyings[u] === null) {
      const message = `collateral in ${asset} needs the factor ${asset}:spot`;
      throw new PlimsollError('MISSING_FACTOR', message, { account: account.id, path });
    }
    value += amount * share * market.underlyings[u]!.spot;
    coins.set(u, (coins.get(u) ?? 0) + amount * share);
  });
  return value;
}

function checkOrders(account: Account, market: Market): void {
  account.orders.forEach(({ instrument }, i) => {
    if (market.instrumentIndex.has(instrument)) return;
    throw new PlimsollError('UNKNOWN_INSTRUMENT', `the market has no instrument ${instrument}`, {
      account: account.id,
      path: `orders[${i}].instrument`,
    });
  });
}

function splitParts(
  instruments: Int32Array,
  unrealisedCoins: Float64Array,
  collateralCoins: ReadonlyMap<number, number>,
  market: Market,
): readonly UnderlyingPart[] {
  const parts = new Map<number, UnderlyingPart>();
  let start = 0;
  while (start < instruments.length) {
    const { underlying } = market.instruments[instruments[start]!]!;
    let end = start;
    let coins = collateralCoins.get(underlying) ?? 0;
    while (
      end < instruments.length &&
      market.instruments[instruments[end]!]!.underlying === underlying
    ) {
      coins += unrealisedCoins[end]!;
      end++;
    }
    parts.set(underlying, { underlying, start, end, coins });
    start = end;
  }
  for (const [underlying, coins] of collateralCoins) {
    if (!parts.has(underlying)) parts.set(underlying, { underlying, start, end: start, coins });
  }
  return [...parts.values()].sort((a, b) => a.underlying - b.underlying);
}
