/** An account's VaR and ES as a loop over rows and a sort of all scenarios. */
import type { BookSegment } from '../../src/margin/books.ts';

export interface PlainWork {
  readonly pnl: Float64Array;
  readonly subtotal: Float64Array;
}

/** P&L in the canonical order: rows into a subtotal a segment, subtotals into the P&L. The kernels' bits. */
export function plainPnl(
  segments: readonly BookSegment[],
  cube: readonly Float64Array[],
  { pnl, subtotal }: PlainWork,
): void {
  pnl.fill(0);
  for (const { rows, sizes } of segments) {
    subtotal.fill(0);
    for (let i = 0; i < rows.length; i++) {
      const row = cube[rows[i]!]!;
      const size = sizes[i]!;
      for (let s = 0; s < row.length; s++) subtotal[s] = subtotal[s]! + size * row[s]!;
    }
    for (let s = 0; s < pnl.length; s++) pnl[s] = pnl[s]! + subtotal[s]!;
  }
}

/** VaR and ES of n P&L values that it sorts in place; `mass` is n(1−α). METHODOLOGY's definition, summed from the worst. */
export function plainTail(pnl: Float64Array, mass: number): readonly [number, number] {
  pnl.sort();
  const k = Math.ceil(mass);
  let sum = 0;
  for (let j = 0; j < k - 1; j++) sum -= pnl[j]!;
  const valueAtRisk = -pnl[k - 1]!;
  return [valueAtRisk, (sum + (mass - (k - 1)) * valueAtRisk) / mass];
}
