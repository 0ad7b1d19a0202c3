/** Nodes of the American reference pricer, from roots and rational operations alone, so that they have the same bits on every engine. */

export interface Quadrature {
  /** In (−1, 1), ascending. */
  readonly nodes: Float64Array;
  readonly weights: Float64Array;
}

/** P_n(x) and P_{n−1}(x), Legendre polynomials by their three-term recurrence. */
function legendre(n: number, x: number): readonly [number, number] {
  let before = 0;
  let value = 1;
  for (let k = 1; k <= n; k++) {
    const next = ((2 * k - 1) * x * value - (k - 1) * before) / k;
    before = value;
    value = next;
  }
  return [value, before];
}

/** The root of P_n in (low, high), where P_n changes sign once. Bisection: 60 halvings leave less than an ulp. */
function legendreRoot(n: number, low: number, high: number): number {
  let [a, b] = [low, high];
  const rising = legendre(n, b)[0] > 0;
  for (let i = 0; i < 60; i++) {
    const middle = 0.5 * (a + b);
    if (legendre(n, middle)[0] > 0 === rising) b = middle;
    else a = middle;
  }
  return 0.5 * (a + b);
}

/** Gauss–Legendre rule of n ≥ 1 nodes on [−1, 1]. The roots of P_n are parted by those of P_{n−1}. */
export function gaussLegendre(n: number): Quadrature {
  let roots: readonly number[] = [];
  for (let k = 1; k <= n; k++) {
    const bounds = [-1, ...roots, 1];
    roots = bounds.slice(1).map((high, i) => legendreRoot(k, bounds[i]!, high));
  }
  const nodes = Float64Array.from(roots);
  const weights = nodes.map((x) => {
    const [, before] = legendre(n, x);
    return (2 * (1 - x * x)) / (n * n * before * before);
  });
  return { nodes, weights };
}

/** cos(iπ/12), i = 0 … 12: the Chebyshev extrema of degree 12. */
export const CHEBYSHEV_12: Float64Array = chebyshev12();

function chebyshev12(): Float64Array {
  const root2 = Math.sqrt(2);
  const root3 = Math.sqrt(3);
  const half = [1, (root2 * (root3 + 1)) / 4, root3 / 2, root2 / 2, 0.5, (root2 * (root3 - 1)) / 4];
  return Float64Array.from([...half, 0, ...half.map((x) => -x).reverse()]);
}

/**
 * Weights of the values at the Chebyshev extrema z₀ … z_n in the polynomial through them, at x (barycentric formula; J.-P. Berrut,
 * L. N. Trefethen, "Barycentric Lagrange interpolation", SIAM Review 46, 2004, eq. 5.4).
 */
export function chebyshevWeights(extrema: Float64Array, x: number): Float64Array {
  const n = extrema.length - 1;
  const exact = extrema.indexOf(x);
  const weights = new Float64Array(n + 1);
  if (exact !== -1) {
    weights[exact] = 1;
    return weights;
  }
  let sum = 0;
  for (let i = 0; i <= n; i++) {
    const sign = i % 2 === 0 ? 1 : -1;
    const weight = (i === 0 || i === n ? 0.5 * sign : sign) / (x - extrema[i]!);
    weights[i] = weight;
    sum += weight;
  }
  return weights.map((weight) => weight / sum);
}
