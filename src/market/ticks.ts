/** Price moves of single underlyings, put into a snapshot: the snapshot after them is what a run from scratch would read. */
import { PlimsollError } from '../errors.ts';
import { readInstant } from './instruments.ts';
import type { MarketSnapshot, SurfaceSliceRecord, UnderlyingRecord } from './snapshot.ts';

/** What moved of one underlying. Left out: it stands. */
export interface Tick {
  readonly underlying: string;
  /** When: its times to expiry count from here. */
  readonly asOf: string;
  readonly spot?: number | undefined;
  readonly forwards?: readonly { readonly expiry: string; readonly price: number }[] | undefined;
  /** Quotes by expiry and strike. */
  readonly surface?: readonly SurfaceSliceRecord[] | undefined;
  /** Of perpetuals and futures that state one. */
  readonly marks?: readonly { readonly instrument: string; readonly mark: number }[] | undefined;
}

/**
 * The snapshot after some ticks, in their order; what they do not touch is shared with the one before.
 * @throws UNKNOWN_UNDERLYING, UNKNOWN_INSTRUMENT, INVALID_FIELD (an asOf before the underlying's own; an instrument that has no mark of its own)
 */
export function tickedSnapshot(
  snapshot: MarketSnapshot,
  ticks: readonly Tick[],
): { readonly snapshot: MarketSnapshot; readonly moved: ReadonlySet<string> } {
  const places = new Map(snapshot.underlyings.map(({ id }, i) => [id, i]));
  const underlyings = [...snapshot.underlyings];
  const moved = new Set<string>();
  const marks = new Map<string, number>();
  ticks.forEach((tick, i) => {
    const place = places.get(tick.underlying);
    if (place === undefined) {
      throw new PlimsollError('UNKNOWN_UNDERLYING', `the market has no ${tick.underlying}`, {
        path: `ticks[${i}].underlying`,
      });
    }
    underlyings[place] = tickedUnderlying(underlyings[place]!, tick, snapshot.asOf, `ticks[${i}]`);
    for (const { instrument, mark } of tick.marks ?? []) marks.set(instrument, mark);
    moved.add(tick.underlying);
  });
  const next = { ...snapshot, underlyings };
  return { snapshot: marks.size === 0 ? next : withMarks(next, marks, moved), moved };
}

function tickedUnderlying(
  record: UnderlyingRecord,
  tick: Tick,
  snapshotAsOf: string,
  path: string,
): UnderlyingRecord {
  const before = readInstant(record.asOf ?? snapshotAsOf, 'asOf');
  if (readInstant(tick.asOf, `${path}.asOf`) < before) {
    const message = `${path}.asOf ${tick.asOf} lies before that of ${record.id}, ${record.asOf ?? snapshotAsOf}`;
    throw new PlimsollError('INVALID_FIELD', message, { path: `${path}.asOf` });
  }
  return {
    ...record,
    asOf: tick.asOf,
    ...(tick.spot === undefined ? {} : { spot: tick.spot }),
    ...(tick.forwards === undefined
      ? {}
      : { forwards: mergedForwards(record.forwards ?? [], tick.forwards) }),
    ...(tick.surface === undefined
      ? {}
      : { surface: mergedSurface(record.surface ?? [], tick.surface) }),
  };
}

type Forwards = NonNullable<UnderlyingRecord['forwards']>;

/** By instant: two spellings of an expiry are one. */
function mergedForwards(before: Forwards, moved: NonNullable<Tick['forwards']>): Forwards {
  const byExpiry = new Map(
    before.map((forward) => [readInstant(forward.expiry, 'expiry'), forward]),
  );
  for (const { expiry, price } of moved) {
    const at = readInstant(expiry, 'expiry');
    byExpiry.set(at, { expiry: byExpiry.get(at)?.expiry ?? expiry, price });
  }
  return [...byExpiry.values()];
}

function mergedSurface(
  before: readonly SurfaceSliceRecord[],
  moved: readonly SurfaceSliceRecord[],
): SurfaceSliceRecord[] {
  const byExpiry = new Map(before.map((slice) => [readInstant(slice.expiry, 'expiry'), slice]));
  for (const { expiry, quotes } of moved) {
    const at = readInstant(expiry, 'expiry');
    const old = byExpiry.get(at);
    const byStrike = new Map((old?.quotes ?? []).map((quote) => [quote.strike, quote]));
    for (const quote of quotes) byStrike.set(quote.strike, quote);
    byExpiry.set(at, { expiry: old?.expiry ?? expiry, quotes: [...byStrike.values()] });
  }
  return [...byExpiry.values()];
}

function withMarks(
  snapshot: MarketSnapshot,
  marks: ReadonlyMap<string, number>,
  moved: ReadonlySet<string>,
): MarketSnapshot {
  const known = new Map(snapshot.instruments.map((record) => [record.id, record]));
  for (const id of marks.keys()) {
    const record = known.get(id);
    if (record === undefined) {
      throw new PlimsollError('UNKNOWN_INSTRUMENT', `the market has no instrument ${id}`, {
        path: 'marks',
      });
    }
    if (
      !moved.has(record.underlying) ||
      (record.type !== 'perpetual' && record.type !== 'future')
    ) {
      const message = `a mark of ${id} must come with a tick of its underlying, and only perpetuals and futures have one`;
      throw new PlimsollError('INVALID_FIELD', message, { path: 'marks' });
    }
  }
  const instruments = snapshot.instruments.map((record) => {
    const mark = marks.get(record.id);
    return mark === undefined ? record : { ...record, mark };
  });
  return { ...snapshot, instruments };
}
