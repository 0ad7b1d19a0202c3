/**
 * The own tail of a factor under a t-copula, as a table for the kernel `studentMargins`: T with ν degrees of freedom becomes
 * √((μ−2)/μ) · F_μ⁻¹(F_ν(T)), which has μ degrees of freedom and variance 1.
 *
 * The map is odd; its ratio to T is smooth in w = 1 + T² (no singularity right of w = 1 − min(ν, μ) < −1), so sixteen segments an
 * octave of w and degree 7 give it to 1e-10 where |T| < 6 or ν is small, for any pair. The table ends where the tail of T is below
 * 1e-25 or at |T| = 2¹⁶, whichever comes first; there the ratio goes on as a power of w with the slope that it has.
 */
import { log } from '../numerics.ts';
import { type StudentDistribution, studentDistribution } from './studentDistribution.ts';

export interface MarginTable {
  readonly octaves: number;
  /** octaves × 16 segments × 8 coefficients, then the value at the end and the power. */
  readonly values: Float64Array;
}

const SEGMENTS = 16;
const DEGREE = 7;
const OCTAVES_MAX = 32;
const TAIL_LEAST = 1e-25;

/** Room that any table needs, in bytes. */
export const MARGIN_TABLE_BYTES: number = (OCTAVES_MAX * SEGMENTS * (DEGREE + 1) + 2) * 8;

/** Chebyshev's nodes cos((2j + 1)π/16), rising: written out, as a cosine would round differently elsewhere. */
const NODES: readonly number[] = [
  -0.9807852804032304, -0.8314696123025452, -0.5555702330196022, -0.1950903220161283,
  0.1950903220161283, 0.5555702330196022, 0.8314696123025452, 0.9807852804032304,
];

const known = new Map<string, MarginTable>();
const KNOWN_MAX = 64;

/** @param copula ν > 2 of the copula, @param own μ > 2 of the factor */
export function marginTable(copula: number, own: number): MarginTable {
  const key = `${copula} ${own}`;
  const table = known.get(key) ?? makeTable(copula, own);
  known.delete(key);
  known.set(key, table);
  for (const old of known.keys()) {
    if (known.size <= KNOWN_MAX) break;
    known.delete(old);
  }
  return table;
}

function makeTable(copula: number, own: number): MarginTable {
  const from = studentDistribution(copula);
  const to = studentDistribution(own);
  const scale = Math.sqrt((own - 2) / own);
  const octaves = octavesOf(from);
  const values = new Float64Array(octaves * SEGMENTS * (DEGREE + 1) + 2);
  let ratio = 1;
  const at = (w: number): number => {
    const x = Math.sqrt(w - 1);
    ratio = matchedQuantile(from, to, x, x * ratio) / x;
    return ratio * scale;
  };
  for (let octave = 0; octave < octaves; octave++) {
    for (let segment = 0; segment < SEGMENTS; segment++) {
      const w = (s: number): number => 2 ** octave * (1 + (segment + 0.5 * (s + 1)) / SEGMENTS);
      const fitted = coefficients(NODES.map((s) => at(w(s))));
      values.set(fitted, (octave * SEGMENTS + segment) * (DEGREE + 1));
    }
  }
  const end = 2 ** octaves;
  const x = Math.sqrt(end - 1);
  const last = at(end);
  const quantile = ratio * x;
  // d ln(quantile)/d ln x = x f(x)/(q f(q)); w goes as x², and the ratio is quantile/x.
  const slope = (x * from.density(x)) / (quantile * to.density(quantile));
  values[values.length - 2] = last;
  values[values.length - 1] = 0.5 * (slope - 1);
  return { octaves, values };
}

function octavesOf({ tail }: StudentDistribution): number {
  let octaves = 4;
  while (octaves < OCTAVES_MAX && tail(Math.sqrt(2 ** octaves - 1)) > TAIL_LEAST) octaves++;
  return octaves;
}

/** q with P(to ≤ q) = P(from ≤ x): Newton's method, in the logarithms of quantile and tail beyond the body. */
function matchedQuantile(
  from: StudentDistribution,
  to: StudentDistribution,
  x: number,
  start: number,
): number {
  let q = start;
  const inBody = x < 1;
  const target = inBody ? from.central(x) : log(from.tail(x));
  for (let i = 0; i < 60; i++) {
    const step = inBody ? bodyStep(to, target, q) : tailStep(to, target, q);
    q *= 1 + Math.min(1, Math.max(-0.5, step));
    if (Math.abs(step) < 1e-14) break;
  }
  return q;
}

function bodyStep({ central, density }: StudentDistribution, target: number, q: number): number {
  return (target - central(q)) / (q * density(q));
}

function tailStep({ tail, density }: StudentDistribution, target: number, q: number): number {
  const mass = tail(q);
  return (log(mass) - target) * (mass / (q * density(q)));
}

/** Coefficients of 1, s, s², … of the polynomial through values at the nodes: Newton's divided differences, expanded. */
function coefficients(values: readonly number[]): Float64Array {
  const differences = [...values];
  for (let order = 1; order <= DEGREE; order++) {
    for (let j = DEGREE; j >= order; j--) {
      differences[j] = (differences[j]! - differences[j - 1]!) / (NODES[j]! - NODES[j - order]!);
    }
  }
  const sum = new Float64Array(DEGREE + 1);
  for (let j = DEGREE; j >= 0; j--) {
    for (let k = DEGREE; k > 0; k--) sum[k] = sum[k - 1]! - NODES[j]! * sum[k]!;
    sum[0] = differences[j]! - NODES[j]! * sum[0]!;
  }
  return sum;
}
