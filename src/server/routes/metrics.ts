/** What a monitor scrapes. */
import type { FastifyInstance } from 'fastify';
import { Gauge } from 'prom-client';
import Type from 'typebox';
import type { ServerContext } from '../context.ts';
import { watchBook } from '../plugins/bookMetrics.ts';

const schema = {
  summary: 'Figures for Prometheus',
  description: 'Text exposition format, version 0.0.4. Answered while starting and closing too.',
  tags: ['operations'],
  response: {
    200: {
      description: 'Requests, batches, accounts, the engine, the book and the process.',
      content: {
        'text/plain': { schema: Type.String({ examples: ['plimsoll_ready 1\n'] }) },
      },
    },
  },
};

/** The engine is asked for its own figures when they are scraped. */
export function metricsRoutes(
  app: FastifyInstance,
  { metrics: { registry }, readiness, engine, desk }: ServerContext,
): void {
  if (desk !== null) {
    const stop = watchBook(desk, registry);
    app.addHook('onClose', async () => stop());
  }
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers: [registry] });
  const engineGauges = {
    queued: gauge('plimsoll_engine_queue', 'Tasks that wait for a worker.'),
    workerDeaths: gauge('plimsoll_engine_worker_deaths', 'Workers that died under a task.'),
    workers: gauge('plimsoll_engine_workers', 'Worker threads.'),
    memoryBytes: gauge('plimsoll_engine_memory_bytes', 'Shared memory of the current market.'),
    scenarios: gauge('plimsoll_engine_scenarios', 'Scenarios of the current set.'),
    clampedShocks: gauge('plimsoll_engine_clamped_shocks', 'Log shocks of it that met the clamp.'),
  };
  const ready = gauge('plimsoll_ready', '1 when requests are served.');
  app.get('/metrics', { schema }, async (_request, reply) => {
    ready.set(readiness.current === 'ready' ? 1 : 0);
    if (readiness.current === 'ready' || readiness.current === 'draining') {
      const info = await engine.info();
      for (const name of Object.keys(engineGauges) as (keyof typeof engineGauges)[]) {
        engineGauges[name].set(info[name]);
      }
    }
    return reply.type(registry.contentType).send(await registry.metrics());
  });
}
