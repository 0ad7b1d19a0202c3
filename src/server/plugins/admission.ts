/** Bounded concurrency: so many run, so many wait in order, the rest are refused at once. */
import { PlimsollError } from '../../errors.ts';

export class Gate {
  private readonly what: string;
  private readonly runningMax: number;
  private readonly waitingMax: number;
  private readonly waiting: (() => void)[] = [];
  private taken = 0;

  /** @param what is counted, in the plural, for messages */
  constructor(what: string, runningMax: number, waitingMax: number) {
    this.what = what;
    this.runningMax = runningMax;
    this.waitingMax = waitingMax;
  }

  get running(): number {
    return this.taken;
  }

  /**
   * Resolves when there is room, with the function that gives the place back; calling it again does nothing.
   * @throws SATURATED when the queue is full, CANCELLED when `signal` aborts first
   */
  async enter(signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) throw gone();
    if (this.taken < this.runningMax) this.taken += 1;
    else await this.wait(signal);
    let open = true;
    return () => {
      if (open) this.leave();
      open = false;
    };
  }

  private wait(signal: AbortSignal): Promise<void> {
    if (this.waiting.length >= this.waitingMax) {
      const waiting = this.waitingMax === 0 ? '' : ` and ${this.waitingMax} wait`;
      const message = `${this.runningMax} ${this.what} are under way${waiting}: no more are accepted for now`;
      throw new PlimsollError('SATURATED', message);
    }
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.waiting.splice(this.waiting.indexOf(admit), 1);
        reject(gone());
      };
      const admit = (): void => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.waiting.push(admit);
    });
  }

  /** The place goes to whoever waits longest. */
  private leave(): void {
    const next = this.waiting.shift();
    if (next === undefined) this.taken -= 1;
    else next();
  }
}

function gone(): PlimsollError {
  return new PlimsollError('CANCELLED', 'the caller has gone');
}
