/** How far the work is, on stderr: a bar on a terminal, else a plain line now and then. Never on stdout, never in a result. */
import { count, duration } from './figures.ts';

interface Step {
  readonly stage: string;
  readonly done: number;
  /** 0 where it is not known. */
  readonly total: number;
  /** Share done, where it is known better than by `done` and `total`. */
  readonly share?: number | undefined;
}

export interface ProgressMeter {
  update(step: Step): void;
  /** Takes the bar off the screen. */
  clear(): void;
  /** No more to come. */
  stop(): void;
}

const BAR_WIDTH = 28;
const BAR_EVERY_MS = 100;
/** DESIGN: what takes longer than a second shows progress. */
const FIRST_LINE_MS = 1_000;
const LINE_EVERY_MS = 2_000;

const SILENT: ProgressMeter = { update: () => {}, clear: () => {}, stop: () => {} };

export function progressMeter(stream: NodeJS.WriteStream, quiet: boolean): ProgressMeter {
  if (quiet) return SILENT;
  return stream.isTTY ? new Bar(stream) : new Lines(stream);
}

/** The stage under way, and since when: rates and times left are of the stage alone. */
class Stage {
  private step: Step | null = null;
  private since = 0;
  private doneAtStart = 0;

  update(step: Step): void {
    if (step.stage !== this.step?.stage) {
      this.since = performance.now();
      this.doneAtStart = this.step === null ? 0 : step.done;
    }
    this.step = step;
  }

  /** Share done, 0 … 1; undefined where nobody knows. */
  get share(): number | undefined {
    if (this.step === null) return undefined;
    const { share, done, total } = this.step;
    if (share !== undefined) return Math.min(1, share);
    return total > 0 ? Math.min(1, done / total) : undefined;
  }

  text(): string {
    if (this.step === null) return '';
    const seconds = (performance.now() - this.since) / 1000;
    const rate = (this.step.done - this.doneAtStart) / seconds;
    const parts = [count(this.step.done)];
    if (seconds > 0.2 && rate > 0) parts.push(`${count(rate)}/s`);
    const share = this.share;
    if (share !== undefined && share > 0 && share < 1 && seconds > 0.2) {
      parts.push(`ETA ${duration((seconds * (1 - share)) / share)}`);
    }
    return parts.join('  ');
  }

  get name(): string {
    return this.step?.stage ?? '';
  }
}

class Bar implements ProgressMeter {
  private readonly stream: NodeJS.WriteStream;
  private readonly stage = new Stage();
  private drawnAt = 0;
  private drawn = false;

  constructor(stream: NodeJS.WriteStream) {
    this.stream = stream;
  }

  update(step: Step): void {
    this.stage.update(step);
    const now = performance.now();
    if (now - this.drawnAt < BAR_EVERY_MS) return;
    this.drawnAt = now;
    this.drawn = true;
    const { share } = this.stage;
    const filled = Math.round((share ?? 0) * BAR_WIDTH);
    const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}`;
    const part = share === undefined ? '    ' : `${Math.floor(100 * share)}%`.padStart(4);
    const line = `${this.stage.name.padEnd(12)} ${bar} ${part}  ${this.stage.text()}`;
    this.stream.write(`\r\u001b[2K${line.slice(0, (this.stream.columns || 80) - 1)}`);
  }

  clear(): void {
    if (this.drawn) this.stream.write('\r\u001b[2K');
    this.drawn = false;
  }

  stop(): void {
    this.clear();
  }
}

class Lines implements ProgressMeter {
  private readonly stream: NodeJS.WriteStream;
  private readonly stage = new Stage();
  private nextAt = performance.now() + FIRST_LINE_MS;

  constructor(stream: NodeJS.WriteStream) {
    this.stream = stream;
  }

  update(step: Step): void {
    this.stage.update(step);
    const now = performance.now();
    if (now < this.nextAt) return;
    this.nextAt = now + LINE_EVERY_MS;
    const { share } = this.stage;
    const part = share === undefined ? '' : `  ${Math.floor(100 * share)}%`;
    this.stream.write(`${this.stage.name}${part}  ${this.stage.text()}\n`);
  }

  clear(): void {}

  stop(): void {}
}
