/** Whether requests can be served: the engine must have its scenarios, and the service must not be closing. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { Engine } from '../../engine/engine.ts';
import { PlimsollError } from '../../errors.ts';

export type ReadyState = 'starting' | 'ready' | 'failed' | 'draining';

export class Readiness {
  private state: ReadyState = 'starting';
  private reason = '';

  constructor(engine: Engine) {
    engine.ready().then(
      () => this.leaveStart('ready'),
      (error: Error) => {
        this.reason = error.message;
        this.leaveStart('failed');
      },
    );
  }

  get current(): ReadyState {
    return this.state;
  }

  drain(): void {
    this.state = 'draining';
  }

  /** @throws STARTING, or CLOSED when the service closes or the engine could not start */
  require(): void {
    if (this.state === 'ready') return;
    if (this.state === 'starting') {
      throw new PlimsollError('STARTING', 'the engine is drawing its scenarios');
    }
    if (this.state === 'draining') throw new PlimsollError('CLOSED', 'the service is closing');
    throw new PlimsollError('CLOSED', `the engine could not start: ${this.reason}`);
  }

  private leaveStart(state: ReadyState): void {
    if (this.state === 'starting') this.state = state;
  }
}

const SWEEP_MS = 100;

/**
 * A clean end. Fastify's own close waits until the last keep-alive connection times out; so while draining every answer says
 * `connection: close`, and connections that fall idle are swept. Requests that come on open connections are refused; those under way
 * are answered.
 */
export function addDraining(app: FastifyInstance, readiness: Readiness): void {
  // Connections on which nothing was ever sent: Node counts them neither as idle nor as active, and they would hold up the end.
  const silent = new Set<Socket>();
  app.server.on('connection', (socket: Socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  app.server.on('request', ({ socket }: IncomingMessage) => silent.delete(socket));
  app.addHook('preClose', async () => {
    readiness.drain();
    // Requests that have arrived but are not read yet look like idle connections: they get this long to show.
    await sleep(SWEEP_MS);
    for (const socket of silent) if (socket.bytesRead === 0) socket.destroy();
    // Between a timer and an immediate the loop reads its sockets: a request that waits there is no longer idle then.
    const sweep = setInterval(
      () => setImmediate(() => app.server.closeIdleConnections()),
      SWEEP_MS,
    );
    sweep.unref();
    const stop = (): void => clearInterval(sweep);
    if (app.server.listening) app.server.once('close', stop);
    else stop();
  });
  app.addHook('onSend', async (_request, reply) => {
    if (readiness.current === 'draining') reply.header('connection', 'close');
  });
  app.addHook('onRequest', async (request) => {
    if (!request.url.startsWith('/v1/')) return;
    if (readiness.current === 'draining') await readOff(request.raw);
    readiness.require();
  });
}

const READ_OFF_BYTES_MAX = 1024 * 1024;
const READ_OFF_MS = 1_000;

/**
 * Takes in what is still on its way of a request that will be refused with `connection: close`. A socket that is closed on unread bytes is
 * reset, and the reset may overtake the refusal.
 */
async function readOff(body: IncomingMessage): Promise<void> {
  if (body.complete || Number(body.headers['content-length'] ?? 0) > READ_OFF_BYTES_MAX) return;
  body.resume();
  const signal = AbortSignal.timeout(READ_OFF_MS);
  await once(body, 'end', { signal }).catch(() => {});
}
