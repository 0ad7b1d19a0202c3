/** A stress library, applied to a market: one row of shocks a scenario, in the form in which historical scenarios are replayed. */
import { PlimsollError } from '../../errors.ts';
import { hashOf, sha256 } from '../../json.ts';
import { LIMITS } from '../../limits.ts';
import { parseFactorId } from '../../market/factorIds.ts';
import type { History } from '../../market/history.ts';
import { gapsOf } from '../historyRows.ts';
import { replayedSet } from '../scenarioSet.ts';
import type { SourcedScenarios } from '../source.ts';
import { type HistoricalDay, type HistoricalDays, historicalDays } from './historicalDays.ts';
import { decorrelationScenarios, gridScenarios, marketScenarios } from './hypothetical.ts';
import { dayRow, type MovePlace, movesRow, type RowContext } from './rows.ts';
import type { StressLibrary, StressScenario } from './schema.ts';

export type StressKind = 'hypothetical' | 'historical' | 'grid' | 'user';

/** What the scenarios are for. */
export interface StressSubject {
  /** Columns of the rows, and 1 for each whose shock is absolute. */
  readonly factorIds: readonly string[];
  readonly absolute: Uint8Array;
  /** In the order in which they get scenarios of their own. */
  readonly underlyings: readonly { readonly id: string; readonly spot: number }[];
  /** Null: no historical days. */
  readonly history: History | null;
  readonly horizonDays: number;
  readonly maxLogShock: number;
  /** Where the library's fields stand in the document that states them; null for one that nobody states. Default: by themselves. */
  readonly pathOf?: (field: keyof StressLibrary) => string | null;
}

export interface StressScenarios extends SourcedScenarios {
  /** One a row, in their order: hypothetical, historical, grid, the user's own. No two alike. */
  readonly names: readonly string[];
  readonly kinds: readonly StressKind[];
  /** L × factors: log shocks (of an absolute spot: in price units; of a basis: added), row-major; NaN is a gap in the history. */
  readonly changes: Float64Array;
  /** Factors that a scenario moves and the model lacks: they stay still. */
  readonly heldFactors: readonly string[];
  /** Factors of the model that no row of the history has: still on historical days. */
  readonly heldInHistory: readonly string[];
  /** Underlyings without scenarios of their own, as there are too many. */
  readonly withoutOwn: readonly string[];
  /** Underlyings that a scenario names and of which the model has no factor at all: a misspelt id is among them. */
  readonly unknownUnderlyings: readonly string[];
  /** Scenarios of which a shock meets the clamp: historical days and the engine's own. One that is stated is refused for it. */
  readonly clampedScenarios: readonly string[];
}

interface Entry {
  readonly name: string;
  readonly kind: StressKind;
  readonly row: (context: RowContext) => Float64Array;
}

type PathOf = NonNullable<StressSubject['pathOf']>;

const DEFAULT_DAYS = 3;

/**
 * @param library as `readStressLibrary` gives it; `{}` is the library that comes with the engine
 * @throws INVALID_SCENARIO_COUNT for more than LIMITS.stressScenariosMax or none, DUPLICATE_ID for two of one name, INVALID_FIELD for one that
 * moves nothing or is stated beyond the clamp, MISSING_HISTORY for days that are asked for without a history, INSUFFICIENT_HISTORY for a
 * history without a change over the horizon
 */
export function stressScenarios(library: StressLibrary, subject: StressSubject): StressScenarios {
  const { entries, withoutOwn } = entriesOf(library, subject);
  const { factorIds, absolute, underlyings } = subject;
  const context: RowContext = {
    index: new Map(factorIds.map((id, f) => [id, f])),
    absolute,
    spots: new Map(underlyings.map(({ id, spot }) => [id, spot])),
    maxLogShock: subject.maxLogShock,
    held: new Set(),
    heldInHistory: new Set(),
  };
  const factors = factorIds.length;
  const changes = new Float64Array(entries.length * factors);
  entries.forEach(({ row }, i) => {
    changes.set(row(context), i * factors);
  });
  const names = entries.map(({ name }) => name);
  const { horizonDays, maxLogShock } = subject;
  const set = replayedSet({
    model: 'stress',
    scenarios: entries.length,
    overlap: 1,
    horizonDays,
    maxLogShock,
    absolute,
    factorIds,
    id: hashOf({ stress: names, factorIds, horizonDays, maxLogShock, shocks: hashRows(changes) }),
  });
  return {
    set,
    changes,
    gaps: gapsOf(changes, factors),
    absent: 'MISSING_FACTOR',
    names,
    kinds: entries.map(({ kind }) => kind),
    heldFactors: [...context.held].sort(),
    heldInHistory: [...context.heldInHistory].sort(),
    withoutOwn,
    unknownUnderlyings: unknownUnderlyings(library, factorIds),
    clampedScenarios: names.filter((_, i) => {
      const row = changes.subarray(i * factors, (i + 1) * factors);
      return row.some((x, f) => absolute[f] === 0 && Math.abs(x) > maxLogShock);
    }),
  };
}

function unknownUnderlyings(
  { scenarios = [] }: StressLibrary,
  factorIds: readonly string[],
): readonly string[] {
  const known = new Set(factorIds.map((id) => parseFactorId(id).underlying));
  const named = new Set(scenarios.flatMap(({ underlyings = {} }) => Object.keys(underlyings)));
  return [...named].filter((id) => !known.has(id)).sort();
}

/** Of the bytes; a gap has one form, and so has 0. */
function hashRows(changes: Float64Array): string {
  const plain = changes.map((x) => (Number.isNaN(x) ? Number.POSITIVE_INFINITY : x + 0));
  return sha256(new Uint8Array(plain.buffer));
}

function entriesOf(
  library: StressLibrary,
  subject: StressSubject,
): { readonly entries: readonly Entry[]; readonly withoutOwn: readonly string[] } {
  const ids = subject.underlyings.map(({ id }) => id);
  const count = library.historicalDays ?? DEFAULT_DAYS;
  const { history, horizonDays, maxLogShock, pathOf = (field) => field } = subject;
  if (history === null && (library.historicalDays ?? 0) > 0) {
    const path = pathOf('historicalDays') ?? 'historicalDays';
    throw new PlimsollError('MISSING_HISTORY', `${path} asks for days of a history`, { path });
  }
  const days =
    history === null || count === 0
      ? null
      : historicalDays(history, count, horizonDays, maxLogShock);
  const hypothetical = library.hypothetical ?? true;
  const basis = subject.factorIds.some((id) => id.endsWith(':basis'));
  const market = hypothetical ? marketScenarios(ids, basis) : [];
  const grid = library.grid === undefined ? [] : gridScenarios(library.grid);
  const user = library.scenarios ?? [];
  checkMoves(user, pathOf);
  const ofBook = daysEntries(days?.ofBook() ?? []);
  const room =
    LIMITS.stressScenariosMax - market.length - ofBook.length - grid.length - user.length;
  const perUnderlying = (hypothetical ? 2 : 0) + (days === null ? 0 : 2 * count);
  const owners = perUnderlying === 0 ? [] : ids.slice(0, ownCount(room, perUnderlying));
  const entries = [
    ...movesEntries('hypothetical', market),
    ...owners.flatMap((id) =>
      movesEntries('hypothetical', hypothetical ? decorrelationScenarios(id, ids) : []),
    ),
    ...distinctDays([...ofBook, ...owners.flatMap((id) => ofUnderlying(days, id))]),
    ...movesEntries('grid', grid, gridPlaces(library, pathOf)),
    ...movesEntries('user', user, userPlaces(user, pathOf)),
  ];
  checkEntries(entries, pathOf);
  const withoutOwn = perUnderlying === 0 ? [] : ids.slice(owners.length);
  return { entries, withoutOwn };
}

function ownCount(room: number, perUnderlying: number): number {
  return Math.max(0, Math.min(LIMITS.stressUnderlyingsMax, Math.floor(room / perUnderlying)));
}

function ofUnderlying(days: HistoricalDays | null, id: string): readonly Entry[] {
  return daysEntries(days?.ofUnderlying(id) ?? []);
}

/** @param places of each scenario, where its moves are stated */
function movesEntries(
  kind: StressKind,
  scenarios: readonly StressScenario[],
  places?: readonly MovePlace[] | null,
): readonly Entry[] {
  return scenarios.map((scenario, i) => ({
    name: scenario.name,
    kind,
    row: (context) => movesRow(scenario, context, places?.[i]),
  }));
}

function userPlaces(user: readonly StressScenario[], pathOf: PathOf): readonly MovePlace[] {
  return user.map((_, i) => (what, own) => {
    const path = `${pathOf('scenarios')}[${i}]`;
    return own === null ? `${path}.${what}` : `${path}.underlyings.${own}.${what}`;
  });
}

/** In the order of the cells. */
function gridPlaces({ grid }: StressLibrary, pathOf: PathOf): readonly MovePlace[] | null {
  const path = pathOf('grid');
  if (grid === undefined || path === null) return null;
  return grid.spot.flatMap((_, i) =>
    grid.vol.map(
      (_cell, j): MovePlace =>
        (what) =>
          `${path}.${what}[${what === 'spot' ? i : j}]`,
    ),
  );
}

function daysEntries(days: readonly HistoricalDay[]): readonly Entry[] {
  return days.map((day) => ({
    name: day.name,
    kind: 'historical',
    row: (context) => dayRow(day.changes, context),
  }));
}

/** One day is the worst for many: it stands once, where it came first. */
function distinctDays(entries: readonly Entry[]): readonly Entry[] {
  const seen = new Set<string>();
  return entries.filter(({ name }) => !seen.has(name) && seen.add(name));
}

function checkMoves(scenarios: readonly StressScenario[], pathOf: PathOf): void {
  scenarios.forEach((scenario, i) => {
    const { spot = 0, vol = 0, basis = 0, underlyings = {} } = scenario;
    const all = [{ spot, vol, basis }, ...Object.values(underlyings)];
    if (all.some((moves) => Object.values(moves).some((move) => move !== 0))) return;
    const path = `${pathOf('scenarios')}[${i}]`;
    const message = `${path} ${JSON.stringify(scenario.name)} moves nothing`;
    throw new PlimsollError('INVALID_FIELD', message, { path });
  });
}

function checkEntries(entries: readonly Entry[], pathOf: PathOf): void {
  const { stressScenariosMax } = LIMITS;
  if (entries.length === 0 || entries.length > stressScenariosMax) {
    const message = `a stress library must have 1 to ${stressScenariosMax} scenarios, this has ${entries.length}`;
    throw new PlimsollError('INVALID_SCENARIO_COUNT', message, {
      path: pathOf('scenarios') ?? 'scenarios',
    });
  }
  const seen = new Set<string>();
  const users = entries.length - entries.filter(({ kind }) => kind === 'user').length;
  entries.forEach(({ name, kind }, i) => {
    if (seen.has(name)) {
      const path = kind === 'user' ? `${pathOf('scenarios')}[${i - users}].name` : pathOf('grid');
      const message = `two stress scenarios are named ${JSON.stringify(name)}`;
      throw new PlimsollError('DUPLICATE_ID', message, { path: path ?? kind });
    }
    seen.add(name);
  });
}
