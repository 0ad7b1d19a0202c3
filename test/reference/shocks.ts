/** The twins of workers/kernels/shocks.ts, over plain arrays: rows of scenarios, factor after factor. */

/** x_f = Σ_{g ≤ f} L_fg z_g, summed from +0, g ascending. */
export function correlate(
  lower: readonly (readonly number[])[],
  z: readonly (readonly number[])[],
): number[][] {
  return lower.map((row, f) =>
    z[f]!.map((_, s) => {
      let sum = 0;
      for (let g = 0; g <= f; g++) sum += row[g]! * z[g]![s]!;
      return sum;
    }),
  );
}

export function mixing(chiSquares: readonly number[], degreesOfFreedom: number): number[] {
  return chiSquares.map((c) => Math.sqrt((degreesOfFreedom - 2) / c));
}

export interface Scaling {
  readonly volatility: number;
  readonly mean: number;
  readonly limit: number;
}

/** The clamped shocks and how many were clamped. */
export function scaleShocks(
  x: readonly number[],
  mix: readonly number[] | undefined,
  { volatility, mean, limit }: Scaling,
): { shocks: number[]; clamped: number } {
  let clamped = 0;
  const shocks = x.map((value, s) => {
    const scale = mix === undefined ? volatility : volatility * mix[s]!;
    const y = mean + scale * value;
    if (Math.abs(y) > limit) {
      clamped++;
      return Math.sign(y) * limit;
    }
    return y;
  });
  return { shocks, clamped };
}
