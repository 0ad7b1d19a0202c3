/** One expiry's smile as the numbers that the kernel `sliceVolatilities` reads (workers/kernels/smile.ts describes the layout). */
import type { VolatilitySlice } from './slice.ts';
import type { VolatilitySurface } from './surface.ts';

/** Plain data, to be copied into the kernels' memory as it is. */
export interface SliceTable {
  readonly words: Float64Array;
  /** T of the expiry, years: a scenario in which T₁ is left has v = √(T₁/T) · √w(k), the slice's own volatility at √T₁. */
  readonly maturity: number;
}

const QUOTES = 0;
const SVI = 1;

/**
 * The smile of one expiry, by moneyness. An expiry that the surface does not list stands between two that it does: total variance is linear in
 * time at the same k (as `volatilityAt` has it), with today's shares, so its smile is the mixture of both and moves with its own forward.
 * @param maturity of the expiry, years from the underlying's asOf
 * @returns null outside the first and last expiry, and where a slice that it needs has no forward
 */
export function sliceParameters(
  surface: VolatilitySurface,
  expiryMs: number,
  maturity: number,
): SliceTable | null {
  const { slices } = surface;
  const after = slices.findIndex((slice) => slice.expiryMs >= expiryMs);
  const late = slices[after];
  if (late === undefined) return null;
  if (late.expiryMs === expiryMs) return tableOf([[late, 1]], maturity);
  const early = slices[after - 1];
  if (early === undefined) return null;
  const share = (maturity - early.maturity) / (late.maturity - early.maturity);
  return tableOf(
    [
      [early, 1 - share],
      [late, share],
    ],
    maturity,
  );
}

function tableOf(
  parts: readonly (readonly [VolatilitySlice, number])[],
  maturity: number,
): SliceTable | null {
  const words: number[] = [parts.length];
  for (const [slice, weight] of parts) {
    const { svi, logMoneyness, totalVariances, slopes } = slice;
    if (Number.isNaN(logMoneyness[0]!)) return null;
    if (svi !== undefined) {
      words.push(SVI, weight, svi.a, svi.b, svi.rho, svi.m, svi.sigma);
    } else {
      words.push(QUOTES, weight, logMoneyness.length);
      for (const values of [logMoneyness, totalVariances, slopes]) words.push(...values);
    }
  }
  return { words: Float64Array.from(words), maturity };
}
