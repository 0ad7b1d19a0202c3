/**
 * ES by type of factor: the held instruments revalued in full in the tail's scenarios with only the shocks of one type at work, and once with
 * none (what the passage of the horizon does by itself). All these scenarios stand side by side in one small memory.
 */
import { createMemory, instantiateKernels, type Kernels } from '../../../workers/kernels.ts';
import { FACTOR_TYPES, type FactorType, parseFactorId } from '../../market/factorIds.ts';
import { shareOf } from '../../risk/contributions.ts';
import { DRAW_BLOCK, DRAW_STRIDE, drawBlocks } from '../../scenarios/scenarioSet.ts';
import { planValuation } from '../../valuation/plan.ts';
import { revalue } from '../../valuation/revaluation.ts';
import { planArena } from '../arena.ts';
import { viewsOf } from '../bookMemory.ts';
import { plannedFactors } from '../plannedFactors.ts';
import type { Session } from '../sessionData.ts';
import type { Bench } from '../shards.ts';
import { type Line, rowsOf } from './explainLines.ts';
import { shockAt, touchedFactors } from './explainLosses.ts';
import type { MeasuredAccount, MeasuredTail } from './explainMeasure.ts';
import type { ExplainedFactors } from './explainSchema.ts';

/** A memory of at most so many bytes is kept for the next explanation on the session. */
const KEPT_BYTES_MAX = 64 * 1024 * 1024;

interface Room {
  readonly memory: WebAssembly.Memory;
  readonly kernels: Kernels;
}

const rooms = new WeakMap<Session, Room>();

function roomFor(session: Session, bytes: number): Room {
  const known = rooms.get(session);
  if (known !== undefined && known.memory.buffer.byteLength >= bytes) return known;
  const memory = createMemory(bytes);
  const room = { memory, kernels: instantiateKernels(session.module, memory) };
  if (bytes <= KEPT_BYTES_MAX) rooms.set(session, room);
  return room;
}

interface Moved {
  readonly bench: Bench;
  readonly types: readonly FactorType[];
}

export function factorsOf(measured: MeasuredAccount, bench: Bench): ExplainedFactors {
  const { tail, lines } = measured;
  if (tail === null) return { time: 0, types: [], interaction: 0 };
  const { market } = bench.session.valuation;
  const moved = moveByType(measured, tail, bench);
  const { types } = moved;
  const still = lines.map((line) => meanLoss(moved, tail, line, 0));
  const time = still.reduce((sum, loss) => sum + loss, 0);
  let rest = tail.expectedShortfall - time;
  const explained = types.map((type, t) => {
    const sums = new Map<number, number>();
    lines.forEach((line, i) => {
      const own = meanLoss(moved, tail, line, t + 1) - still[i]!;
      sums.set(line.underlying, (sums.get(line.underlying) ?? 0) + own);
    });
    const underlyings = [...sums].sort(([a], [b]) => a - b);
    const contribution = underlyings.reduce((sum, [, own]) => sum + own, 0);
    rest -= contribution;
    return {
      type,
      contribution,
      share: shareOf(contribution, tail.expectedShortfall),
      underlyings: underlyings.map(([u, own]) => ({
        underlying: market.underlyings[u]!.id,
        contribution: own,
      })),
    };
  });
  return { time, types: explained, interaction: rest };
}

/** Mean loss of a line over the tail, in the g-th copy of its scenarios. */
function meanLoss({ bench }: Moved, { tail }: MeasuredTail, line: Line, copy: number): number {
  const { layout, valuation } = bench.session;
  const { masses, mass } = tail;
  let sum = 0;
  for (const { row, size } of rowsOf(line, valuation.plan)) {
    const at = (layout.rows + row * layout.rowBytes) / 8 + copy * masses.length;
    let weighted = 0;
    for (let j = 0; j < masses.length; j++) weighted += masses[j]! * bench.views.f64[at + j]!;
    sum -= size * weighted;
  }
  return sum / mass;
}

/** Copies of the tail's scenarios: the first without shocks, then one for each type of factor with the shocks of that type alone. */
function moveByType(measured: MeasuredAccount, { tail }: MeasuredTail, origin: Bench): Moved {
  const { session } = origin;
  const { set } = session;
  const factors = touchedFactors(measured, origin);
  const typeOf = factors.map((f) => parseFactorId(set.factorIds[f]!).type);
  const types = FACTOR_TYPES.filter((type) => typeOf.includes(type));
  const k = tail.scenarios.length;
  const bench = smallBench(session, measured, factors, k * (1 + types.length));
  const { layout } = bench.session;
  const { f64 } = bench.views;
  const blocks = drawBlocks(bench.session.set.scenarios);
  f64.fill(0, layout.shocks / 8, (layout.shocks + blocks * layout.shockBytes) / 8);
  factors.forEach((f, place) => {
    const first = (1 + types.indexOf(typeOf[place]!)) * k;
    for (let j = 0; j < k; j++) {
      const s = first + j;
      const block = Math.floor(s / DRAW_BLOCK);
      const at = (layout.shocks + block * layout.shockBytes) / 8 + place * DRAW_STRIDE;
      f64[at + s - block * DRAW_BLOCK] = shockAt(origin, f, tail.scenarios[j]!);
    }
  });
  for (let block = 0; block < blocks; block++) revalueSome(bench, block, measured);
  return { bench, types };
}

/** One drawing block, or as much of it as is used: a full one would take twice as long. */
function revalueSome(
  { session, kernels, views }: Bench,
  block: number,
  { portfolio }: MeasuredAccount,
): void {
  const { layout, set, valuation } = session;
  const first = block * DRAW_BLOCK;
  const n = Math.ceil(Math.min(DRAW_BLOCK, set.scenarios - first) / 16) * 16;
  const target = { out: layout.rows + first * 8, rowBytes: layout.rowBytes };
  const shocks = layout.shocks + block * layout.shockBytes;
  for (const { underlying } of portfolio.parts) {
    const rows = valuation.plan.underlyings[underlying]!;
    revalue(kernels, rows, n, { shocks, scratch: layout.scratch, f64: views.f64 }, target);
  }
}

/** A session of the account's own instruments and factors on so many scenarios. */
function smallBench(
  origin: Session,
  { portfolio }: MeasuredAccount,
  factors: readonly number[],
  scenarios: number,
): Bench {
  const { valuation } = origin;
  const { market, methodology } = valuation;
  const set = {
    ...origin.set,
    scenarios,
    factorIds: factors.map((f) => origin.set.factorIds[f]!),
    absolute: Uint8Array.from(factors, (f) => origin.set.absolute[f]!),
  };
  const horizon = methodology.instantaneous ? 0 : methodology.horizonDays;
  const planned = plannedFactors(set, [], origin.absent);
  const plan = planValuation(
    market,
    planned,
    horizon,
    new Set(portfolio.instruments),
    methodology.smileRule,
  );
  const layout = planArena({
    heapBase: origin.layout.heapBase,
    scenarios,
    factors: factors.length,
    rows: plan.rows,
    smileBytes: plan.smileBytes,
    underlyings: market.underlyings.length,
    slots: 1,
    tailBytes: 0,
    kept: 'rows',
    shocksKept: true,
    resultRows: 0,
    sides: {},
    reordered: false,
  });
  const { memory, kernels } = roomFor(origin, layout.bytes);
  const sides = { longRun: null, stressed: null, stress: null };
  const session: Session = {
    ...origin,
    memory,
    layout,
    set,
    sides,
    gaps: [],
    valuation: { ...valuation, plan },
  };
  return { session, kernels, views: viewsOf(memory) };
}
