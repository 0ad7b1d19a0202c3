/** FRTB's P&L attribution pair: does an approximation give the P&L that full revaluation gives? */
import { PlimsollError } from '../../errors.ts';
import type { Zone } from './trafficLight.ts';

export interface Attribution {
  readonly observations: number;
  /** Rank correlation, −1 … 1. */
  readonly spearman: number;
  /** Greatest distance of the two empirical distribution functions, 0 … 1. */
  readonly kolmogorovSmirnov: number;
  readonly zone: Zone;
}

/** Basel Committee, MAR32, thresholds of the P&L attribution test: green above 0.80 and below 0.09, red below 0.70 or above 0.12, amber between. */
const SPEARMAN = { green: 0.8, red: 0.7 };
const DISTANCE = { green: 0.09, red: 0.12 };

/**
 * Compares the hypothetical P&L (of full revaluation) with the risk-theoretical one (of the model), day by day or scenario by scenario.
 * @throws INVALID_FIELD for unequal lengths, a value that is not finite, or a series that never moves (no rank correlation)
 */
export function attribution(
  hypothetical: ArrayLike<number>,
  theoretical: ArrayLike<number>,
): Attribution {
  const n = hypothetical.length;
  if (n !== theoretical.length || n < 2) {
    const message = `two series of one length ≥ 2 are compared, got ${n} and ${theoretical.length}`;
    throw new PlimsollError('INVALID_FIELD', message, { path: 'theoretical' });
  }
  const a = sortedIndex(hypothetical, 'hypothetical');
  const b = sortedIndex(theoretical, 'theoretical');
  const spearman = correlation(ranks(hypothetical, a), ranks(theoretical, b));
  const distance = greatestDistance(hypothetical, a, theoretical, b);
  return {
    observations: n,
    spearman,
    kolmogorovSmirnov: distance,
    zone: zoneOf(spearman, distance),
  };
}

function zoneOf(spearman: number, distance: number): Zone {
  if (spearman < SPEARMAN.red || distance > DISTANCE.red) return 'red';
  return spearman > SPEARMAN.green && distance < DISTANCE.green ? 'green' : 'amber';
}

/** Indices in the order of their values. */
function sortedIndex(values: ArrayLike<number>, path: string): Uint32Array {
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    const message = `${path}[${i}] must be a finite number, got ${values[i]}`;
    throw new PlimsollError('INVALID_FIELD', message, { path: `${path}[${i}]` });
  }
  const index = Uint32Array.from({ length: values.length }, (_, i) => i).sort(
    (i, j) => values[i]! - values[j]!,
  );
  if (values[index[0]!] !== values[index.at(-1)!]) return index;
  throw new PlimsollError('INVALID_FIELD', `${path} never moves: it has no ranks`, { path });
}

/** Ranks from 1; ties have the mean of theirs. */
function ranks(values: ArrayLike<number>, index: Uint32Array): Float64Array {
  const found = new Float64Array(index.length);
  for (let from = 0; from < index.length; ) {
    let to = from + 1;
    while (to < index.length && values[index[to]!] === values[index[from]!]) to++;
    for (let i = from; i < to; i++) found[index[i]!] = (from + 1 + to) / 2;
    from = to;
  }
  return found;
}

function correlation(x: Float64Array, y: Float64Array): number {
  const mean = (x.length + 1) / 2;
  let [xx, yy, xy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const [dx, dy] = [x[i]! - mean, y[i]! - mean];
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  }
  return Math.max(-1, Math.min(1, xy / Math.sqrt(xx * yy)));
}

/** max |F_a − F_b|, looked at behind each distinct value. */
function greatestDistance(
  x: ArrayLike<number>,
  a: Uint32Array,
  y: ArrayLike<number>,
  b: Uint32Array,
): number {
  const n = a.length;
  let [i, j, greatest] = [0, 0, 0];
  while (i < n && j < n) {
    const value = Math.min(x[a[i]!]!, y[b[j]!]!);
    while (i < n && x[a[i]!] === value) i++;
    while (j < n && y[b[j]!] === value) j++;
    greatest = Math.max(greatest, Math.abs(i - j));
  }
  return greatest / n;
}
