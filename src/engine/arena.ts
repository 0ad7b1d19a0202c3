/**
 * The plan of one shared memory: what stands where, in bytes. All regions are laid out before any work begins, and each has one writer
 * at a time: a drawing block's rows belong to the shard that draws or revalues it, a scratch slot to the one task that holds it.
 */
import { PlimsollError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { drawScratchBytes } from '../scenarios/draw.ts';
import { DRAW_BLOCK, drawBlockBytes, drawBlocks } from '../scenarios/scenarioSet.ts';
import { REVALUATION_SCRATCH_BYTES } from '../valuation/revaluation.ts';

export interface ArenaLayout {
  readonly bytes: number;
  /** Scenarios of one cube block, the number of blocks, and bytes from one to the next. */
  readonly blockSize: number;
  readonly blocks: number;
  readonly blockBytes: number;
  readonly cholesky: number;
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
  /** Per row: greatest |P&L|, then ES of one unit long and short. */
  readonly bounds: number;
  readonly units: number;
  /** Whole rows of P&L of single books, where scenarios are streamed. */
  readonly results: number;
  readonly resultBytes: number;
  readonly scratch: number;
  readonly scratchBytes: number;
  readonly slots: number;
}

export interface ArenaDemand {
  readonly heapBase: number;
  readonly scenarios: number;
  readonly factors: number;
  readonly rows: number;
  readonly slots: number;
  /** Tail buffer of one book, in bytes. */
  readonly tailBytes: number;
  /** Keep the cube (and the shocks), or stream scenarios through and keep this many rows of results. */
  readonly kept: boolean;
  /** Keep the shocks also when streaming: they were replayed from a history. */
  readonly shocksKept: boolean;
  readonly resultRows: number;
}

/** Half of a core's L2 cache: what a block of the cube may fill. */
const BLOCK_BYTES_TARGET = 512 * 1024;
/** Tail buffers of a pass may fill this much; a pass of large tails has fewer books. */
const PASS_BYTES_MAX = 64 * 1024 * 1024;
/** Books of one pass over the cube. */
export const BOOKS_PER_PASS = 1024;

/** Scenarios per cube block: few enough that a block of all rows stays in the cache, at least one step of the kernels. */
export function blockSizeFor(rows: number): number {
  return rows * 32 * 8 <= BLOCK_BYTES_TARGET ? 32 : 16;
}

/** Blocks must not begin a multiple of 4 KiB apart, or their rows fall into the same cache sets. */
function blockBytesFor(rows: number, blockSize: number): number {
  const bytes = rows * blockSize * 8;
  return bytes + ((192 - (bytes % 4096) + 4096) % 4096);
}

const align = (bytes: number): number => Math.ceil(bytes / 64) * 64;

/** @throws OUT_OF_MEMORY with the numbers when the plan does not fit */
export function planArena(demand: ArenaDemand): ArenaLayout {
  const { scenarios, factors, rows, slots, kept } = demand;
  const blockSize = blockSizeFor(rows);
  const padded = drawBlocks(scenarios) * DRAW_BLOCK;
  const blocks = padded / blockSize;
  const blockBytes = blockBytesFor(rows, blockSize);
  const shockBytes = drawBlockBytes(factors);
  let end = align(demand.heapBase);
  const take = (bytes: number): number => {
    const at = end;
    end = align(end + bytes) + 320;
    return at;
  };
  const cholesky = take(factors * factors * 8);
  const keepShocks = kept || demand.shocksKept;
  const shocks = keepShocks ? take(drawBlocks(scenarios) * shockBytes) : 0;
  const rowBytes = (kept ? padded : DRAW_BLOCK) * 8 + 320;
  const rowsBase = kept ? take(rows * rowBytes) : 0;
  const cube = kept ? take(blocks * blockBytes) : 0;
  const bounds = take(rows * 8);
  const units = take(rows * 16);
  const resultBytes = padded * 8 + 320;
  const results = take(demand.resultRows * resultBytes);
  const scratchBytes = align(scratchBytesFor(demand, padded, rowBytes)) + 320;
  const scratch = take(slots * scratchBytes);
  if (end > LIMITS.sharedMemoryBytesMax)
    throw tooLarge(demand, end, blocks * blockBytes + rows * rowBytes);
  return {
    bytes: end,
    blockSize,
    blocks,
    blockBytes,
    cholesky,
    shocks,
    shockBytes,
    rows: rowsBase,
    rowBytes,
    cube,
    bounds,
    units,
    results,
    resultBytes,
    scratch,
    scratchBytes,
    slots,
  };
}

function scratchBytesFor(demand: ArenaDemand, padded: number, rowBytes: number): number {
  const { factors, rows, tailBytes, kept } = demand;
  const draw = drawScratchBytes(factors) + REVALUATION_SCRATCH_BYTES + 1024;
  const entries = (rows + 1) * 16 + 65_536;
  const one = BOOKS_PER_PASS * 32 + 8_192 + entries + 2 * tailBytes;
  if (!kept) return draw + drawBlockBytes(factors) + rows * rowBytes + one;
  const pass = Math.min(BOOKS_PER_PASS * (tailBytes + 1024), PASS_BYTES_MAX);
  return Math.max(draw, padded * 8 + one + pass);
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
