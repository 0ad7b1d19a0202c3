/** One line of the benchmark: what was measured, against whom, and whether it meets what is asked of it. */

/** A bound that the project states for a figure. */
export interface Target {
  /** `rate`, `seconds`, or a ratio by its name. */
  readonly of: string;
  readonly atLeast?: number;
  readonly atMost?: number;
  readonly value: number;
  readonly met: boolean;
}

export interface Line {
  readonly suite: string;
  readonly name: string;
  /** Items a second, from the best sample. */
  readonly rate: number;
  readonly unit: string;
  /** Of the work that `per` names, in the best sample. */
  readonly seconds: number;
  readonly per: string;
  /** Median sample over best, less 1: how noisy the machine was. Null where there was one sample. */
  readonly spread: number | null;
  /** Our rate over that of the twin, of a library or of a peer, by name. Below 1 the other one is faster. */
  readonly ratios: Readonly<Record<string, number>>;
  /** Other figures of the same measurement, in the units that their names end in. */
  readonly figures?: Readonly<Record<string, number>>;
  /** Of the bytes that were computed; the same on every run and machine. Null where a line computes nothing of its own. */
  readonly hash: string | null;
  readonly targets: readonly Target[];
  readonly notes: readonly string[];
}

export interface Samples {
  /** Seconds. */
  readonly best: number;
  readonly median: number;
}

export function samplesOf(seconds: readonly number[]): Samples {
  const sorted = [...seconds].sort((a, b) => a - b);
  return { best: sorted[0]!, median: sorted[sorted.length >> 1]! };
}

export function spreadOf({ best, median }: Samples): number {
  return median / best - 1;
}

export function atLeast(of: string, value: number, bound: number): Target {
  return { of, atLeast: bound, value, met: value >= bound };
}

export function atMost(of: string, value: number, bound: number): Target {
  return { of, atMost: bound, value, met: value <= bound };
}
