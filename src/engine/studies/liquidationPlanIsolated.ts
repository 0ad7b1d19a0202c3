/** Liquidation in isolated mode: each position below its own requirement is reduced until what is set apart for it suffices again. */
import type { Account } from '../../margin/account.ts';
import { TradeCosts } from '../../margin/liquidationCost.ts';
import { allocatedAccount, resolvePortfolio } from '../../margin/portfolio.ts';
import { accountState } from '../../margin/requirement.ts';
import { AccountDesk } from '../accountDesk.ts';
import type { PlanStep } from './liquidationPlanSchema.ts';
import { type Outcome, sizeTrade } from './liquidationPlanSizes.ts';
import { type PlanLevel, type Standing, standingOf } from './liquidationPlanSteps.ts';
import { quotedMark, tradedIsolated } from './liquidationPlanTrades.ts';
import { positionAccount } from './liquidationPriceTargets.ts';
import type { StudyContext } from './study.ts';

interface Reduced extends Outcome {
  readonly account: Account;
  readonly cost: number;
  readonly standing: Standing;
}

/** A position whose loss is more than what was set apart for it. */
export interface LostPosition {
  readonly instrument: number;
  /** Signed, before it was closed. */
  readonly size: number;
  readonly shortfall: number;
}

export interface IsolatedLiquidation {
  readonly account: Account;
  readonly steps: readonly PlanStep[];
  /** Whether a position below its requirement was found, and whether one had to be closed whole. */
  readonly needed: boolean;
  readonly closed: boolean;
  readonly lost: readonly LostPosition[];
}

/** Orders are cancelled first: where that suffices there are no steps. */
export function liquidateIsolated(
  stated: Account,
  level: PlanLevel,
  lot: number,
  context: StudyContext,
): IsolatedLiquidation {
  const { valuation } = context.bench.session;
  const { market, methodology } = valuation;
  const { releaseLevel } = methodology;
  const desk = new AccountDesk(context.bench, context.slot);
  const costs = new TradeCosts(valuation);
  const steps: PlanStep[] = [];
  const lost: LostPosition[] = [];
  const ordered = allocatedAccount(resolvePortfolio(stated, valuation), market);
  const start: Account = { ...ordered, orders: [] };
  // Of orders in instruments that are not held only the account as a whole has the requirement.
  const whole = standingOf(desk.own(ordered), level, releaseLevel);
  let [account, needed, closed] = [start, whole.figures.equity < whole.requirement, false];
  const standing = (of: Account, id: string): Standing => {
    const alone = positionAccount(of, of.instruments.indexOf(id), market.currency);
    return standingOf(desk.own(alone), level, releaseLevel);
  };
  for (const [at, id] of start.instruments.entries()) {
    context.checkCancelled();
    const orders = ordered.orders.filter(({ instrument }) => instrument === id);
    if (orders.length > 0) {
      const alone = positionAccount(ordered, at, market.currency);
      const open = standingOf(desk.own({ ...alone, orders }), level, releaseLevel);
      needed ||= open.figures.equity < open.requirement;
    }
    const before = standing(account, id);
    if (!(before.figures.equity < before.requirement)) continue;
    needed = true;
    const instrument = market.instrumentIndex.get(id)!;
    const size = start.sizes[at]!;
    const limit = Math.abs(size);
    const reduce = (contracts: number): Reduced => {
      const signed = -Math.sign(size) * contracts;
      const cost = costs.of(instrument, signed);
      const after = tradedIsolated(account, instrument, signed, cost, valuation);
      const held = after.account.instruments.includes(id);
      const there = held ? standing(after.account, id) : nothingHeld(after.allocated);
      return { size: contracts, gap: there.gap, account: after.account, cost, standing: there };
    };
    const found = sizeTrade(reduce, before.gap, limit, { limit, lot });
    const done = found !== null && found.gap <= 0 ? found : reduce(limit);
    const signed = -Math.sign(size) * done.size;
    const { figures } = done.standing;
    steps.push({
      action: 'close',
      instrument: id,
      size: signed,
      price: quotedMark(instrument, valuation),
      marginFreed: before.margin - done.standing.margin,
      cost: done.cost,
      requirement: done.standing.requirement,
      equity: figures.equity,
      state: accountState(figures.equity, figures, methodology),
    });
    costs.add(instrument, signed);
    account = done.account;
    closed ||= done.size === limit;
    if (figures.equity < 0 && done.size === limit) {
      lost.push({ instrument, size, shortfall: -figures.equity });
    }
  }
  return { account, steps, needed, closed, lost };
}

/** Nothing is left of the position but what was set apart for it. */
function nothingHeld(allocated: number): Standing {
  const figures = {
    initialMargin: 0,
    maintenanceMargin: 0,
    initialRequirement: 0,
    maintenanceRequirement: 0,
    equity: allocated,
    charges: [],
  };
  return { figures, margin: 0, requirement: 0, gap: -allocated };
}
