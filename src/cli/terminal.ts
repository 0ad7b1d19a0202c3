/** What a command is given to speak with: documents and tables on stdout, everything else on stderr. */
import { once } from 'node:events';
import type { Lifetime } from './lifetime.ts';
import { type ProgressMeter, progressMeter } from './output/progress.ts';

/** Options that every command has. */
export interface CommonOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export class Terminal {
  readonly json: boolean;
  readonly lifetime: Lifetime;
  readonly progress: ProgressMeter;
  /** Whether anything was written to stdout: after that a failure cannot be a document of its own. */
  begun = false;

  constructor(options: CommonOptions, lifetime: Lifetime) {
    this.json = options.json ?? false;
    this.lifetime = lifetime;
    this.progress = progressMeter(process.stderr, options.quiet ?? false);
  }

  /** Writes to stdout and waits where its reader is slow. */
  async write(data: string | Uint8Array): Promise<void> {
    this.begun = true;
    if (!process.stdout.write(data)) await once(process.stdout, 'drain');
  }

  /** The one document of `--json`. */
  async document(value: unknown): Promise<void> {
    await this.write(`${JSON.stringify(value, null, 2)}\n`);
  }

  /** A line for people. */
  note(text: string): void {
    this.progress.clear();
    process.stderr.write(`${text}\n`);
  }
}
