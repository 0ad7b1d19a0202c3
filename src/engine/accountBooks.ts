/** The books that one account needs tails of, and the result that is composed of them. */
import { holdingBook, type IsolatedExposures, isolatedExposures } from '../margin/books.ts';
import {
  type Charge,
  chargePool,
  chargePositions,
  type HoldingFigures,
  noShortfalls,
  type PoolFigures,
} from '../margin/charge.ts';
import {
  type ChargedHolding,
  openingPools,
  type Pool,
  poolsOf,
  positionPool,
} from '../margin/pools.ts';
import type { Portfolio } from '../margin/portfolio.ts';
import {
  addIsolated,
  afterCredit,
  isolatedMargins,
  pooledMargins,
  type Requirement,
} from '../margin/requirement.ts';
import {
  type IsolatedFigures,
  type MarginResult,
  marginResult,
  type Provenance,
} from '../margin/result.ts';
import type { Valuation } from '../margin/valuation.ts';
import type { BookPasses, EnteredBook } from './bookPasses.ts';

/** Books of one holding: null where it holds nothing. */
interface EnteredHolding {
  readonly net: EnteredBook | null;
  readonly concentrated: readonly {
    readonly underlying: number;
    readonly growth: number;
    readonly book: EnteredBook;
  }[];
}

interface EnteredPool {
  readonly pool: Pool;
  readonly held: EnteredHolding;
  readonly buys: EnteredHolding | null;
  readonly sells: EnteredHolding | null;
}

/** Positions by themselves: those with orders as pools, the others from units. */
interface EnteredIsolated {
  readonly exposures: IsolatedExposures;
  readonly sums: ReadonlyMap<number, EnteredBook>;
  /** By position. */
  readonly pools: ReadonlyMap<number, EnteredPool>;
  /** Of instruments that only have orders. */
  readonly opening: readonly EnteredPool[];
}

export interface EnteredAccount {
  readonly portfolio: Portfolio;
  readonly net: EnteredPool;
  readonly cross: readonly EnteredPool[] | null;
  readonly isolated: EnteredIsolated;
}

export function enterAccount(
  portfolio: Portfolio,
  valuation: Valuation,
  passes: BookPasses,
): EnteredAccount {
  const enter = (mode: 'portfolio' | 'cross' | 'isolated'): readonly EnteredPool[] =>
    poolsOf(portfolio, mode, valuation).map((pool) => enterPool(pool, valuation, passes));
  const [net] = enter('portfolio');
  return {
    portfolio,
    net: net!,
    cross: portfolio.account.mode === 'cross' ? enter('cross') : null,
    isolated: enterPositions(portfolio, valuation, passes),
  };
}

/** The pools of the account's own mode alone. */
export interface EnteredOwn {
  readonly portfolio: Portfolio;
  readonly pools: readonly EnteredPool[];
}

export function enterOwn(
  portfolio: Portfolio,
  valuation: Valuation,
  passes: BookPasses,
): EnteredOwn {
  const pools = poolsOf(portfolio, portfolio.account.mode, valuation);
  return { portfolio, pools: pools.map((pool) => enterPool(pool, valuation, passes)) };
}

/** What decides an account's state, under its own mode. */
export interface OwnFigures extends Requirement {
  readonly equity: number;
  readonly charges: readonly Charge[];
}

export function ownFigures({ portfolio, pools }: EnteredOwn, valuation: Valuation): OwnFigures {
  const { mode, creditLine } = portfolio.account;
  const { methodology } = valuation;
  const charges = pools.map((pool) => chargePool(pool.pool, poolFigures(pool), valuation));
  const margins =
    mode === 'isolated'
      ? afterCredit(isolatedMargins(charges, methodology), 0)
      : afterCredit(pooledMargins(charges, methodology), creditLine);
  return { ...margins, equity: portfolio.equity, charges };
}

function enterPool(pool: Pool, valuation: Valuation, passes: BookPasses): EnteredPool {
  const enter = (charged: ChargedHolding | null): EnteredHolding | null =>
    charged === null ? null : enterHolding(charged, valuation, passes);
  return {
    pool,
    held: enterHolding(pool.held, valuation, passes),
    buys: enter(pool.buys),
    sells: enter(pool.sells),
  };
}

function enterHolding(
  { holding, concentrated }: ChargedHolding,
  valuation: Valuation,
  passes: BookPasses,
): EnteredHolding {
  const book = holdingBook(holding, valuation);
  const net = book.segments.length === 0 ? null : passes.add(book, true);
  return {
    net,
    concentrated: concentrated.map(({ underlying, growth }) => {
      const part = holding.parts.find((one) => one.underlying === underlying)!;
      const parts = [{ ...part, coins: part.unrealised }];
      // A holding that is nothing else is its own part: no second sum.
      const same = holding.parts.length === 1 && part.coins === part.unrealised;
      const own =
        same && net !== null
          ? net
          : passes.add(holdingBook({ ...holding, parts }, valuation), false);
      return { underlying, growth, book: own };
    }),
  };
}

function enterPositions(
  portfolio: Portfolio,
  valuation: Valuation,
  passes: BookPasses,
): EnteredIsolated {
  const exposures = isolatedExposures(portfolio, valuation);
  const charged = valuation.methodology.components.includes('openOrders');
  const ordered = new Set(charged ? portfolio.orders.map(({ instrument }) => instrument) : []);
  const pools = new Map<number, EnteredPool>();
  if (ordered.size > 0) {
    portfolio.instruments.forEach((instrument, i) => {
      if (!ordered.has(instrument)) return;
      pools.set(i, enterPool(positionPool(portfolio, i, valuation), valuation, passes));
    });
  }
  const sums = new Map<number, EnteredBook>();
  for (const [i, book] of exposures.books) {
    if (!pools.has(i)) sums.set(i, passes.add(book, true));
  }
  const opening = charged
    ? openingPools(portfolio, valuation).map((pool) => enterPool(pool, valuation, passes))
    : [];
  return { exposures, sums, pools, opening };
}

export interface ResultContext {
  readonly valuation: Valuation;
  readonly provenance: Provenance;
  readonly scenarios: number;
}

/** The result of an account whose books have their figures. */
export function resultOf(
  { portfolio, net, cross, isolated }: EnteredAccount,
  passes: BookPasses,
  { valuation, provenance, scenarios }: ResultContext,
): MarginResult {
  const charge = (pool: EnteredPool): Charge => chargePool(pool.pool, poolFigures(pool), valuation);
  const own = net.held.net;
  const usable = own?.ranks.n ?? scenarios;
  const figures = {
    tail: own?.tail ?? null,
    scenarios: usable,
    skippedScenarios: scenarios - usable,
    net: charge(net),
    cross: cross?.map(charge) ?? null,
    isolated: isolatedFigures(portfolio, isolated, charge, passes, valuation),
  };
  return marginResult(portfolio, figures, valuation, provenance);
}

function isolatedFigures(
  portfolio: Portfolio,
  isolated: EnteredIsolated,
  charge: (pool: EnteredPool) => Charge,
  passes: BookPasses,
  valuation: Valuation,
): IsolatedFigures {
  const { methodology } = valuation;
  const margins = { initialMargin: 0, maintenanceMargin: 0 };
  const charges: Charge[] | null = portfolio.account.mode === 'isolated' ? [] : null;
  const take = (own: Charge): void => {
    addIsolated(margins, own, methodology);
    charges?.push({ ...own, amounts: [...own.amounts] });
  };
  chargePositions(portfolio, positionShortfalls(isolated, passes), valuation, (alone, i) => {
    const pool = isolated.pools.get(i);
    take(pool === undefined ? alone : charge(pool));
  });
  for (const pool of isolated.opening) take(charge(pool));
  return { margins, charges };
}

/** The tails that a pool's charge is made of. */
export function poolFigures({
  held,
  buys,
  sells,
}: Pick<EnteredPool, 'held' | 'buys' | 'sells'>): PoolFigures {
  return {
    held: holdingFigures(held),
    buys: buys === null ? null : holdingFigures(buys),
    sells: sells === null ? null : holdingFigures(sells),
  };
}

function holdingFigures({ net, concentrated }: EnteredHolding): HoldingFigures {
  return {
    shortfalls: net?.shortfalls ?? noShortfalls(),
    concentrated: concentrated.map(({ underlying, growth, book }) => ({
      underlying,
      growth,
      expectedShortfall: book.shortfalls.base,
    })),
  };
}

/** Shortfalls of each position from those of one unit on its side: positive homogeneity. */
function positionShortfalls({ exposures, sums }: EnteredIsolated, passes: BookPasses) {
  const of = (name: 'base' | 'longRun' | 'stressed' | 'stress'): Float64Array | null => {
    const units = passes.units(name);
    if (units === null) return null;
    const shortfalls = unitShortfalls(units, exposures);
    for (const [i, { shortfalls: own }] of sums) shortfalls[i] = own[name];
    return shortfalls;
  };
  return {
    base: of('base')!,
    longRun: of('longRun'),
    stressed: of('stressed'),
    stress: of('stress'),
  };
}

/** ES of each position from that of one unit on its side. */
export function unitShortfalls(
  units: ArrayLike<number>,
  { rows, sizes }: IsolatedExposures,
): Float64Array {
  const shortfalls = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const size = sizes[i]!;
    shortfalls[i] = Math.abs(size) * units[2 * rows[i]! + (size > 0 ? 0 : 1)]!;
  }
  return shortfalls;
}
