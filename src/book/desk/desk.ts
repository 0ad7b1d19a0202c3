/**
 * The desk: one owner of a book, its store and an engine. Commands and ticks go in, each acknowledged when it is durable; figures, states and
 * calls come out, and are records of the same log.
 */
import type { Engine } from '../../engine/engine.ts';
import type { AccountChange } from '../../engine/studies/changes.ts';
import { PlimsollError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import type { AccountInput } from '../../margin/account.ts';
import type { MarketSnapshot } from '../../market/snapshot.ts';
import { accountOf, type Book, type BookAccount, toAccount } from '../book.ts';
import { DEFAULT_CALL_MINUTES } from '../calls.ts';
import type { Store } from '../store/store.ts';
import type { Keyed, Placed } from './answers.ts';
import { type Accepted, CommandDesk, type Reservation } from './commandDesk.ts';
import { Cycle } from './cycle.ts';
import type { Figures } from './figures.ts';
import { type Followed, type FollowOptions, follow } from './follow.ts';
import { Journal, type RestoreProgress } from './journal.ts';
import { Lanes } from './lanes.ts';
import type { TicksTaken } from './marketDoor.ts';
import { Measures } from './measures.ts';
import { merged } from './merged.ts';
import { observers } from './observer.ts';
import { Plans } from './plans.ts';
import { takeUp } from './takeUp.ts';
import { followTriggers, type TriggerNews } from './triggerPages.ts';
import { TriggerBook } from './triggers.ts';
import { ruleOf } from './volatilities.ts';

export type { Keyed, Placed } from './answers.ts';
export type { Accepted, Reservation } from './commandDesk.ts';
export type { Figures } from './figures.ts';
export type { Followed, FollowOptions, RecordFilter } from './follow.ts';
export type { TicksTaken } from './marketDoor.ts';
export type { Meter } from './measures.ts';
export type { TriggerNews } from './triggerPages.ts';

export interface DeskOptions {
  /** Not closed with the desk: whoever opened it closes it, after the desk. */
  readonly store: Store;
  /** Not closed with the desk. Its market is the book's from now on: change it through the desk only. */
  readonly engine: Engine;
  /** How long a margin call may be answered; default 60 minutes. */
  readonly callMinutes?: number | undefined;
  /** A cycle of recomputation that has lasted so long looks for new ticks; default 50 ms. */
  readonly cycleMs?: number | undefined;
  /** An underlying without a tick for so long makes the figures of its accounts stale; default: never. */
  readonly staleAfterMs?: number | undefined;
  /** Records in memory for streams. */
  readonly recordsKept?: number | undefined;
  /** Milliseconds since 1970; default the system's clock. */
  readonly clock?: (() => number) | undefined;
  /** Told now and then how far the log is read again. */
  readonly onProgress?: ((step: RestoreProgress) => void) | undefined;
}

/** Figures of a booked account as the log has them now. */
export interface CurrentFigures extends Figures {
  readonly account: BookAccount;
  /** Underlyings of the account that were not heard of for too long, in code-unit order. */
  readonly staleUnderlyings: readonly string[];
}

/** Those who work beside the cycle. */
export interface Beside {
  /** How the desk keeps up. */
  readonly measures: Measures;
  readonly triggers: TriggerBook;
  readonly plans: Plans;
}

export class Desk implements Beside {
  readonly journal: Journal;
  readonly measures: Measures;
  readonly triggers: TriggerBook;
  readonly plans: Plans;
  private readonly cycle: Cycle;
  private readonly commands: CommandDesk;
  private readonly clock: () => number;
  private readonly staleAfterMs: number;
  private readonly stopListening: () => void;

  /** Use `openDesk`. */
  constructor(
    journal: Journal,
    cycle: Cycle,
    commands: CommandDesk,
    beside: Beside,
    options: DeskOptions,
  ) {
    this.journal = journal;
    this.cycle = cycle;
    this.commands = commands;
    this.measures = beside.measures;
    this.triggers = beside.triggers;
    this.plans = beside.plans;
    this.clock = options.clock ?? Date.now;
    this.staleAfterMs = options.staleAfterMs ?? Number.POSITIVE_INFINITY;
    this.stopListening = journal.listen((_, touched) => cycle.mark(touched));
    cycle.mark(journal.book.accounts.keys());
  }

  /** To be read only. */
  get book(): Book {
    return this.journal.book;
  }

  /** The market of the log's end. @throws NO_MARKET */
  get market(): MarketSnapshot {
    const { snapshot } = this.journal.market;
    if (snapshot === null) throw new PlimsollError('NO_MARKET', 'no market is loaded');
    return snapshot;
  }

  /** A command of `commands.ts`; see `CommandDesk.command`. */
  command(command: unknown, keyed: Keyed = {}): Promise<Placed<Accepted>> {
    return this.commands.command(command, keyed);
  }

  /** See `CommandDesk.reserve`. */
  reserve(id: string, change: AccountChange, keyed: Keyed = {}): Promise<Placed<Reservation>> {
    return this.commands.reserve(id, change, keyed);
  }

  /** Opens many accounts; see `CommandDesk.load`. */
  load(accounts: readonly unknown[]): Promise<number> {
    return this.commands.load(accounts);
  }

  /** Ticks as `TicksSchema` has them; see `MarketDoor.ticks`. */
  ticks(value: unknown): Promise<TicksTaken> {
    return this.cycle.door.ticks(value);
  }

  /** A new snapshot; see `MarketDoor.replace`. @returns its record */
  replaceMarket(snapshot: unknown, source: string): Promise<number> {
    return this.cycle.door.replace(snapshot, source);
  }

  /** A new factor model; see `MarketDoor.replaceFactors`. @returns its record */
  replaceFactors(model: unknown, source: string): Promise<number> {
    return this.cycle.door.replaceFactors(model, source);
  }

  /** @throws NOT_FOUND */
  account(id: string): AccountInput {
    return toAccount(this.book, id);
  }

  /** Waits until the figures are of the account and the market as they are now. @throws NOT_FOUND, SATURATED */
  async figures(id: string): Promise<CurrentFigures> {
    accountOf(this.book, id);
    const figures = await this.cycle.current(id);
    return { ...figures, account: accountOf(this.book, id), staleUnderlyings: this.stale(id) };
  }

  /** The latest figures, whatever happened since; null before the first. */
  latest(id: string): Figures | null {
    return this.cycle.figures.get(id) ?? null;
  }

  /** Records from some place on; see `follow`. */
  follow(options: FollowOptions): AsyncGenerator<Followed, void, undefined> {
    return follow(this.journal, options);
  }

  /** The same, and the triggers of the same accounts: see `followTriggers`. */
  followWithTriggers(options: FollowOptions): AsyncGenerator<Followed | TriggerNews, void> {
    const { accounts } = options.filter ?? {};
    return merged<Followed | TriggerNews>(options.signal, [
      (signal) => this.follow({ ...options, signal }),
      (signal) => followTriggers(this.triggers, accounts, signal),
    ]);
  }

  /** Resolves when all figures are current and published, and no liquidation waits for its plan. */
  async quiet(): Promise<void> {
    do {
      await this.cycle.quiet();
      await this.plans.quiet();
    } while (this.plans.size > 0);
    await this.cycle.quiet();
  }

  /** Ends the cycle, and keeps a snapshot for a fast start. */
  async close(): Promise<void> {
    this.stopListening();
    await this.cycle.close();
    await Promise.all([this.plans.close(), this.triggers.close()]);
    // A start without it takes longer, that is all.
    await this.journal.saveSnapshot().catch(() => {});
  }

  /** Underlyings of the market that were not heard of for too long, in code-unit order. */
  staleUnderlyings(): readonly string[] {
    return this.unheard(this.journal.market.snapshot?.underlyings.map(({ id }) => id) ?? []);
  }

  private stale(id: string): readonly string[] {
    return this.unheard(this.cycle.exposures.of(id));
  }

  private unheard(underlyings: Iterable<string>): readonly string[] {
    const { heard } = this.journal.market;
    const limit = this.clock() - this.staleAfterMs;
    return [...underlyings].filter((id) => (heard.get(id) ?? 0) < limit).sort();
  }
}

/**
 * Restores the latest snapshot and the log after it, and puts the engine on the market of the log's end; an empty log begins with the
 * engine's own. Then every account is margined.
 * @throws STORE_…, INVALID_RECORD, INVALID_FIELD
 */
export async function openDesk(options: DeskOptions): Promise<Desk> {
  const { store, engine, callMinutes = DEFAULT_CALL_MINUTES } = options;
  const { cycleMs = LIMITS.deskCycleMs, clock = Date.now, staleAfterMs = 1 } = options;
  for (const [path, value] of Object.entries({ cycleMs, staleAfterMs })) {
    if (value > 0) continue;
    throw new PlimsollError('INVALID_FIELD', `${path} must be above 0, got ${value}`, { path });
  }
  const journal = await Journal.open(store, options.recordsKept, options.onProgress);
  const { parameters } = await engine.info();
  const rule = ruleOf(parameters);
  await takeUp(journal, engine, rule);
  const { warningLevel, releaseLevel } = parameters;
  const settings = { warningLevel, releaseLevel, callMinutes };
  const now = (): string => new Date(clock()).toISOString();
  const lanes = new Lanes();
  const beside = {
    measures: new Measures(),
    plans: new Plans({ journal, engine, lanes }),
    triggers: new TriggerBook({ journal, engine }),
  };
  journal.committed = (milliseconds) => beside.measures.committed(milliseconds);
  const observer = observers(Object.values(beside));
  const cycle = new Cycle({ journal, engine, lanes, rule, settings, cycleMs, observer, now });
  const commands = new CommandDesk({ journal, engine, lanes, now });
  return new Desk(journal, cycle, commands, beside, options);
}
