/**
 * How a command ends before its time: Ctrl-C, SIGTERM, a closed terminal, a reader that went away. What must not be left behind is undone
 * first. Workers need no word: they hold nothing but memory, and end with the process, even in the middle of a kernel.
 */
import { EXIT } from './exitCodes.ts';

const SIGNALS = { SIGINT: EXIT.interrupted, SIGTERM: EXIT.terminated, SIGHUP: EXIT.hangup };
type SignalName = keyof typeof SIGNALS;

export class Lifetime {
  private readonly undoings = new Set<() => void>();
  private drain: (() => void) | null = null;

  /** Listens for signals and for readers that go away. Call once. */
  watch(): void {
    for (const name of Object.keys(SIGNALS) as SignalName[]) {
      process.on(name, () => this.end(name));
    }
    // Whatever ends the process, even a fault of ours: nothing half-made stays behind.
    process.on('exit', () => this.undo());
    // `plimsoll … | head`: whoever reads has seen enough.
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      this.undo();
      if (error.code === 'EPIPE') process.exit(EXIT.ok);
      process.stderr.write(`plimsoll: cannot write to stdout: ${error.message}\n`);
      process.exit(EXIT.failure);
    });
    // Nobody reads the messages: that is no reason to stop the work.
    process.stderr.on('error', () => {});
  }

  /** Registers what is undone at an early end (synchronously); returns how to take it back. */
  onEarlyEnd(undoing: () => void): () => void {
    this.undoings.add(undoing);
    return () => this.undoings.delete(undoing);
  }

  /** A service ends at its own pace: SIGINT and SIGTERM then call this, and the second of them ends at once. */
  drainWith(drain: () => void): void {
    this.drain = drain;
  }

  private end(name: SignalName): void {
    const drain = this.drain;
    this.drain = null;
    if (drain !== null) {
      drain();
      return;
    }
    this.undo();
    process.stderr.write(`\nplimsoll: stopped by ${name}\n`);
    process.exit(SIGNALS[name]);
  }

  private undo(): void {
    for (const undoing of this.undoings) undoing();
    this.undoings.clear();
  }
}
