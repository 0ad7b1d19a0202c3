/** Margin of many accounts on a session whose cubes are filled: read, resolve, sum, measure, compose. Runs in a worker. */
import { asPlimsollError, ensure, PlimsollError } from '../errors.ts';
import { type Account, accountId, readAccount } from '../margin/account.ts';
import { type Portfolio, resolvePortfolio } from '../margin/portfolio.ts';
import type { MarginResult, RejectedAccount } from '../margin/result.ts';
import { type EnteredAccount, enterAccount, resultOf } from './accountBooks.ts';
import { BookPasses } from './bookPasses.ts';
import type { Documents } from './documents.ts';
import type { Bench } from './shards.ts';

export type AccountOutcome = MarginResult | RejectedAccount;

/** A document to be checked, an account that has been, or the error that stands in its place. */
export type AccountDocument =
  | { readonly value: unknown }
  | { readonly account: Account }
  | { readonly error: PlimsollError };

export function rejected(error: unknown, account: string | null): RejectedAccount {
  return { account, error: asPlimsollError(error).toRecord() };
}

interface Pending {
  readonly index: number;
  readonly entered: EnteredAccount;
}

export class AccountEvaluator {
  private readonly bench: Bench;
  private readonly passes: BookPasses;

  constructor(bench: Bench, slot: number) {
    this.bench = bench;
    this.passes = new BookPasses(bench, slot);
  }

  /** @param cancelled asked between passes; when true, CANCELLED is thrown */
  evaluate(documents: Documents, cancelled: () => boolean): readonly AccountOutcome[] {
    const outcomes = new Array<AccountOutcome>(documents.count);
    let pending: Pending[] = [];
    this.passes.begin(documents.count);
    const flush = (): void => {
      if (cancelled()) throw new PlimsollError('CANCELLED', 'the caller has gone');
      this.passes.run();
      for (const { index, entered } of pending) outcomes[index] = this.compose(entered);
      pending = [];
      this.passes.begin(documents.count);
    };
    for (let index = 0; index < documents.count; index++) {
      const document = documents.read(index);
      if ('error' in document) {
        outcomes[index] = rejected(document.error, null);
        continue;
      }
      try {
        const account = 'account' in document ? document.account : readAccount(document.value);
        const portfolio = resolvePortfolio(account, this.bench.session.valuation);
        // Entered first, pushed then: a flush on the way puts a new list in the place of the old one.
        const entered = this.enter(portfolio) ?? this.enterAfter(flush, portfolio);
        pending.push({ index, entered });
      } catch (error) {
        if (error instanceof PlimsollError && error.code === 'CANCELLED') throw error;
        const id = 'account' in document ? document.account.id : accountId(document.value);
        outcomes[index] = rejected(error, id);
      }
    }
    flush();
    for (let i = 0; i < outcomes.length; i++) {
      ensure(outcomes[i] !== undefined, `account ${i} of a shard has no answer`);
    }
    return outcomes;
  }

  /** Enters all books of an account; null when the pass must run first. */
  private enter(portfolio: Portfolio): EnteredAccount | null {
    const { passes, bench } = this;
    const mark = passes.mark();
    const entered = enterAccount(portfolio, bench.session.valuation, passes);
    if (!passes.full) return entered;
    passes.rewind(mark);
    return null;
  }

  private enterAfter(flush: () => void, portfolio: Portfolio): EnteredAccount {
    flush();
    const entered = this.enter(portfolio);
    if (entered !== null) return entered;
    throw new PlimsollError('OUT_OF_MEMORY', 'the account does not fit into a scratch slot');
  }

  private compose(entered: EnteredAccount): AccountOutcome {
    const { valuation, provenance, set } = this.bench.session;
    try {
      return resultOf(entered, this.passes, { valuation, provenance, scenarios: set.scenarios });
    } catch (error) {
      return rejected(error, entered.portfolio.account.id);
    }
  }
}
