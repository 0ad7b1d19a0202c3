/** What a calibration tells: every figure that was fitted with its likelihood and standard error, what was assumed, what is wrong with the data. */
import type { DataProblem } from './dataProblems.ts';
import type { GarchFit } from './garch.ts';
import type { History } from './history.ts';
import type { TailFit } from './studentT.ts';
import type { CommonTail } from './tailFit.ts';
import type { VolatilityFit, VolatilityModel } from './volatilityFit.ts';

export type CorrelationModel = 'ewma' | 'ledoit-wolf';

export interface CalibrationReport {
  /** Dates in the history, and changes between them in which every measured factor is present: EWMA volatilities and correlations use those. */
  readonly rows: number;
  readonly usableRows: number;
  readonly from: string;
  readonly to: string;
  readonly volatility: VolatilityModel;
  readonly correlation: CorrelationModel;
  readonly lambda: number;
  readonly correlationLambda: number;
  /** Equally weighted rows that would be as informative as these for EWMA volatilities. */
  readonly effectiveObservations: number;
  readonly periodsPerYear: number;
  /** `given`, or how it was inferred. */
  readonly periodsReason: string;
  /** One a measured factor, in the order of the model. */
  readonly factors: readonly FactorCalibration[];
  /** Null unless correlations are Ledoit–Wolf's. */
  readonly shrinkage: Shrinkage | null;
  /** Null unless one ν was fitted to all factors together. */
  readonly tail: (Omit<CommonTail, 'leftOut'> & { readonly leftOut: readonly string[] }) | null;
  readonly repair: { readonly frobeniusDistance: number; readonly clippedEigenvalues: number };
  /** Sentences for people: what was not measured. */
  readonly assumptions: readonly string[];
  readonly problems: readonly DataProblem[];
}

export interface Shrinkage {
  /** δ, 0 … 1: the weight of constant correlation. */
  readonly intensity: number;
  readonly averageCorrelation: number;
  /** Standardised rows behind it. */
  readonly rows: number;
}

export interface FactorCalibration {
  readonly id: string;
  /** The factor's own changes, of up to ten years, and the dates that they lie between. */
  readonly observations: number;
  readonly from: string;
  readonly to: string;
  /** Per year, as in the model: of the next step. */
  readonly volatility: number;
  /** Per year, equally weighted over these changes; 0 for a factor that never moves. */
  readonly longRunVolatility: number;
  readonly longRunYears: number;
  /** Gaussian log-likelihood of the changes given the volatility known before each, and how many they are. EWMA has none for its first rows. */
  readonly logLikelihood: number | null;
  readonly logLikelihoodObservations: number;
  /** Per step; null for EWMA and where the factor never moves. `halfLife` is in rows. */
  readonly garch: Omit<GarchFit, 'observations' | 'logLikelihood'> | null;
  /** Null unless the factor's own ν was fitted. */
  readonly tail: TailFit | null;
  readonly path: VolatilityPath;
}

/** Volatility through time, per year: at most 400 dates, each with the greatest of the rows since the one before. */
export interface VolatilityPath {
  readonly dates: readonly string[];
  readonly volatilities: readonly number[];
}

const PATH_POINTS = 400;

export function volatilityPath(
  history: History,
  fit: VolatilityFit,
  periodsPerYear: number,
): VolatilityPath {
  const known: { row: number; value: number }[] = [];
  for (const row of fit.rows) {
    const value = fit.forecasts[row]!;
    if (value > 0) known.push({ row, value });
  }
  const bucket = Math.max(1, Math.ceil(known.length / (PATH_POINTS - 1)));
  const dates: string[] = [];
  const volatilities: number[] = [];
  const add = (row: number, value: number): void => {
    dates.push(history.dates[row]!);
    volatilities.push(Math.sqrt(value * value * periodsPerYear));
  };
  for (let start = 0; start < known.length; start += bucket) {
    const points = known.slice(start, start + bucket);
    add(points.at(-1)!.row, Math.max(...points.map(({ value }) => value)));
  }
  // Today's by itself, so that the line ends where the model begins.
  if (fit.rows.length > 0 && fit.next > 0) add(fit.rows.at(-1)! + 1, fit.next);
  return { dates, volatilities };
}
