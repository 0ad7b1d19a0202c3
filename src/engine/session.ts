/**
 * One market under one methodology, ready to be computed on: the valuation plan, the scenario set, the shared memory. A session never
 * changes; a new market is a new session. Everything in it can be sent to a worker.
 */
import { compileKernels, createMemory, instantiateKernels } from '../../workers/kernels.ts';
import { ensure, PlimsollError } from '../errors.ts';
import { type Methodology, methodologyHash } from '../margin/methodology.ts';
import type { CompiledFactors } from '../market/factorModel.ts';
import type { History } from '../market/history.ts';
import type { Market } from '../market/market.ts';
import { tailRanks } from '../risk/tail.ts';
import { type Replay, replayHistory } from '../scenarios/replay.ts';
import {
  DRAW_BLOCK,
  DRAW_STRIDE,
  drawBlocks,
  type ScenarioSet,
  scenarioSetId,
  streamKey,
} from '../scenarios/scenarioSet.ts';
import { type PlannedFactors, planValuation } from '../valuation/plan.ts';
import { type ArenaLayout, planArena } from './arena.ts';
import { tailBytes } from './bookMemory.ts';
import { ENGINE } from './fingerprint.ts';
import type { Session } from './sessionData.ts';

/** What scenarios come from. */
export interface ScenarioSource {
  readonly methodology: Methodology;
  readonly factors: CompiledFactors | null;
  readonly history: History | null;
}

export interface SessionRequest extends ScenarioSource {
  readonly market: Market;
  readonly slots: number;
  /** Keep the cube; false streams scenarios through and keeps `resultRows` rows of P&L. */
  readonly kept: boolean;
  readonly resultRows: number;
  /** Where the memory comes from: at least so many bytes, whatever they hold. */
  readonly memory: (bytes: number) => WebAssembly.Memory;
  /** Instruments to plan for; all when left out. */
  readonly held?: ReadonlySet<number> | undefined;
}

let sessions = 0;
const module: WebAssembly.Module = compileKernels();
const heapBase: number = instantiateKernels(module, createMemory(1)).heapBase();

export function openSession(request: SessionRequest): Session {
  const { market, methodology, slots, kept, resultRows } = request;
  const replay = methodology.scenarioModel === 'historical' ? replayOf(request) : null;
  const set = replay?.set ?? drawnSet(request);
  const horizon = methodology.instantaneous ? 0 : methodology.horizonDays;
  const planned = replay === null ? modelFactors(request.factors!) : replayedFactors(replay);
  const plan = planValuation(market, planned, horizon, request.held);
  const layout = planArena({
    heapBase,
    scenarios: set.scenarios,
    factors: set.factorIds.length,
    rows: plan.rows,
    slots,
    tailBytes: tailBytes(tailRanks(set.scenarios, methodology.confidence).keep),
    kept,
    shocksKept: replay !== null,
    resultRows,
  });
  const memory = request.memory(layout.bytes);
  const f64 = new Float64Array(memory.buffer);
  f64.set(set.cholesky, layout.cholesky / 8);
  const replayClamped = replay === null ? 0 : writeShocks(f64, layout, set, replay.changes);
  const gaps = replay?.gaps ?? [];
  const provenance = {
    scenarioSet: set.id,
    methodology: methodologyHash(methodology),
    engine: ENGINE,
  };
  const valuation = { market, plan, methodology };
  sessions += 1;
  return { id: sessions, module, memory, layout, set, valuation, gaps, provenance, replayClamped };
}

function modelFactors(factors: CompiledFactors): PlannedFactors {
  return {
    index: factors.index,
    absolute: factors.kind,
    gaps: () => false,
    absent: 'MISSING_FACTOR',
  };
}

function replayOf({ methodology, history }: ScenarioSource): Replay {
  if (history !== null) return replayHistory(history, methodology);
  throw new PlimsollError('MISSING_HISTORY', 'historical scenarios need a history', {
    path: 'history',
  });
}

function replayedFactors({ set, gaps }: Replay): PlannedFactors {
  return {
    index: new Map(set.factorIds.map((id, f) => [id, f])),
    absolute: set.absolute,
    gaps: (factor) => gaps[factor] !== null,
    absent: 'MISSING_HISTORY',
  };
}

/** METHODOLOGY section 3: σ_h = σ√(h/periodsPerYear), mean = drift · h/periodsPerYear. */
function drawnSet({ methodology, factors }: ScenarioSource): ScenarioSet {
  if (factors === null)
    throw new PlimsollError('MISSING_FACTOR', 'no factor model was given', { path: 'factors' });
  const { scenarioModel: model, horizonDays, scenarios, seed, maxLogShock } = methodology;
  ensure(model !== 'historical', 'a historical set is replayed, not drawn');
  const scale = (i: number): number => horizonDays / factors.periodsPerYear[i]!;
  return {
    model,
    scenarios,
    overlap: 1,
    horizonDays,
    key: streamKey(seed),
    maxLogShock,
    degreesOfFreedom: model === 'student-t' ? (factors.degreesOfFreedom ?? 0) : 0,
    volatility: factors.volatility.map((v, i) => v * Math.sqrt(scale(i))),
    mean: factors.drift.map((d, i) => d * scale(i)),
    absolute: factors.kind,
    cholesky: factors.cholesky,
    factorIds: factors.ids,
    id: scenarioSetId({ source: factors.hash, model, seed, scenarios, horizonDays, maxLogShock }),
  };
}

/** Puts replayed changes where drawn shocks would stand; a gap is a shock of 0 and is masked. Returns how many were clamped. */
function writeShocks(
  f64: Float64Array,
  layout: ArenaLayout,
  set: ScenarioSet,
  changes: Float64Array,
): number {
  let clamped = 0;
  const factors = set.factorIds.length;
  for (let block = 0; block < drawBlocks(set.scenarios); block++) {
    const base = (layout.shocks + block * layout.shockBytes) / 8;
    const first = block * DRAW_BLOCK;
    const count = Math.min(DRAW_BLOCK, set.scenarios - first);
    for (let f = 0; f < factors; f++) {
      const limit = set.absolute[f] === 1 ? Number.POSITIVE_INFINITY : set.maxLogShock;
      for (let s = 0; s < count; s++) {
        const x = changes[(first + s) * factors + f]!;
        if (Math.abs(x) > limit) clamped++;
        f64[base + f * DRAW_STRIDE + s] = Number.isNaN(x)
          ? 0
          : Math.min(limit, Math.max(-limit, x));
      }
    }
  }
  return clamped;
}
