/** Timing of work that is too long or too asynchronous for tinybench. */
import type { Samples } from './line.ts';

export async function secondsOf(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

export function samplesOf(seconds: readonly number[]): Samples {
  const sorted = [...seconds].sort((a, b) => a - b);
  return { best: sorted[0]!, median: sorted[sorted.length >> 1]! };
}
