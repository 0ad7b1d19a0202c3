/** What may be traded to free margin, from the cheapest way to free it: positions closed, contracts that hedge. */
import type { Account } from '../../margin/account.ts';
import type { TradeCosts } from '../../margin/liquidationCost.ts';
import type { Valuation } from '../../margin/valuation.ts';
import type { Instrument, Market } from '../../market/market.ts';
import type { MarginGradient } from './liquidationPlanGradient.ts';

export interface Tradable {
  /** Index of the instrument. */
  readonly instrument: number;
  /** 1 buys, −1 sells; 0: whichever frees margin. */
  readonly direction: 1 | -1 | 0;
  /** Contracts at the most. */
  readonly limit: number;
}

export interface Candidate extends Tradable {
  readonly direction: 1 | -1;
  /** Contracts that would free what is needed, were the derivative to last. */
  readonly first: number;
  /** Margin freed per unit of cost, at that size; ∞ where nothing is paid. */
  readonly ratio: number;
  /** What it closes of the need at its limit, in equity: no more, for ES is convex. */
  readonly most: number;
}

/** Every position, to be closed. */
export function closings(
  { instruments, sizes }: Account,
  market: Market,
): (Tradable & { readonly direction: 1 | -1 })[] {
  return instruments.map((id, i) => ({
    instrument: market.instrumentIndex.get(id)!,
    direction: sizes[i]! > 0 ? -1 : 1,
    limit: Math.abs(sizes[i]!),
  }));
}

/**
 * What hedges an underlying's price: its perpetual, a linear one before an inverse one, whose gain is in coin; without any the future that
 * expires first. All contracts of an underlying trade at the underlying's own liquidity, so that none is cheaper.
 */
export function outright({ market, plan }: Valuation, underlying: number): number | null {
  const order = ({ type, settlement, expiryMs }: Instrument): number =>
    type === 'perpetual' ? (settlement === 'linear' ? -2 : -1) : expiryMs;
  let best: number | null = null;
  market.instruments.forEach((one, i) => {
    if (one.underlying !== underlying || plan.rowOf[i] === -1) return;
    if (one.type !== 'perpetual' && one.type !== 'future') return;
    if (best === null || order(one) < order(market.instruments[best]!)) best = i;
  });
  return best;
}

/** Underlyings of an account's positions. */
export function underlyingsOf({ instruments }: Account, market: Market): readonly number[] {
  const held = instruments.map(
    (id) => market.instruments[market.instrumentIndex.get(id)!]!.underlying,
  );
  return [...new Set(held)].sort((a, b) => a - b);
}

export interface Need {
  /** Margin to be freed, in currency. */
  readonly margin: number;
  /** Margin per unit of its base: mmFactor, or 1. */
  readonly share: number;
  /** Equity that margin of 1 asks for. */
  readonly level: number;
}

/** Those that free more than they cost, the best ratio first; ties by instrument. */
export function rankCandidates(
  tradables: readonly Tradable[],
  need: Need,
  gradient: MarginGradient,
  costs: TradeCosts,
  valuation: Valuation,
): Candidate[] {
  const ranked = tradables.flatMap((tradable): Candidate[] => {
    const { instrument, limit } = tradable;
    const rise = gradient.perContract(instrument);
    const direction = tradable.direction === 0 ? (rise > 0 ? -1 : 1) : tradable.direction;
    const fall = -direction * rise + minimumFreed(tradable, valuation);
    const freed = need.share * fall;
    if (!(freed > 0)) return [];
    const first = Math.min(limit, need.margin / freed);
    const cost = costs.of(instrument, first);
    if (!(need.level * freed * first > cost)) return [];
    const ratio = (freed * first) / cost;
    return [{ instrument, direction, limit, first, ratio, most: need.level * freed * limit }];
  });
  return ranked.sort((a, b) => b.ratio - a.ratio || a.instrument - b.instrument);
}

/** A short option that is bought back also frees its least charge, which no scenario shows. */
function minimumFreed({ instrument, direction, limit }: Tradable, valuation: Valuation): number {
  const { market, methodology } = valuation;
  const { type, multiplier, underlying } = market.instruments[instrument]!;
  if (type !== 'option' || direction !== 1 || !Number.isFinite(limit)) return 0;
  if (!methodology.components.includes('shortOptionMinimum')) return 0;
  const { spot } = market.underlyings[underlying]!;
  return methodology.shortOptionMinimum.share * spot * multiplier;
}
