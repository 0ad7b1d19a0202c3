/** Commands to the book: decided one at a time for each account, durable before they are answered, and of one effect for each key. */
import type { Engine } from '../../engine/engine.ts';
import type { AccountChange } from '../../engine/studies/changes.ts';
import type { WhatIf } from '../../engine/studies/whatIfSchema.ts';
import { PlimsollError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import { accountId } from '../../margin/account.ts';
import { toAccount } from '../book.ts';
import type { Command } from '../commands.ts';
import { decide, readCommand } from '../decide.ts';
import type { BookEvent } from '../events.ts';
import type { DecisionContext } from '../listings.ts';
import { Answers, type Entry, type Keyed, type Placed } from './answers.ts';
import type { Journal } from './journal.ts';
import type { Lanes } from './lanes.ts';
import { isTrade, Sittings } from './sittings.ts';

/** What a command is answered. */
export interface Accepted {
  /** Null for what concerns many accounts. */
  readonly account: string | null;
  /** Kinds of the records that it made, in their order: none where nothing changed. */
  readonly records: string[];
}

/** A what-if whose orders were placed, or not, in the same breath. */
export type Reservation = WhatIf & {
  readonly reserved: boolean;
  readonly records: string[];
};

export interface CommandParts {
  readonly journal: Journal;
  readonly engine: Engine;
  readonly lanes: Lanes;
  /** ISO-8601 UTC with milliseconds. */
  readonly now: () => string;
}

export class CommandDesk {
  private readonly parts: CommandParts;
  private readonly answers: Answers;
  private readonly sittings: Sittings;
  /** One command at a time states the terms of contracts: a second one finds them in the book. */
  private readonly listing = new Map<string, Promise<unknown>>();

  constructor(parts: CommandParts) {
    this.parts = parts;
    this.answers = new Answers(parts.journal);
    this.sittings = new Sittings({
      ...parts,
      context: () => this.context(),
      alone: (account, { command, entry }) => this.decided(command, account, entry),
    });
  }

  /** @throws as `decide`; IDEMPOTENCY_CONFLICT; STORE_… where it could not be made durable: then it has no effect */
  async command(value: unknown, keyed: Keyed = {}): Promise<Placed<Accepted>> {
    const command = readCommand(value);
    return this.answers.once(keyed, (entry) => {
      const account = accountIn(command);
      if (account !== null && isTrade(command)) {
        return this.sittings.join(account, { command, entry });
      }
      const work = () => this.decided(command, account, entry);
      return account === null ? this.parts.lanes.exclusive(work) : this.alone(account, work);
    });
  }

  /**
   * Margin before and after some orders, and the orders placed where every one of them may be: nothing comes between the decision and the
   * order. What is refused is answered, not thrown.
   * @throws NOT_FOUND, INVALID_FIELD where the change has more than orders, MISSING_FIELD for an order without an id
   */
  async reserve(
    id: string,
    change: AccountChange,
    keyed: Keyed = {},
  ): Promise<Placed<Reservation>> {
    checkReservable(change);
    const { journal, engine } = this.parts;
    return this.answers.once(keyed, (entry) =>
      this.alone(id, async () => {
        const judged = await engine.whatIf(toAccount(journal.book, id), { change });
        const reserved = judged.verdict.allowed && judged.orders.every(isAllowed);
        const command = { do: 'place-orders', account: id, orders: change.orders };
        return this.committed(
          () => (reserved ? decide(journal.book, command, this.context()) : []),
          (events) => entry.commit(events, { ...judged, reserved, records: kindsOf(events) }, id),
        );
      }),
    );
  }

  /**
   * Opens many accounts at once; those that are booked already must be as they are stated.
   * @returns how many were opened
   * @throws as `decide`; the accounts of the batches before are open then
   */
  load(accounts: readonly unknown[]): Promise<number> {
    const { lanes, journal } = this.parts;
    return lanes.exclusive(async () => {
      let opened = 0;
      const ids = new Set<string>();
      for (let first = 0; first < accounts.length; first += LOAD_BATCH) {
        const events = accounts.slice(first, first + LOAD_BATCH).flatMap((account) => {
          const id = accountId(account);
          if (id !== null && ids.has(id)) {
            throw new PlimsollError('DUPLICATE_ID', `two accounts have the id ${id}`, {
              account: id,
            });
          }
          if (id !== null) ids.add(id);
          return decide(journal.book, { do: 'put-account', account }, this.context());
        });
        const once = withoutRepeatedListings(events);
        opened += once.filter(({ kind }) => kind === 'account-opened').length;
        for (let at = 0; at < once.length; at += LIMITS.storeCallRecordsMax) {
          await journal.append(once.slice(at, at + LIMITS.storeCallRecordsMax));
        }
      }
      return opened;
    });
  }

  /** Behind everything that came for the account before, and before everything that comes after. */
  private alone<T>(account: string, work: () => Promise<T>): Promise<T> {
    this.sittings.end(account);
    return this.parts.lanes.run(account, work);
  }

  private async decided(
    command: Command,
    account: string | null,
    entry: Entry,
  ): Promise<Placed<Accepted>> {
    const { book } = this.parts.journal;
    const more = await this.afterWithdrawal(command);
    return this.committed(
      () => decide(book, command, this.context(more)),
      (events) => entry.commit(events, { account, records: kindsOf(events) }, account),
    );
  }

  /** Decides and appends without a pause between; what lists contracts waits until nobody else does. */
  private async committed<T>(
    decideNow: () => readonly BookEvent[],
    append: (events: readonly BookEvent[]) => Promise<T>,
  ): Promise<T> {
    for (;;) {
      const events = decideNow();
      const listed = events.flatMap(({ kind, body }) =>
        kind === 'contract-listed' ? [body.instrument] : [],
      );
      const others = listed.flatMap((instrument) => this.listing.get(instrument) ?? []);
      if (others.length > 0) {
        await Promise.allSettled(others);
        continue;
      }
      const appended = append(events);
      for (const instrument of listed) this.listing.set(instrument, appended);
      try {
        return await appended;
      } finally {
        for (const instrument of listed) this.listing.delete(instrument);
      }
    }
  }

  /** What a withdrawal leaves free, as the engine says; nothing is asked where it is refused for another reason. */
  private async afterWithdrawal(command: Command): Promise<Partial<DecisionContext>> {
    if (command.do !== 'move-collateral' || !(command.amount < 0)) return {};
    const { journal, engine } = this.parts;
    decide(journal.book, command, this.context({ freeAfter: 0 }));
    const { account, asset, amount } = command;
    const change = { collateral: [{ asset, amount }] };
    const judged = await engine.whatIf(toAccount(journal.book, account), { change });
    return { freeAfter: judged.freeCollateral.after };
  }

  private context(more: Partial<DecisionContext> = {}): DecisionContext {
    const { market } = this.parts.journal;
    return { market: market.market(), now: market.asOf() ?? this.parts.now(), ...more };
  }
}

/** Accounts of one append when many are loaded. */
const LOAD_BATCH = 1_000;

function accountIn(command: Command): string | null {
  if (command.do === 'fund' || command.do === 'settle') return null;
  if (command.do !== 'put-account') return command.account;
  // One without an id is refused when it is decided.
  return accountId(command.account) ?? '';
}

function kindsOf(events: readonly BookEvent[]): string[] {
  return events.map(({ kind }) => kind);
}

function isAllowed({ verdict }: WhatIf['orders'][number]): boolean {
  return verdict.allowed;
}

function checkReservable({ orders, ...rest }: AccountChange): void {
  const other = Object.keys(rest)[0];
  if (other !== undefined) {
    const path = `change.${other}`;
    throw new PlimsollError('INVALID_FIELD', `${path}: only orders can be reserved`, { path });
  }
  if (orders === undefined || orders.length === 0) {
    throw new PlimsollError('MISSING_FIELD', 'change.orders is required', {
      path: 'change.orders',
    });
  }
  orders.forEach(({ id }, i) => {
    if (id !== undefined) return;
    const path = `change.orders[${i}].id`;
    throw new PlimsollError('MISSING_FIELD', `${path} is required: the order is booked`, { path });
  });
}

/** Decided on one book, several accounts state the same terms. */
function withoutRepeatedListings(events: readonly BookEvent[]): readonly BookEvent[] {
  const listed = new Set<string>();
  return events.filter(({ kind, body }) => {
    if (kind !== 'contract-listed') return true;
    const repeated = listed.has(body.instrument);
    listed.add(body.instrument);
    return !repeated;
  });
}
