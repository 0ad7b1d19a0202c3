/** The near end of the thread: calls are promises, and none is left open when the thread dies. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { PlimsollError } from '../../../errors.ts';
import type { MethodName, Opening, Reply } from './protocol.ts';
import type { SqliteFile } from './sqliteFile.ts';

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: PlimsollError) => void;
}

/** The compiled thread beside the compiled store; from sources (in tests) the build's. */
function threadFile(): URL {
  const here = import.meta.url;
  const built = '../../../../dist/src/book/store/sqlite/thread.js';
  return new URL(here.endsWith('.ts') ? built : './thread.js', here);
}

export class SqliteThread {
  private readonly worker: Worker;
  private readonly pending = new Map<number, Pending>();
  private readonly ended: Promise<unknown>;
  private died: PlimsollError | null = null;
  private next = 1;

  private constructor(opening: Opening) {
    this.worker = new Worker(threadFile(), {
      workerData: opening,
      // node:sqlite says at every start that it is experimental; we know.
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    this.worker.on('message', (reply: Reply) => this.settle(reply));
    this.worker.on('error', (error) => this.die(error.message));
    this.worker.on('exit', (code) => this.die(`it ended with code ${code}`));
    this.ended = once(this.worker, 'exit');
    // Whoever opens it hears of a thread that could not start; this is the second time.
    this.ended.catch(() => {});
  }

  /** @throws what `openStore` throws */
  static async open(opening: Opening): Promise<{ thread: SqliteThread; driver: DriverName }> {
    const thread = new SqliteThread(opening);
    const driver = (await thread.answer(0)) as DriverName;
    return { thread, driver };
  }

  call<N extends MethodName>(
    name: N,
    ...args: Parameters<SqliteFile[N]>
  ): Promise<ReturnType<SqliteFile[N]>> {
    const id = this.next;
    this.next += 1;
    const answer = this.answer(id) as Promise<ReturnType<SqliteFile[N]>>;
    if (this.died === null) this.worker.postMessage({ id, name, args });
    return answer;
  }

  async close(): Promise<void> {
    await this.call('close');
    await this.ended.catch(() => {});
  }

  private answer(id: number): Promise<unknown> {
    if (this.died !== null) return Promise.reject(this.died);
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
    });
  }

  private settle(reply: Reply): void {
    const waiting = this.pending.get(reply.id);
    this.pending.delete(reply.id);
    if (reply.ok) waiting?.resolve(reply.value);
    else {
      const { code, message, path } = reply.error;
      waiting?.reject(new PlimsollError(code, message, { path }));
    }
  }

  private die(why: string): void {
    this.died ??= new PlimsollError('STORE_FAILED', `the thread of the store is gone: ${why}`);
    for (const { reject } of this.pending.values()) reject(this.died);
    this.pending.clear();
  }
}

type DriverName = 'node:sqlite' | 'libsql';
