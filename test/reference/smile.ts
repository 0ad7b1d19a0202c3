/** Plain twin of workers/kernels/smile.ts: one scenario at a time, the same operations in the same order, read off the same table. */

/** w(k) of the part at `at`, and where the next one begins. */
function partAt(words: Float64Array, at: number, k: number): { w: number; next: number } {
  const weight = words[at + 1]!;
  if (words[at] === 1) {
    const [a, b, rho, m, sigma] = words.subarray(at + 2, at + 7) as unknown as [
      number,
      number,
      number,
      number,
      number,
    ];
    const x = k - m;
    const w = a + b * (rho * x + Math.sqrt(x * x + sigma * sigma));
    return { w: weight * w, next: at + 7 };
  }
  const count = words[at + 2]!;
  const start = at + 3;
  const knots = words.subarray(start, start + count);
  const values = words.subarray(start + count, start + 2 * count);
  const slopes = words.subarray(start + 2 * count, start + 3 * count);
  return { w: weight * cubic(k, knots, values, slopes), next: start + 3 * count };
}

function cubic(k: number, knots: Float64Array, values: Float64Array, slopes: Float64Array): number {
  const last = knots.length - 1;
  if (k <= knots[0]!) return values[0]!;
  if (k >= knots[last]!) return values[last]!;
  const i = knots.findLastIndex((knot) => knot <= k);
  const [w0, w1] = [values[i]!, values[i + 1]!];
  const h = knots[i + 1]! - knots[i]!;
  const t = (k - knots[i]!) / h;
  const u = 1 - t;
  const rise = t * t * (3 - 2 * t) * (w1 - w0);
  const bend = h * t * u * (u * slopes[i]! - t * slopes[i + 1]!);
  return Math.max(Math.min(w0, w1), Math.min(Math.max(w0, w1), w0 + rise + bend));
}

/** What the kernel writes for one scenario: [v·up, down/v]. */
export function sliceVolatility(
  words: Float64Array,
  logMove: number,
  logMoneyness0: number,
  scale: number,
  up = 1,
  down = 1,
): readonly [number, number] {
  const k = -(logMove + logMoneyness0);
  let sum = 0;
  for (let part = 0, at = 1; part < words[0]!; part++) {
    const { w, next } = partAt(words, at, k);
    sum += w;
    at = next;
  }
  const v = scale * Math.sqrt(sum);
  return [v * up, down / v];
}
