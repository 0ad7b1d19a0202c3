import type { Kernels } from '../../workers/kernels.ts';
import { DRAW_BLOCK, DRAW_STRIDE, PURPOSE, type ScenarioSet } from './scenarioSet.ts';
import { MARGIN_TABLE_BYTES } from './studentMargin.ts';

const ROW = DRAW_STRIDE * 8;
const BITS = 16_384;

/** Bytes of working room that `drawBlock` needs: a normal a factor, mixing variable, jumps and their counts, state, raw bits, a table. */
export function drawScratchBytes(factors: number): number {
  return (factors + 3) * ROW + 256 + BITS + MARGIN_TABLE_BYTES;
}

/** Where a block is drawn; pointers into the kernels' memory. */
export interface DrawMemory {
  readonly cholesky: number;
  readonly scratch: number;
  /** Where the factors' rows go, DRAW_STRIDE apart. */
  readonly out: number;
}

interface Rooms {
  readonly normals: number;
  readonly mix: number;
  readonly jumps: number;
  readonly counts: number;
  readonly state: number;
  readonly bits: number;
  readonly table: number;
}

/**
 * Draws block `block` of a set: independent normals from the stream (factor, block), correlated by the Cholesky factor, mixed by √((ν−2)/χ²)
 * for Student's t (covariance-matched), given their own tails under a t-copula, scaled to the horizon, jumps added, log shocks clamped.
 * A set that is not drawn keeps the rows that it was given.
 *
 * @returns how many shocks were clamped
 */
export function drawBlock(
  kernels: Kernels,
  set: ScenarioSet,
  block: number,
  memory: DrawMemory,
): number {
  if (!set.drawn) return 0;
  const factors = set.factorIds.length;
  const rooms = roomsOf(memory.scratch, factors);
  for (let f = 0; f < factors; f++) {
    kernels.openStream(rooms.state, set.key, PURPOSE.normals, f, block);
    kernels.normals(rooms.state, rooms.normals + f * ROW, DRAW_BLOCK, rooms.bits);
  }
  kernels.correlate(memory.cholesky, rooms.normals, memory.out, factors, DRAW_STRIDE);
  if (set.degreesOfFreedom > 0) {
    kernels.openStream(rooms.state, set.key, PURPOSE.mixing, 0, block);
    kernels.chiSquares(rooms.state, rooms.mix, DRAW_BLOCK, set.degreesOfFreedom, rooms.bits);
    kernels.mixing(rooms.mix, rooms.mix, DRAW_BLOCK, set.degreesOfFreedom);
  }
  const jumping = set.jumps.length > 0;
  let written = -1;
  let clamped = 0;
  for (let f = 0; f < factors; f++) {
    const x = memory.out + f * ROW;
    const table = set.ownTails?.tableOf[f] ?? -1;
    if (table !== -1) {
      if (table !== written) writeTable(kernels, set, table, rooms);
      written = table;
      ownTail(kernels, set, table, x, rooms);
    }
    const mix = set.degreesOfFreedom > 0 && table === -1 ? rooms.mix : 0;
    const limit = jumping ? Number.POSITIVE_INFINITY : limitOf(set, f);
    clamped += kernels.scaleShocks(x, mix, DRAW_BLOCK, set.volatility[f]!, set.mean[f]!, limit);
  }
  return jumping ? addJumps(kernels, set, block, memory.out, rooms) : clamped;
}

function roomsOf(scratch: number, factors: number): Rooms {
  const mix = scratch + factors * ROW;
  const state = mix + ROW;
  const bits = state + 256;
  const jumps = bits + BITS;
  const counts = jumps + ROW;
  return { normals: scratch, mix, state, bits, jumps, counts, table: counts + ROW };
}

function limitOf(set: ScenarioSet, factor: number): number {
  return set.absolute[factor] === 1 ? Number.POSITIVE_INFINITY : set.maxLogShock;
}

function writeTable(kernels: Kernels, set: ScenarioSet, table: number, rooms: Rooms): void {
  const { values } = set.ownTails!.tables[table]!;
  new Float64Array(kernels.memory.buffer, rooms.table, values.length).set(values);
}

/** The mixing variable is for variance 1; the table starts from a t variate proper, whose variance is ν/(ν−2). */
function ownTail(kernels: Kernels, set: ScenarioSet, table: number, x: number, rooms: Rooms): void {
  const nu = set.degreesOfFreedom;
  const { octaves } = set.ownTails!.tables[table]!;
  kernels.studentMargins(x, rooms.mix, DRAW_BLOCK, Math.sqrt(nu / (nu - 2)), rooms.table, octaves);
}

/** Adds each process's jumps to the factors that take part, then clamps what the two together make. */
function addJumps(
  kernels: Kernels,
  set: ScenarioSet,
  block: number,
  out: number,
  rooms: Rooms,
): number {
  const { state, bits, counts, jumps } = rooms;
  for (const { expected, mean, volatility, factor, loads } of set.jumps) {
    const common = factor === -1;
    const index = common ? 0 : factor;
    const ofCounts = common ? PURPOSE.commonJumpCounts : PURPOSE.ownJumpCounts;
    kernels.openStream(state, set.key, ofCounts, index, block);
    kernels.poissons(state, counts, DRAW_BLOCK, expected, bits);
    const ofSizes = common ? PURPOSE.commonJumpSizes : PURPOSE.ownJumpSizes;
    kernels.openStream(state, set.key, ofSizes, index, block);
    kernels.normals(state, jumps, DRAW_BLOCK, bits);
    kernels.jumpSums(counts, jumps, jumps, DRAW_BLOCK, mean, volatility);
    for (const load of loads) {
      kernels.addScaled(out + load.factor * ROW, jumps, DRAW_BLOCK, load.loading);
    }
  }
  let clamped = 0;
  for (let f = 0; f < set.factorIds.length; f++) {
    clamped += kernels.scaleShocks(out + f * ROW, 0, DRAW_BLOCK, 1, 0, limitOf(set, f));
  }
  return clamped;
}
