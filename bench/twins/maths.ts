/** Elementary functions in plain TypeScript: V8's own, and Φ by a rational for Mills' ratio. */

// M(u) = N(u)/(u N(u) + R(u)), the coefficients of workers/kernels/black76.ts, highest power first.
// prettier-ignore
const N = [
  1, 20.62158501424721, 202.50112733308922, 1212.789291169951, 4765.961019241404,
  12326.792723754766, 19664.162363156604, 15453.059624847023,
] as const;
// prettier-ignore
const R = [
  1, 20.62134950264343, 200.5119570350177, 1171.3084886314366, 4374.278492055365, 10074.39522658683,
  12329.75769183157,
] as const;
const INVERSE_ROOT_2PI = 0.3989422804014327;

/** Φ(x); absolute error below 1e-15. */
export function normalCdf(x: number): number {
  const u = Math.abs(x);
  const n = ((((((u + N[1]) * u + N[2]) * u + N[3]) * u + N[4]) * u + N[5]) * u + N[6]) * u + N[7];
  const r = (((((u + R[1]) * u + R[2]) * u + R[3]) * u + R[4]) * u + R[5]) * u + R[6];
  const tail = (INVERSE_ROOT_2PI * Math.exp(-0.5 * u * u) * n) / (u * n + r);
  return x > 0 ? 1 - tail : tail;
}

export function mapArray(f: (x: number) => number, input: Float64Array, out: Float64Array): void {
  for (let i = 0; i < input.length; i++) out[i] = f(input[i]!);
}
