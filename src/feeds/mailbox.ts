/** What waits between a live source and its reader: bounded, and conflated where the reader is slow, because a market's last price is the one that counts. */
import { Conflator, type QuotedTick } from './conflation.ts';
import type { TickProblem } from './feed.ts';

export type Letter =
  | { readonly tick: QuotedTick; readonly receivedMs: number }
  | { readonly problem: TickProblem };

export class Mailbox {
  private letters: Letter[] = [];
  private wake: (() => void) | null = null;
  private closed = false;
  private failure: unknown = null;
  private readonly most: number;
  private readonly overrun: (ticks: number, problems: number) => TickProblem;
  /** Since the reader came last: ticks that went into others, and problems beyond the bound. */
  private lost = { ticks: 0, problems: 0 };

  /** @param overrun says that so many ticks were conflated and so many problems dropped */
  constructor(most: number, overrun: (ticks: number, problems: number) => TickProblem) {
    this.most = most;
    this.overrun = overrun;
  }

  post(letter: Letter): void {
    if (this.closed) return;
    this.letters.push(letter);
    if (this.letters.length > this.most) this.conflate();
    this.wake?.();
  }

  /** No more to come; with a failure, the reader gets it after what waits. */
  close(failure: unknown = null): void {
    this.closed = true;
    this.failure ??= failure;
    this.wake?.();
  }

  /** All that waits, at least one, after word of what was conflated; null after the end. @throws the failure that it was closed with */
  async take(): Promise<readonly Letter[] | null> {
    while (this.letters.length === 0) {
      if (this.failure !== null) throw this.failure;
      if (this.closed) return null;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
      this.wake = null;
    }
    const letters = this.letters;
    const { ticks, problems } = this.lost;
    this.letters = [];
    this.lost = { ticks: 0, problems: 0 };
    return ticks + problems === 0
      ? letters
      : [{ problem: this.overrun(ticks, problems) }, ...letters];
  }

  /** One tick an underlying is kept, and so many problems as half the box holds, the first ones. */
  private conflate(): void {
    const conflator = new Conflator();
    const problems: Letter[] = [];
    let receivedMs = 0;
    let ticks = 0;
    for (const letter of this.letters) {
      if ('problem' in letter) problems.push(letter);
      else {
        conflator.add(letter.tick);
        receivedMs = letter.receivedMs;
        ticks++;
      }
    }
    const kept = problems.slice(0, this.most >> 1);
    const few = conflator.ticks().map((tick): Letter => ({ tick, receivedMs }));
    this.lost.ticks += ticks - few.length;
    this.lost.problems += problems.length - kept.length;
    this.letters = [...kept, ...few];
  }
}
