/** Two snapshots of one market as the ticks between them, for replays from one to the other. */
import { canonicalJson } from '../json.ts';
import { readInstant } from '../market/instruments.ts';
import type { MarketSnapshot, SurfaceSliceRecord, UnderlyingRecord } from '../market/snapshot.ts';
import type { Tick } from '../market/ticks.ts';

export interface SnapshotTicks {
  /** One for each underlying that both have, in the order of `after`. */
  readonly ticks: readonly Tick[];
  /**
   * What ticks cannot say, and so stays as it was: quotes, forwards and marks that `after` no longer has, instruments and underlyings of only
   * one of them, other contract terms, rate, liquidity. Empty: `tickedSnapshot(before, ticks)` compiles to the same market as `after`.
   */
  readonly left: readonly string[];
}

/**
 * The ticks that turn one snapshot into a later one; prices that did not move are left out.
 * @param before and `after` as `readSnapshot` returns them
 */
export function snapshotTicks(before: MarketSnapshot, after: MarketSnapshot): SnapshotTicks {
  const left: string[] = [];
  const known = new Map(before.underlyings.map((record) => [record.id, record]));
  const marks = movedMarks(before, after, left);
  if (before.currency !== after.currency) left.push('currency');
  const ticks = after.underlyings.flatMap((record) => {
    const old = known.get(record.id);
    known.delete(record.id);
    if (old === undefined) {
      left.push(`${record.id}: not in the market before`);
      return [];
    }
    return [underlyingTick(old, record, after.asOf, marks.get(record.id) ?? [], left)];
  });
  for (const id of known.keys()) left.push(`${id}: not in the market after`);
  return { ticks, left };
}

type Marks = NonNullable<Tick['marks']>;
type Forwards = NonNullable<Tick['forwards']>;

function underlyingTick(
  before: UnderlyingRecord,
  after: UnderlyingRecord,
  asOf: string,
  marks: Marks,
  left: string[],
): Tick {
  const { id } = after;
  for (const field of ['rate', 'oracleConfidence', 'liquidity'] as const) {
    const same = canonicalJson(before[field] ?? null) === canonicalJson(after[field] ?? null);
    if (!same) left.push(`${id}: ${field}`);
  }
  const forwards = movedForwards(before, after, left);
  const surface = movedSurface(before, after, left);
  return {
    underlying: id,
    asOf: after.asOf ?? asOf,
    ...(before.spot === after.spot ? {} : { spot: after.spot }),
    ...(forwards.length === 0 ? {} : { forwards }),
    ...(surface.length === 0 ? {} : { surface }),
    ...(marks.length === 0 ? {} : { marks }),
  };
}

function movedForwards(
  before: UnderlyingRecord,
  after: UnderlyingRecord,
  left: string[],
): Forwards {
  const old = new Map(
    (before.forwards ?? []).map((one) => [readInstant(one.expiry, 'expiry'), one]),
  );
  const moved = (after.forwards ?? []).filter(({ expiry, price }) => {
    const at = readInstant(expiry, 'expiry');
    const same = old.get(at)?.price === price;
    old.delete(at);
    return !same;
  });
  for (const { expiry } of old.values()) left.push(`${after.id}: forward of ${expiry}`);
  return moved;
}

function movedSurface(
  before: UnderlyingRecord,
  after: UnderlyingRecord,
  left: string[],
): SurfaceSliceRecord[] {
  const old = new Map(
    (before.surface ?? []).map((slice) => [readInstant(slice.expiry, 'expiry'), slice]),
  );
  const moved: SurfaceSliceRecord[] = [];
  for (const { expiry, quotes } of after.surface ?? []) {
    const at = readInstant(expiry, 'expiry');
    const known = new Map((old.get(at)?.quotes ?? []).map(({ strike, iv }) => [strike, iv]));
    old.delete(at);
    const news = quotes.filter(({ strike, iv }) => known.get(strike) !== iv);
    if (news.length > 0) moved.push({ expiry, quotes: news });
    for (const { strike } of quotes) known.delete(strike);
    for (const strike of known.keys()) left.push(`${after.id}: quote of ${expiry}, ${strike}`);
  }
  for (const { expiry } of old.values()) left.push(`${after.id}: quotes of ${expiry}`);
  return moved;
}

/** By underlying. */
function movedMarks(
  before: MarketSnapshot,
  after: MarketSnapshot,
  left: string[],
): ReadonlyMap<string, Marks> {
  const known = new Map(before.instruments.map((record) => [record.id, record]));
  const marks = new Map<string, { instrument: string; mark: number }[]>();
  for (const record of after.instruments) {
    const old = known.get(record.id);
    known.delete(record.id);
    if (old === undefined) {
      left.push(`${record.id}: not listed before`);
      continue;
    }
    const { mark: oldMark, ...oldTerms } = old;
    const { mark, ...terms } = record;
    if (canonicalJson(oldTerms) !== canonicalJson(terms)) left.push(`${record.id}: other terms`);
    else if (mark === undefined && oldMark !== undefined) left.push(`${record.id}: mark`);
    if (mark === undefined || mark === oldMark) continue;
    const list = marks.get(record.underlying) ?? [];
    list.push({ instrument: record.id, mark });
    marks.set(record.underlying, list);
  }
  for (const id of known.keys()) left.push(`${id}: not listed after`);
  return marks;
}

/**
 * A snapshot with only some of its instruments, and of prices only what those are valued with: forwards of their expiries, quotes of their
 * strikes. So narrowed to the instruments that both list, two snapshots can be turned into each other by ticks, where the same of them are quoted.
 */
export function narrowSnapshot(
  snapshot: MarketSnapshot,
  instruments: ReadonlySet<string>,
): MarketSnapshot {
  const kept = snapshot.instruments.filter(({ id }) => instruments.has(id));
  const strikes = new Map<string, Set<number>>();
  const key = (underlying: string, expiry: string): string =>
    `${underlying} ${readInstant(expiry, 'expiry')}`;
  for (const { underlying, expiry, strike } of kept) {
    if (expiry === undefined) continue;
    const at = key(underlying, expiry);
    const set = strikes.get(at) ?? new Set();
    if (strike !== undefined) set.add(strike);
    strikes.set(at, set);
  }
  const underlyings = snapshot.underlyings.map((record) => {
    const forwards = record.forwards?.filter(({ expiry }) => strikes.has(key(record.id, expiry)));
    const surface = record.surface?.flatMap(({ expiry, quotes }) => {
      const wanted = strikes.get(key(record.id, expiry));
      const own = quotes.filter(({ strike }) => wanted?.has(strike) === true);
      return own.length === 0 ? [] : [{ expiry, quotes: own }];
    });
    return {
      ...record,
      ...(forwards === undefined ? {} : { forwards }),
      ...(surface === undefined ? {} : { surface }),
    };
  });
  return { ...snapshot, underlyings, instruments: kept };
}
