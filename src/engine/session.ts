/**
 * One market under one methodology, ready to be computed on: the valuation plan, the scenario set, the shared memory. A session never
 * changes; a new market is a new session. Everything in it can be sent to a worker.
 */
import { compileKernels, createMemory, instantiateKernels } from '../../workers/kernels.ts';
import { type Methodology, methodologyHash, scenarioParameters } from '../margin/methodology.ts';
import { checkHaircuts } from '../margin/portfolio.ts';
import type { CompiledFactors } from '../market/factorModel.ts';
import type { History } from '../market/history.ts';
import type { Market } from '../market/market.ts';
import { tailRanks } from '../risk/tail.ts';
import { sourceScenarios } from '../scenarios/source.ts';
import { instrumentExposures } from '../valuation/exposures.ts';
import { planValuation, type ValuationPlan } from '../valuation/plan.ts';
import { type Kept, planArena } from './arena.ts';
import { checkRows } from './arrangements.ts';
import { tailBytes } from './bookMemory.ts';
import { ENGINE } from './fingerprint.ts';
import { plannedFactors } from './plannedFactors.ts';
import type { Session } from './sessionData.ts';
import { writeShocks } from './shocks.ts';
import { dailyVolatilities, scenarioCounts, sideSetsId, sideSources, writeSides } from './sides.ts';

/** What scenarios come from. */
export interface ScenarioSource {
  readonly methodology: Methodology;
  readonly factors: CompiledFactors | null;
  readonly history: History | null;
}

export interface SessionRequest extends ScenarioSource {
  readonly market: Market;
  readonly slots: number;
  readonly kept: Kept;
  readonly resultRows: number;
  /** Where the memory comes from: at least so many bytes, whatever they hold. */
  readonly memory: (bytes: number) => WebAssembly.Memory;
  /** Instruments to plan for; all when left out. */
  readonly held?: ReadonlySet<number> | undefined;
}

let sessions = 0;
const module: WebAssembly.Module = compileKernels();
const heapBase: number = instantiateKernels(module, createMemory(1)).heapBase();

/** Sessions are told apart by number: workers keep what they know of each. */
export function nextSessionId(): number {
  sessions += 1;
  return sessions;
}

export function openSession(request: SessionRequest): Session {
  const { market, methodology, slots, kept, resultRows } = request;
  checkHaircuts(methodology, market.currency);
  const { longRunFloor } = methodology.antiProcyclicality;
  const { factors, history } = request;
  // Measure (c) of anti-procyclicality is in the scenarios themselves.
  const basis = longRunFloor ? 'greater' : 'today';
  const sourced = sourceScenarios(scenarioParameters(methodology), factors, history, basis);
  const { set, changes, gaps } = sourced;
  checkRows(set, set.scenarios, methodology.confidence);
  const sources = sideSources(request, sourced);
  const horizon = methodology.instantaneous ? 0 : methodology.horizonDays;
  const gapLists = [gaps, ...Object.values(sources).map((side) => side?.gaps ?? [])];
  const planned = plannedFactors(set, gapLists, sourced.absent);
  const plan = planValuation(market, planned, horizon, request.held, methodology.smileRule);
  const layout = planArena({
    heapBase,
    scenarios: set.scenarios,
    factors: set.factorIds.length,
    rows: plan.rows,
    smileBytes: plan.smileBytes,
    underlyings: market.underlyings.length,
    slots,
    tailBytes: tailBytes(tailRanks(set.scenarios, methodology.confidence).keep),
    kept,
    shocksKept: changes !== null,
    resultRows,
    sides: scenarioCounts(sources),
    reordered: methodology.components.includes('dependence') && movedUnderlyings(plan) > 1,
  });
  const memory = request.memory(layout.bytes);
  const f64 = new Float64Array(memory.buffer);
  f64.set(set.cholesky, layout.cholesky / 8);
  const replayClamped = changes === null ? 0 : writeShocks(f64, layout, set, changes);
  const sides = writeSides(f64, layout, sources);
  const provenance = {
    scenarioSet: set.id,
    sideSets: sideSetsId(sources),
    methodology: methodologyHash(methodology),
    engine: ENGINE,
  };
  const exposures = instrumentExposures(market, plan, dailyVolatilities(sourced));
  const stressedProxies = sources.stressed?.proxied ?? new Set<string>();
  const unknownStress = sources.stress?.unknown ?? [];
  const valuation = { market, plan, methodology, exposures, stressedProxies, unknownStress };
  const id = nextSessionId();
  const { absent } = sourced;
  return {
    id,
    step: null,
    module,
    memory,
    layout,
    set,
    sides,
    valuation,
    gaps,
    absent,
    provenance,
    replayClamped,
  };
}

function movedUnderlyings({ underlyings }: ValuationPlan): number {
  return underlyings.filter((rows) => rows !== null).length;
}
