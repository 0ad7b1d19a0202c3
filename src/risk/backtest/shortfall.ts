/** Backtests of expected shortfall. */
import seedrandom from 'seedrandom';
import { exp, log } from '../../numerics.ts';

export interface ShortfallStatistic {
  /** 0 is expected; negative where risk was understated. */
  readonly statistic: number;
  /** Share of simulated statistics that lie as low; null where there is none: a VaR ≤ 0, or an ES equal to it. */
  readonly pValue: number | null;
}

export interface AcerbiSzekely {
  /** Null where there was no exceedance to look at. */
  readonly z1: ShortfallStatistic | null;
  readonly z2: ShortfallStatistic;
  /** Simulated paths behind the p-values. */
  readonly replications: number;
}

export interface ShortfallSeries {
  readonly pnl: Float64Array;
  readonly valueAtRisk: Float64Array;
  /** ≥ VaR and > 0 each day. */
  readonly expectedShortfall: Float64Array;
  /** p = 1 − α. */
  readonly tail: number;
  /** Statistics are divided by its root before they are compared: a first-order correction for overlapping windows. */
  readonly designEffect: number;
}

/** At most so many draws in all; at least so many paths, whatever their number of days. */
const DRAWS = 4_000_000;
const PATHS_MAX = 10_000;
const PATHS_MIN = 200;

/**
 * Z₁ = 1 − (1/N) Σ L_t I_t / ES_t over the N exceedances, Z₂ = 1 − Σ L_t I_t / (T p ES_t) (C. Acerbi, B. Székely, "Backtesting expected
 * shortfall", Risk, December 2014, eq. 4 and 6).
 *
 * The p-values are simulated as theirs are, from what was forecast. A VaR and an ES do not say a whole distribution, so the loss beyond VaR is
 * taken as the Pareto one that has exactly this ES, P(L > x | L > VaR) = (VaR/x)^a with a = ES/(ES − VaR); for a normal or t forecast the
 * 5% critical value of Z₂ at T = 250, p = 2.5% comes out at −0.7 as published. The seed is fixed: equal series have equal p-values.
 */
export function acerbiSzekely(series: ShortfallSeries): AcerbiSzekely {
  const { pnl, valueAtRisk, expectedShortfall, tail, designEffect } = series;
  const days = pnl.length;
  let sum = 0;
  let hits = 0;
  for (let t = 0; t < days; t++) {
    if (!(-pnl[t]! > valueAtRisk[t]!)) continue;
    sum += -pnl[t]! / expectedShortfall[t]!;
    hits += 1;
  }
  const first = hits === 0 ? null : 1 - sum / hits;
  const second = 1 - sum / (days * tail);
  const known = valueAtRisk.every((value, t) => value > 0 && expectedShortfall[t]! > value);
  const paths = Math.max(PATHS_MIN, Math.min(PATHS_MAX, Math.floor(DRAWS / (days * tail))));
  const scale = Math.sqrt(designEffect);
  const [p1, p2] = known
    ? simulated(series, paths, (first ?? 0) / scale, second / scale)
    : [null, null];
  return {
    z1: first === null ? null : { statistic: first, pValue: p1 },
    z2: { statistic: second, pValue: p2 },
    replications: known ? paths : 0,
  };
}

/** Shares of paths, the observed one counted among them, whose Z₁ and Z₂ are as low as the observed. */
function simulated(
  { valueAtRisk, expectedShortfall, tail }: ShortfallSeries,
  paths: number,
  first: number,
  second: number,
): [number, number] {
  const days = valueAtRisk.length;
  const words = seedrandom('acerbi-szekely');
  const logUniform = (): number => log(((words.int32() >>> 0) + 0.5) / 4_294_967_296);
  const stay = log(1 - tail);
  let [low1, low2, with1] = [1, 1, 1];
  for (let path = 0; path < paths; path++) {
    let sum = 0;
    let hits = 0;
    // Days to the next exceedance are geometric: one draw for each of them instead of one a day.
    for (
      let t = Math.floor(logUniform() / stay);
      t < days;
      t += 1 + Math.floor(logUniform() / stay)
    ) {
      const ratio = valueAtRisk[t]! / expectedShortfall[t]!;
      sum += ratio * exp((ratio - 1) * logUniform());
      hits += 1;
    }
    if (1 - sum / (days * tail) <= second) low2 += 1;
    if (hits === 0) continue;
    with1 += 1;
    if (1 - sum / hits <= first) low1 += 1;
  }
  return [low1 / with1, low2 / (paths + 1)];
}
