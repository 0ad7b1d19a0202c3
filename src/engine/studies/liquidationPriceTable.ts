/**
 * What the positions and coins of one underlying are worth as a function of its price and volatility, tabulated with the kernels that revalue
 * scenarios. A scenario at a moved price is a point of the same function, so that one table serves all prices that a search may try.
 */
import { createMemory, instantiateKernels, type Kernels } from '../../../workers/kernels.ts';
import type { Holding, UnderlyingPart } from '../../margin/holding.ts';
import { DRAW_BLOCK, DRAW_STRIDE } from '../../scenarios/scenarioSet.ts';
import type { UnderlyingRows, ValuationPlan } from '../../valuation/plan.ts';
import { revaluationBytes, revalue } from '../../valuation/revaluation.ts';
import type { Session } from '../sessionData.ts';

const ROW = DRAW_STRIDE * 8;

/** A memory of its own in which nodes stand in the place of scenarios. */
export class ValuationDesk {
  private readonly kernels: Kernels;
  private readonly f64: Float64Array;
  private readonly shocks: number;
  private readonly factors: number;
  private readonly target: number;

  /** @param plans that are valued here */
  constructor({ module, layout, set }: Session, plans: readonly ValuationPlan[]) {
    this.factors = set.factorIds.length;
    this.shocks = Math.ceil(layout.heapBase / 64) * 64;
    const scratch = Math.max(...plans.map(revaluationBytes));
    this.target = Math.ceil((this.shocks + this.factors * ROW + scratch) / 64) * 64;
    const rows = Math.max(...plans.map((plan) => plan.rows));
    const memory = createMemory(this.target + rows * ROW);
    this.kernels = instantiateKernels(module, memory);
    this.f64 = new Float64Array(memory.buffer);
  }

  /**
   * What the part gains, in currency, where the spot's shock is moves[i] and that of its volatility is `vol`.
   * @param moves as the factor has them: log, or in price units; at most DRAW_BLOCK
   */
  gains(
    plan: ValuationPlan,
    { instruments, sizes }: Holding,
    part: UnderlyingPart,
    moves: Float64Array,
    vol: number,
  ): Float64Array {
    const f64 = this.f64;
    const rows = plan.underlyings[part.underlying]!;
    this.write(rows, moves, vol);
    const scratch = this.shocks + this.factors * ROW;
    const target = { out: this.target, rowBytes: ROW };
    revalue(this.kernels, rows, DRAW_BLOCK, { shocks: this.shocks, scratch, f64 }, target);
    const gains = new Float64Array(moves.length);
    const add = (row: number, size: number): void => {
      const at = (this.target + row * ROW) / 8;
      for (let i = 0; i < gains.length; i++) gains[i]! += size * f64[at + i]!;
    };
    if (part.coins !== 0) add(rows.spotRow, part.coins);
    for (let i = part.start; i < part.end; i++) add(plan.rowOf[instruments[i]!]!, sizes[i]!);
    return gains;
  }

  private write(rows: UnderlyingRows, moves: Float64Array, vol: number): void {
    const { shocks, factors } = this;
    const f64 = this.f64;
    f64.fill(0, shocks / 8, (shocks + factors * ROW) / 8);
    f64.set(moves, (shocks + rows.spotFactor * ROW) / 8);
    if (rows.volFactor === -1) return;
    const at = (shocks + rows.volFactor * ROW) / 8;
    f64.fill(vol, at, at + DRAW_BLOCK);
  }
}

/** Nodes of the price (of its logarithm) and of the volatility's shock. */
const PRICES = 512;
const VOLATILITIES = 5;

export interface TableRange {
  /** Of the log of the price over today's, and of the volatility's log shock. */
  readonly low: number;
  readonly high: number;
  readonly volLow: number;
  readonly volHigh: number;
}

export interface ValueTable {
  /** Gain of equity when the price is e^x times today's, now. */
  readonly now: (x: number) => number;
  /** Gain at the horizon when the price is e^x times today's and the volatility's shock is v. */
  readonly later: (x: number, v: number) => number;
}

/**
 * Linear between nodes: for finding where to look, not for figures.
 * @param plans at once and at the horizon, of the same instruments
 */
export function valueTable(
  desk: ValuationDesk,
  plans: { readonly now: ValuationPlan; readonly later: ValuationPlan },
  holding: Holding,
  part: UnderlyingPart,
  range: TableRange,
): ValueTable {
  const { low, high, volLow, volHigh } = range;
  const step = (high - low) / (PRICES - 1);
  const moves = Float64Array.from({ length: PRICES }, (_, i) => low + step * i);
  const levels = volHigh > volLow ? VOLATILITIES : 1;
  const volStep = levels === 1 ? 1 : (volHigh - volLow) / (levels - 1);
  const now = desk.gains(plans.now, holding, part, moves, 0);
  const later = Array.from({ length: levels }, (_, j) =>
    desk.gains(plans.later, holding, part, moves, volLow + volStep * j),
  );
  const read = (values: Float64Array, x: number): number => {
    const at = Math.min(Math.max((x - low) / step, 0), PRICES - 1.000_001);
    const i = Math.floor(at);
    return values[i]! + (at - i) * (values[i + 1]! - values[i]!);
  };
  return {
    now: (x) => read(now, x),
    later: (x, v) => {
      if (levels === 1) return read(later[0]!, x);
      const at = Math.min(Math.max((v - volLow) / volStep, 0), levels - 1.000_001);
      const j = Math.floor(at);
      const below = read(later[j]!, x);
      return below + (at - j) * (read(later[j + 1]!, x) - below);
    },
  };
}

/** Where the spot's factor is absolute everything on it is linear: gain per unit of price. */
export function linearTable(
  desk: ValuationDesk,
  plan: ValuationPlan,
  holding: Holding,
  part: UnderlyingPart,
): number {
  const [, gain] = desk.gains(plan, holding, part, Float64Array.of(0, 1), 0);
  return gain!;
}
