/** A listening service that keeps a book, on a small made-up exchange. */
import { afterAll, beforeAll } from 'vitest';
import { type Server, startServer } from '../../src/server/server.ts';
import { DEMO, deskSite, engineOn, outrights, type Site } from '../book/deskSupport.ts';

export { ACCOUNTS, DEMO } from '../book/deskSupport.ts';

export const PERPETUAL = outrights(DEMO.market).find(({ settlement }) => settlement === 'linear')!;
export const SPOT = DEMO.market.underlyings.find(({ id }) => id === PERPETUAL.underlying)!.spot;

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown> & { readonly code?: string; readonly seq: number };
}

export interface Service {
  readonly site: Site;
  readonly server: Server;
  /** A request with a JSON body, or none. */
  send(method: string, path: string, body?: unknown, headers?: object): Promise<Answer>;
}

/** @param recordsKept records in memory for streams */
export function bookService(recordsKept?: number): Service {
  const made: { site?: Site; server?: Server } = {};
  beforeAll(async () => {
    const engine = await engineOn(DEMO.market);
    made.site = await deskSite(engine, { recordsKept, staleAfterMs: 3_600_000 });
    made.server = await startServer({
      engine,
      desk: made.site.desk,
      port: 0,
      limits: { loopDelayMs: 60_000 },
    });
  });
  afterAll(async () => {
    await made.server?.close();
    await made.site?.remove();
    await made.site?.engine.close();
  });
  const send: Service['send'] = async (method, path, body, headers = {}) => {
    const json = body === undefined ? {} : { 'content-type': 'application/json' };
    const answer = await fetch(`${made.server!.address}${path}`, {
      method,
      headers: { ...json, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: (await answer.json()) as Answer['body'] };
  };
  return {
    send,
    get site() {
      return made.site!;
    },
    get server() {
      return made.server!;
    },
  };
}
