/** Time for feeds, so that tests can turn it themselves; and the pace of a replay. */

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Resolves after so many milliseconds, at once where they are not > 0, early where the signal is aborted. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/** Longer delays overflow a timer. */
const TIMER_MAX_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(milliseconds, signal) {
    for (let left = milliseconds; left > 0; left -= TIMER_MAX_MS) {
      await timer(Math.min(left, TIMER_MAX_MS), signal);
      if (signal?.aborted === true) return;
    }
  },
};

function timer(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    const done = (): void => {
      clearTimeout(handle);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const handle = setTimeout(done, milliseconds);
    signal?.addEventListener('abort', done);
  });
}

/** `max`: as fast as the reader reads. 10: ten recorded seconds in one. */
export type Speed = number | 'max';

/**
 * Waits until a recorded instant is due. The first one is due at once; the others by their distance from it, so that a slow reader's delays
 * do not add up. Instants that go back are due at once.
 */
export class Pace {
  private readonly speed: Speed;
  private readonly clock: Clock;
  private origin: { readonly recorded: number; readonly real: number } | null = null;

  constructor(speed: Speed, clock: Clock) {
    this.speed = speed;
    this.clock = clock;
  }

  async until(recorded: number, signal?: AbortSignal): Promise<void> {
    if (this.speed === 'max') return;
    this.origin ??= { recorded, real: this.clock.now() };
    const due = this.origin.real + (recorded - this.origin.recorded) / this.speed;
    const wait = due - this.clock.now();
    if (wait > 0) await this.clock.sleep(wait, signal);
  }
}
