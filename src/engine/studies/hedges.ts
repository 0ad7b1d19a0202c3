/**
 * Hedges of an account: trades in what its underlyings have listed that free most margin per unit of cost, one after the other, each margined
 * in full on the session's scenarios (METHODOLOGY section 5: the optimiser of a liquidation, run for a healthy account).
 */
import { PlimsollError } from '../../errors.ts';
import type { Account } from '../../margin/account.ts';
import { TradeCosts } from '../../margin/liquidationCost.ts';
import { accountState } from '../../margin/requirement.ts';
import { checkFigures } from '../../margin/result.ts';
import type { Valuation } from '../../margin/valuation.ts';
import type { OwnFigures } from '../accountBooks.ts';
import { AccountDesk } from '../accountDesk.ts';
import type { Hedge, Hedges, HedgesRequest } from './hedgesSchema.ts';
import { bestSize } from './hedgesSizes.ts';
import { type Candidate, rankCandidates, underlyingsOf } from './liquidationPlanCandidates.ts';
import { MarginGradient } from './liquidationPlanGradient.ts';
import { accountDocument, quotedMark, traded } from './liquidationPlanTrades.ts';
import type { StudyContext } from './study.ts';

const HEDGES = 3;
/** Trades that are sized and margined before one is chosen. */
const TRIED = 8;
/** The share of the margin whose release a size is first tried for. */
const FIRST_SHARE = 0.05;

export function hedges(account: Account, request: HedgesRequest, context: StudyContext): Hedges {
  const search = new HedgeSearch(account, request, context);
  const desk = new AccountDesk(context.bench, context.slot);
  const before = desk.margin(account);
  const found: Hedge[] = [];
  const { count = HEDGES } = request;
  while (account.mode !== 'isolated' && found.length < count) {
    const next = search.next();
    if (next === null) break;
    found.push(next);
  }
  const answer: Hedges = {
    before,
    hedges: found,
    marginFreed: found.reduce((sum, one) => sum + one.marginFreed, 0),
    cost: found.reduce((sum, one) => sum + one.cost, 0),
    account: accountDocument(search.account),
    after: desk.margin(search.account),
  };
  checkFigures(answer, account.id);
  return answer;
}

/**
 * Instruments that may hedge an account: those that are named, or what its underlyings have listed and the session can margin.
 * @throws UNKNOWN_INSTRUMENT, and the problem of an instrument that is named and cannot be margined
 */
export function hedgingInstruments(
  account: Account,
  { instruments }: HedgesRequest,
  { market, plan }: Pick<Valuation, 'market' | 'plan'>,
): readonly number[] {
  if (instruments !== undefined) {
    return instruments.map((id, i) => {
      const index = market.instrumentIndex.get(id);
      const problem = index === undefined ? undefined : plan.problems.get(index);
      if (index !== undefined && problem === undefined) return index;
      const message = problem?.message ?? `the market has no instrument ${id}`;
      const path = `instruments[${i}]`;
      throw new PlimsollError(problem?.code ?? 'UNKNOWN_INSTRUMENT', message, { path });
    });
  }
  const underlyings = new Set(underlyingsOf(account, market));
  return market.instruments.flatMap(({ type, underlying }, i) => {
    if (!underlyings.has(underlying) || plan.rowOf[i] === -1) return [];
    return type === 'perpetual' || type === 'future' || type === 'option' ? [i] : [];
  });
}

interface TriedHedge {
  readonly instrument: number;
  readonly signed: number;
  readonly cost: number;
  readonly freed: number;
  /** Margin freed less cost. */
  readonly benefit: number;
  readonly account: Account;
  readonly figures: OwnFigures;
}

class HedgeSearch {
  account: Account;
  private readonly request: HedgesRequest;
  private readonly context: StudyContext;
  private readonly valuation: Valuation;
  private readonly desk: AccountDesk;
  private readonly costs: TradeCosts;

  constructor(account: Account, request: HedgesRequest, context: StudyContext) {
    this.account = account;
    this.request = request;
    this.context = context;
    this.valuation = context.bench.session.valuation;
    this.desk = new AccountDesk(context.bench, context.slot);
    this.costs = new TradeCosts(this.valuation);
  }

  /** The next trade; null where none frees more than it costs. */
  next(): Hedge | null {
    const now = this.desk.own(this.account);
    const tried = this.candidates(now).flatMap((candidate) => {
      this.context.checkCancelled();
      const found = this.sized(candidate, now);
      return found === null ? [] : [found];
    });
    const most = tried.reduce((best, { benefit }) => Math.max(best, benefit), 0);
    // What frees a little at next to no cost would always win by ratio: only those that free much compete.
    const [best] = tried
      .filter(({ benefit }) => benefit > 0 && benefit >= most / 2)
      .sort((a, b) => b.freed / b.cost - a.freed / a.cost || a.instrument - b.instrument);
    return best === undefined ? null : this.take(best);
  }

  /** The best of each underlying, type and right, in the order of their ratios. */
  private candidates(now: OwnFigures): Candidate[] {
    const { market } = this.valuation;
    const gradient = new MarginGradient(this.account, this.context.bench, this.context.slot);
    const tradables = hedgingInstruments(this.account, this.request, this.valuation).map(
      (instrument) => ({ instrument, direction: 0 as const, limit: Number.POSITIVE_INFINITY }),
    );
    const need = { margin: FIRST_SHARE * now.initialMargin, share: 1, level: 1 };
    const ranked = rankCandidates(tradables, need, gradient, this.costs, this.valuation);
    const seen = new Set<string>();
    const kinds = ranked.filter(({ instrument }) => {
      const { underlying, type, right } = market.instruments[instrument]!;
      const kind = `${underlying}|${type}|${right}`;
      return !seen.has(kind) && seen.add(kind);
    });
    return kinds.slice(0, TRIED);
  }

  private sized({ instrument, direction, first }: Candidate, now: OwnFigures): TriedHedge | null {
    const { lot = 0 } = this.request;
    const evaluate = (size: number): TriedHedge => {
      const signed = direction * size;
      const cost = this.costs.of(instrument, signed);
      const account = traded(this.account, instrument, signed, cost, this.valuation);
      const figures = this.desk.own(account);
      const freed = now.initialMargin - figures.initialMargin;
      return { instrument, signed, cost, freed, benefit: freed - cost, account, figures };
    };
    return bestSize(evaluate, first, lot);
  }

  private take({ instrument, signed, cost, freed, account, figures }: TriedHedge): Hedge {
    this.costs.add(instrument, signed);
    this.account = account;
    return {
      instrument: this.valuation.market.instruments[instrument]!.id,
      size: signed,
      price: quotedMark(instrument, this.valuation),
      marginFreed: freed,
      cost,
      initialMargin: figures.initialMargin,
      maintenanceMargin: figures.maintenanceMargin,
      equity: figures.equity,
      state: accountState(figures.equity, figures, this.valuation.methodology),
    };
  }
}
