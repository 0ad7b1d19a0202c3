/** What a change of an account would do to its margin, and whether each order that it adds may be accepted. */
import type { Account, Order } from '../../margin/account.ts';
import { checkRaised } from '../../margin/allocations.ts';
import { lossAgainstMark, resolvePortfolio } from '../../margin/portfolio.ts';
import { afterCredit } from '../../margin/requirement.ts';
import { checkFigures, type MarginResult } from '../../margin/result.ts';
import { AccountDesk } from '../accountDesk.ts';
import { type AccountChange, applyChange, asFill, movesFunds } from './changes.ts';
import type { StudyContext } from './study.ts';
import type { Verdict, WhatIf, WhatIfRequest } from './whatIfSchema.ts';

/** What a verdict is made from, of one account. */
interface Standing {
  readonly initialMargin: number;
  readonly maintenanceMargin: number;
  /** Equity less the initial requirement after credit. */
  readonly free: number;
  /** How far equity falls short of the initial requirement after credit; ≤ 0 where it covers it. */
  readonly missing: number;
}

/**
 * Margin before and after a change, `after` being the margin of `applyChange`'s account bit for bit.
 *
 * A change is allowed for one of two reasons:
 * - `covered`: equity is at least the initial requirement after credit, both with the new orders open (which charges the worse side of all
 *   open orders, fees, and what they lose through the mark) and with all of them filled at their prices. In isolated mode each position's
 *   own equity covers its own requirement, too.
 * - `risk-reducing`: with its orders filled, neither initial nor maintenance margin (before credit) is greater than before, and what its trades
 *   lose against the mark is no more than the maintenance margin that they free: at the mark always, at any price that brings the account
 *   no nearer to liquidation; whatever the state, and whether or not equity covers anything. A change that takes collateral out, of the
 *   account or of what is set apart for an isolated position, or switches the margin mode is never allowed for this reason: the trades in it
 *   are not what needs to be allowed.
 * Each new order is judged by itself as well, one after the other as an exchange takes them: on the account with the rest of the change and
 * those of the orders before it that were allowed, as open orders.
 * @throws as `applyChange` does, the first error of the account, INVALID_FIELD where more is set apart for isolated positions than there is
 */
export function whatIf(account: Account, { change }: WhatIfRequest, context: StudyContext): WhatIf {
  const { valuation } = context.bench.session;
  const desk = new AccountDesk(context.bench, context.slot);
  const before = desk.marginAsBefore(account);
  const changed = applyChange(account, change, valuation);
  if (changed.mode === 'isolated') {
    const { collateralValue } = resolvePortfolio(changed, valuation);
    checkRaised(account, changed, collateralValue, 'change.allocated');
  }
  const after = desk.margin(changed);
  const judge = new OrderJudge(account, change, desk, context);
  const start = standingOf(before, account);
  const open = standingOf(after, changed);
  const filled = judge.filled(change.orders ?? [], [], open);
  const mayReduce = !movesFunds(account, change) && !takesAllocated(account, change, changed);
  const trades = [...(change.fills ?? []), ...(change.orders ?? []).map(asFill)];
  const verdict = verdictOn(start, open, filled, mayReduce, lossAgainstMark(trades, valuation));
  const free = { before: start.free, after: open.free };
  const answer: WhatIf = {
    before,
    after,
    state: { before: before.state, after: after.state },
    freeCollateral: free,
    difference: { ...differenceOf(before, after), freeCollateral: free.after - free.before },
    verdict,
    orders: judge.orders(verdict),
  };
  checkFigures(answer, account.id);
  return answer;
}

class OrderJudge {
  private readonly account: Account;
  private readonly change: AccountChange;
  private readonly desk: AccountDesk;
  private readonly context: StudyContext;

  constructor(account: Account, change: AccountChange, desk: AccountDesk, context: StudyContext) {
    this.account = account;
    this.change = change;
    this.desk = desk;
    this.context = context;
  }

  /** The standing when some new orders are filled and others stay open. */
  filled(orders: readonly Order[], open: readonly Order[], unfilled: Standing): Standing {
    if (orders.length === 0) return unfilled;
    const fills = [...(this.change.fills ?? []), ...orders.map(asFill)];
    return this.standing({ ...this.change, fills, orders: [...open] });
  }

  /** @param whole the verdict on the whole change, which is that of an order which is all of it */
  orders(whole: Verdict): WhatIf['orders'] {
    const { orders = [], ...rest } = this.change;
    if (orders.length === 0) return [];
    if (orders.length === 1 && Object.keys(rest).length === 0) {
      return [{ order: orders[0]!, verdict: whole }];
    }
    const open: Order[] = [];
    let before = this.standing({ ...rest, orders: open });
    return orders.map((order) => {
      this.context.checkCancelled();
      const after = this.standing({ ...rest, orders: [...open, order] });
      const loss = lossAgainstMark([asFill(order)], this.context.bench.session.valuation);
      const verdict = verdictOn(before, after, this.filled([order], open, after), true, loss);
      if (verdict.allowed) {
        open.push(order);
        before = after;
      }
      return { order, verdict };
    });
  }

  private standing(change: AccountChange): Standing {
    const { valuation } = this.context.bench.session;
    const account = applyChange(this.account, change, valuation);
    // Only a whole result says how each isolated position stands.
    if (account.mode === 'isolated') return standingOf(this.desk.margin(account), account);
    const { initialMargin, maintenanceMargin, initialRequirement, equity } = this.desk.own(account);
    const free = equity - initialRequirement;
    return { initialMargin, maintenanceMargin, free, missing: -free };
  }
}

function standingOf(result: MarginResult, { mode, creditLine }: Account): Standing {
  const { initialMargin, maintenanceMargin, equity } = result;
  const required = afterCredit(result, mode === 'isolated' ? 0 : creditLine);
  let lacking = 0;
  for (const position of result.positions ?? []) {
    lacking += Math.max(0, position.initialMargin - position.equity);
  }
  const free = equity - required.initialRequirement;
  const missing = lacking > 0 ? Math.max(lacking, -free) : -free;
  return { initialMargin, maintenanceMargin, free, missing };
}

/** @param loss of the trades against the mark */
function verdictOn(
  before: Standing,
  open: Standing,
  filled: Standing,
  mayReduce: boolean,
  loss: number,
): Verdict {
  const missing = Math.max(0, open.missing, filled.missing);
  if (missing === 0) return { allowed: true, reason: 'covered', missing };
  const reducing =
    filled.initialMargin <= before.initialMargin &&
    filled.maintenanceMargin <= before.maintenanceMargin &&
    loss <= before.maintenanceMargin - filled.maintenanceMargin;
  if (mayReduce && reducing) return { allowed: true, reason: 'risk-reducing', missing };
  return { allowed: false, reason: 'not-covered', missing };
}

/** Whether a position is left with less of its own collateral than the trades alone would leave it. */
function takesAllocated(
  account: Account,
  { allocated = [] }: AccountChange,
  changed: Account,
): boolean {
  return allocated.some(({ instrument, amount }) => {
    const at = account.instruments.indexOf(instrument);
    const before = at === -1 ? 0 : account.sizes[at]!;
    const after = changed.sizes[changed.instruments.indexOf(instrument)]!;
    const own = at === -1 ? Number.NaN : (account.allocated?.[at] ?? Number.NaN);
    const kept =
      before * after > 0 && own > 0 ? own * Math.min(1, after / before) : Math.min(0, own || 0);
    return amount < kept;
  });
}

function differenceOf(before: MarginResult, after: MarginResult) {
  return {
    equity: after.equity - before.equity,
    initialMargin: after.initialMargin - before.initialMargin,
    maintenanceMargin: after.maintenanceMargin - before.maintenanceMargin,
    valueAtRisk: after.risk.valueAtRisk - before.risk.valueAtRisk,
    expectedShortfall: after.risk.expectedShortfall - before.risk.expectedShortfall,
    // One methodology, one list of components.
    components: after.components.map(({ name, initial, maintenance }, i) => ({
      name,
      initial: initial - before.components[i]!.initial,
      maintenance: maintenance - before.components[i]!.maintenance,
    })),
  };
}
