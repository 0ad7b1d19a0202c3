/**
 * How an account's market risk and stress loss change with one contract more of any instrument: Euler's derivative of ES, the mean of the
 * contract's losses over the scenarios of the tail (Tasche 1999). It ranks what may be traded; what is traded is margined.
 */
import type { Account } from '../../margin/account.ts';
import { holdingBook } from '../../margin/books.ts';
import { type Holding, partHolding } from '../../margin/holding.ts';
import { resolvePortfolio } from '../../margin/portfolio.ts';
import { type TailScenarios, tailMean, tailScenarios } from '../../risk/contributions.ts';
import { rankFinder } from '../arrangements.ts';
import { cubeOf } from '../sessionData.ts';
import type { Bench } from '../shards.ts';
import { SingleBook } from '../singleBook.ts';

/** What is charged together: the account, or under cross margin its part in one underlying. */
interface GradientPool {
  readonly tail: TailScenarios;
  readonly expectedShortfall: number;
  /** The worst scenario of the stress library and its loss; −1 where there is none. */
  readonly stressScenario: number;
  readonly stressLoss: number;
}

export class MarginGradient {
  private readonly bench: Bench;
  private readonly slot: number;
  private readonly cross: boolean;
  private readonly pools = new Map<number, GradientPool>();

  /** @param account not in isolated mode */
  constructor(account: Account, bench: Bench, slot: number) {
    this.bench = bench;
    this.slot = slot;
    this.cross = account.mode === 'cross';
    const portfolio = resolvePortfolio(account, bench.session.valuation);
    if (!this.cross) this.add(0, portfolio);
    else
      for (const part of portfolio.parts) this.add(part.underlying, partHolding(portfolio, part));
  }

  /** By how much the requirement's base rises, in currency, with one contract bought; NaN where there is no tail to tell. */
  perContract(instrument: number): number {
    const { session } = this.bench;
    const { market, plan, methodology } = session.valuation;
    const pool = this.pools.get(this.cross ? market.instruments[instrument]!.underlying : 0);
    if (pool === undefined) return Number.NaN;
    const row = plan.rowOf[instrument]!;
    const { tail, expectedShortfall, stressScenario, stressLoss } = pool;
    const values = this.row(row, 'base');
    const losses = Float64Array.from(tail.scenarios, (s) => -values[s]!);
    const { components, stress } = methodology;
    const risk = components.includes('marketRisk') && expectedShortfall > 0;
    const charged = risk ? tailMean(losses, tail) : 0;
    if (stressScenario === -1 || !(stressLoss > Math.max(0, expectedShortfall))) return charged;
    const stressed = -this.row(row, 'stress')[stressScenario]!;
    return charged + stress.weight * (stressed - charged);
  }

  private add(key: number, holding: Holding): void {
    const { session } = this.bench;
    const book = holdingBook(holding, session.valuation);
    if (book.segments.length === 0) return;
    const pnl = new SingleBook(this.bench, this.slot).pnl(book).slice();
    const tail = tailScenarios(pnl, rankFinder(session)(book.masks));
    const losses = Float64Array.from(tail.scenarios, (s) => -pnl[s]!);
    const expectedShortfall = tailMean(losses, tail);
    let stressScenario = -1;
    let stressLoss = Number.NEGATIVE_INFINITY;
    if (session.sides.stress !== null) {
      const stressed = new SingleBook(this.bench, this.slot, cubeOf(session, 'stress')).pnl(book);
      for (let s = 0; s < stressed.length; s++) {
        if (!(-stressed[s]! > stressLoss)) continue;
        stressLoss = -stressed[s]!;
        stressScenario = s;
      }
    }
    this.pools.set(key, { tail, expectedShortfall, stressScenario, stressLoss });
  }

  private row(row: number, name: 'base' | 'stress'): Float64Array {
    const { layout, set } = cubeOf(this.bench.session, name);
    const at = (layout.rows + row * layout.rowBytes) / 8;
    return this.bench.views.f64.subarray(at, at + set.scenarios);
  }
}
