/**
 * The scenario sets beside a session's own that its methodology asks for: the same draws at long-run volatilities, the stressed rows of
 * the history, the stress library. All are brought into the order of the session's own factors, so that one valuation plan serves.
 */
import { ensure, PlimsollError } from '../errors.ts';
import { hashOf } from '../json.ts';
import { type Methodology, scenarioParameters } from '../margin/methodology.ts';
import { parseFactorId } from '../market/factorIds.ts';
import type { CompiledFactors } from '../market/factorModel.ts';
import type { History } from '../market/history.ts';
import type { Market } from '../market/market.ts';
import { exp, log } from '../numerics.ts';
import type { ScenarioSet } from '../scenarios/scenarioSet.ts';
import {
  longRunScenarios,
  type SourcedScenarios,
  type StressedScenarios,
  stressedScenarios,
} from '../scenarios/source.ts';
import { stressScenarios } from '../scenarios/stress/library.ts';
import { bookReturns } from '../scenarios/stressedWindow.ts';
import { type ArenaLayout, SIDES, type Side } from './arena.ts';
import type { SideScenarios } from './sessionData.ts';
import { writeShocks } from './shocks.ts';
import { spotOf, stressSubject } from './stressRows.ts';

export interface SideSource {
  readonly set: ScenarioSet;
  /** S × factors, row-major; null where workers draw them. */
  readonly changes: Float64Array | null;
  readonly gaps: readonly (Uint8Array | null)[];
  readonly names: readonly string[];
  /** Underlyings whose own history does not reach the stressed stretch. */
  readonly proxied?: ReadonlySet<string>;
  /** Underlyings that the stress library names and the scenarios do not move. */
  readonly unknown?: readonly string[];
}

type CompletedRows = Pick<SourcedScenarios, 'set' | 'changes' | 'gaps'> & {
  readonly proxied: ReadonlySet<string>;
};

export type SideSources = Readonly<Record<Side, SideSource | null>>;

export interface SideRequest {
  readonly market: Market;
  readonly methodology: Methodology;
  readonly factors: CompiledFactors | null;
  readonly history: History | null;
}

export function sideSources(request: SideRequest, base: SourcedScenarios): SideSources {
  const { buffer, stressed } = request.methodology.antiProcyclicality;
  return {
    longRun: buffer ? longRunSource(request) : null,
    stressed: stressed ? stressedSource(request, base.set) : null,
    stress: request.methodology.components.includes('stress')
      ? stressSource(request, base.set)
      : null,
  };
}

function longRunSource({ methodology, factors, history }: SideRequest): SideSource {
  const { set, changes, gaps } = longRunScenarios(
    scenarioParameters(methodology),
    factors,
    history,
  );
  return { set, changes, gaps, names: [] };
}

function stressedSource(
  { market, methodology, history }: SideRequest,
  base: ScenarioSet,
): SideSource {
  if (history === null) {
    const message = 'the stressed set of anti-procyclicality (b) needs a history';
    throw new PlimsollError('MISSING_HISTORY', message, { path: 'history' });
  }
  const { horizonDays, maxLogShock, confidence, antiProcyclicality } = methodology;
  const { stressedRows } = antiProcyclicality;
  const found = stressedScenarios({ horizonDays, maxLogShock, confidence, stressedRows }, history);
  return aligned(completed(found, base), base, market);
}

/**
 * What was not listed yet in the stressed stretch moves as the equal-weight book of those that were: a set in which most of its rows are
 * skipped would be no stress at all. Factors that are no spots are held still where they are missing.
 */
function completed(found: StressedScenarios, base: ScenarioSet): CompletedRows {
  const { set, changes } = found;
  const missing = base.factorIds.filter(
    (id) => id.endsWith(':spot') && !set.factorIds.includes(id),
  );
  const factorIds = [...set.factorIds, ...missing];
  const from = set.factorIds.length;
  const to = factorIds.length;
  const book = bookReturns({ factorIds: set.factorIds, changes }, undefined, set.maxLogShock);
  const rows = new Float64Array(set.scenarios * to);
  const proxied = new Set<string>();
  factorIds.forEach((id, f) => {
    const { underlying, type } = parseFactorId(id);
    for (let s = 0; s < set.scenarios; s++) {
      const known = f < from ? changes[s * from + f]! : Number.NaN;
      const lacking = Number.isNaN(known);
      if (lacking && type === 'spot') proxied.add(underlying);
      rows[s * to + f] = !lacking ? known : type === 'spot' ? log(1 + book[s]!) : 0;
    }
  });
  const absolute = Uint8Array.from(factorIds, (_, f) => (f < from ? set.absolute[f]! : 0));
  return {
    set: { ...set, factorIds, absolute },
    changes: rows,
    gaps: factorIds.map(() => null),
    proxied,
  };
}

function stressSource(
  { market, methodology, history }: SideRequest,
  base: ScenarioSet,
): SideSource {
  const subject = stressSubject(base, market, methodology, history);
  const { set, changes, gaps, names, unknownUnderlyings } = stressScenarios(
    methodology.stress.library,
    subject,
  );
  return { set, changes, gaps, names, unknown: unknownUnderlyings };
}

/**
 * Rows of shocks in the order of the session's factors. A spot that the rows lack is a gap in all of them, so that an account that holds it
 * is refused; any other factor that they lack is held still.
 */
function aligned(
  { set, changes, gaps, proxied }: CompletedRows,
  base: ScenarioSet,
  market: Market,
): SideSource {
  ensure(changes !== null, 'given rows have changes');
  const places = base.factorIds.map((id) => set.factorIds.indexOf(id));
  const from = set.factorIds.length;
  const to = places.length;
  const ordered = new Float64Array(set.scenarios * to);
  places.forEach((place, f) => {
    if (place === -1) return;
    // A history has log changes of spots; a factor in price units moves by as much of today's price.
    const inPrice = base.absolute[f] === 1 && set.absolute[place] === 0;
    const spot = inPrice ? spotOf(market, parseFactorId(base.factorIds[f]!).underlying) : 0;
    for (let s = 0; s < set.scenarios; s++) {
      const x = changes[s * from + place]!;
      ordered[s * to + f] = inPrice ? spot * (exp(clamp(x, set.maxLogShock)) - 1) : x;
    }
  });
  const everywhere = new Uint8Array(set.scenarios).fill(1);
  return {
    set: { ...set, factorIds: base.factorIds, absolute: base.absolute },
    changes: ordered,
    gaps: places.map((place, f) => {
      if (place !== -1) return gaps[place] ?? null;
      return base.factorIds[f]!.endsWith(':spot') ? everywhere : null;
    }),
    names: [],
    proxied,
  };
}

function clamp(x: number, limit: number): number {
  return Math.min(limit, Math.max(-limit, x));
}

/** One hash of the sets beside the base set; null where there are none. */
export function sideSetsId(sources: SideSources): string | null {
  const ids = SIDES.flatMap((name) => {
    const side = sources[name];
    return side === null ? [] : [[name, side.set.id]];
  });
  return ids.length === 0 ? null : hashOf(Object.fromEntries(ids));
}

/** Scenarios of each side that is used. */
export function scenarioCounts(sources: SideSources): Partial<Record<Side, number>> {
  const counts: Partial<Record<Side, number>> = {};
  for (const name of SIDES) {
    const side = sources[name];
    if (side !== null) counts[name] = side.set.scenarios;
  }
  return counts;
}

/** Writes replayed shocks into their places. */
export function writeSides(
  f64: Float64Array,
  layout: ArenaLayout,
  sources: SideSources,
): Readonly<Record<Side, SideScenarios | null>> {
  const written = (name: Side): SideScenarios | null => {
    const source = sources[name];
    const cube = layout.sides[name];
    if (source === null || cube === null) return null;
    const { set, changes, gaps, names } = source;
    const clamped = changes === null ? 0 : writeShocks(f64, cube, set, changes);
    return { set, gaps, names, clamped };
  };
  return { longRun: written('longRun'), stressed: written('stressed'), stress: written('stress') };
}

/** By factor: σ of one day's move, from the model where scenarios are drawn, from the rows where they are replayed. */
export function dailyVolatilities({ set, changes }: SourcedScenarios): Float64Array {
  const perDay = 1 / Math.sqrt(set.horizonDays);
  if (changes === null) return set.volatility.map((sigma) => sigma * perDay);
  const factors = set.factorIds.length;
  return Float64Array.from(set.factorIds, (_, f) => {
    let n = 0;
    let sum = 0;
    for (let at = f; at < changes.length; at += factors) {
      if (Number.isNaN(changes[at]!)) continue;
      n += 1;
      sum += changes[at]!;
    }
    let squares = 0;
    for (let at = f; at < changes.length; at += factors) {
      const deviation = changes[at]! - sum / n;
      if (!Number.isNaN(deviation)) squares += deviation * deviation;
    }
    return n > 1 ? Math.sqrt(squares / (n - 1)) * perDay : Number.NaN;
  });
}
