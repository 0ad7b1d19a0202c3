/** Margins against what came: what accounts held at the beginning of a day loses over the margin period of risk, held still. */
import type { AccountInput } from '../../margin/account.ts';
import { toAccount } from '../book.ts';
import type { Exchange } from './exchange.ts';
import type { Coverage } from './report.ts';

interface Frozen {
  readonly account: AccountInput;
  readonly equity: number;
  readonly initialMargin: number;
}

/** What all accounts hold at one instant, to be looked at again later. */
export class CoverageProbe {
  readonly day: number;
  /** When the margin period of risk is over. */
  readonly dueMs: number;
  private readonly frozen: readonly Frozen[];

  constructor(day: number, exchange: Exchange) {
    const { book, figures, methodology, nowMs } = exchange;
    this.day = day;
    this.dueMs = nowMs + methodology.horizonDays * 86_400_000;
    this.frozen = [...figures].flatMap(([id, { equity, initialMargin }]) =>
      // Orders are no positions, and what needs no margin cannot be covered or not.
      initialMargin > 0
        ? [{ account: { ...toAccount(book, id), orders: [] }, equity, initialMargin }]
        : [],
    );
  }

  /** Loss = equity then − equity now, covered where it is at most the initial margin (open orders' part included). */
  async measure({ engine }: Exchange): Promise<Coverage> {
    let [i, accountDays, covered, unmeasured] = [0, 0, 0, 0];
    let worst = Number.NEGATIVE_INFINITY;
    for await (const outcome of engine.marginBatch(this.frozen.map(({ account }) => account))) {
      const { equity, initialMargin } = this.frozen[i]!;
      i += 1;
      if ('error' in outcome) {
        unmeasured += 1;
        continue;
      }
      const loss = equity - outcome.equity;
      accountDays += 1;
      if (loss <= initialMargin) covered += 1;
      worst = Math.max(worst, loss / initialMargin);
    }
    return {
      accountDays,
      covered,
      share: accountDays === 0 ? null : covered / accountDays,
      worst: accountDays === 0 ? null : worst,
      unmeasured,
    };
  }
}
