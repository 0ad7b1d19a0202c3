/**
 * Peers in Python: a process that is told what to do line by line and times itself, so that its runs can alternate with ours. Data
 * goes through files of raw doubles. A peer that is not there is left out, and the table says so.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Contender } from '../contest.ts';
import type { Samples } from '../line.ts';

/** Where a Python with the packages may be found. */
const PYTHONS = ['python3', '/usr/bin/python3'];
/** One core against one core. */
const ONE_THREAD = {
  OPENBLAS_NUM_THREADS: '1',
  OMP_NUM_THREADS: '1',
  MKL_NUM_THREADS: '1',
  BLIS_NUM_THREADS: '1',
  PYTHONDONTWRITEBYTECODE: '1',
};

export interface Peers {
  readonly numpy: Peer | null;
  readonly quantlib: Peer | null;
  close(): void;
}

export class Peer {
  readonly version: string;
  private readonly process: ChildProcess;
  private readonly answers: AsyncIterator<string>;
  private readonly lines: Interface;
  private readonly folder: string;
  private files = 0;

  constructor(python: string, script: string, version: string) {
    this.version = version;
    this.folder = mkdtempSync(join(tmpdir(), 'plimsoll-bench-'));
    this.process = spawn(python, [script], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...ONE_THREAD },
    });
    this.lines = createInterface({ input: this.process.stdout! });
    this.answers = this.lines[Symbol.asyncIterator]();
  }

  /** Hands an array over under a name. */
  async give(name: string, values: Float64Array, shape: readonly number[]): Promise<void> {
    const path = this.path();
    writeFileSync(path, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    await this.ask({ do: 'load', name, path, shape });
  }

  /** Has a computation timed for so long (twice at the least). */
  time(what: string, milliseconds: number, parameters: object = {}): Promise<Samples> {
    return this.ask({ do: 'time', what, milliseconds, parameters }) as Promise<Samples>;
  }

  /** What a computation gives. */
  async values(what: string, parameters: object = {}): Promise<Float64Array> {
    const path = this.path();
    await this.ask({ do: 'values', what, path, parameters });
    const bytes = readFileSync(path);
    return new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  }

  /** A contender for a contest. */
  contender(
    name: string,
    what: string,
    work: { readonly items: number; readonly milliseconds: number; readonly parameters?: object },
  ): Contender {
    const { items, milliseconds, parameters } = work;
    return { name, items, timed: () => this.time(what, milliseconds, parameters) };
  }

  close(): void {
    this.process.stdin!.end();
    this.lines.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private path(): string {
    this.files += 1;
    return join(this.folder, `${this.files}.f64`);
  }

  private async ask(request: object): Promise<object> {
    this.process.stdin!.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.answers.next();
    if (done) throw new Error('a peer has ended before its answer');
    const answer = JSON.parse(value) as { error?: string };
    if (answer.error !== undefined) throw new Error(`a peer failed: ${answer.error}`);
    return answer;
  }
}

export function openPeers(): Peers {
  const numpy = openPeer(
    'numpyPeer.py',
    'import numpy, scipy; v = numpy.__version__, scipy.__version__',
  );
  const quantlib = openPeer('quantlibPeer.py', 'import QuantLib; v = QuantLib.__version__,');
  return {
    numpy,
    quantlib,
    close() {
      numpy?.close();
      quantlib?.close();
    },
  };
}

export const NO_PEERS: Peers = { numpy: null, quantlib: null, close() {} };

function openPeer(script: string, imports: string): Peer | null {
  const here = fileURLToPath(import.meta.url);
  // Scripts are not compiled: from the build they stand in the sources.
  const folder = here.endsWith('.ts') ? '.' : '../../../bench/peers';
  const path = join(here, '..', folder, script);
  if (!existsSync(path)) return null;
  for (const python of PYTHONS) {
    const found = spawnSync(python, ['-c', `${imports}; print('/'.join(v))`], { encoding: 'utf8' });
    if (found.status === 0) return new Peer(python, path, found.stdout.trim());
  }
  return null;
}
