/**
 * What is charged by itself: under portfolio margin the whole account, under cross margin its part in each underlying, under isolated
 * margin each position. A pool has its own orders; they may fill on one side or on the other.
 */
import type { MarginMode } from './account.ts';
import { needsExposures } from './charge.ts';
import { concentration, horizonGrowth } from './components/concentration.ts';
import { exposuresOf, type UnderlyingExposure } from './exposures.ts';
import { filled, type Holding, partHolding, positionHolding } from './holding.ts';
import type { MarginCollateral, MarginOrder, Portfolio } from './portfolio.ts';
import type { Valuation } from './valuation.ts';

/** A holding with what its charge is computed from. */
export interface ChargedHolding {
  readonly holding: Holding;
  readonly exposures: readonly UnderlyingExposure[];
  /** Underlyings that take longer than the horizon to close. */
  readonly concentrated: readonly { readonly underlying: number; readonly growth: number }[];
}

export interface Pool {
  readonly held: ChargedHolding;
  /** With all its buy orders filled, and with all its sell orders; null where there are none. */
  readonly buys: ChargedHolding | null;
  readonly sells: ChargedHolding | null;
  readonly orders: readonly MarginOrder[];
  readonly collateral: readonly MarginCollateral[];
}

const NONE: readonly never[] = [];

export function chargedHolding(holding: Holding, valuation: Valuation): ChargedHolding {
  if (!needsExposures(valuation.methodology)) {
    return { holding, exposures: NONE, concentrated: NONE };
  }
  const exposures = exposuresOf(holding, valuation);
  if (!valuation.methodology.components.includes(concentration.name)) {
    return { holding, exposures, concentrated: NONE };
  }
  const concentrated = exposures
    .map((exposure) => ({
      underlying: exposure.underlying,
      growth: horizonGrowth(exposure, valuation),
    }))
    .filter(({ growth }) => growth > 0);
  return { holding, exposures, concentrated };
}

function poolOf(
  holding: Holding,
  orders: readonly MarginOrder[],
  collateral: readonly MarginCollateral[],
  valuation: Valuation,
): Pool {
  const side = (sign: 1 | -1): ChargedHolding | null => {
    const fills = orders.filter(({ size }) => sign * size > 0);
    if (fills.length === 0) return null;
    return chargedHolding(filled(holding, fills, valuation.market), valuation);
  };
  const charged = valuation.methodology.components.includes('openOrders');
  return {
    held: chargedHolding(holding, valuation),
    buys: charged ? side(1) : null,
    sells: charged ? side(-1) : null,
    orders,
    collateral,
  };
}

/** The pools of an account under a mode, by underlying id or in the canonical order of positions. */
export function poolsOf(
  portfolio: Portfolio,
  mode: MarginMode,
  valuation: Valuation,
): readonly Pool[] {
  if (mode === 'portfolio') {
    return [poolOf(portfolio, portfolio.orders, portfolio.collateral, valuation)];
  }
  if (mode === 'cross') return crossPools(portfolio, valuation);
  const all = Array.from(portfolio.instruments, (_, i) => positionPool(portfolio, i, valuation));
  return [...all, ...openingPools(portfolio, valuation)];
}

/** A position by itself, with the orders in its instrument. */
export function positionPool(portfolio: Portfolio, i: number, valuation: Valuation): Pool {
  const instrument = portfolio.instruments[i]!;
  const orders = portfolio.orders.filter((order) => order.instrument === instrument);
  return poolOf(positionHolding(portfolio, i, valuation.market), orders, NONE, valuation);
}

const EMPTY: Holding = {
  instruments: new Int32Array(0),
  sizes: new Float64Array(0),
  unrealisedCoins: new Float64Array(0),
  parts: [],
};

/** Orders in instruments that are not held: pools without a position yet, by instrument. */
export function openingPools(portfolio: Portfolio, valuation: Valuation): readonly Pool[] {
  const known = new Set(portfolio.instruments);
  const fresh = [...new Set(portfolio.orders.map(({ instrument }) => instrument))]
    .filter((instrument) => !known.has(instrument))
    .sort((a, b) => a - b);
  return fresh.map((instrument) => {
    const orders = portfolio.orders.filter((order) => order.instrument === instrument);
    return poolOf(EMPTY, orders, NONE, valuation);
  });
}

function crossPools(portfolio: Portfolio, valuation: Valuation): readonly Pool[] {
  const { market } = valuation;
  const underlyingOf = ({ instrument }: MarginOrder): number =>
    market.instruments[instrument]!.underlying;
  const touched = new Set([
    ...portfolio.parts.map(({ underlying }) => underlying),
    ...portfolio.orders.map(underlyingOf),
  ]);
  return [...touched]
    .sort((a, b) => a - b)
    .map((underlying) => {
      const part = portfolio.parts.find((one) => one.underlying === underlying) ?? {
        underlying,
        start: 0,
        end: 0,
        coins: 0,
        unrealised: 0,
      };
      const { id } = market.underlyings[underlying]!;
      return poolOf(
        partHolding(portfolio, part),
        portfolio.orders.filter((order) => underlyingOf(order) === underlying),
        portfolio.collateral.filter(({ asset }) => asset === id),
        valuation,
      );
    });
}
