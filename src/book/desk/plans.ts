/**
 * Liquidation plans: made when a liquidation begins, and records of the log. Figures do not wait for them. A plan is computed where the engine
 * has nothing else to do, and given up when it has; then, so that it comes in times of much work too, on scenarios of its own, behind what is
 * queued. No tick waits for the end of that, and with one plan at a time one worker at most is taken.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { StudyOptions } from '../../engine/accountStudies.ts';
import type { Engine } from '../../engine/engine.ts';
import { planInstruments } from '../../engine/studies/liquidationInstruments.ts';
import type { LiquidationPlan } from '../../engine/studies/liquidationPlanSchema.ts';
import { PlimsollError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import { type BookAccount, type Liquidation, toAccount } from '../book.ts';
import { lacksPlan, levelOf, planned } from '../liquidationPlans.ts';
import type { Figures } from './figures.ts';
import type { Journal } from './journal.ts';
import type { Lanes } from './lanes.ts';
import type { CycleObserver } from './observer.ts';

export interface PlanParts {
  readonly journal: Journal;
  readonly engine: Engine;
  readonly lanes: Lanes;
}

/** An account whose commands are under way is looked at again after so many milliseconds. */
const PAUSE_MS = 5;

export class Plans implements Partial<CycleObserver> {
  /** Plans that could not be computed; the account's next figures have it tried again. */
  failures = 0;
  private readonly parts: PlanParts;
  /** In the order in which their liquidations began. */
  private readonly waiting = new Set<string>();
  private current: { readonly id: string; readonly ending: AbortController } | null = null;
  private running: Promise<void> | null = null;
  private closing = false;

  constructor(parts: PlanParts) {
    this.parts = parts;
  }

  /** Liquidations that wait for their plan. */
  get size(): number {
    return this.waiting.size + (this.current === null ? 0 : 1);
  }

  kept(id: string, { result }: Figures): void {
    const account = this.parts.journal.book.accounts.get(id);
    if (account === undefined || !lacksPlan(account)) this.forgotten(id);
    else if (result !== null) this.start(id);
  }

  forgotten(id: string): void {
    this.waiting.delete(id);
    if (this.current?.id === id) this.current.ending.abort();
  }

  /** Resolves when no liquidation waits for its plan. */
  async quiet(): Promise<void> {
    while (this.running !== null) await this.running;
  }

  async close(): Promise<void> {
    this.closing = true;
    this.current?.ending.abort();
    await this.running;
  }

  private start(id: string): void {
    this.waiting.add(id);
    if (this.running !== null || this.closing) return;
    this.running = this.run().finally(() => {
      this.running = null;
      const [next] = this.waiting;
      if (next !== undefined) this.start(next);
    });
  }

  private async run(): Promise<void> {
    for (const id of this.waiting) {
      if (this.closing) return;
      this.waiting.delete(id);
      this.current = { id, ending: new AbortController() };
      try {
        await this.plan(id, this.current.ending.signal);
      } catch (error) {
        // What the store or the engine refuses, the account's next figures bring back.
        if (!isCancelled(error)) this.failures += 1;
      }
      this.current = null;
    }
  }

  /** Until a plan is of the account as it is, or none is wanted any more. */
  private async plan(id: string, signal: AbortSignal): Promise<void> {
    const { journal, lanes } = this.parts;
    for (;;) {
      const account = journal.book.accounts.get(id);
      if (account === undefined || !lacksPlan(account) || signal.aborted) return;
      const { changedSeq, liquidation } = account;
      const plan = await this.computed(id, liquidation!, signal);
      while (!signal.aborted && this.holds(id, changedSeq, liquidation!)) {
        // Nobody is at the account: no record that ends the liquidation is on its way to the log before this one.
        const release = lanes.tryHold(id);
        if (release === null) {
          await sleep(PAUSE_MS);
          continue;
        }
        const appended = journal.append([planned(account, liquidation!, plan)]);
        release();
        await appended;
        return;
      }
    }
  }

  private holds(id: string, changedSeq: number, { liquidation, cause }: Liquidation): boolean {
    const account: BookAccount | undefined = this.parts.journal.book.accounts.get(id);
    const running = account?.liquidation;
    return (
      account?.changedSeq === changedSeq &&
      running?.liquidation === liquidation &&
      running.cause === cause
    );
  }

  private async computed(
    id: string,
    liquidation: Liquidation,
    signal: AbortSignal,
  ): Promise<LiquidationPlan> {
    const { journal, engine } = this.parts;
    const account = toAccount(journal.book, id);
    const request = { level: levelOf(liquidation) };
    const also = planInstruments(account, request, journal.market.market()!);
    const ask = (options: StudyOptions) =>
      engine.study('liquidationPlan', account, request, { also, ...options });
    try {
      const soon = AbortSignal.any([signal, AbortSignal.timeout(LIMITS.planIdleMs)]);
      return await ask({ signal: soon, givesWay: true });
    } catch (error) {
      if (!isCancelled(error) || signal.aborted) throw error;
    }
    // A methodology that is stated, though it is the engine's own, has a session of its own.
    const { parameters: methodology } = await engine.info();
    return ask({ signal, background: true, methodology });
  }
}

function isCancelled(error: unknown): boolean {
  return error instanceof PlimsollError && error.code === 'CANCELLED';
}
