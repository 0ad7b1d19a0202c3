/** Batches as bodies of `PATCH /v1/market`, which takes ticks that are numbered one after the other. */
import type { SequencedTick, TickBatch } from './feed.ts';

export interface PatchBody {
  readonly source: string;
  /** The numbers before the first tick are missing, and that is known. */
  readonly resume?: true;
  readonly ticks: readonly SequencedTick[];
}

/** Follows the numbers of every source, so that what a gate refused and what never came is owned up to. */
export class PatchBodies {
  private readonly last = new Map<string, number>();

  /**
   * One body for each run of numbers without a hole. The first of a source resumes, too: the service may know it from an earlier run.
   * @param batch as a gate passed it: rising numbers, no quotes
   */
  of({ source, ticks }: TickBatch): PatchBody[] {
    const bodies: PatchBody[] = [];
    let run: SequencedTick[] = [];
    for (const tick of ticks) {
      if (this.last.get(source) === tick.sequence - 1 && bodies.length > 0) run.push(tick);
      else {
        const resume = this.last.get(source) === tick.sequence - 1 ? {} : { resume: true as const };
        run = [tick];
        bodies.push({ source, ...resume, ticks: run });
      }
      this.last.set(source, tick.sequence);
    }
    return bodies;
  }
}
