/**
 * Mean quantile ("pinball") loss of VaR forecasts, in currency: the mean of (L − VaR)(α − 1{L < VaR}). Its expectation is least at the true
 * quantile, so of two models the one with the lower figure forecasts VaR better (R. Koenker, G. Bassett 1978; T. Gneiting 2011).
 */
export function meanQuantileLoss(
  pnl: Float64Array,
  valueAtRisk: Float64Array,
  confidence: number,
): number {
  let sum = 0;
  for (let t = 0; t < pnl.length; t++) {
    const over = -pnl[t]! - valueAtRisk[t]!;
    sum += over >= 0 ? confidence * over : (confidence - 1) * over;
  }
  return sum / pnl.length;
}
