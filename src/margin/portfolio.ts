/**
 * An account resolved against a market: positions by cube row in the canonical order, what its coins are worth, its equity now. Every
 * error of the account's content is found here.
 */
import { columns } from '../columns.ts';
import { type ErrorCode, PlimsollError } from '../errors.ts';
import type { Instrument, Market } from '../market/market.ts';
import type { ValuationPlan } from '../valuation/plan.ts';
import { type Account, positionPath } from './account.ts';
import { sharedOut, withAllocations } from './allocations.ts';
import { type Holding, splitParts } from './holding.ts';
import { type Methodology, PRESETS } from './methodology.ts';
import type { Valuation } from './valuation.ts';

/** A collateral line with its price now. */
export interface MarginCollateral {
  readonly asset: string;
  readonly amount: number;
  readonly price: number;
}

/** An open order, resolved. */
export interface MarginOrder {
  readonly instrument: number;
  /** Signed: > 0 buys. */
  readonly size: number;
  /** What it loses when it is filled at its price while the mark stands: in currency, ≥ 0. */
  readonly throughMark: number;
  /** Currency value of what it refers to. */
  readonly notional: number;
}

export interface Portfolio extends Holding {
  readonly account: Account;
  /** Of each position, in currency: unrealised P&L plus net option (and spot) value. */
  readonly values: Float64Array;
  /** Isolated mode: what is stated as the collateral of each position, and what of it there is (`allocations.ts`). NaN in other modes. */
  readonly stated: Float64Array;
  readonly allocated: Float64Array;
  readonly collateral: readonly MarginCollateral[];
  readonly orders: readonly MarginOrder[];
  /** Haircut value of the collateral, in currency. */
  readonly collateralValue: number;
  /** Equity of the account: collateral plus all positions' values. */
  readonly equity: number;
}

export function haircutOf(asset: string, currency: string, methodology: Methodology): number {
  const { haircuts } = methodology;
  if (asset === currency) return 0;
  // An own property only: an asset may be called `constructor`.
  return Object.hasOwn(haircuts, asset) ? haircuts[asset]! : haircuts['*']!;
}

/**
 * A haircut that is stated of the currency would be charged to nobody. Those that come with a preset are of coins as collateral, whatever a
 * market is quoted in.
 * @throws INVALID_FIELD
 */
export function checkHaircuts({ haircuts, preset }: Methodology, currency: string): void {
  const stated = Object.hasOwn(haircuts, currency) ? haircuts[currency]! : 0;
  if (stated === 0 || stated === PRESETS[preset].haircuts[currency]) return;
  const path = `methodology.haircuts.${currency}`;
  const message = `${path} is ${stated}: the currency of the market counts in full`;
  throw new PlimsollError('INVALID_FIELD', message, { path });
}

/**
 * What each asset counts, in units of itself: its net amount after haircut. A haircut takes from what is held; what is owed is owed in
 * full, else borrowing an asset would create equity.
 */
export function countedAmounts(
  collateral: readonly { readonly asset: string; readonly amount: number }[],
  currency: string,
  methodology: Methodology,
): ReadonlyMap<string, number> {
  const net = new Map<string, number>();
  for (const { asset, amount } of collateral) net.set(asset, (net.get(asset) ?? 0) + amount);
  for (const [asset, amount] of net) {
    if (amount > 0) net.set(asset, amount * (1 - haircutOf(asset, currency, methodology)));
  }
  return net;
}

/** @throws the first error of the account, with its field */
export function resolvePortfolio(account: Account, valuation: Valuation): Portfolio {
  const { market } = valuation;
  checkCurrency(account, market);
  const n = account.instruments.length;
  const rooms = columns(6, n);
  const [order, sizes, values, unrealisedCoins, stated] = rooms as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const instruments = new Int32Array(order.buffer, rooms[5]!.byteOffset, n);
  orderCanonically(account, valuation, order);
  for (let i = 0; i < n; i++) {
    const at = order[i]! % PLACES;
    const index = Math.floor(order[i]! / PLACES) % market.instruments.length;
    instruments[i] = index;
    sizes[i] = account.sizes[at]!;
    stated[i] = allocationOf(account, at);
    const entry = account.entryPrices?.[at] ?? Number.NaN;
    const value = positionValue(index, sizes[i]!, entry, valuation);
    values[i] = value.currency;
    unrealisedCoins[i] = value.coins;
  }
  const coins = new Map<number, number>();
  const collateral: MarginCollateral[] = [];
  const collateralValue = addCollateral(account, valuation, coins, collateral);
  const orders = resolveOrders(account, valuation);
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
    stated,
    allocated: account.mode === 'isolated' ? sharedOut(stated, collateralValue) : stated,
    parts,
    collateral,
    orders,
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
function orderCanonically(account: Account, { market, plan }: Valuation, keys: Float64Array): void {
  const n = keys.length;
  const count = market.instruments.length;
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

/** The account of isolated mode as its positions stand: see `allocations.ts`. */
export function allocatedAccount(
  { account, instruments, allocated, stated }: Portfolio,
  market: Market,
): Account {
  if (allocated === stated) return account;
  const ids = Array.from(instruments, (index) => market.instruments[index]!.id);
  return withAllocations(account, ids, allocated);
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
  if (instrument.type !== 'perpetual' && instrument.type !== 'future') {
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
  lines: MarginCollateral[],
): number {
  const held = account.collateral.map(({ asset, amount }, i) => {
    if (asset === market.currency) return { asset, amount, price: 1, underlying: -1 };
    const path = `collateral[${i}].asset`;
    const underlying = market.underlyingIndex.get(asset);
    if (underlying === undefined) {
      const message = `${asset} is neither the currency ${market.currency} nor an underlying with a spot`;
      throw new PlimsollError('UNKNOWN_ASSET', message, { account: account.id, path });
    }
    if (plan.underlyings[underlying] === null) {
      const message = `collateral in ${asset} needs the factor ${asset}:spot`;
      throw new PlimsollError('MISSING_FACTOR', message, { account: account.id, path });
    }
    return { asset, amount, price: market.underlyings[underlying]!.spot, underlying };
  });
  // Canonical, as positions are: the currency, then by underlying, then by amount.
  held.sort((a, b) => a.underlying - b.underlying || a.amount - b.amount);
  let value = 0;
  for (const { asset, amount, price } of held) lines.push({ asset, amount, price });
  for (const [asset, amount] of countedAmounts(held, market.currency, methodology)) {
    const underlying = market.underlyingIndex.get(asset);
    if (asset === market.currency || underlying === undefined) {
      value += amount;
      continue;
    }
    value += amount * market.underlyings[underlying]!.spot;
    coins.set(underlying, amount);
  }
  return value;
}

const NO_ORDERS: readonly MarginOrder[] = [];

function resolveOrders(
  account: Account,
  { market, plan, exposures }: Valuation,
): readonly MarginOrder[] {
  if (account.orders.length === 0) return NO_ORDERS;
  const resolved = account.orders.map((order, i) => {
    const index = market.instrumentIndex.get(order.instrument);
    if (index === undefined || plan.rowOf[index] === -1) {
      const problem = index === undefined ? undefined : plan.problems.get(index);
      const message = problem?.message ?? `the market has no instrument ${order.instrument}`;
      throw new PlimsollError(problem?.code ?? 'UNKNOWN_INSTRUMENT', message, {
        account: account.id,
        path: `orders[${i}].instrument`,
      });
    }
    const side = order.side === 'buy' ? 1 : -1;
    const above = priceAboveValue(
      market.instruments[index]!,
      order.price,
      plan.baseValues[index]!,
      market,
    );
    return {
      instrument: index,
      size: side * order.size,
      throughMark: order.size * Math.max(0, side * above),
      notional: order.size * exposures.notionals[index]!,
    };
  });
  // Their sums are canonical too: a book's order list depends on its history.
  return resolved.sort(
    (a, b) => a.instrument - b.instrument || a.size - b.size || a.throughMark - b.throughMark,
  );
}

/** A trade at a price: size signed, > 0 is bought; without a price at the mark. */
export interface PricedTrade {
  readonly instrument: string;
  readonly size: number;
  readonly price?: number | undefined;
}

/** What trades lose when they are valued at the mark, summed, in currency; < 0 is gained. The market knows all of their instruments. */
export function lossAgainstMark(
  trades: readonly PricedTrade[],
  { market, plan }: Valuation,
): number {
  let loss = 0;
  for (const { instrument, size, price } of trades) {
    if (price === undefined) continue;
    const index = market.instrumentIndex.get(instrument)!;
    const contract = market.instruments[index]!;
    loss += size * priceAboveValue(contract, price, plan.baseValues[index]!, market);
  }
  return loss;
}

/** How much a contract at this price costs more than it is worth at the mark, in currency. */
function priceAboveValue(
  { type, settlement, multiplier, mark, underlying }: Instrument,
  price: number,
  value: number,
  market: Market,
): number {
  const { spot } = market.underlyings[underlying]!;
  if (type === 'perpetual' || type === 'future') {
    return settlement === 'inverse'
      ? multiplier * (1 / mark - 1 / price) * spot
      : multiplier * (price - mark);
  }
  if (type === 'pool') return price - value;
  return multiplier * price * (settlement === 'coin' ? spot : 1) - value;
}
