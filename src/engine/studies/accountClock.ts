/** An account at later instants, the market unchanged: what has expired is settled, the rest is margined with less time left. */
import type { Account } from '../../margin/account.ts';
import { type AccountState, accountState, afterCredit } from '../../margin/requirement.ts';
import type { MarginResult } from '../../margin/result.ts';
import { AgeingMarket } from '../../market/agedMarket.ts';
import { formatInstant, MILLISECONDS_PER_DAY } from '../../market/dates.ts';
import { readInstant } from '../../market/instruments.ts';
import type { AccountLab } from '../accountLab.ts';
import { type Settled, settleExpired } from './settlement.ts';
import type { StudyContext } from './study.ts';
import type { TimelinePoint } from './timelineSchema.ts';

/** What tells whether there is a margin call. */
export interface StateFigures {
  readonly state: AccountState;
  readonly equity: number;
  readonly initialMargin: number;
}

export class AccountClock {
  readonly startMs: number;
  private readonly account: Account;
  private readonly context: StudyContext;
  private readonly ageing: AgeingMarket;
  private lab: AccountLab | null = null;
  private lastMs: number;

  constructor(account: Account, context: StudyContext) {
    const { market, methodology } = context.bench.session.valuation;
    const touched = touchedUnderlyings(account, context);
    this.account = account;
    this.context = context;
    this.ageing = new AgeingMarket(market, touched, methodology.surfaceModel);
    this.startMs = Math.max(
      ...touched.map((u) => market.underlyings[u]!.asOfMs),
      touched.length === 0 ? readInstant(market.asOf, 'asOf') : Number.NEGATIVE_INFINITY,
    );
    this.lastMs = this.startMs;
  }

  /** Expiries of what the account holds or has orders in, ascending. */
  expiries(): readonly number[] {
    const { market } = this.context.bench.session.valuation;
    const { instruments, orders } = this.account;
    const ids = [...instruments, ...orders.map(({ instrument }) => instrument)];
    const all = ids.map((id) => market.instruments[market.instrumentIndex.get(id)!]!.expiryMs);
    return [...new Set(all)].filter((ms) => ms > this.startMs).sort((a, b) => a - b);
  }

  /** To be asked in ascending order: what was settled is told since the instant before. */
  point(atMs: number): TimelinePoint {
    const settled = this.settledBy(atMs);
    const since = this.settledBy(this.lastMs);
    const result = this.place(atMs).margin(settled.account);
    this.lastMs = atMs;
    const news = {
      ...settled,
      positions: settled.positions.slice(since.positions.length),
      lapsed: settled.lapsed.filter((id) => !since.lapsed.includes(id)),
    };
    return pointOf(settled.account, result, this.startMs, atMs, news);
  }

  /** The state alone, and the figures that make it. */
  stateAt(atMs: number): StateFigures {
    const { account } = this.settledBy(atMs);
    const lab = this.place(atMs);
    if (account.mode === 'isolated') {
      const { state, equity, initialMargin } = lab.margin(account);
      return { state, equity, initialMargin };
    }
    const { equity, initialMargin, ...required } = lab.own(account);
    const { methodology } = this.context.bench.session.valuation;
    return { state: accountState(equity, required, methodology), equity, initialMargin };
  }

  /** The account as it is then. What an underlying with an older asOf has not settled yet is settled after the start. */
  settledBy(atMs: number): Settled {
    if (atMs === this.startMs) return { account: this.account, positions: [], lapsed: [] };
    return settleExpired(this.account, this.context.bench.session.valuation, atMs);
  }

  private place(atMs: number): AccountLab {
    this.lab ??= this.context.lab([this.account]);
    this.lab.place(this.ageing.at(atMs));
    return this.lab;
  }
}

/** Underlyings of positions, orders and coins. */
function touchedUnderlyings(account: Account, { bench }: StudyContext): readonly number[] {
  const { market } = bench.session.valuation;
  const { instruments, orders, collateral } = account;
  const ids = [...instruments, ...orders.map(({ instrument }) => instrument)];
  const held = ids.map((id) => market.instruments[market.instrumentIndex.get(id)!]!.underlying);
  const coins = collateral.flatMap(({ asset }) =>
    asset === market.currency ? [] : (market.underlyingIndex.get(asset) ?? []),
  );
  return [...new Set([...held, ...coins])];
}

export function pointOf(
  { mode, creditLine }: Account,
  result: MarginResult,
  startMs: number,
  atMs: number,
  settled: Settled | null,
): TimelinePoint {
  const { equity, initialMargin, maintenanceMargin, marginRatio, state, components } = result;
  const { initialRequirement } = afterCredit(result, mode === 'isolated' ? 0 : creditLine);
  return {
    date: formatInstant(atMs),
    days: (atMs - startMs) / MILLISECONDS_PER_DAY,
    equity,
    initialMargin,
    maintenanceMargin,
    freeCollateral: equity - initialRequirement,
    marginRatio,
    state,
    components,
    settled: settled === null ? [] : [...settled.positions],
    lapsed: settled === null ? [] : [...settled.lapsed],
  };
}
