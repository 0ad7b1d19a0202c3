/** One account margined again and again on a session as it is, a little changed each time. Runs in a worker. */
import type { Account } from '../margin/account.ts';
import { resolvePortfolio } from '../margin/portfolio.ts';
import type { MarginResult } from '../margin/result.ts';
import { enterAccount, enterOwn, type OwnFigures, ownFigures, resultOf } from './accountBooks.ts';
import { RememberedBooks } from './rememberedBooks.ts';
import { rememberedResult } from './rememberedResults.ts';
import type { Bench } from './shards.ts';

/** Its figures are those of `AccountEvaluator` on the same session, bit for bit; what was summed for one call serves the next. */
export class AccountDesk {
  private readonly bench: Bench;
  private readonly books: RememberedBooks;

  constructor(bench: Bench, slot: number) {
    this.bench = bench;
    this.books = new RememberedBooks(bench, slot);
  }

  /** The whole margin result. @throws the first error of the account */
  margin(account: Account): MarginResult {
    const { valuation, provenance, set } = this.bench.session;
    const portfolio = resolvePortfolio(account, valuation);
    const entered = enterAccount(portfolio, valuation, this.books);
    this.books.run();
    return resultOf(entered, this.books, { valuation, provenance, scenarios: set.scenarios });
  }

  /** The same, of an account that may well be asked about again as it is. */
  marginAsBefore(account: Account): MarginResult {
    return rememberedResult(this.bench.session, account, () => this.margin(account));
  }

  /** Equity and requirement under the account's own mode alone. */
  own(account: Account): OwnFigures {
    const { valuation } = this.bench.session;
    const entered = enterOwn(resolvePortfolio(account, valuation), valuation, this.books);
    this.books.run();
    return ownFigures(entered, valuation);
  }
}
