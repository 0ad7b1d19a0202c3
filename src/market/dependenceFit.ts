/** How the factors move together: exponentially weighted correlations, or Ledoit–Wolf's of the standardised rows, and one ν for all tails. */
import { PlimsollError } from '../errors.ts';
import type { CorrelationModel, Shrinkage } from './calibrationReport.ts';
import { correlationOf, ewmaCovariance } from './ewma.ts';
import { shrinkCovariance } from './ledoitWolf.ts';
import { type CommonTail, commonTail } from './tailFit.ts';
import { standardise, type VolatilityFit } from './volatilityFit.ts';

export interface DependenceInput {
  /** Rows in which every factor is present, rows × n. */
  readonly complete: Float64Array;
  /** Changes of each factor by itself, and their fits. */
  readonly columns: readonly Float64Array[];
  readonly fits: readonly VolatilityFit[];
  readonly model: CorrelationModel;
  readonly lambda: number;
  readonly minimumRows: number;
  readonly withTail: boolean;
}

export interface DependenceFit {
  /** n × n, row-major, unit diagonal; a factor that never moves is uncorrelated. */
  readonly correlation: Float64Array;
  readonly shrinkage: Shrinkage | null;
  /** `leftOut` counts the factors of the input; those that never move are among them. */
  readonly tail: CommonTail | null;
}

/** @throws INSUFFICIENT_HISTORY where the standardised rows are too few */
export function fitDependence(input: DependenceInput): DependenceFit {
  const n = input.columns.length;
  const ewma = (): Float64Array =>
    correlationOf(ewmaCovariance(input.complete, n, input.lambda), n);
  const shrink = input.model === 'ledoit-wolf';
  if (!shrink && !input.withTail) return { correlation: ewma(), shrinkage: null, tail: null };
  // A factor that never moves has no direction to share.
  const live = input.fits.flatMap(({ longRunVariance }, i) => (longRunVariance > 0 ? [i] : []));
  const columns = live.map((i) => input.columns[i]!);
  const fits = live.map((i) => input.fits[i]!);
  if (live.length === 0) return { correlation: ewma(), shrinkage: null, tail: null };
  const rows = standardise(columns, fits);
  const needed = Math.max(input.minimumRows, live.length + 1);
  if (rows.rows.length < needed) {
    throw new PlimsollError(
      'INSUFFICIENT_HISTORY',
      `${rows.rows.length} changes have every factor present and a volatility known before, ${needed} are needed`,
    );
  }
  const shrunk = shrink ? shrinkCovariance(rows.values, live.length) : null;
  // Weight 1 for every row: the tail is a matter of the whole history, and so is the correlation that its likelihood is taken at.
  const covariance = shrunk?.covariance ?? ewmaCovariance(rows.values, live.length, 1);
  const equal = correlationOf(covariance, live.length);
  const tail = input.withTail ? commonTail(rows, equal, fits) : null;
  return {
    correlation: shrunk === null ? ewma() : embedded(equal, live, n),
    shrinkage:
      shrunk === null
        ? null
        : {
            intensity: shrunk.intensity,
            averageCorrelation: shrunk.averageCorrelation,
            rows: rows.rows.length,
          },
    tail: tail === null ? null : { ...tail, leftOut: leftOut(tail, live, n) },
  };
}

function leftOut(tail: CommonTail, live: readonly number[], n: number): number[] {
  const out = new Set(tail.leftOut.map((i) => live[i]!));
  return Array.from({ length: n }, (_, i) => i).filter((i) => out.has(i) || !live.includes(i));
}

function embedded(part: Float64Array, live: readonly number[], n: number): Float64Array {
  const whole = new Float64Array(n * n);
  for (let i = 0; i < n; i++) whole[i * n + i] = 1;
  for (const [a, i] of live.entries()) {
    for (const [b, j] of live.entries()) {
      if (a !== b) whole[i * n + j] = part[a * live.length + b]!;
    }
  }
  return whole;
}
