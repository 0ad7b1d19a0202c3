/**
 * Times contenders against each other on a machine that others use too: in rounds, one after the other in each round, so that a
 * disturbance hits all of them; the best sample of all rounds is what counts, for each alike.
 */
import { Bench } from 'tinybench';
import type { Samples } from './line.ts';

export interface Contender {
  readonly name: string;
  /** Items of one call. */
  readonly items: number;
  /** Does the work here; or has it timed elsewhere (seconds of one call, best and median). */
  readonly run?: () => void;
  readonly timed?: () => Promise<Samples>;
}

export interface Timed extends Samples {
  readonly name: string;
  readonly items: number;
  /** Items a second in the best sample. */
  readonly rate: number;
}

export interface Effort {
  readonly rounds: number;
  /** Of each contender in each round. */
  readonly milliseconds: number;
}

export const KERNEL_EFFORT: Effort = { rounds: 3, milliseconds: 200 };
export const QUICK_EFFORT: Effort = { rounds: 1, milliseconds: 1 };

export async function contest(
  contenders: readonly Contender[],
  effort: Effort,
): Promise<readonly Timed[]> {
  const samples = contenders.map((): Samples[] => []);
  for (let round = 0; round < effort.rounds; round++) {
    for (const [i, contender] of contenders.entries()) {
      samples[i]!.push(await (contender.timed?.() ?? timeHere(contender, effort, round === 0)));
    }
  }
  return contenders.map(({ name, items }, i) => {
    const best = Math.min(...samples[i]!.map((sample) => sample.best));
    const medians = samples[i]!.map((sample) => sample.median).sort((a, b) => a - b);
    return { name, items, best, median: medians[medians.length >> 1]!, rate: items / best };
  });
}

async function timeHere(
  { name, run }: Contender,
  { milliseconds }: Effort,
  warmup: boolean,
): Promise<Samples> {
  // First calls run unoptimised code; tinybench warms up by time and by calls.
  const bench = new Bench({
    time: milliseconds,
    iterations: 3,
    warmup,
    warmupTime: milliseconds / 2,
    warmupIterations: 3,
    throws: true,
  });
  bench.add(name, run!);
  await bench.run();
  const { result } = bench.tasks[0]!;
  if (!('latency' in result)) throw new Error(`${name} was not timed: ${result.state}`);
  return { best: result.latency.min / 1000, median: result.latency.p50 / 1000 };
}

/** Rates of the first contender over those of the others, by name. */
export function ratiosOf(timed: readonly Timed[]): Record<string, number> {
  const [ours, ...others] = timed;
  return Object.fromEntries(others.map((other) => [other.name, ours!.rate / other.rate]));
}
