/** One fitted factor: as it stands in the report, in the factor model, and in sentences for people. */
import { type FactorCalibration, volatilityPath } from './calibrationReport.ts';
import { MILLISECONDS_PER_DAY } from './dates.ts';
import { defaultKind, parseFactorId } from './factorIds.ts';
import type { FactorRecord } from './factorModel.ts';
import type { History } from './history.ts';
import { GREATEST_FITTED_DEGREES, LEAST_FITTED_DEGREES, type TailFit } from './studentT.ts';
import type { VolatilityFit } from './volatilityFit.ts';

export interface FittedFactor {
  readonly id: string;
  readonly fit: VolatilityFit;
  readonly tail: TailFit | null;
  /** Standard deviation of the next change, per step, as the model has it. */
  readonly next: number;
}

const YEAR_MS = 365 * MILLISECONDS_PER_DAY;

/** @param times of the history's dates, ms */
export function factorReport(
  { id, fit, tail, next }: FittedFactor,
  history: History,
  times: readonly number[],
  periodsPerYear: number,
): FactorCalibration {
  const { rows, garch } = fit;
  const [first, last] = [rows[0]!, rows.at(-1)! + 1];
  const parameters = garch === null ? null : withoutCounts(garch.fit);
  return {
    id,
    observations: rows.length,
    from: history.dates[first]!,
    to: history.dates[last]!,
    volatility: Math.sqrt(next * next * periodsPerYear),
    longRunVolatility: Math.sqrt(fit.longRunVariance * periodsPerYear),
    longRunYears: (times[last]! - times[first]!) / YEAR_MS,
    logLikelihood: fit.logLikelihood,
    logLikelihoodObservations: fit.forecastCount,
    garch: parameters,
    tail,
    path: volatilityPath(history, { ...fit, next }, periodsPerYear),
  };
}

function withoutCounts(
  fit: NonNullable<VolatilityFit['garch']>['fit'],
): NonNullable<FactorCalibration['garch']> {
  const { observations: _, logLikelihood: __, ...parameters } = fit;
  return parameters;
}

export function factorRecord(factor: FactorCalibration): FactorRecord {
  const { id, volatility, longRunVolatility, longRunYears, tail } = factor;
  const kind = defaultKind(parseFactorId(id).type);
  return {
    id,
    volatility,
    ...(kind === 'log' ? {} : { kind }),
    // A factor that never moved has no long-run volatility to hold against today's.
    ...(longRunVolatility > 0 ? { longRunVolatility, longRunYears } : {}),
    ...(tail === null
      ? {}
      : { degreesOfFreedom: tail.degreesOfFreedom ?? GREATEST_FITTED_DEGREES }),
  };
}

/** What a reader of the figures has to know beside them. */
export function factorSentences(factors: readonly FactorCalibration[]): string[] {
  return factors.flatMap(({ id, garch, tail }) => {
    const sentences: string[] = [];
    if (garch?.bound === 'alpha') sentences.push(`${id}: GARCH finds a constant volatility`);
    else if (garch !== null && garch.standardErrors === null) {
      const why =
        garch.bound === null ? 'cannot tell alpha from beta' : `lies on its bound (${garch.bound})`;
      sentences.push(`${id}: the GARCH fit ${why}: no standard errors`);
    }
    if (tail?.degreesOfFreedom === null) {
      sentences.push(
        `${id}: normal tails, written as ${GREATEST_FITTED_DEGREES} degrees of freedom`,
      );
    } else if (tail?.atLowerBound === true) {
      sentences.push(`${id}: tails heavier than the least ν fitted, ${LEAST_FITTED_DEGREES}`);
    }
    return sentences;
  });
}
