/** An exchange in one process: the pure book with its records in memory, the market, and the engine that margins it. */

import type { Engine } from '../../engine/engine.ts';
import { PlimsollError } from '../../errors.ts';
import type { Methodology } from '../../margin/methodology.ts';
import type { MarginResult } from '../../margin/result.ts';
import { formatInstant } from '../../market/dates.ts';
import { DynamicVolatility, type VolatilityRule } from '../../market/dynamicVolatility.ts';
import type { FactorModel } from '../../market/factorModel.ts';
import { readInstant } from '../../market/instruments.ts';
import { baseValue, compileMarket, type Market, recompileMarket } from '../../market/market.ts';
import type { MarketSnapshot } from '../../market/snapshot.ts';
import { type Tick, tickedSnapshot } from '../../market/ticks.ts';
import { accountOf, type Book, emptyBook, toAccount } from '../book.ts';
import { assess } from '../calls.ts';
import { decide } from '../decide.ts';
import { ruleOf } from '../desk/volatilities.ts';
import type { BookEvent } from '../events.ts';
import { foldTyped, type TypedRecord } from '../fold.ts';
import type { DecisionContext } from '../listings.ts';
import { standingsOf } from '../states.ts';
import { emptyTally, type Tally } from './report.ts';

export class Exchange {
  readonly engine: Engine;
  readonly book: Book = emptyBook();
  readonly methodology: Methodology;
  readonly callMinutes: number;
  snapshot: MarketSnapshot;
  market: Market;
  nowMs: number;
  /** Of the day under way. */
  tally: Tally = emptyTally();
  /** Instants at which volatilities followed the market. */
  volatilityUpdates = 0;
  /** The factor model that follows the ticks, and how; null where volatilities are fixed. */
  private readonly dynamic: { volatility: DynamicVolatility; rule: VolatilityRule } | null;
  /** The latest figures, by account. */
  readonly figures = new Map<string, MarginResult>();

  /** @param model the engine's factor model */
  constructor(
    engine: Engine,
    snapshot: MarketSnapshot,
    methodology: Methodology,
    callMinutes: number,
    model: FactorModel | null,
  ) {
    this.engine = engine;
    const rule = ruleOf(methodology);
    const volatility = model === null ? null : DynamicVolatility.of(model);
    this.dynamic = rule === null || volatility === null ? null : { volatility, rule };
    this.snapshot = snapshot;
    this.methodology = methodology;
    this.callMinutes = callMinutes;
    this.market = compileMarket(snapshot, methodology.surfaceModel);
    const instants = snapshot.underlyings.map(({ asOf }) => asOf ?? snapshot.asOf);
    this.nowMs = Math.max(...[snapshot.asOf, ...instants].map((at) => readInstant(at, 'asOf')));
  }

  /** ISO-8601 UTC with milliseconds, as records have it. */
  get now(): string {
    return new Date(this.nowMs).toISOString();
  }

  get asOf(): string {
    return formatInstant(this.nowMs);
  }

  /** Decides a command on the book as it stands, and folds what follows. */
  run(command: unknown, more: Partial<DecisionContext> = {}): readonly BookEvent[] {
    return this.append(decide(this.book, command, { market: this.market, now: this.now, ...more }));
  }

  append(events: readonly BookEvent[]): readonly BookEvent[] {
    for (const event of events) {
      const record: TypedRecord = { ...event, seq: this.book.seq + 1, at: this.now };
      foldTyped(this.book, record);
    }
    return events;
  }

  /** The market moves; time goes on, and volatilities with it where they are dynamic. */
  async tick(ticks: readonly Tick[], milliseconds: number): Promise<void> {
    const { snapshot, moved } = tickedSnapshot(this.snapshot, ticks);
    const model = this.followed(ticks);
    if (model === null) await this.engine.tick(ticks);
    else await this.engine.updateMarket(snapshot, model);
    this.snapshot = snapshot;
    const { surfaceModel } = this.methodology;
    this.market = recompileMarket(this.market, this.snapshot, moved, surfaceModel);
    this.nowMs += milliseconds;
  }

  /** The factor model after ticks; null where it stays. */
  private followed(ticks: readonly Tick[]): FactorModel | null {
    if (this.dynamic === null) return null;
    const { volatility, rule } = this.dynamic;
    const { hash } = volatility;
    this.volatilityUpdates += volatility.advance(this.snapshot, { ticks }, rule).length;
    return volatility.hash === hash ? null : volatility.model;
  }

  /** Settles what has expired and is held, at the spot. */
  settleExpired(): void {
    for (const { listed } of [...this.book.contracts.values()]) {
      const { instrument, expiry, underlying } = listed;
      if (expiry === undefined || readInstant(expiry, 'expiry') > this.nowMs) continue;
      const { spot } = this.market.underlyings[this.market.underlyingIndex.get(underlying)!]!;
      this.run({ do: 'settle', instrument, price: spot });
      this.tally.settlements += 1;
    }
  }

  /** The price of a trade that leaves equity as it is, as the contract is quoted. @throws the contract's problem */
  quotedPrice(instrument: string): number {
    const index = this.market.instrumentIndex.get(instrument)!;
    const one = this.market.instruments[index]!;
    if (one.problem !== null) throw new PlimsollError(one.problem.code, one.problem.message);
    const { type, mark, multiplier, settlement, underlying } = one;
    if (type === 'perpetual' || type === 'future') return mark;
    const { spot } = this.market.underlyings[underlying]!;
    if (type === 'spot') return spot;
    const value = baseValue(one, this.market);
    if (type === 'pool') return value;
    return settlement === 'coin' ? value / (multiplier * spot) : value / multiplier;
  }

  /** New figures of some accounts, and the events that follow from them. */
  async assess(ids: readonly string[]): Promise<readonly BookEvent[]> {
    const events: BookEvent[] = [];
    const documents = ids.map((id) => toAccount(this.book, id));
    let i = 0;
    for await (const outcome of this.engine.marginBatch(documents)) {
      const id = ids[i]!;
      i += 1;
      if ('error' in outcome) {
        this.figures.delete(id);
        this.tally.rejected += 1;
        continue;
      }
      this.figures.set(id, outcome);
      const account = accountOf(this.book, id);
      const { callMinutes } = this;
      const { warningLevel, releaseLevel } = this.methodology;
      const levels = { warningLevel, releaseLevel, callMinutes };
      const standings = standingsOf(outcome, account.creditLine);
      events.push(...this.append(assess(account, standings, levels, this.now)));
    }
    this.count(events);
    return events;
  }

  private count(events: readonly BookEvent[]): void {
    const { tally } = this;
    for (const { kind, body } of events) {
      if (kind === 'call-opened') {
        tally.callsOpened += 1;
        tally.callsAmount += body.amount;
      } else if (kind === 'call-resolved') tally.callsMet += 1;
      else if (kind === 'call-expired') tally.callsExpired += 1;
      else if (kind === 'liquidation-started') tally.liquidations += 1;
    }
  }
}
