/** Liquidations carried out: the engine's plan, its trades at the mark less their cost, and the insurance fund for what is lost beyond collateral. */

import { planInstruments } from '../../engine/studies/liquidationInstruments.ts';
import type { LiquidationPlan } from '../../engine/studies/liquidationPlanSchema.ts';
import { PlimsollError } from '../../errors.ts';
import { accountOf, type LiquidationStep, toAccount } from '../book.ts';
import { type BookEvent, event } from '../events.ts';
import { levelOf, stepsOf } from '../liquidationPlans.ts';
import type { Exchange } from './exchange.ts';

/** What is left to pay losses beyond collateral, in currency. */
export class InsuranceFund {
  left: number;

  constructor(left: number) {
    this.left = left;
  }
}

/**
 * Carries out the running liquidation of an account, in one go: prices do not move meanwhile. A loss that the fund cannot pay is written off and
 * counted as uncovered: there are no counterparties to be deleveraged here.
 */
export async function liquidate(
  exchange: Exchange,
  id: string,
  fund: InsuranceFund,
): Promise<readonly BookEvent[]> {
  const { book, tally } = exchange;
  const running = accountOf(book, id).liquidation;
  if (running === null) return [];
  const plan = await planned(exchange, id, levelOf(running));
  if (plan === null) return [];
  const { liquidation } = running;
  // To the cent above: the book's sums may round otherwise than the plan's, and nothing is to be owed afterwards.
  const lost = plan.shortfall > 0 ? Math.ceil(100 * plan.shortfall) / 100 : 0;
  const paid = Math.min(lost, fund.left);
  const steps = stepsOf(plan, paid);
  exchange.append([event('liquidation-planned', { account: id, liquidation, steps })]);
  for (const [i, step] of steps.entries()) carryOut(exchange, id, liquidation, step, i);
  tally.liquidationTrades += plan.steps.length;
  tally.liquidationCost += plan.cost;
  tally.fundDraw += paid;
  tally.uncovered += lost - paid;
  fund.left -= paid;
  if (lost > 0) {
    const asset = exchange.market.currency;
    const reason = paid < lost ? 'insurance fund and write-off' : 'insurance fund';
    exchange.run({ do: 'move-collateral', account: id, asset, amount: lost, reason });
  }
  const events = await exchange.assess([id]);
  const after = accountOf(book, id);
  if (after.liquidation !== null && after.positions.size === 0 && after.orders.size === 0) {
    const ended = { account: id, liquidation, outcome: 'exhausted' as const };
    exchange.append([event('liquidation-ended', lost > 0 ? { ...ended, shortfall: lost } : ended)]);
  }
  return events;
}

/** Null where its figures cannot be computed: the account waits for the next step, and is counted. */
async function planned(
  { book, engine, market, tally }: Exchange,
  id: string,
  level: 'initial' | 'maintenance',
): Promise<LiquidationPlan | null> {
  try {
    const request = { level };
    const account = toAccount(book, id);
    const also = planInstruments(account, request, market);
    return await engine.study('liquidationPlan', account, request, { also });
  } catch (error) {
    if (!(error instanceof PlimsollError) || error.code === 'INTERNAL') throw error;
    tally.rejected += 1;
    return null;
  }
}

function carryOut(
  exchange: Exchange,
  account: string,
  liquidation: number,
  step: LiquidationStep,
  i: number,
): void {
  const done = { account, liquidation, step };
  if (step.action === 'cancel') {
    exchange.run({ do: 'cancel-orders', account, orders: [step.order], reason: 'liquidation' });
    exchange.append([event('liquidation-step', done)]);
    return;
  }
  if (step.instrument === undefined) {
    exchange.append([event('liquidation-step', done)]);
    return;
  }
  const id = `liquidation-${liquidation}-${exchange.book.seq}-${i}`;
  const { instrument, size, price, cost = 0 } = step;
  const fee = cost === 0 ? {} : { fee: cost, feeAsset: exchange.market.currency };
  const { allocated } = accountOf(exchange.book, account).positions.get(instrument) ?? {};
  const own = allocated === undefined || Number.isNaN(allocated) ? {} : { allocated };
  const closes = closesWhole(exchange, account, instrument, size!);
  const fill = { id, instrument, size, price, ...fee, ...(closes ? {} : own) };
  exchange.run({ do: 'fill', account, fills: [fill] });
  exchange.append([event('liquidation-step', { ...done, fill: id })]);
}

function closesWhole(
  { book }: Exchange,
  account: string,
  instrument: string,
  size: number,
): boolean {
  return accountOf(book, account).positions.get(instrument)?.size === -size;
}
