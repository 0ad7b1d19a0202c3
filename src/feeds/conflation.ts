/** Many ticks as few: of each price only the latest. */
import { parseInstant } from '../market/dates.ts';
import type { SurfaceSliceRecord } from '../market/snapshot.ts';
import type { Tick } from '../market/ticks.ts';
import type { BestQuote, TickBatch } from './feed.ts';

/** A tick before it is numbered. */
export interface QuotedTick extends Tick {
  readonly quotes?: readonly BestQuote[] | undefined;
}

type Forward = NonNullable<Tick['forwards']>[number];
type Mark = NonNullable<Tick['marks']>[number];
type Quote = SurfaceSliceRecord['quotes'][number];

/** The latest of every price of one underlying. */
interface Latest {
  asOf: string;
  asOfMs: number;
  spot: number | undefined;
  readonly forwards: Map<number, Forward>;
  readonly slices: Map<number, { readonly expiry: string; readonly quotes: Map<number, Quote> }>;
  readonly marks: Map<string, Mark>;
  readonly best: Map<string, BestQuote>;
}

/** Takes ticks one by one. Expiries are told apart by instant, however they are written. */
export class Conflator {
  private readonly underlyings = new Map<string, Latest>();

  add(tick: QuotedTick): void {
    const asOfMs = parseInstant(tick.asOf);
    let latest = this.underlyings.get(tick.underlying);
    if (latest === undefined) {
      latest = emptyLatest(tick.asOf, asOfMs);
      this.underlyings.set(tick.underlying, latest);
    } else if (asOfMs >= latest.asOfMs) {
      latest.asOf = tick.asOf;
      latest.asOfMs = asOfMs;
    }
    if (tick.spot !== undefined) latest.spot = tick.spot;
    for (const forward of tick.forwards ?? []) {
      latest.forwards.set(parseInstant(forward.expiry), forward);
    }
    for (const slice of tick.surface ?? []) addSlice(latest, slice);
    for (const mark of tick.marks ?? []) latest.marks.set(mark.instrument, mark);
    for (const quote of tick.quotes ?? []) latest.best.set(quote.instrument, quote);
  }

  /** One tick an underlying, in the order in which they first came. */
  ticks(): QuotedTick[] {
    return [...this.underlyings].map(([underlying, latest]) => tickOf(underlying, latest));
  }
}

function emptyLatest(asOf: string, asOfMs: number): Latest {
  const [forwards, slices, marks, best] = [new Map(), new Map(), new Map(), new Map()];
  return { asOf, asOfMs, spot: undefined, forwards, slices, marks, best };
}

function addSlice(latest: Latest, { expiry, quotes }: SurfaceSliceRecord): void {
  const at = parseInstant(expiry);
  let slice = latest.slices.get(at);
  if (slice === undefined) {
    slice = { expiry, quotes: new Map() };
    latest.slices.set(at, slice);
  }
  for (const quote of quotes) slice.quotes.set(quote.strike, quote);
}

function tickOf(underlying: string, latest: Latest): QuotedTick {
  const { asOf, spot, forwards, slices, marks, best } = latest;
  const surface = Array.from(slices.values(), ({ expiry, quotes }) => ({
    expiry,
    quotes: [...quotes.values()],
  }));
  return {
    underlying,
    asOf,
    ...(spot === undefined ? {} : { spot }),
    ...(forwards.size === 0 ? {} : { forwards: [...forwards.values()] }),
    ...(surface.length === 0 ? {} : { surface }),
    ...(marks.size === 0 ? {} : { marks: [...marks.values()] }),
    ...(best.size === 0 ? {} : { quotes: [...best.values()] }),
  };
}

export interface Conflated {
  /** One an underlying; applied, they give what all of them in their order give. */
  readonly ticks: readonly Tick[];
  /** The numbers that they stand for, by source: what a log must remember as seen. */
  readonly covered: readonly {
    readonly source: string;
    readonly first: number;
    readonly last: number;
  }[];
}

/** Batches that have passed a gate, in the order of their arrival, as one tick an underlying: the latest of each price wins, by expiry and strike. */
export function conflate(batches: Iterable<TickBatch>): Conflated {
  const conflator = new Conflator();
  const covered = new Map<string, { source: string; first: number; last: number }>();
  for (const { source, ticks } of batches) {
    for (const tick of ticks) {
      conflator.add(tick);
      const range = covered.get(source);
      if (range === undefined) {
        covered.set(source, { source, first: tick.sequence, last: tick.sequence });
      } else {
        range.first = Math.min(range.first, tick.sequence);
        range.last = Math.max(range.last, tick.sequence);
      }
    }
  }
  const ticks = conflator.ticks().map(({ quotes: _, ...tick }) => tick);
  return { ticks, covered: [...covered.values()] };
}
