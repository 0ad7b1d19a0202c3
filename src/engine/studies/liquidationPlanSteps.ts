/** The steps of a liquidation: the account after each, what it still lacks, and which trade comes next. */
import type { Account } from '../../margin/account.ts';
import { TradeCosts } from '../../margin/liquidationCost.ts';
import { accountState } from '../../margin/requirement.ts';
import type { Valuation } from '../../margin/valuation.ts';
import type { OwnFigures } from '../accountBooks.ts';
import { AccountDesk } from '../accountDesk.ts';
import {
  type Candidate,
  closings,
  outright,
  rankCandidates,
  underlyingsOf,
} from './liquidationPlanCandidates.ts';
import { MarginGradient } from './liquidationPlanGradient.ts';
import type { PlanStep } from './liquidationPlanSchema.ts';
import { type Outcome, sizeTrade } from './liquidationPlanSizes.ts';
import { quotedMark, traded } from './liquidationPlanTrades.ts';
import type { StudyContext } from './study.ts';

export type PlanLevel = 'maintenance' | 'initial';

/** What equity is compared with: one level of an account's requirement, times the release level. */
export interface Standing {
  readonly figures: OwnFigures;
  /** Before credit. */
  readonly margin: number;
  /** After credit. */
  readonly requirement: number;
  /** Equity that is missing to the release level; ≤ 0 is none. */
  readonly gap: number;
}

export function standingOf(figures: OwnFigures, level: PlanLevel, release: number): Standing {
  const initial = level === 'initial';
  const margin = initial ? figures.initialMargin : figures.maintenanceMargin;
  const requirement = initial ? figures.initialRequirement : figures.maintenanceRequirement;
  return { figures, margin, requirement, gap: release * requirement - figures.equity };
}

interface TriedTrade extends Outcome {
  readonly instrument: number;
  /** Signed. */
  readonly signed: number;
  readonly cost: number;
  readonly account: Account;
  readonly standing: Standing;
}

/** Candidates that are sized and margined before the best of them is taken. */
const TRIED = 4;
/** A trade must close this share of the gap, unless none that is tried does: a plan of a hundred small trades is none. */
const MATERIAL = 0.1;

/** An account in portfolio or cross mode on its way through a liquidation. */
export class Liquidation {
  account: Account;
  standing: Standing;
  readonly steps: PlanStep[] = [];
  private readonly level: PlanLevel;
  private readonly lot: number;
  private readonly context: StudyContext;
  private readonly valuation: Valuation;
  private readonly desk: AccountDesk;
  private readonly costs: TradeCosts;

  constructor(account: Account, level: PlanLevel, lot: number, context: StudyContext) {
    this.account = account;
    this.level = level;
    this.lot = lot;
    this.context = context;
    this.valuation = context.bench.session.valuation;
    this.desk = new AccountDesk(context.bench, context.slot);
    this.costs = new TradeCosts(this.valuation);
    this.standing = this.measure(account);
  }

  /** Trades until the release level is restored; false where no further trade brings it nearer. */
  restore(): boolean {
    const { instruments } = this.account;
    // Each step closes a position, or finds the best size of a hedge: more than this many is no way forward.
    for (let left = 2 * instruments.length + 8; this.standing.gap > 0 && left > 0; left--) {
      this.context.checkCancelled();
      const next = this.next();
      if (next === null) return false;
      this.take(next);
    }
    return !(this.standing.gap > 0);
  }

  /** Closes all that is left, in the order of the account. */
  closeAll(): void {
    const { market } = this.valuation;
    for (const { instrument, direction, limit } of closings(this.account, market)) {
      this.context.checkCancelled();
      this.take(this.tried(instrument, direction, limit));
    }
  }

  private measure(account: Account): Standing {
    const { releaseLevel } = this.valuation.methodology;
    return standingOf(this.desk.own(account), this.level, releaseLevel);
  }

  private tried(instrument: number, direction: 1 | -1, size: number): TriedTrade {
    const signed = direction * size;
    const cost = this.costs.of(instrument, signed);
    const account = traded(this.account, instrument, signed, cost, this.valuation);
    const standing = this.measure(account);
    return { size, gap: standing.gap, instrument, signed, cost, account, standing };
  }

  /** The trade that frees most margin per unit of cost among the most promising. */
  private next(): TriedTrade | null {
    const { valuation, account, standing, context } = this;
    const { market, methodology } = valuation;
    const level = methodology.releaseLevel;
    const share = this.level === 'initial' ? 1 : methodology.mmFactor;
    const gradient = new MarginGradient(account, context.bench, context.slot);
    const hedging = underlyingsOf(account, market).flatMap((u) => outright(valuation, u) ?? []);
    const tradables = [
      ...closings(account, market),
      ...hedging.map((instrument) => ({
        instrument,
        direction: 0 as const,
        limit: Number.POSITIVE_INFINITY,
      })),
    ];
    const need = { margin: standing.gap / level, share, level };
    const ranked = rankCandidates(tradables, need, gradient, this.costs, valuation);
    const enough = MATERIAL * standing.gap;
    const major = this.best(
      ranked.filter(({ most }) => most >= enough),
      enough,
    );
    return (
      major ??
      this.best(
        ranked.filter(({ most }) => most < enough),
        0,
      )
    );
  }

  /** Of candidates in the order of their ratios: the best that closes `enough` of the gap; without one that closes most of it. */
  private best(ranked: readonly Candidate[], enough: number): TriedTrade | null {
    let best: TriedTrade | null = null;
    let most: TriedTrade | null = null;
    for (const [i, candidate] of ranked.entries()) {
      // ES is convex: no size does better than the derivative says, so that those behind need not be tried (Minoux 1978, lazy greedy).
      if (best !== null && (i >= TRIED || this.ratio(best) >= candidate.ratio)) break;
      const found = this.sized(candidate);
      if (found === null) continue;
      const closes = this.standing.gap - found.gap >= enough;
      if (closes && (best === null || this.ratio(found) > this.ratio(best))) best = found;
      if (most === null || found.gap < most.gap) most = found;
    }
    return best ?? most;
  }

  /** Null where no size brings the release level nearer. */
  private sized({ instrument, direction, first, limit }: Candidate): TriedTrade | null {
    const { gap } = this.standing;
    const tried = (size: number) => this.tried(instrument, direction, size);
    const found = sizeTrade(tried, gap, first, { limit, lot: this.lot });
    return found !== null && gap - found.gap > 1e-6 * gap ? found : null;
  }

  private ratio({ standing, cost }: TriedTrade): number {
    return (this.standing.margin - standing.margin) / cost;
  }

  private take({ instrument, signed, cost, account, standing }: TriedTrade): void {
    const { market, methodology } = this.valuation;
    const { id } = market.instruments[instrument]!;
    const at = this.account.instruments.indexOf(id);
    const held = at === -1 ? 0 : this.account.sizes[at]!;
    const closes = held * signed < 0 && Math.abs(signed) <= Math.abs(held);
    this.steps.push({
      action: closes ? 'close' : 'hedge',
      instrument: id,
      size: signed,
      price: quotedMark(instrument, this.valuation),
      marginFreed: this.standing.margin - standing.margin,
      cost,
      requirement: standing.requirement,
      equity: standing.figures.equity,
      state: accountState(standing.figures.equity, standing.figures, methodology),
    });
    this.costs.add(instrument, signed);
    this.account = account;
    this.standing = standing;
  }
}
