/**
 * What is drawn, said as data. A scenario set is a pure function of this record: any block of it can be drawn anywhere, in any order.
 */
import seedrandom from 'seedrandom';
import { hashOf } from '../json.ts';
import type { MarginTable } from './studentMargin.ts';

/** Scenarios of one drawing block: the unit of the random streams, whatever the number of workers. */
export const DRAW_BLOCK = 1024;
/** f64 slots from one factor's row to the next: not a multiple of 4 KiB, so that rows do not share cache sets. */
export const DRAW_STRIDE = 1040;

/** Streams of one seed are kept apart by what they are for. */
export const PURPOSE = {
  normals: 1n,
  mixing: 2n,
  commonJumpCounts: 3n,
  commonJumpSizes: 4n,
  ownJumpCounts: 5n,
  ownJumpSizes: 6n,
  /** Residuals of filtered paths, by step. */
  residuals: 7n,
  /** Orders of an underlying's scenarios. */
  order: 16n,
} as const;

export const SCENARIO_MODELS = [
  'gaussian',
  'student-t',
  'historical',
  'filtered-historical',
  't-copula',
  'jump-diffusion',
] as const;
export type ScenarioModel = (typeof SCENARIO_MODELS)[number];

/** Which volatility scenarios have: today's, that of a long past, or the greater of the two. */
export type VolatilityBasis = 'today' | 'long-run' | 'greater';

/** Own tails under a t-copula: tables, and by factor which of them it takes (−1: the copula's own tail). */
export interface OwnTails {
  readonly tables: readonly MarginTable[];
  readonly tableOf: Int32Array;
}

/** Jumps within the horizon, at the events of one Poisson process. */
export interface DrawnJumps {
  /** λh, mean and standard deviation of one. */
  readonly expected: number;
  readonly mean: number;
  readonly volatility: number;
  /** The factor whose streams it takes; −1 for the common one. */
  readonly factor: number;
  readonly loads: readonly { readonly factor: number; readonly loading: number }[];
}

export interface ScenarioSet {
  readonly model: ScenarioModel | 'stress';
  /** Whether workers draw it; else its shocks are rows that were given. */
  readonly drawn: boolean;
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
  /** Null where every factor has the tail that ν gives. */
  readonly ownTails: OwnTails | null;
  /** Empty where there are none. */
  readonly jumps: readonly DrawnJumps[];
  /** Per factor: σ√(h/periods), μh/periods, and 1 where the shock is absolute. */
  readonly volatility: Float64Array;
  readonly mean: Float64Array;
  readonly absolute: Uint8Array;
  /** Lower Cholesky factor of the correlation, row-major; empty where nothing is drawn. */
  readonly cholesky: Float64Array;
  readonly factorIds: readonly string[];
  /** Of replayed scenarios that are one stretch of a history each: which, `2020-03-12` or `2020-03-10..2020-03-12`. Empty for others. */
  readonly periods: readonly string[];
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

/** Members that are undefined do not count: a model's own come on top without changing the ids of the others. */
export function scenarioSetId(parts: {
  /** Hash of the factor model, or of the history where scenarios are replayed. */
  readonly source: string;
  readonly model: string;
  readonly seed: string;
  readonly scenarios: number;
  readonly horizonDays: number;
  readonly maxLogShock: number;
  /** Whatever else the model depends on. */
  readonly [own: string]: unknown;
}): string {
  return hashOf(parts);
}

/** A set whose shocks are rows that were given. */
export function replayedSet(parts: {
  readonly model: ScenarioSet['model'];
  readonly scenarios: number;
  readonly overlap: number;
  readonly horizonDays: number;
  readonly maxLogShock: number;
  readonly absolute: Uint8Array;
  readonly factorIds: readonly string[];
  readonly periods?: readonly string[];
  readonly id: string;
}): ScenarioSet {
  const factors = parts.factorIds.length;
  return {
    periods: [],
    ...parts,
    drawn: false,
    key: 0n,
    degreesOfFreedom: 0,
    ownTails: null,
    jumps: [],
    volatility: new Float64Array(factors),
    mean: new Float64Array(factors),
    cholesky: new Float64Array(0),
  };
}

/**
 * How many rows of a history stand behind so many of a set's scenarios: resampled paths know no more than the rows that they are made
 * of. Null where scenarios are drawn from a factor model or made up.
 */
export function rowsBehind({ model, overlap }: ScenarioSet, scenarios: number): number | null {
  if (model === 'historical') return scenarios;
  return model === 'filtered-historical' ? Math.floor(scenarios / overlap + 1e-9) : null;
}

/** Drawing blocks of S scenarios. */
export function drawBlocks(scenarios: number): number {
  return Math.ceil(scenarios / DRAW_BLOCK);
}

/** Bytes of one drawing block of shocks. */
export function drawBlockBytes(factors: number): number {
  return factors * DRAW_STRIDE * 8;
}
