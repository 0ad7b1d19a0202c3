/** The threads that shards run in. */
import { getHeapStatistics } from 'node:v8';
import { Piscina } from 'piscina';

/** The compiled worker beside the compiled engine; from sources (in tests) the build's. */
function workerFile(): string {
  const here = import.meta.url;
  const built = here.endsWith('.ts') ? '../../dist/workers/shard.js' : '../../workers/shard.js';
  return new URL(built, here).href;
}

/**
 * Accounts come and go by the thousand. The nursery holds what a worker makes of one shard of them: nothing of it lives to be moved among the
 * old objects. And the more memory V8 may take, the longer it lets these grow before it collects: here to twice what is alive.
 */
function heapLimits(): { maxYoungGenerationSizeMb: number; maxOldGenerationSizeMb: number } {
  const allowed = Math.floor(getHeapStatistics().heap_size_limit / 2 ** 20);
  return { maxYoungGenerationSizeMb: 48, maxOldGenerationSizeMb: Math.min(2048, allowed) };
}

/** One thread a worker, which lives as long as the pool. */
export function openPool(workers: number, slots: number): Piscina {
  return withFlags({
    filename: workerFile(),
    // Piscina's own default is 1.5 threads a core, wrong for computation.
    minThreads: workers,
    maxThreads: workers,
    idleTimeout: Number.POSITIVE_INFINITY,
    concurrentTasksPerWorker: 1,
    resourceLimits: heapLimits(),
    // The executor's queue decides the order; the pool never holds more than one task a worker.
    maxQueue: slots * 2,
  });
}

function withFlags(options: ConstructorParameters<typeof Piscina>[0]): Piscina {
  // Piscina tries require() first; a thread that is ended while require() links an ES module takes the whole process down with it
  // (seen on Node 20.20). Without require(esm) it falls back on import(), which can be interrupted.
  const own = '--no-experimental-require-module';
  try {
    return new Piscina({ ...options, execArgv: [...process.execArgv, own] });
  } catch (error) {
    // V8's flags (--max-old-space-size) hold for every thread as it is, and a worker refuses to be told of them.
    if ((error as NodeJS.ErrnoException).code !== 'ERR_WORKER_INVALID_EXEC_ARGV') throw error;
    return new Piscina({ ...options, execArgv: [own] });
  }
}
