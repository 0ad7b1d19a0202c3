/** Plain twins of the accumulation and tail kernels: the canonical sum, and order statistics by a full sort. */

export interface PlainSegment {
  readonly rows: readonly number[];
  readonly sizes: readonly number[];
}

/** P&L of a book in each scenario: sizes × rows into a subtotal per segment, then the subtotals, left to right from 0. */
export function portfolioPnl(
  segments: readonly PlainSegment[],
  cube: readonly Float64Array[],
  scenarios: number,
): Float64Array {
  const pnl = new Float64Array(scenarios);
  for (let s = 0; s < scenarios; s++) {
    let total = 0;
    for (const { rows, sizes } of segments) {
      let subtotal = 0;
      rows.forEach((row, i) => {
        subtotal += sizes[i]! * cube[row]![s]!;
      });
      total += subtotal;
    }
    pnl[s] = total;
  }
  return pnl;
}

/** The `keep` lowest values, lowest first. */
export function worst(values: Float64Array, keep: number): Float64Array {
  return values.slice().sort().subarray(0, keep);
}

/** VaR and ES by the definition of METHODOLOGY section 4, losses sorted in full. */
export function plainTail(
  pnl: Float64Array,
  confidence: number,
): { readonly valueAtRisk: number; readonly expectedShortfall: number } {
  const losses = Float64Array.from(pnl, (x) => -x)
    .sort()
    .reverse();
  const mass = Math.round(losses.length * (1 - confidence) * 1e6) / 1e6;
  const k = Math.max(1, Math.ceil(mass));
  let sum = 0;
  for (let j = 0; j < k - 1; j++) sum += losses[j]!;
  const valueAtRisk = losses[k - 1]!;
  return { valueAtRisk, expectedShortfall: (sum + (mass - (k - 1)) * valueAtRisk) / mass };
}
