/** Runs the built command as a user does: another process, its streams and its exit code. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const MAIN: string = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves with what stderr or stdout holds as soon as it matches. */
  saw(stream: 'stdout' | 'stderr', pattern: RegExp): Promise<string>;
}

/** @param flags of Node */
export function start(args: readonly string[], flags: readonly string[] = []): Started {
  if (!existsSync(MAIN)) throw new Error('The command is not built: run "npm run build" first.');
  return watch(spawn(process.execPath, [...flags, MAIN, ...args]));
}

const running = new Set<ChildProcess>();
// A test that fails half way leaves nothing behind.
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Reads what a process says. */
export function watch(child: ChildProcess): Started {
  running.add(child);
  child.once('exit', () => running.delete(child));
  const text = { stdout: '', stderr: '' };
  const watchers = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]!.setEncoding('utf8').on('data', (piece: string) => {
      text[name] += piece;
      for (const watcher of watchers) watcher();
    });
  }
  // A process that ends early closes its input under the writer.
  child.stdin!.on('error', () => {});
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code, signal) => {
      resolve({ code, signal, ...text });
      for (const watcher of watchers) watcher();
    });
  });
  const saw = (stream: 'stdout' | 'stderr', pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const gone = child.exitCode !== null || child.signalCode !== null;
        if (!pattern.test(text[stream]) && !gone) return;
        watchers.delete(look);
        if (pattern.test(text[stream])) resolve(text[stream]);
        else reject(new Error(`ended before ${pattern}: ${text.stderr}`));
      };
      watchers.add(look);
      look();
    });
  return { child, ended, saw };
}

/** Runs to the end. `input` goes to stdin. */
export function plimsoll(args: readonly string[], input = ''): Promise<Ended> {
  const { child, ended } = start(args);
  child.stdin!.end(input);
  return ended;
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'plimsoll-cli-'));
}

export function place(folder: string, name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

export interface NdjsonAnswer {
  readonly lines: readonly string[];
  readonly values: readonly Record<string, unknown>[];
  readonly summary: {
    readonly accounts: number;
    readonly rejected: number;
    readonly digest: string;
  };
  /** SHA-256 of the bytes before the summary, taken here. */
  readonly digest: string;
}

/** Splits an NDJSON answer; its last line has to be the summary and end the text. */
export function readAnswer(text: string): NdjsonAnswer {
  const all = text.split('\n');
  if (all.pop() !== '') throw new Error('the answer does not end with a line end');
  const last = JSON.parse(all.pop()!) as { summary: NdjsonAnswer['summary'] };
  const bytes = all.map((line) => `${line}\n`).join('');
  return {
    lines: all,
    values: all.map((line) => JSON.parse(line) as Record<string, unknown>),
    summary: last.summary,
    digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
  };
}

/** One asset, one perpetual and one option on it: small enough to reckon by hand. */
export const SMALL_MARKET = {
  asOf: '2026-01-02T08:00:00Z',
  currency: 'USD',
  underlyings: [
    {
      id: 'BTC',
      spot: 90_000,
      forwards: [{ expiry: '2026-03-27T08:00:00Z', price: 91_000 }],
      surface: [{ expiry: '2026-03-27T08:00:00Z', quotes: [{ strike: 90_000, iv: 0.5 }] }],
    },
  ],
  instruments: [
    { id: 'BTC-LINEAR', type: 'perpetual', underlying: 'BTC', settlement: 'linear', multiplier: 1 },
    {
      id: 'BTC-27MAR26-90000-P',
      type: 'option',
      underlying: 'BTC',
      expiry: '2026-03-27T08:00:00Z',
      strike: 90_000,
      right: 'put',
      style: 'european',
      settlement: 'linear',
      multiplier: 1,
    },
  ],
} as const;

export const SMALL_FACTORS = {
  asOf: '2026-01-02T08:00:00Z',
  periodsPerYear: 365,
  factors: [
    { id: 'BTC:spot', volatility: 0.5 },
    { id: 'BTC:vol', volatility: 0.9 },
  ],
  correlation: [
    [1, -0.4],
    [-0.4, 1],
  ],
} as const;

export const SMALL_ACCOUNT = {
  id: 'one',
  collateral: [{ asset: 'USD', amount: 50_000 }],
  positions: [{ instrument: 'BTC-LINEAR', size: 2 }],
} as const;
