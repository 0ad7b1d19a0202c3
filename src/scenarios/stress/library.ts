/** A stress library, applied to a market: one row of shocks a scenario, in the form in which historical scenarios are replayed. */
import { PlimsollError } from '../../errors.ts';
import { hashOf, sha256 } from '../../json.ts';
import { LIMITS } from '../../limits.ts';
import type { History } from '../../market/history.ts';
import { gapsOf } from '../historyRows.ts';
import { replayedSet } from '../scenarioSet.ts';
import type { SourcedScenarios } from '../source.ts';
import { type HistoricalDay, type HistoricalDays, historicalDays } from './historicalDays.ts';
import { decorrelationScenarios, gridScenarios, marketScenarios } from './hypothetical.ts';
import { dayRow, movesRow, type RowContext } from './rows.ts';
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
}

interface Entry {
  readonly name: string;
  readonly kind: StressKind;
  readonly row: (context: RowContext) => Float64Array;
}

const DEFAULT_DAYS = 3;

/**
 * @param library as `readStressLibrary` gives it; `{}` is the library that comes with the engine
 * @throws INVALID_SCENARIO_COUNT for more than LIMITS.stressScenariosMax or none, DUPLICATE_ID for two of one name, INVALID_FIELD for one that
 * moves nothing, INSUFFICIENT_HISTORY for a history without a change over the horizon
 */
export function stressScenarios(library: StressLibrary, subject: StressSubject): StressScenarios {
  const { entries, withoutOwn } = entriesOf(library, subject);
  const { factorIds, absolute, underlyings } = subject;
  const context: RowContext = {
    index: new Map(factorIds.map((id, f) => [id, f])),
    absolute,
    spots: new Map(underlyings.map(({ id, spot }) => [id, spot])),
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
  };
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
  const { history, horizonDays, maxLogShock } = subject;
  const days =
    history === null || count === 0
      ? null
      : historicalDays(history, count, horizonDays, maxLogShock);
  const hypothetical = library.hypothetical ?? true;
  const basis = subject.factorIds.some((id) => id.endsWith(':basis'));
  const market = hypothetical ? marketScenarios(ids, basis) : [];
  const grid = library.grid === undefined ? [] : gridScenarios(library.grid);
  const user = userScenarios(library.scenarios ?? []);
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
    ...movesEntries('grid', grid),
    ...movesEntries('user', user),
  ];
  checkEntries(entries);
  const withoutOwn = perUnderlying === 0 ? [] : ids.slice(owners.length);
  return { entries, withoutOwn };
}

function ownCount(room: number, perUnderlying: number): number {
  return Math.max(0, Math.min(LIMITS.stressUnderlyingsMax, Math.floor(room / perUnderlying)));
}

function ofUnderlying(days: HistoricalDays | null, id: string): readonly Entry[] {
  return daysEntries(days?.ofUnderlying(id) ?? []);
}

function movesEntries(kind: StressKind, scenarios: readonly StressScenario[]): readonly Entry[] {
  return scenarios.map((scenario) => ({
    name: scenario.name,
    kind,
    row: (context) => movesRow(scenario, context),
  }));
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

function userScenarios(scenarios: readonly StressScenario[]): readonly StressScenario[] {
  scenarios.forEach((scenario, i) => {
    const { spot = 0, vol = 0, basis = 0, underlyings = {} } = scenario;
    const all = [{ spot, vol, basis }, ...Object.values(underlyings)];
    if (all.some((moves) => Object.values(moves).some((move) => move !== 0))) return;
    const path = `scenarios[${i}]`;
    const message = `${path} ${JSON.stringify(scenario.name)} moves nothing`;
    throw new PlimsollError('INVALID_FIELD', message, { path });
  });
  return scenarios;
}

function checkEntries(entries: readonly Entry[]): void {
  const { stressScenariosMax } = LIMITS;
  if (entries.length === 0 || entries.length > stressScenariosMax) {
    const message = `a stress library must have 1 to ${stressScenariosMax} scenarios, this has ${entries.length}`;
    throw new PlimsollError('INVALID_SCENARIO_COUNT', message, { path: 'scenarios' });
  }
  const seen = new Set<string>();
  const users = entries.length - entries.filter(({ kind }) => kind === 'user').length;
  entries.forEach(({ name, kind }, i) => {
    if (seen.has(name)) {
      const path = kind === 'user' ? `scenarios[${i - users}].name` : kind;
      const message = `two stress scenarios are named ${JSON.stringify(name)}`;
      throw new PlimsollError('DUPLICATE_ID', message, { path });
    }
    seen.add(name);
  });
}
