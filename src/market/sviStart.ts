/**
 * Where an SVI fit starts: for given m and σ the other three parameters are linear, so they are solved exactly over a grid of (m, σ), as in the
 * quasi-explicit calibration of S. De Marco, C. Martini (Zeliade Systems white paper, 2009). In wing slopes their conditions are a box.
 */
import { solvePositive } from './leastSquares.ts';
import type { SviParameters } from './svi.ts';

/** What is fitted: total variances w at k, with weights that turn a difference of w into one of volatility times a share. */
export interface FitTarget {
  readonly k: Float64Array;
  readonly w: Float64Array;
  readonly weights: Float64Array;
  readonly range: readonly [number, number];
  /** √w at the money: the width of the smile's centre. */
  readonly width: number;
  /** Bounds of the variables (W, R, L, m, σ), see sviFit.ts. */
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  readonly floor: SviParameters | null;
}

const CENTRES = 13;
const CURVATURES = 9;
const STARTS = 3;

/** The best of a grid of (m, σ), each with its exact (a, R, L); best first, as variables. */
export function quasiExplicit(target: FitTarget): Float64Array[] {
  const { range, width, upper } = target;
  const low = Math.max(range[0], -3 * width);
  const high = Math.min(range[1], 3 * width);
  const found: { readonly cost: number; readonly variables: Float64Array }[] = [];
  for (let i = 0; i < CENTRES; i++) {
    const m = low <= high ? low + ((high - low) * i) / (CENTRES - 1) : (range[0] + range[1]) / 2;
    let sigma = 0.05 * width;
    for (let j = 0; j < CURVATURES && sigma < upper[4]!; j++, sigma *= 2) {
      found.push(linearPart(target, m, sigma));
    }
  }
  found.sort((a, b) => a.cost - b.cost);
  return found.slice(0, STARTS).map(({ variables }) => variables);
}

/** The best a ≥ 0, R and L between their bounds for given m and σ: the least over all ways to hold some of them at a bound. */
function linearPart(
  { k, w, weights, lower, upper }: FitTarget,
  m: number,
  sigma: number,
): { readonly cost: number; readonly variables: Float64Array } {
  const matrix = new Float64Array(9);
  const right = new Float64Array(3);
  let square = 0;
  for (let i = 0; i < k.length; i++) {
    const x = k[i]! - m;
    const root = Math.sqrt(x * x + sigma * sigma);
    const weight = weights[i]! * weights[i]!;
    const row = [1, (root + x) / 2, (root - x) / 2];
    for (let r = 0; r < 3; r++) {
      right[r] = right[r]! + weight * row[r]! * w[i]!;
      for (let c = 0; c < 3; c++)
        matrix[3 * r + c] = matrix[3 * r + c]! + weight * row[r]! * row[c]!;
    }
    square += weight * w[i]! * w[i]!;
  }
  // With fewer quotes than parameters: the flattest of the slices that meet them.
  matrix[4] = matrix[4]! * (1 + 1e-9);
  matrix[8] = matrix[8]! * (1 + 1e-9);
  const least = [0, lower[1]!, lower[2]!];
  const most = [Number.POSITIVE_INFINITY, upper[1]!, upper[2]!];
  const { point, value } = boxed(matrix, right, least, most);
  const [a, R, L] = point as [number, number, number];
  const W = a + sigma * Math.sqrt(R * L);
  const variables = Float64Array.of(W, R, L, m, sigma).map((v, i) =>
    Math.min(Math.max(v, lower[i]!), upper[i]!),
  );
  return { cost: square + value, variables };
}

/** Minimises xᵀAx − 2bᵀx over a box of three variables by looking at all its faces. */
function boxed(
  matrix: Float64Array,
  right: Float64Array,
  least: readonly number[],
  most: readonly number[],
): { readonly point: readonly number[]; readonly value: number } {
  let best = { point: least, value: Number.POSITIVE_INFINITY };
  for (let face = 0; face < 27; face++) {
    const held = [face % 3, Math.floor(face / 3) % 3, Math.floor(face / 9)];
    if (held[0] === 2) continue;
    const point = onFace(matrix, right, held, least, most);
    const inside = point.every((x, i) => x >= least[i]! && x <= most[i]!);
    if (!inside) continue;
    const value = quadratic(matrix, right, point);
    if (value < best.value) best = { point, value };
    // Face 0 is the whole space: what is inside there is the least of all.
    if (face === 0) break;
  }
  return best;
}

/** The stationary point with some variables held: 0 free, 1 at the lower bound, 2 at the upper. */
function onFace(
  matrix: Float64Array,
  right: Float64Array,
  held: readonly number[],
  least: readonly number[],
  most: readonly number[],
): number[] {
  const system = matrix.slice();
  const side = right.slice();
  for (let i = 0; i < 3; i++) {
    if (held[i] === 0) continue;
    const value = held[i] === 1 ? least[i]! : most[i]!;
    for (let j = 0; j < 3; j++) {
      if (held[j] === 0) side[j] = side[j]! - matrix[3 * j + i]! * value;
      system[3 * i + j] = 0;
      system[3 * j + i] = 0;
    }
    system[3 * i + i] = 1;
    side[i] = value;
  }
  return [...solvePositive(system, side)].map((x, i) =>
    held[i] === 0 ? x : held[i] === 1 ? least[i]! : most[i]!,
  );
}

function quadratic(matrix: Float64Array, right: Float64Array, x: readonly number[]): number {
  let value = 0;
  for (let i = 0; i < 3; i++) {
    value -= 2 * right[i]! * x[i]!;
    for (let j = 0; j < 3; j++) value += matrix[3 * i + j]! * x[i]! * x[j]!;
  }
  return value;
}
