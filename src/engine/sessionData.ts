/** A session as it is sent to workers. Apart from `session.ts`, which opens one, so that a worker need not load readers and calibration. */
import type { Valuation } from '../margin/portfolio.ts';
import type { Provenance } from '../margin/result.ts';
import type { ScenarioSet } from '../scenarios/scenarioSet.ts';
import type { ArenaLayout } from './arena.ts';

export interface Session {
  readonly id: number;
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly layout: ArenaLayout;
  readonly set: ScenarioSet;
  readonly valuation: Valuation;
  /** By factor: 1 where a historical row lacks it; null where none does. Empty where scenarios are drawn. */
  readonly gaps: readonly (Uint8Array | null)[];
  readonly provenance: Provenance;
  /** Replayed shocks that met the clamp; drawn ones are counted as they are drawn. */
  readonly replayClamped: number;
}

/** Scenarios that count for a book: all, less the historical rows that lack a factor that moves it (given by their mask rows). */
export function usableScenarios(session: Session, maskRows: readonly number[]): number {
  const { underlyings } = session.valuation.plan;
  const masks = underlyings
    .flatMap((rows) => rows?.masks ?? [])
    .filter(({ row }) => maskRows.includes(row))
    .map(({ factor }) => session.gaps[factor]!);
  if (masks.length === 0) return session.set.scenarios;
  let usable = 0;
  for (let s = 0; s < session.set.scenarios; s++) {
    if (masks.every((mask) => mask[s] === 0)) usable++;
  }
  return usable;
}
