/** How many rows of a history make a year, read off its dates. */
import { PlimsollError } from '../errors.ts';
import { MILLISECONDS_PER_DAY } from './dates.ts';

export interface Spacing {
  /** Median of the milliseconds from one row to the next. */
  readonly median: number;
  /** Whether at least a tenth of the rows lie on a Saturday or Sunday (2/7 do in a market that never closes). */
  readonly weekends: boolean;
  /** A row this many medians after the one before is irregular; a long weekend in business days is not. */
  readonly tolerance: number;
}

export interface Periods {
  readonly periodsPerYear: number;
  /** How the figure was found, for people. */
  readonly reason: string;
}

/** @param times ms since 1970, strictly increasing, at least 2 */
export function spacingOf(times: readonly number[]): Spacing {
  const gaps = times.slice(1).map((time, i) => time - times[i]!);
  const median = gaps.toSorted((a, b) => a - b)[gaps.length >> 1]!;
  const resting = times.filter((time) => [0, 6].includes(new Date(time).getUTCDay()));
  const weekends = resting.length >= times.length / 10;
  const business = median === MILLISECONDS_PER_DAY && !weekends;
  return { median, weekends, tolerance: business ? 4.5 : 1.5 };
}

/**
 * Spacing of a day or less: 365 days' worth where the rows include weekends, 252 for daily rows that do not. Weekly rows 52, monthly ones
 * 12, quarterly ones 4.
 * @throws MISSING_FIELD where the spacing says nothing: `periodsPerYear` must then be given
 */
export function inferPeriods(spacing: Spacing): Periods {
  const { median, weekends } = spacing;
  const days = median / MILLISECONDS_PER_DAY;
  const answer = (periodsPerYear: number, reason: string): Periods => ({
    periodsPerYear,
    reason: `${reason}: ${periodsPerYear} rows a year`,
  });
  if (days <= 1 && weekends) {
    const perYear = (365 * MILLISECONDS_PER_DAY) / median;
    return answer(perYear, `a row every ${median / 3_600_000} hours, weekends included`);
  }
  if (days === 1) return answer(252, 'daily rows without weekends');
  if (days === 7) return answer(52, 'weekly rows');
  if (days >= 28 && days <= 31) return answer(12, 'monthly rows');
  if (days >= 89 && days <= 92) return answer(4, 'quarterly rows');
  throw new PlimsollError(
    'MISSING_FIELD',
    `rows lie ${days} days apart${weekends ? '' : ', without weekends'}: say how many make a year`,
    { path: 'periodsPerYear' },
  );
}
