/**
 * What is drawn, said as data. A scenario set is a pure function of this record: any block of it can be drawn anywhere, in any order.
 */
import seedrandom from 'seedrandom';
import { hashOf } from '../json.ts';

/** Scenarios of one drawing block: the unit of the random streams, whatever the number of workers. */
export const DRAW_BLOCK = 1024;
/** f64 slots from one factor's row to the next: not a multiple of 4 KiB, so that rows do not share cache sets. */
export const DRAW_STRIDE = 1040;

/** Streams of one seed are kept apart by what they are for. */
export const PURPOSE = { normals: 1n, mixing: 2n } as const;

export interface ScenarioSet {
  readonly model: 'gaussian' | 'student-t' | 'historical';
  /** S. */
  readonly scenarios: number;
  /** How many overlapping windows share one step: S/overlap scenarios are independent of each other. 1 where they are drawn. */
  readonly overlap: number;
  readonly horizonDays: number;
  /** The 64-bit key of all streams. */
  readonly key: bigint;
  readonly maxLogShock: number;
  /** ν; 0 where the model is not Student's t. */
  readonly degreesOfFreedom: number;
  /** Per factor: σ√(h/periods), μh/periods, and 1 where the shock is absolute. */
  readonly volatility: Float64Array;
  readonly mean: Float64Array;
  readonly absolute: Uint8Array;
  /** Lower Cholesky factor of the correlation, row-major; empty for `historical`. */
  readonly cholesky: Float64Array;
  readonly factorIds: readonly string[];
  /** `sha256:…` of factor model (or history), scenario model, seed, S and h. */
  readonly id: string;
}

/** A seed's text as the 64-bit key of the counter-based generator. */
export function streamKey(seed: string): bigint {
  const words = seedrandom(seed);
  const high = BigInt(words.int32() >>> 0);
  const low = BigInt(words.int32() >>> 0);
  return (high << 32n) | low;
}

export function scenarioSetId(parts: {
  /** Hash of the factor model, or of the history where scenarios are replayed. */
  readonly source: string;
  readonly model: string;
  readonly seed: string;
  readonly scenarios: number;
  readonly horizonDays: number;
  readonly maxLogShock: number;
}): string {
  return hashOf(parts);
}

/** Drawing blocks of S scenarios. */
export function drawBlocks(scenarios: number): number {
  return Math.ceil(scenarios / DRAW_BLOCK);
}

/** Bytes of one drawing block of shocks. */
export function drawBlockBytes(factors: number): number {
  return factors * DRAW_STRIDE * 8;
}
