/**
 * Covariance shrunk towards constant correlation (O. Ledoit, M. Wolf, "Honey, I Shrunk the Sample Covariance Matrix", J. Portfolio
 * Management 30(4), 2004, appendices A and B), with mean zero as everywhere in calibration: S = X′X/T. The target F has the variances of S
 * and one correlation, the mean r̄ of the sample's; the result is δF + (1 − δ)S with the δ of least expected Frobenius loss.
 */
import { ensure } from '../errors.ts';

export interface ShrunkCovariance {
  /** n × n, row-major, symmetric. */
  readonly covariance: Float64Array;
  /** δ, 0 … 1. */
  readonly intensity: number;
  /** r̄; 0 for one factor. */
  readonly averageCorrelation: number;
}

/** Moments of pairs: means of x_i x_j, x_i² x_j² and x_i³ x_j, each n × n. */
interface PairMoments {
  readonly second: Float64Array;
  readonly squares: Float64Array;
  readonly cubes: Float64Array;
}

/** @param rows T·n values, row-major, T ≥ 1, without gaps, every factor with a variance > 0 */
export function shrinkCovariance(rows: Float64Array, n: number): ShrunkCovariance {
  const count = rows.length / n;
  const moments = pairMoments(rows, n);
  const s = moments.second;
  const deviation = Float64Array.from({ length: n }, (_, i) => Math.sqrt(s[i * n + i]!));
  ensure(
    deviation.every((value) => value > 0),
    'every factor must have a variance',
  );
  const averageCorrelation = meanCorrelation(s, deviation, n);
  const target = (i: number, j: number): number =>
    i === j ? s[i * n + i]! : averageCorrelation * deviation[i]! * deviation[j]!;
  const intensity = intensityOf(moments, deviation, averageCorrelation, target, count);
  const covariance = Float64Array.from({ length: n * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    return intensity * target(i, j) + (1 - intensity) * s[at]!;
  });
  return { covariance, intensity, averageCorrelation };
}

function pairMoments(rows: Float64Array, n: number): PairMoments {
  const [second, squares, cubes] = [n * n, n * n, n * n].map((size) => new Float64Array(size));
  const count = rows.length / n;
  for (let from = 0; from < rows.length; from += n) {
    for (let i = 0; i < n; i++) {
      const x = rows[from + i]!;
      for (let j = 0; j < n; j++) {
        const y = rows[from + j]!;
        const product = x * y;
        second![i * n + j]! += product;
        squares![i * n + j]! += product * product;
        cubes![i * n + j]! += x * x * product;
      }
    }
  }
  const mean = (sums: Float64Array): Float64Array => sums.map((sum) => sum / count);
  return { second: mean(second!), squares: mean(squares!), cubes: mean(cubes!) };
}

function meanCorrelation(s: Float64Array, deviation: Float64Array, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) sum += s[i * n + j]! / (deviation[i]! * deviation[j]!);
  }
  return n > 1 ? (2 * sum) / (n * (n - 1)) : 0;
}

/** δ = (π̂ − ρ̂)/(γ̂ T), cut to 0 … 1. */
function intensityOf(
  { second: s, squares, cubes }: PairMoments,
  deviation: Float64Array,
  average: number,
  target: (i: number, j: number) => number,
  count: number,
): number {
  const n = deviation.length;
  // Of one or two factors the sample is its own target.
  if (n <= 2) return 0;
  let [pi, rho, gamma] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const at = i * n + j;
      const spread = squares[at]! - s[at]! * s[at]!;
      const gap = target(i, j) - s[at]!;
      pi += spread;
      gamma += gap * gap;
      if (i === j) rho += spread;
      else {
        // ϑ_ii,ij of appendix B; the sum over i and j has its mirror image ϑ_jj,ij too.
        const theta = cubes[at]! - s[i * n + i]! * s[at]!;
        rho += average * (deviation[j]! / deviation[i]!) * theta;
      }
    }
  }
  if (!(gamma > 0)) return 0;
  return Math.max(0, Math.min(1, (pi - rho) / gamma / count));
}
