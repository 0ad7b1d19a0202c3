/** One effect a key: a request that comes again, at the same time or after a restart, gets the answer that was stored with its first record. */
import { PlimsollError } from '../../errors.ts';
import { hashOf } from '../../json.ts';
import { type BookEvent, event } from '../events.ts';
import type { Draft } from '../store/store.ts';
import type { Journal } from './journal.ts';

export interface Keyed {
  /** 1 to 255 printable ASCII characters. */
  readonly key?: string | undefined;
  /** What must be the same when the key comes again: the whole request. */
  readonly body?: unknown;
}

/** What is stored under a key: all of the answer but its place in the log. */
export interface Answer {
  /** Kinds of the records that the request made, in their order. */
  readonly records: string[];
}

/** Last record of the request; where it made none, of the log. */
export type Placed<A> = A & { readonly seq: number };

/** One request, and how its decision is put into the log: with the answer under the key where there is one. */
export interface Entry {
  /** What is appended for a decision. */
  drafts(events: readonly BookEvent[], answer: Answer, account: string | null): readonly Draft[];
  /** Appends it. */
  commit<A extends Answer>(
    events: readonly BookEvent[],
    answer: A,
    account: string | null,
  ): Promise<Placed<A>>;
}

interface Flight {
  readonly bodyHash: string;
  readonly answer: Promise<unknown>;
}

export class Answers {
  private readonly journal: Journal;
  private readonly flights = new Map<string, Flight>();

  constructor(journal: Journal) {
    this.journal = journal;
  }

  /**
   * Does the work, or answers as before. A request that was refused left nothing under its key: it may be tried again.
   * @throws IDEMPOTENCY_CONFLICT where the key was used with another body
   */
  async once<A extends Answer>(
    { key, body }: Keyed,
    work: (entry: Entry) => Promise<Placed<A>>,
  ): Promise<Placed<A>> {
    if (key === undefined) return work(this.entry(undefined, ''));
    const bodyHash = hashOf(body ?? null);
    const before = this.flights.get(key);
    if (before !== undefined) {
      mustMatch(key, bodyHash, before.bodyHash);
      return (await before.answer) as Placed<A>;
    }
    const answer = this.first(key, bodyHash, work);
    this.flights.set(key, { bodyHash, answer });
    try {
      return await answer;
    } finally {
      this.flights.delete(key);
    }
  }

  /**
   * The log takes a key once: a request that comes again appends nothing, or is refused because of what it did the first time. Only then is
   * it looked up what was answered; most requests come once.
   */
  private async first<A extends Answer>(
    key: string,
    bodyHash: string,
    work: (entry: Entry) => Promise<Placed<A>>,
  ): Promise<Placed<A>> {
    try {
      return await work(this.entry(key, bodyHash));
    } catch (error) {
      const before = await this.before<A>(key, bodyHash);
      if (before === null) throw error;
      return before;
    }
  }

  /** What was answered under the key; null where nothing was. */
  private async before<A extends Answer>(key: string, bodyHash: string): Promise<Placed<A> | null> {
    const stored = await this.journal.store.answerTo(key);
    if (stored === null) return null;
    mustMatch(key, bodyHash, stored.bodyHash);
    return placed(stored.answer as A, stored.seq);
  }

  private entry(key: string | undefined, bodyHash: string): Entry {
    const drafts: Entry['drafts'] = (events, answer, account) => {
      const lasting = events.length > 0 || key === undefined || account === null;
      // What changed nothing is noted, too, where it has a key: the answer to it must stay what it was.
      const [first, ...rest] = lasting ? events : [event('account-changed', { account })];
      if (first === undefined) return [];
      return [key === undefined ? first : { ...first, key, answer, bodyHash }, ...rest];
    };
    return {
      drafts,
      commit: async (events, answer, account) => {
        const marked = drafts(events, answer, account);
        if (marked.length > 0) return placed(answer, (await this.journal.append(marked))[0]!.seq);
        const before = key === undefined ? null : await this.before<typeof answer>(key, bodyHash);
        return before ?? { ...answer, seq: this.journal.book.seq };
      },
    };
  }
}

/** @param first record of the request */
export function placed<A extends Answer>(answer: A, first: number): Placed<A> {
  return { ...answer, seq: first + Math.max(1, answer.records.length) - 1 };
}

function mustMatch(key: string, asked: string, before: string | undefined): void {
  if (asked === before) return;
  const message = `the idempotency key ${JSON.stringify(key)} was used for another request`;
  throw new PlimsollError('IDEMPOTENCY_CONFLICT', message, { path: 'Idempotency-Key' });
}
