/**
 * One account under other circumstances: a market that has moved, a later date, other positions. It takes a session's scenarios into a memory
 * of its own, revalues only what may be held, and margins with the session's code: on the session's market its figures are the session's,
 * bit for bit. Runs in a worker.
 */
import { createMemory, instantiateKernels } from '../../workers/kernels.ts';
import { ensure } from '../errors.ts';
import type { Account } from '../margin/account.ts';
import { type Portfolio, resolvePortfolio } from '../margin/portfolio.ts';
import type { MarginResult } from '../margin/result.ts';
import type { Market } from '../market/market.ts';
import { DRAW_BLOCK, drawBlocks } from '../scenarios/scenarioSet.ts';
import { instrumentExposures } from '../valuation/exposures.ts';
import { planValuation, type ValuationPlan } from '../valuation/plan.ts';
import { enterAccount, enterOwn, type OwnFigures, ownFigures, resultOf } from './accountBooks.ts';
import { planArena, type Side } from './arena.ts';
import { viewsOf } from './bookMemory.ts';
import { BookPasses } from './bookPasses.ts';
import { plannedFactors } from './plannedFactors.ts';
import { cubeOf, cubesOf, type Session } from './sessionData.ts';
import { type Bench, revalueShard, unitShard } from './shards.ts';

let labs = 0;

export class AccountLab {
  /** The session on the market that was placed last; its memory is the lab's own. */
  bench: Bench;
  private readonly origin: Session;
  private readonly held: ReadonlySet<number>;
  private passes: BookPasses;
  private readonly rows: number;
  private unitsKnown = false;

  /** @param held instruments (indices into the market) that accounts margined here may hold or order */
  constructor(origin: Session, held: ReadonlySet<number>) {
    this.origin = origin;
    this.held = held;
    const { market } = origin.valuation;
    const plan = this.planOn(market);
    this.rows = plan.rows;
    const layout = layoutFor(origin, plan);
    // Shared only by name: kernels are compiled for shared memory. Nobody else sees it.
    const memory = createMemory(layout.bytes);
    const kernels = instantiateKernels(origin.module, memory);
    labs -= 1;
    const session = { ...origin, id: labs, memory, layout };
    this.bench = { session, kernels, views: viewsOf(memory) };
    copyScenarios(origin, session);
    this.passes = this.place(market);
  }

  /**
   * Puts the instruments on a market with the same underlyings and instruments.
   * @param moved underlyings (indices) that differ from the market before; all when left out. Only for equal dates.
   */
  place(market: Market, moved?: readonly number[]): BookPasses {
    const plan = this.planOn(market);
    const { session, kernels, views } = this.bench;
    ensure(plan.rows <= this.rows, 'a lab has room for all its rows');
    const exposures = {
      ...instrumentExposures(market, plan, NO_VOLATILITIES),
    };
    // How much a day moves a spot is the scenarios' to say, not the market's.
    const { dailyVolatility } = this.origin.valuation.exposures;
    const own = { ...exposures, dailyVolatility };
    const valuation = { ...this.origin.valuation, market, plan, exposures: own };
    this.bench = { session: { ...session, valuation }, kernels, views };
    const underlyings = moved ?? market.underlyings.map((_, u) => u);
    for (const cube of cubesOf(session)) {
      const blocks = drawBlocks(cubeOf(session, cube).set.scenarios);
      for (let block = 0; block < blocks; block++) {
        revalueShard(this.bench, 0, cube, { block, underlyings });
      }
    }
    this.unitsKnown = false;
    this.passes = new BookPasses(this.bench, 0);
    return this.passes;
  }

  portfolio(account: Account): Portfolio {
    return resolvePortfolio(account, this.bench.session.valuation);
  }

  /** The whole margin result. */
  margin(account: Account): MarginResult {
    this.measureUnits();
    const { valuation, provenance, set } = this.bench.session;
    this.passes.begin(1);
    const entered = enterAccount(this.portfolio(account), valuation, this.passes);
    this.passes.run();
    return resultOf(entered, this.passes, { valuation, provenance, scenarios: set.scenarios });
  }

  /** Equity and requirement under the account's own mode alone: what a search tries many times. */
  own(account: Account): OwnFigures {
    const { valuation } = this.bench.session;
    this.passes.begin(1);
    const entered = enterOwn(this.portfolio(account), valuation, this.passes);
    this.passes.run();
    return ownFigures(entered, valuation);
  }

  private measureUnits(): void {
    if (this.unitsKnown) return;
    const { rows } = this.bench.session.valuation.plan;
    const all = Array.from({ length: rows }, (_, row) => row);
    for (const cube of cubesOf(this.bench.session)) {
      unitShard(this.bench, 0, cube, all);
    }
    this.unitsKnown = true;
  }

  private planOn(market: Market): ValuationPlan {
    const { methodology } = this.origin.valuation;
    const horizon = methodology.instantaneous ? 0 : methodology.horizonDays;
    const { set, gaps, sides } = this.origin;
    const lists = [gaps, ...Object.values(sides).map((side) => side?.gaps ?? [])];
    return planValuation(
      market,
      plannedFactors(set, lists, this.origin.absent),
      horizon,
      this.held,
      methodology.smileRule,
    );
  }
}

/** The spots' volatilities are taken from the session instead. */
const NO_VOLATILITIES = new Float64Array(0);

function layoutFor(origin: Session, plan: ValuationPlan) {
  const { set, sides, valuation, layout } = origin;
  const counts: Partial<Record<Side, number>> = {};
  for (const [name, side] of Object.entries(sides)) {
    if (side !== null) counts[name as Side] = side.set.scenarios;
  }
  return planArena({
    heapBase: layout.heapBase,
    scenarios: set.scenarios,
    factors: set.factorIds.length,
    rows: plan.rows,
    smileBytes: plan.smileBytes,
    underlyings: valuation.market.underlyings.length,
    slots: 1,
    tailBytes: layout.tailBytes,
    kept: 'rows',
    shocksKept: true,
    resultRows: 0,
    sides: counts,
    reordered: layout.orders !== 0,
  });
}

/** Shocks and orders of the session, whose layout of them is the lab's. */
function copyScenarios(from: Session, to: Session): void {
  const source = new Uint8Array(from.memory.buffer);
  const target = new Uint8Array(to.memory.buffer);
  for (const cube of cubesOf(from)) {
    const old = cubeOf(from, cube);
    const own = cubeOf(to, cube);
    const bytes = Math.ceil(old.set.scenarios / DRAW_BLOCK) * old.layout.shockBytes;
    target.set(source.subarray(old.layout.shocks, old.layout.shocks + bytes), own.layout.shocks);
  }
  if (from.layout.orders === 0) return;
  const bytes = from.valuation.market.underlyings.length * 2 * from.layout.orderBytes;
  target.set(source.subarray(from.layout.orders, from.layout.orders + bytes), to.layout.orders);
}
