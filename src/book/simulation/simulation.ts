/** Days of an exchange in one process: prices move, accounts trade, are called and liquidated, and margins are held against what came. */

import type { Engine } from '../../engine/engine.ts';
import { PlimsollError } from '../../errors.ts';
import { sha256 } from '../../json.ts';
import { LIMITS } from '../../limits.ts';
import { ACCOUNT_STATES, type AccountState } from '../../margin/requirement.ts';
import { parseFactorId } from '../../market/factorIds.ts';
import { procyclicality } from '../../risk/backtest/procyclicality.ts';
import type { BookEvent } from '../events.ts';
import { serialise } from '../snapshots.ts';
import { CoverageProbe } from './coverage.ts';
import { Exchange } from './exchange.ts';
import { InsuranceFund, liquidate } from './liquidations.ts';
import { type PricePath, ticksOf } from './prices.ts';
import {
  addTally,
  type Coverage,
  emptyTally,
  joinCoverage,
  type SimulatedDay,
  type SimulationReport,
} from './report.ts';
import { Traders } from './traders.ts';

export interface SimulationOptions {
  readonly engine: Engine;
  readonly accounts: Iterable<unknown>;
  readonly path: PricePath;
  readonly prices: 'factors' | 'history';
  readonly seed: string;
  /** What the insurance fund has at the beginning, in currency; ≥ 0. */
  readonly fund: number;
  readonly tradesPerDay: number;
  /** Share of margin calls that are answered, 0 … 1. */
  readonly answerShare: number;
  /** Minutes until a call expires, > 0. */
  readonly callMinutes: number;
  /** Told after each step; waited for, so that it may set the pace. */
  readonly onStep?: (done: number, total: number, milliseconds: number) => Promise<void> | void;
}

const DAY_MS = 86_400_000;

/**
 * Runs a simulation. The engine's market moves with it. A day ends with the first step at or past midnight of its count from the beginning.
 * @throws what the engine or the book refuses of accounts or market; INVALID_FIELD for an option out of range
 */
export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  checkOptions(options);
  const run = new Run(options, await exchangeFor(options));
  await run.open();
  for (let i = 0; i < options.path.steps; i++) await run.step(i);
  return run.report();
}

function checkOptions({ fund, tradesPerDay, answerShare, callMinutes, path }: SimulationOptions) {
  const { callMinutesMax, simulationStepsMax } = LIMITS;
  const ranges: readonly [string, number, number, number][] = [
    ['fund', fund, 0, LIMITS.priceMax],
    ['tradesPerDay', tradesPerDay, 0, LIMITS.priceMax],
    ['answerShare', answerShare, 0, 1],
    ['callMinutes', callMinutes, Number.MIN_VALUE, callMinutesMax],
    ['steps', path.steps, 1, simulationStepsMax],
  ];
  for (const [name, value, low, high] of ranges) {
    if (value >= low && value <= high) continue;
    const message = `${name} must be from ${low} to ${high}, got ${value}`;
    throw new PlimsollError('INVALID_FIELD', message, { path: name });
  }
}

async function exchangeFor({ engine, accounts, callMinutes }: SimulationOptions) {
  const { parameters } = await engine.info();
  const [market, model] = [await engine.market(), await engine.factorModel()];
  const exchange = new Exchange(engine, market, parameters, callMinutes, model);
  for (const account of accounts) exchange.run({ do: 'put-account', account });
  return exchange;
}

class Run {
  private readonly options: SimulationOptions;
  private readonly exchange: Exchange;
  private readonly traders: Traders;
  private readonly fund: InsuranceFund;
  private readonly days: SimulatedDay[] = [];
  private readonly coverage = new Map<number, Coverage>();
  private probes: CoverageProbe[] = [];
  private readonly startMs: number;
  private readonly from: string;
  private clamped = 0;

  constructor(options: SimulationOptions, exchange: Exchange) {
    this.options = options;
    this.exchange = exchange;
    this.traders = new Traders(options);
    this.fund = new InsuranceFund(options.fund);
    this.startMs = exchange.nowMs;
    this.from = exchange.asOf;
  }

  /** Day 0: what the accounts bring with them. */
  async open(): Promise<void> {
    await this.margin();
    this.endDay(0);
    this.probes.push(new CoverageProbe(1, this.exchange));
  }

  async step(i: number): Promise<void> {
    const { exchange, traders } = this;
    const { path, onStep } = this.options;
    const { milliseconds } = path.step(i);
    const { ticks, clamped } = ticksOf(exchange.snapshot, path, i, exchange.nowMs);
    this.clamped += clamped;
    await exchange.tick(ticks, milliseconds);
    await this.measureDue();
    exchange.settleExpired();
    traders.pay(exchange);
    await this.margin();
    await traders.trade(exchange, i, milliseconds / DAY_MS);
    const day = this.days.length;
    if (exchange.nowMs >= this.startMs + day * DAY_MS || i === path.steps - 1) {
      // Figures of the day's end are those after its last trades.
      await this.margin();
      this.endDay(day);
      if (i < path.steps - 1) this.probes.push(new CoverageProbe(day + 1, exchange));
    }
    await onStep?.(i + 1, path.steps, milliseconds);
  }

  async report(): Promise<SimulationReport> {
    const { exchange, days } = this;
    const { engine, path, seed, prices } = this.options;
    const total = emptyTally();
    for (const day of days.slice(1)) addTally(total, day);
    const margins = days.map(({ initialMargin }) => initialMargin);
    const least = Math.min(...margins);
    const { scenarioSet, methodology, engine: version } = await engine.info();
    return {
      seed,
      prices,
      steps: path.steps,
      from: this.from,
      to: exchange.asOf,
      currency: exchange.market.currency,
      accounts: exchange.book.accounts.size,
      days: days.map((day) => ({ ...day, coverage: this.coverage.get(day.day) ?? null })),
      total: { ...total, coverage: joinCoverage([...this.coverage.values()]) },
      procyclicality: procyclicality(margins),
      peakToTrough: least > 0 ? Math.max(...margins) / least : null,
      ignoredFactors: ignoredFactors(path, exchange),
      clampedVolatilities: this.clamped,
      volatilityUpdates: exchange.volatilityUpdates,
      scenarioSet,
      methodology,
      engine: version,
      book: sha256(serialise(exchange.book)),
    };
  }

  /** New figures of all accounts; who has to be is liquidated, in the order of the book. */
  private async margin(): Promise<void> {
    const { exchange } = this;
    const events = await exchange.assess([...exchange.book.accounts.keys()]);
    this.traders.hear(exchange, events);
    const liquidated = [...exchange.book.accounts.values()].filter(
      (one) => one.liquidation !== null,
    );
    for (const { id } of liquidated) {
      const more: readonly BookEvent[] = await liquidate(exchange, id, this.fund);
      this.traders.hear(exchange, more);
    }
  }

  private async measureDue(): Promise<void> {
    const { exchange } = this;
    const due = this.probes.filter(({ dueMs }) => dueMs <= exchange.nowMs);
    this.probes = this.probes.filter(({ dueMs }) => dueMs > exchange.nowMs);
    for (const probe of due) this.coverage.set(probe.day, await probe.measure(exchange));
  }

  private endDay(day: number): void {
    const { exchange, fund } = this;
    const { book, figures, tally } = exchange;
    const states = Object.fromEntries(ACCOUNT_STATES.map((state) => [state, 0]));
    for (const { heldState } of book.accounts.values()) states[heldState]! += 1;
    let [initialMargin, equity] = [0, 0];
    for (const one of figures.values()) {
      initialMargin += one.initialMargin;
      equity += one.equity;
    }
    this.days.push({
      day,
      asOf: exchange.asOf,
      ...tally,
      states: states as Record<AccountState, number>,
      initialMargin,
      equity,
      fund: fund.left,
      coverage: null,
    });
    exchange.tally = emptyTally();
  }
}

/** Those that a snapshot has no place for (skew, curvature), and those of underlyings that it does not have. */
function ignoredFactors({ factorIds }: PricePath, { market }: Exchange): string[] {
  return factorIds.filter((id) => {
    const { underlying, type } = parseFactorId(id);
    return type === 'skew' || type === 'curvature' || !market.underlyingIndex.has(underlying);
  });
}
