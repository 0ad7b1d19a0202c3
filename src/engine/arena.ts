/**
 * The plan of one shared memory: what stands where, in bytes. All regions are laid out before any work begins, and each has one writer
 * at a time: a drawing block's rows belong to the shard that draws or revalues it, a scratch slot to the one task that holds it.
 */
import { PlimsollError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { drawScratchBytes } from '../scenarios/draw.ts';
import { DRAW_BLOCK, drawBlockBytes, drawBlocks } from '../scenarios/scenarioSet.ts';
import { revaluationBytes } from '../valuation/revaluation.ts';

/** Scenario sets beside the session's own: at long-run volatilities, the stressed rows of the history, the stress library. */
export const SIDES = ['longRun', 'stressed', 'stress'] as const;
export type Side = (typeof SIDES)[number];

/** Where one scenario set's shocks and P&L stand. */
export interface CubeLayout {
  /** Drawing blocks of shocks; 0 where each shard draws its own. */
  readonly shocks: number;
  readonly shockBytes: number;
  /**
   * The P&L cube, twice: each instrument's row contiguous, `rowBytes` apart, for one account at a time; and in blocks of a few
   * scenarios of all rows, for many accounts in one pass. 0 where it is not kept.
   */
  readonly rows: number;
  readonly rowBytes: number;
  readonly cube: number;
  readonly blocks: number;
  /** By row of the blocks: what rough sums multiply it by. */
  readonly scales: number;
  /** Per row: ES of one unit long and short. */
  readonly units: number;
}

export interface ArenaLayout extends CubeLayout {
  /** The first byte, before which are the kernels' own; and the bytes of all. */
  readonly heapBase: number;
  readonly bytes: number;
  /** Tail buffer of one book of the session's own set. */
  readonly tailBytes: number;
  /** Scenarios of one cube block, and bytes from one block to the next: the same in all cubes. */
  readonly blockSize: number;
  readonly blockBytes: number;
  readonly cholesky: number;
  /** Per row: greatest |P&L|. */
  readonly bounds: number;
  readonly sides: Readonly<Record<Side, CubeLayout | null>>;
  /** Cubes in blocks of the same P&L with the scenarios of each underlying reordered; 0 where they are not kept. */
  readonly zero: number;
  readonly perfect: number;
  /** By underlying: the two orders as u32, `orderBytes` each; 0 where they are not kept. */
  readonly orders: number;
  readonly orderBytes: number;
  /** Whole rows of P&L of single books, where scenarios are streamed. */
  readonly results: number;
  readonly resultBytes: number;
  readonly scratch: number;
  readonly scratchBytes: number;
  readonly slots: number;
}

/**
 * What a session keeps: the cube in both forms for batches, its rows alone for single accounts, or nothing, scenarios being streamed
 * through into some rows of results.
 */
export type Kept = 'blocks' | 'rows' | 'nothing';

export interface ArenaDemand {
  readonly heapBase: number;
  readonly scenarios: number;
  readonly factors: number;
  readonly rows: number;
  /** Of the valuation plan: room for its largest smile. */
  readonly smileBytes: number;
  readonly underlyings: number;
  readonly slots: number;
  /** Tail buffer of one book, in bytes. */
  readonly tailBytes: number;
  readonly kept: Kept;
  /** Keep the shocks also when streaming: they were replayed from a history. */
  readonly shocksKept: boolean;
  readonly resultRows: number;
  /** Scenarios of each side that is used. */
  readonly sides: Readonly<Partial<Record<Side, number>>>;
  /** Keep reordered cubes. */
  readonly reordered: boolean;
}

/** Half of a core's L2 cache: what a block of the cube may fill. */
const BLOCK_BYTES_TARGET = 512 * 1024;
/** Tail buffers of a pass may fill this much; a pass of large tails has fewer books. */
const PASS_BYTES_MAX = 64 * 1024 * 1024;
/** One tile of the kernel `sumRows`. */
export const TILE_BYTES = 16 * 1024;
/** What the kernels know of a book, in bytes. */
export const RECORD_BYTES = 64;
/** Books of one pass over the cube. */
export const BOOKS_PER_PASS = 1024;

/** Scenarios per cube block: few enough that a block of all rows stays in the cache, at least one step of the kernels. */
export function blockSizeFor(rows: number): number {
  return rows * 64 * 8 <= BLOCK_BYTES_TARGET ? 64 : 32;
}

/** Blocks must not begin a multiple of 4 KiB apart, or their rows fall into the same cache sets. */
function blockBytesFor(rows: number, blockSize: number): number {
  const bytes = rows * blockSize * 8;
  return bytes + ((192 - (bytes % 4096) + 4096) % 4096);
}

/** Room for one block in single precision, and for a mark by row: for the kernel `accumulate`. */
export function roundedBytes(rows: number): number {
  return align(128 + rows * (4 * blockSizeFor(rows) + 1));
}

const align = (bytes: number): number => Math.ceil(bytes / 64) * 64;

/** Rows of P&L that a scratch slot holds beside its books: one underlying's, and the account's in three orders. */
export const SCRATCH_ROWS = 4;

const padded = (scenarios: number): number => drawBlocks(scenarios) * DRAW_BLOCK;

/** @throws OUT_OF_MEMORY with the numbers when the plan does not fit */
export function planArena(demand: ArenaDemand): ArenaLayout {
  const { scenarios, factors, rows, slots } = demand;
  const kept = demand.kept !== 'nothing';
  const inBlocks = demand.kept === 'blocks';
  const blockSize = blockSizeFor(rows);
  const blockBytes = blockBytesFor(rows, blockSize);
  let end = align(demand.heapBase);
  const take = (bytes: number): number => {
    const at = end;
    end = align(end + bytes) + 320;
    return at;
  };
  const takeCube = (count: number, keepShocks: boolean): CubeLayout => {
    const blocks = padded(count) / blockSize;
    const shockBytes = drawBlockBytes(factors);
    const rowBytes = (kept ? padded(count) : DRAW_BLOCK) * 8 + 320;
    return {
      shocks: keepShocks ? take(drawBlocks(count) * shockBytes) : 0,
      shockBytes,
      rows: kept ? take(rows * rowBytes) : 0,
      rowBytes,
      cube: inBlocks ? take(blocks * blockBytes) : 0,
      blocks,
      scales: inBlocks ? take(rows * 8) : 0,
      units: take(rows * 16),
    };
  };
  const side = (name: Side): CubeLayout | null => {
    const count = demand.sides[name];
    return count === undefined ? null : takeCube(count, kept || name !== 'longRun');
  };
  const cholesky = take(factors * factors * 8);
  const base = takeCube(scenarios, kept || demand.shocksKept);
  const sides = { longRun: side('longRun'), stressed: side('stressed'), stress: side('stress') };
  const reordered = kept && demand.reordered;
  const zero = reordered && inBlocks ? take(base.blocks * blockBytes) : 0;
  const perfect = reordered && inBlocks ? take(base.blocks * blockBytes) : 0;
  const orderBytes = padded(scenarios) * 4;
  const orders = reordered ? take(demand.underlyings * 2 * orderBytes) : 0;
  const bounds = take(rows * 8);
  const resultBytes = padded(scenarios) * 8 + 320;
  const results = take(demand.resultRows * resultBytes);
  const cubes = end;
  const scratchBytes = align(scratchBytesFor(demand, base.rowBytes)) + 320;
  const scratch = take(slots * scratchBytes);
  if (end > LIMITS.sharedMemoryBytesMax) throw tooLarge(demand, end, cubes);
  return {
    ...base,
    heapBase: demand.heapBase,
    tailBytes: demand.tailBytes,
    bytes: end,
    blockSize,
    blockBytes,
    cholesky,
    bounds,
    sides,
    zero,
    perfect,
    orders,
    orderBytes,
    results,
    resultBytes,
    scratch,
    scratchBytes,
    slots,
  };
}

function scratchBytesFor(demand: ArenaDemand, rowBytes: number): number {
  const { factors, rows, tailBytes, scenarios } = demand;
  const draw = drawScratchBytes(factors) + revaluationBytes(demand) + 1024;
  const entries = (rows + 1) * 24 + 65_536;
  // Records twice: those of one pass, and a selection of them.
  const one = 2 * BOOKS_PER_PASS * RECORD_BYTES + TILE_BYTES + 4_096 + entries + 2 * tailBytes;
  if (demand.kept === 'nothing') return draw + drawBlockBytes(factors) + rows * rowBytes + one;
  const pass =
    demand.kept === 'rows'
      ? 0
      : roundedBytes(rows) + Math.min(BOOKS_PER_PASS * (tailBytes + 1024), PASS_BYTES_MAX);
  return Math.max(draw, SCRATCH_ROWS * (padded(scenarios) * 8 + 320) + one + pass);
}

function tooLarge(demand: ArenaDemand, bytes: number, cubeBytes: number): PlimsollError {
  const mebi = (n: number): string => `${Math.ceil(n / 1024 / 1024)} MiB`;
  const { scenarios, rows, slots } = demand;
  return new PlimsollError(
    'OUT_OF_MEMORY',
    `${rows} rows × ${scenarios} scenarios need ${mebi(bytes)} (cube ${mebi(cubeBytes)}, ${slots} scratch slots included); ` +
      `shared memory ends at ${mebi(LIMITS.sharedMemoryBytesMax)}: use fewer scenarios or instruments`,
  );
}
