/**
 * What was heard of each factor, and when: which instants a change of the market reaches, and at which levels the factors stood then. The hour
 * is the market's own, the latest instant that any price is of, so that a recorded market gives the estimates that the live one gave.
 */
import { parseFactorId } from './factorIds.ts';
import type { FactorModel } from './factorModel.ts';
import { referenceVolatility } from './impliedFactors.ts';
import { readInstant } from './instruments.ts';
import type { MarketSnapshot, UnderlyingRecord } from './snapshot.ts';
import { type Tick, tickedSnapshot } from './ticks.ts';
import type { DailyInstants } from './volatilityInstants.ts';

export type MarketChange =
  | { readonly ticks: readonly Tick[] }
  /** Heard of every underlying. */
  | { readonly snapshot: MarketSnapshot };

export interface HearingState {
  /** By factor: its level at the last instant at which it was heard of. */
  readonly references: readonly (readonly [string, number])[];
  /** By factor: when it was last heard of since then, in milliseconds since 1970. */
  readonly heard: readonly (readonly [string, number])[];
  /** The last instant that something was counted at, and the market's time; null: none yet. */
  readonly closed: number | null;
  readonly latest: number | null;
}

const NEVER = Number.NEGATIVE_INFINITY;

export const NOTHING_HEARD: HearingState = {
  references: [],
  heard: [],
  closed: null,
  latest: null,
};

export interface Observed {
  readonly level: number;
  /** When it was quoted, ISO-8601. */
  readonly at: string;
  /** The level that the change counts from; null for the first. */
  readonly reference: number | null;
}

/** An instant that was reached, and what stood there. */
export interface Reached {
  readonly instant: number;
  readonly observed: ReadonlyMap<string, Observed>;
}

interface Heard {
  readonly references: Iterable<readonly [string, number]>;
  readonly heard: Iterable<readonly [string, number]>;
  readonly closed: number;
  readonly latest: number;
}

export class FactorHearing {
  /** Those that are listened for: spots, and volatilities at 30 days. A basis has no one level. In the model's order. */
  readonly factors: readonly string[];
  private readonly listened: ReadonlySet<string>;
  private readonly references: Map<string, number>;
  private readonly heard: Map<string, number>;
  private closed: number;
  private latest: number;

  private constructor(factors: readonly string[], { references, heard, closed, latest }: Heard) {
    this.factors = factors;
    this.listened = new Set(factors);
    this.references = new Map(references);
    this.heard = new Map(heard);
    this.closed = closed;
    this.latest = latest;
  }

  static of({ factors }: FactorModel, { closed, latest, ...heard }: HearingState): FactorHearing {
    const ids = factors.map(({ id }) => id);
    const listened = ids.filter((id) => ['spot', 'vol'].includes(parseFactorId(id).type));
    const times = { closed: closed ?? NEVER, latest: latest ?? NEVER };
    return new FactorHearing(listened, { ...heard, ...times });
  }

  copy(): FactorHearing {
    const { factors, references, heard, closed, latest } = this;
    return new FactorHearing(factors, { references, heard, closed, latest });
  }

  get state(): HearingState {
    const known = (time: number): number | null => (time === NEVER ? null : time);
    return {
      references: byFactor(this.references),
      heard: byFactor(this.heard),
      closed: known(this.closed),
      latest: known(this.latest),
    };
  }

  hear(change: MarketChange): void {
    this.note(heardIn(change), 'snapshot' in change);
  }

  /**
   * Hears a change of the market.
   * @param market before it
   * @returns the instants, up to the market's time, that something not yet counted lies before, in their order; whoever asks closes them.
   * What comes late, for an instant that was closed before, counts at the next one but does not bring it about: so one tick from a future that
   * is none does no harm beyond its own underlying
   */
  advance(market: MarketSnapshot, change: MarketChange, instants: DailyInstants): Reached[] {
    const prices = heardIn(change);
    const before = new Map(this.heard);
    if (this.note(prices, 'snapshot' in change)) return [];
    const byInstant = new Map<number, Set<string>>();
    const late: string[] = [];
    const count = (factor: string, time: number): void => {
      if (time <= this.closed) {
        late.push(factor);
        return;
      }
      const instant = instants.from(time);
      if (instant > this.latest) return;
      const factors = byInstant.get(instant);
      if (factors === undefined) byInstant.set(instant, new Set([factor]));
      else factors.add(factor);
    };
    for (const [factor, time] of before) count(factor, time);
    for (const { factors, time } of prices) {
      for (const factor of factors) if (this.listened.has(factor)) count(factor, time);
    }
    const next = byInstant.get(Math.min(...byInstant.keys()));
    for (const factor of late) next?.add(factor);
    return this.levels(market, change, byInstant);
  }

  /** An instant is over: its levels are those that the next changes count from. */
  close(instant: string, levels: readonly { readonly factor: string; readonly level: number }[]) {
    this.closed = readInstant(instant, 'instant');
    for (const { factor, level } of levels) this.references.set(factor, level);
    for (const [factor, time] of this.heard) if (time <= this.closed) this.heard.delete(factor);
  }

  /** @returns whether the market went back in time: what was heard of its future says nothing of what comes now */
  private note(prices: readonly Prices[], anew: boolean): boolean {
    const latest = prices.reduce((most, { time }) => Math.max(most, time), NEVER);
    const back = anew && latest < this.latest;
    if (back) {
      this.references.clear();
      this.heard.clear();
      this.closed = NEVER;
      this.latest = latest;
    }
    this.latest = Math.max(this.latest, latest);
    for (const { factors, time } of prices) {
      for (const factor of factors) if (this.listened.has(factor)) this.heard.set(factor, time);
    }
    return back;
  }

  private levels(
    market: MarketSnapshot,
    change: MarketChange,
    byInstant: ReadonlyMap<number, ReadonlySet<string>>,
  ): Reached[] {
    const references = new Map(this.references);
    return [...byInstant]
      .sort(([a], [b]) => a - b)
      .map(([instant, factors]) => {
        const observed = observedAt(marketAt(market, change, instant), factors, references);
        for (const [factor, { level }] of observed) references.set(factor, level);
        return { instant, observed };
      });
  }
}

/** One order, whichever was heard of first: equal states are equal bytes. */
function byFactor(known: ReadonlyMap<string, number>): [string, number][] {
  return [...known].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** What a change says of one underlying: factors whose levels it states, and as of when. */
interface Prices {
  readonly factors: readonly string[];
  readonly time: number;
}

function heardIn(change: MarketChange): readonly Prices[] {
  const prices = (id: string, asOf: string, spot: boolean, surface: boolean): Prices => ({
    factors: [...(spot ? [`${id}:spot`] : []), ...(surface ? [`${id}:vol`] : [])],
    time: readInstant(asOf, 'asOf'),
  });
  if ('ticks' in change) {
    return change.ticks.map(({ underlying, asOf, spot, surface }) =>
      prices(underlying, asOf, spot !== undefined, surface !== undefined),
    );
  }
  const { asOf, underlyings } = change.snapshot;
  return underlyings.map(({ id, asOf: own = asOf, surface = [] }) =>
    prices(id, own, true, surface.length > 0),
  );
}

/** The market as it stood at an instant within a change: what the change says of later times is left out. */
function marketAt(before: MarketSnapshot, change: MarketChange, instant: number): MarketSnapshot {
  if ('ticks' in change) {
    const then = change.ticks.filter(({ asOf }) => readInstant(asOf, 'asOf') <= instant);
    // Marks of contracts decide no level.
    return tickedSnapshot(
      before,
      then.map(({ marks: _, ...tick }) => tick),
    ).snapshot;
  }
  const { snapshot } = change;
  const old = new Map(before.underlyings.map((record) => [record.id, dated(record, before)]));
  const underlyings = snapshot.underlyings.flatMap((record) => {
    const fresh = dated(record, snapshot);
    if (readInstant(fresh.asOf, 'asOf') <= instant) return [fresh];
    return old.get(record.id) ?? [];
  });
  return { ...snapshot, underlyings };
}

function dated(record: UnderlyingRecord, { asOf }: MarketSnapshot) {
  return { ...record, asOf: record.asOf ?? asOf };
}

function observedAt(
  { asOf, underlyings }: MarketSnapshot,
  factors: ReadonlySet<string>,
  references: ReadonlyMap<string, number>,
): ReadonlyMap<string, Observed> {
  const records = new Map(underlyings.map((record) => [record.id, record]));
  const observed = new Map<string, Observed>();
  for (const factor of factors) {
    const { underlying, type } = parseFactorId(factor);
    const record = records.get(underlying);
    if (record === undefined) continue;
    const level = type === 'spot' ? record.spot : referenceVolatility(record, asOf);
    // Quotes whose expiries have passed, or that lack their forward, say nothing of 30 days.
    if (level === undefined) continue;
    const reference = references.get(factor) ?? null;
    observed.set(factor, { level, at: record.asOf ?? asOf, reference });
  }
  return observed;
}
