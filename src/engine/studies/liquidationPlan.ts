/**
 * The liquidation of an account below its requirement (METHODOLOGY section 5): orders are cancelled, then positions closed or hedged where that
 * frees most margin per unit of cost, until equity is the release level times the requirement. Where nothing less helps all is closed; what
 * the account then owes the insurance fund pays, and the rest is borne by counterparties.
 */
import { PlimsollError } from '../../errors.ts';
import { type Account, readAccount } from '../../margin/account.ts';
import { type Portfolio, resolvePortfolio } from '../../margin/portfolio.ts';
import { checkFigures } from '../../margin/result.ts';
import type { Valuation } from '../../margin/valuation.ts';
import { AccountDesk } from '../accountDesk.ts';
import { applyChange } from './changes.ts';
import { deleverage, type OpposingPosition } from './deleveraging.ts';
import { type LostPosition, liquidateIsolated } from './liquidationPlanIsolated.ts';
import type {
  Deleveraged,
  LiquidationPlan,
  LiquidationPlanRequest,
  PlanOutcome,
  PlanStep,
} from './liquidationPlanSchema.ts';
import { Liquidation, type PlanLevel } from './liquidationPlanSteps.ts';
import { accountDocument, quotedMark } from './liquidationPlanTrades.ts';
import type { StudyContext } from './study.ts';

/** What trading came to. */
interface Traded {
  readonly account: Account;
  readonly steps: readonly PlanStep[];
  readonly needed: boolean;
  readonly closed: boolean;
  readonly lost: readonly LostPosition[];
}

export function liquidationPlan(
  account: Account,
  request: LiquidationPlanRequest,
  context: StudyContext,
): LiquidationPlan {
  const { valuation } = context.bench.session;
  const { level = 'maintenance', fund = 0, lot = 0 } = request;
  const opposing = opposingPositions(request.counterparties ?? [], valuation);
  const desk = new AccountDesk(context.bench, context.slot);
  const before = desk.margin(account);
  const without = { ...account, orders: [] };
  const done =
    account.mode === 'isolated'
      ? liquidateIsolated(account, level, lot, context)
      : liquidate(account, without, level, lot, context);
  const shortfall = done.lost.reduce((sum, one) => sum + one.shortfall, 0);
  const fundPaid = Math.min(fund, shortfall);
  const shared = shareLoss(
    done.lost,
    shortfall === 0 ? 0 : 1 - fundPaid / shortfall,
    opposing,
    valuation,
  );
  const borne = shortfall - shared.uncovered;
  const { currency } = valuation.market;
  const paid = borne > 0 ? [{ asset: currency, amount: borne }] : [];
  const end = done.needed ? applyChange(done.account, { collateral: paid }, valuation) : account;
  const plan: LiquidationPlan = {
    level,
    releaseLevel: valuation.methodology.releaseLevel,
    outcome: outcomeOf(done, fundPaid, shared),
    before,
    cancelled: done.needed ? [...account.orders] : [],
    steps: [...done.steps],
    cost: done.steps.reduce((sum, { cost }) => sum + cost, 0),
    shortfall,
    fundPaid,
    deleveraged: shared.deleveraged,
    uncovered: shared.uncovered,
    account: accountDocument(end),
    after: desk.margin(end),
  };
  checkFigures(plan, account.id);
  return plan;
}

function liquidate(
  account: Account,
  without: Account,
  level: PlanLevel,
  lot: number,
  context: StudyContext,
): Traded {
  const asked = new Liquidation(account, level, lot, context);
  const { figures, requirement } = asked.standing;
  if (!(figures.equity < requirement)) {
    return { account, steps: [], needed: false, closed: false, lost: [] };
  }
  const way = account.orders.length === 0 ? asked : new Liquidation(without, level, lot, context);
  const restored = way.restore();
  if (!restored) way.closeAll();
  const owed = restored ? 0 : Math.max(0, -way.standing.figures.equity);
  return {
    account: way.account,
    steps: way.steps,
    needed: true,
    closed: !restored,
    lost: owed === 0 ? [] : lossByPosition(account, owed, context.bench.session.valuation),
  };
}

/** A debt of the whole account, by the notional of what it held. */
function lossByPosition(account: Account, owed: number, { market, exposures }: Valuation) {
  const held = account.instruments.map((id, i) => {
    const instrument = market.instrumentIndex.get(id)!;
    const size = account.sizes[i]!;
    return { instrument, size, notional: Math.abs(size) * exposures.notionals[instrument]! };
  });
  const gross = held.reduce((sum, { notional }) => sum + notional, 0);
  // Nothing held: the debt is in the collateral, and there is no position for anybody to take over.
  if (held.length === 0) return [{ instrument: -1, size: 0, shortfall: owed }];
  return held.map(({ instrument, size, notional }) => ({
    instrument,
    size,
    shortfall: (owed * notional) / gross,
  }));
}

interface SharedLoss {
  readonly deleveraged: Deleveraged[];
  readonly uncovered: number;
}

/** @param left share of each loss that the fund leaves */
function shareLoss(
  lost: readonly LostPosition[],
  left: number,
  opposing: ReadonlyMap<number, readonly OpposingPosition[]>,
  { market }: Valuation,
): SharedLoss {
  const deleveraged: Deleveraged[] = [];
  let uncovered = 0;
  if (!(left > 0)) return { deleveraged, uncovered };
  for (const { instrument, size, shortfall } of lost) {
    const loss = shortfall * left;
    if (instrument === -1) {
      uncovered += loss;
      continue;
    }
    const shared = deleverage(size, loss, opposing.get(instrument) ?? []);
    const { id } = market.instruments[instrument]!;
    deleveraged.push(...shared.taken.map((one) => ({ instrument: id, ...one })));
    uncovered += shared.uncovered;
  }
  return { deleveraged, uncovered };
}

function outcomeOf({ needed, closed }: Traded, fundPaid: number, shared: SharedLoss): PlanOutcome {
  if (!needed) return 'sufficient';
  if (shared.uncovered > 0) return 'uncovered';
  if (shared.deleveraged.length > 0) return 'deleveraging';
  if (fundPaid > 0) return 'insurance-fund';
  return closed ? 'closed' : 'restored';
}

/** By instrument. Accounts without equity are not counterparties: they are next to be liquidated. */
function opposingPositions(
  documents: readonly unknown[],
  valuation: Valuation,
): ReadonlyMap<number, readonly OpposingPosition[]> {
  const found = new Map<number, OpposingPosition[]>();
  documents.forEach((document, i) => {
    const portfolio = inPlace(`counterparties[${i}]`, () =>
      resolvePortfolio(readAccount(document), valuation),
    );
    if (!(portfolio.equity > 0)) return;
    const leverage = grossNotional(portfolio, valuation) / portfolio.equity;
    portfolio.instruments.forEach((instrument, p) => {
      const { account } = portfolio;
      const size = portfolio.sizes[p]!;
      const profit = profitOf(account, instrument, size, valuation);
      const positions = found.get(instrument) ?? [];
      positions.push({ account: account.id, size, profit, leverage });
      found.set(instrument, positions);
    });
  });
  return found;
}

function grossNotional({ instruments, sizes }: Portfolio, { exposures }: Valuation): number {
  let gross = 0;
  for (let i = 0; i < sizes.length; i++) {
    gross += Math.abs(sizes[i]!) * exposures.notionals[instruments[i]!]!;
  }
  return gross;
}

/** Unrealised profit over the value at entry: (mark − entry)/entry of a long; of an inverse contract, whose value is in coin, 1 − entry/mark. */
function profitOf(account: Account, index: number, size: number, valuation: Valuation): number {
  const { id, settlement } = valuation.market.instruments[index]!;
  const entry = account.entryPrices?.[account.instruments.indexOf(id)] ?? Number.NaN;
  if (Number.isNaN(entry)) return 0;
  const mark = quotedMark(index, valuation);
  const gain = settlement === 'inverse' ? 1 - entry / mark : (mark - entry) / entry;
  return Math.sign(size) * gain;
}

/** Errors of a document within the request name it. */
function inPlace<T>(place: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof PlimsollError)) throw error;
    const { code, message, path } = error;
    throw new PlimsollError(code, `${place}: ${message}`, {
      path: path === undefined ? place : `${place}.${path}`,
    });
  }
}
