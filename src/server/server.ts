/** The service, listening. Signals are the business of whoever starts it. */
import type { FastifyInstance } from 'fastify';
import { LIMITS } from '../limits.ts';
import { type AppOptions, buildApp } from './app.ts';

export interface ServerOptions extends AppOptions {
  /** Default 127.0.0.1: only this machine. */
  readonly host?: string | undefined;
  /** 0 … 65535; 0 takes a free one. Default 8080. */
  readonly port?: number | undefined;
  /** Requests under way when the service is closed are cut after so many milliseconds; default 25 s. */
  readonly drainMs?: number | undefined;
}

export interface Server {
  /** Where it listens: `http://127.0.0.1:8080`. */
  readonly address: string;
  /**
   * Stops listening, answers what was accepted and resolves when all connections are closed. What takes longer than `drainMs` is cut.
   * The engine stays open. Calling it again gives the same promise.
   */
  close(): Promise<void>;
}

/** @throws what `listen` of node:net throws: EADDRINUSE, EACCES, … */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { host = '127.0.0.1', port = 8080, drainMs = LIMITS.httpDrainMs } = options;
  const app = await buildApp(options);
  try {
    const address = await app.listen({ host, port });
    let closing: Promise<void> | null = null;
    return {
      address,
      close: () => {
        closing ??= drain(app, drainMs);
        return closing;
      },
    };
  } catch (error) {
    await app.close();
    throw error;
  }
}

async function drain(app: FastifyInstance, drainMs: number): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), drainMs);
  try {
    await app.close();
  } finally {
    clearTimeout(cut);
  }
}
