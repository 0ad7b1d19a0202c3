/** A session as it is sent to workers. Apart from `session.ts`, which opens one, so that a worker need not load readers and calibration. */
import { ensure } from '../errors.ts';
import type { Provenance } from '../margin/result.ts';
import type { Valuation } from '../margin/valuation.ts';
import type { MarketMoves } from '../market/market.ts';
import type { ScenarioSet } from '../scenarios/scenarioSet.ts';
import type { PlannedFactors } from '../valuation/plan.ts';
import { type ArenaLayout, type CubeLayout, SIDES, type Side } from './arena.ts';

/** A scenario set beside the session's own. */
export interface SideScenarios {
  readonly set: ScenarioSet;
  readonly gaps: readonly (Uint8Array | null)[];
  /** Replayed shocks that met the clamp. */
  readonly clamped: number;
  /** Of the stress library: what each scenario is called. */
  readonly names: readonly string[];
}

/** How ticks made a session of another: what a worker that has the other needs to know. */
export interface SessionStep {
  /** Id of the session before. */
  readonly from: number;
  /** Underlyings, as indices. */
  readonly moved: readonly number[];
  readonly market: MarketMoves;
}

export interface Session {
  readonly id: number;
  /** Null where it was opened anew. */
  readonly step: SessionStep | null;
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly layout: ArenaLayout;
  readonly set: ScenarioSet;
  readonly sides: Readonly<Record<Side, SideScenarios | null>>;
  readonly valuation: Valuation;
  /** By factor: 1 where a historical row lacks it; null where none does. Empty where scenarios are drawn. */
  readonly gaps: readonly (Uint8Array | null)[];
  /** The error code for a factor that the scenarios lack. */
  readonly absent: PlannedFactors['absent'];
  readonly provenance: Provenance;
  /** Replayed shocks that met the clamp; drawn ones are counted as they are drawn. */
  readonly replayClamped: number;
}

/** Which of a session's scenario sets a task works on. */
export type CubeName = 'base' | Side;

export interface Cube {
  readonly layout: CubeLayout;
  readonly set: ScenarioSet;
  readonly gaps: readonly (Uint8Array | null)[];
}

export function cubeOf(session: Session, name: CubeName): Cube {
  if (name === 'base') return session;
  const layout = session.layout.sides[name];
  const side = session.sides[name];
  ensure(layout !== null && side !== null, `the session has no ${name} scenarios`);
  return { layout, set: side.set, gaps: side.gaps };
}

/** The scenario sets that a session has: its own first. */
export function cubesOf({ sides }: Session): readonly CubeName[] {
  return ['base', ...SIDES.filter((name) => sides[name] !== null)];
}

/** Scenarios that count for a book: all, less the historical rows that lack a factor that moves it (given by their mask rows). */
export function usableScenarios(
  session: Session,
  maskRows: readonly number[],
  { gaps, set }: Pick<Cube, 'gaps' | 'set'> = session,
  order: (underlying: number) => Uint32Array | null = () => null,
): number {
  if (maskRows.length === 0) return set.scenarios;
  const { underlyings } = session.valuation.plan;
  const masks = underlyings.flatMap((rows, underlying) =>
    (rows?.masks ?? [])
      .filter(({ row }) => maskRows.includes(row))
      .map(({ factor }) => ({ gap: gaps[factor] ?? null, order: order(underlying) }))
      .filter(({ gap }) => gap !== null),
  );
  if (masks.length === 0) return set.scenarios;
  let usable = 0;
  for (let s = 0; s < set.scenarios; s++) {
    if (masks.every((mask) => mask.gap![mask.order === null ? s : mask.order[s]!] === 0)) usable++;
  }
  return usable;
}
