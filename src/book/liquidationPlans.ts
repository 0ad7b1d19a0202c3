/** What a liquidation is to do, as the log has it: from the engine's plan to an event, bounded. */
import type { LiquidationPlan } from '../engine/studies/liquidationPlanSchema.ts';
import { hashOf } from '../json.ts';
import { LIMITS } from '../limits.ts';
import type { BookAccount, Liquidation, LiquidationStep } from './book.ts';
import { type EventOf, event } from './events.ts';
import type { LIQUIDATION_LEVELS } from './marginEvents.ts';

export type LiquidationLevel = (typeof LIQUIDATION_LEVELS)[number];

/** The requirement that a liquidation restores: what an unmet call asked for, else that below which it began. */
export function levelOf({ cause }: Pick<Liquidation, 'cause'>): LiquidationLevel {
  return cause === 'call-expired' ? 'initial' : 'maintenance';
}

/** Whether the account is being liquidated and nothing says yet how: it has just begun, or has to restore more than it was planned for. */
export function lacksPlan({ liquidation }: Pick<BookAccount, 'liquidation'>): boolean {
  if (liquidation === null) return false;
  return liquidation.planned?.level !== levelOf(liquidation);
}

/** @param fund what the insurance fund pays, in currency */
export function stepsOf({ cancelled, steps }: LiquidationPlan, fund: number): LiquidationStep[] {
  return [
    ...cancelled.map(({ id }) => ({ action: 'cancel' as const, order: id! })),
    ...steps.map(({ action, instrument, size, price, cost, marginFreed }) => ({
      action,
      instrument,
      size,
      price,
      cost,
      freed: marginFreed,
    })),
    ...(fund > 0 ? [{ action: 'fund' as const, amount: fund }] : []),
  ];
}

/** A plan of more steps than a record has says how many are left: when the others are done, the next plan has them. */
export function planned(
  { id, changedSeq }: Pick<BookAccount, 'id' | 'changedSeq'>,
  { liquidation }: Pick<Liquidation, 'liquidation'>,
  plan: LiquidationPlan,
): EventOf<'liquidation-planned'> {
  const { level, outcome, cost, shortfall, before } = plan;
  const steps = stepsOf(plan, plan.fundPaid);
  const most = LIMITS.liquidationStepsMax;
  return event('liquidation-planned', {
    account: id,
    liquidation,
    steps: steps.slice(0, most),
    ...(steps.length > most ? { stepsLeft: steps.length - most } : {}),
    level,
    outcome,
    cost,
    shortfall,
    plan: hashOf(plan),
    changedSeq,
    market: before.market,
    asOf: before.asOf,
  });
}
