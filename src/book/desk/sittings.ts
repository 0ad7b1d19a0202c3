/**
 * Trades of one account that wait for their turn are taken together when it comes: each is decided on what those before it leave, and all are
 * appended as one, so that they share a synchronisation of the disk. All of them become durable, or none does and each goes by itself.
 */

import type { Command } from '../commands.ts';
import { decide } from '../decide.ts';
import { Draft } from '../draft.ts';
import type { DecisionContext } from '../listings.ts';
import type { Draft as StoreDraft } from '../store/store.ts';
import { type Entry, type Placed, placed } from './answers.ts';
import type { Accepted } from './commandDesk.ts';
import type { Journal } from './journal.ts';
import type { Lanes } from './lanes.ts';

export interface Asked {
  readonly command: Command;
  readonly entry: Entry;
}

/** One that waits, and whom to tell. */
interface Seat {
  readonly asked: Asked;
  readonly resolve: (answer: Placed<Accepted>) => void;
  readonly reject: (error: unknown) => void;
}

interface Decision {
  readonly answer: Accepted;
  readonly drafts: readonly StoreDraft[];
}

export interface SittingParts {
  readonly journal: Journal;
  readonly lanes: Lanes;
  readonly context: () => DecisionContext;
  /** Decides and appends one by itself. */
  readonly alone: (account: string, asked: Asked) => Promise<Placed<Accepted>>;
}

/** At one sitting, at most. */
const SEATS = 256;

/** What a draft can decide one after the other: they look at nothing but the account. */
const TRADES: ReadonlySet<string> = new Set([
  'fill',
  'place-orders',
  'amend-order',
  'cancel-orders',
]);

export function isTrade(command: Command): boolean {
  return TRADES.has(command.do);
}

export class Sittings {
  private readonly parts: SittingParts;
  /** By account: those whose turn has not come and who can still be joined. */
  private readonly open = new Map<string, Seat[]>();

  constructor(parts: SittingParts) {
    this.parts = parts;
  }

  /** Takes a trade in its turn. @throws as `CommandDesk.command` */
  join(account: string, asked: Asked): Promise<Placed<Accepted>> {
    return new Promise((resolve, reject) => {
      const seat = { asked, resolve, reject };
      const waiting = this.open.get(account);
      if (waiting !== undefined && waiting.length < SEATS) {
        waiting.push(seat);
        return;
      }
      const seats = [seat];
      this.open.set(account, seats);
      void this.parts.lanes.run(account, () => {
        if (this.open.get(account) === seats) this.open.delete(account);
        return this.sit(account, seats);
      });
    });
  }

  /** Something else comes for the account: who joins from now on comes behind it. */
  end(account: string): void {
    this.open.delete(account);
  }

  private async sit(account: string, seats: readonly Seat[]): Promise<void> {
    let together = true;
    for (let left = seats; left.length > 0; ) {
      const settled = together ? await this.atOnce(account, left) : 0;
      if (settled === null) together = false;
      else left = left.slice(settled);
      const [next, ...rest] = left;
      if (next === undefined) return;
      // It is refused, lists a contract, or comes again; or the store refuses all of them: it is told by itself.
      await this.parts.alone(account, next.asked).then(next.resolve, next.reject);
      left = rest;
    }
  }

  /** @returns how many of the first were settled; null where they could not be appended, and nothing has happened */
  private async atOnce(account: string, seats: readonly Seat[]): Promise<number | null> {
    const { journal } = this.parts;
    const decisions = this.decisions(account, seats);
    if (decisions.length < 2) return 0;
    const drafts = decisions.flatMap((one) => one.drafts);
    try {
      const [record] = drafts.length === 0 ? [journal.book] : await journal.append(drafts);
      let first = record!.seq;
      decisions.forEach(({ answer, drafts: own }, i) => {
        const { resolve } = seats[i]!;
        resolve(own.length === 0 ? { ...answer, seq: journal.book.seq } : placed(answer, first));
        first += own.length;
      });
      return decisions.length;
    } catch {
      return null;
    }
  }

  /** Of the first ones, as far as they go together. */
  private decisions(account: string, seats: readonly Seat[]): readonly Decision[] {
    const { book } = this.parts.journal;
    const decisions: Decision[] = [];
    try {
      const context = this.parts.context();
      const draft = new Draft(book, account, context);
      for (const { asked } of seats) {
        const events = decide(book, asked.command, { ...context, draft });
        // Whoever lists a contract may have to wait for somebody else who does.
        if (events.some(({ kind }) => kind === 'contract-listed')) break;
        const answer = { account, records: events.map(({ kind }) => kind) };
        decisions.push({ answer, drafts: asked.entry.drafts(events, answer, account) });
      }
    } catch {
      // Refused: it will be told why by itself.
    }
    return decisions;
  }
}
