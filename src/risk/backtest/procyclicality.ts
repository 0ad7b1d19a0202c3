/** How fast a margin rises in bad times. */
import { tailMeasures, tailRanks } from '../tail.ts';
import type { Zone } from './trafficLight.ts';

export interface Procyclicality {
  /** Rows from one margin to the one that it is compared with. */
  readonly days: number;
  /**
   * Mean of the greatest 5% of the relative changes margin_t / margin_{t−days} − 1; 0.5 is a rise by half. Null where the series
   * is shorter, or a margin is not > 0.
   */
  readonly figure: number | null;
  readonly zone: Zone | null;
}

/** Amber and red as ICE Clear Europe, whose figure this is, publishes them: 50%/100% over 5 days, 125%/250% over 30. */
const THRESHOLDS = [
  { days: 5, amber: 0.5, red: 1 },
  { days: 30, amber: 1.25, red: 2.5 },
] as const;

const CONFIDENCE = 0.95;

/**
 * The 5-day and the 30-day figure: 95% expected shortfall of percentage margin changes (ICE Clear Europe, "Risk management:
 * procyclicality"), over all rows of the series.
 * @param margins one a row; where one is not > 0 there are no percentages, and no figure
 */
export function procyclicality(margins: ArrayLike<number>): [Procyclicality, Procyclicality] {
  const [short, long] = THRESHOLDS.map(({ days, amber, red }) => {
    const figure = shortfallOfChanges(margins, days);
    const zone = figure === null ? null : figure > red ? 'red' : figure > amber ? 'amber' : 'green';
    return { days, figure, zone } as const;
  });
  return [short!, long!];
}

function shortfallOfChanges(margins: ArrayLike<number>, days: number): number | null {
  const count = margins.length - days;
  if (count < 1) return null;
  for (let t = 0; t < margins.length; t++) if (!(margins[t]! > 0)) return null;
  // A rise is a loss here: P&L = −change, the lowest first.
  const falls = Float64Array.from(
    { length: count },
    (_, t) => 1 - margins[t + days]! / margins[t]!,
  ).sort();
  return tailMeasures(falls, tailRanks(count, CONFIDENCE)).expectedShortfall;
}
