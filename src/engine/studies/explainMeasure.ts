/** An account measured for its explanation: its margin result, the pools it is charged by, and the scenarios that its ES is the mean of. */
import type { Account } from '../../margin/account.ts';
import { holdingBook } from '../../margin/books.ts';
import { type Portfolio, resolvePortfolio } from '../../margin/portfolio.ts';
import type { MarginResult } from '../../margin/result.ts';
import {
  addLosses,
  type TailScenarios,
  tailMean,
  tailScenarios,
} from '../../risk/contributions.ts';
import type { TailRanks } from '../../risk/tail.ts';
import { type EnteredOwn, enterAccount, enterOwn, resultOf } from '../accountBooks.ts';
import { BookPasses } from '../bookPasses.ts';
import type { Bench } from '../shards.ts';
import { SingleBook } from '../singleBook.ts';
import { type Line, linesOf, rowsOf } from './explainLines.ts';
import type { StudyContext } from './study.ts';

export type OwnPool = EnteredOwn['pools'][number];

/** The tail of the account's net P&L. */
export interface MeasuredTail {
  readonly ranks: TailRanks;
  /** P&L of the account by scenario, profit positive; +∞ where a scenario does not count. */
  readonly pnl: Float64Array;
  readonly tail: TailScenarios;
  readonly expectedShortfall: number;
}

export interface MeasuredAccount {
  readonly account: Account;
  readonly portfolio: Portfolio;
  readonly result: MarginResult;
  /** Of the account's own mode. */
  readonly pools: readonly OwnPool[];
  /** Null where nothing is at risk. */
  readonly tail: MeasuredTail | null;
  readonly lines: readonly Line[];
  /** Euler contribution of each line. */
  readonly contributions: Float64Array;
  /** ES of one unit of each row of the cube, long and short. */
  readonly units: Float64Array;
}

const known = new WeakMap<Bench, Map<number, BookPasses>>();

/** A session's ranks are found once for each scratch slot, not for each explanation. */
function passesOf({ bench, slot }: StudyContext): BookPasses {
  const bySlot = known.get(bench) ?? new Map<number, BookPasses>();
  known.set(bench, bySlot);
  const passes = bySlot.get(slot) ?? new BookPasses(bench, slot);
  bySlot.set(slot, passes);
  return passes;
}

export function measureAccount(account: Account, context: StudyContext): MeasuredAccount {
  const { session } = context.bench;
  const { valuation, provenance, set } = session;
  const portfolio = resolvePortfolio(account, valuation);
  const passes = passesOf(context);
  passes.begin(1);
  const entered = enterAccount(portfolio, valuation, passes);
  const pools =
    account.mode === 'isolated'
      ? enterOwn(portfolio, valuation, passes).pools
      : (entered.cross ?? [entered.net]);
  passes.run();
  const result = resultOf(entered, passes, { valuation, provenance, scenarios: set.scenarios });
  const ranks = entered.net.held.net?.ranks ?? null;
  const tail = ranks === null ? null : measureTail(portfolio, ranks, context);
  const lines = linesOf(portfolio, valuation);
  return {
    account,
    portfolio,
    result,
    pools,
    tail,
    lines,
    contributions: Float64Array.from(lines, (line) =>
      tail === null ? 0 : tailMean(lossesOf(line, tail.tail.scenarios, context.bench), tail.tail),
    ),
    units: passes.units('base')!,
  };
}

function measureTail(
  portfolio: Portfolio,
  ranks: TailRanks,
  { bench, slot }: StudyContext,
): MeasuredTail {
  const book = holdingBook(portfolio, bench.session.valuation);
  const pnl = new SingleBook(bench, slot).pnl(book).slice();
  const tail = tailScenarios(pnl, ranks);
  const losses = Float64Array.from(tail.scenarios, (s) => -pnl[s]! || 0);
  return { ranks, pnl, tail, expectedShortfall: tailMean(losses, tail) };
}

/** Losses of one line in some scenarios. */
export function lossesOf(line: Line, scenarios: Int32Array, bench: Bench): Float64Array {
  const losses = new Float64Array(scenarios.length);
  for (const { row, size } of rowsOf(line, bench.session.valuation.plan)) {
    addLosses(losses, rowValues(bench, row), size, scenarios);
  }
  return losses;
}

/** P&L of one unit of a row of the session's own cube, by scenario. */
export function rowValues({ session, views }: Bench, row: number): Float64Array {
  const { layout, set } = session;
  const at = (layout.rows + row * layout.rowBytes) / 8;
  return views.f64.subarray(at, at + set.scenarios);
}
