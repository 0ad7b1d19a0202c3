/** Start, readiness, overload and a clean end. */
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Engine } from '../../src/engine/engine.ts';
import { PlimsollError } from '../../src/errors.ts';
import { buildApp } from '../../src/server/app.ts';
import { Gate } from '../../src/server/plugins/admission.ts';
import { type Server, startServer } from '../../src/server/server.ts';
import { writeJson } from '../../src/server/writeJson.ts';
import {
  ACCOUNT,
  ACCOUNTS,
  DEMO,
  JSON_TYPE,
  listening,
  metric,
  NDJSON_TYPE,
  ndjson,
  newEngine,
  until,
  Wire,
} from './support.ts';

describe('before the engine is ready', () => {
  it('is alive, not ready, and says so', async () => {
    const engine = new Engine({ ...DEMO, methodology: { scenarios: 2_048 }, workers: 1 });
    const app = await buildApp({ engine });
    const get = (url: string) => app.inject({ method: 'GET', url });
    const [live, ready, market, metrics] = await Promise.all(
      ['/health/live', '/health/ready', '/v1/market', '/metrics'].map(get),
    );
    expect(live!.json()).toEqual({ status: 'alive' });
    for (const answer of [ready!, market!]) {
      expect([answer.statusCode, answer.json().code]).toEqual([503, 'STARTING']);
      expect(answer.headers['retry-after']).toBe('1');
    }
    expect(metrics!.body).toContain('plimsoll_ready 0');
    await engine.ready();
    expect((await get('/health/ready')).json()).toEqual({ status: 'ready' });
    expect((await get('/metrics')).body).toContain('plimsoll_ready 1');
    await app.close();
    await engine.close();
  });

  it('never becomes ready when the engine cannot start', async () => {
    const engine = new Engine({ market: DEMO.market, workers: 1 });
    await expect(engine.ready()).rejects.toThrow(PlimsollError);
    const app = await buildApp({ engine });
    await sleep(0);
    const answer = await app.inject({ method: 'GET', url: '/health/ready' });
    expect([answer.statusCode, answer.json().code]).toEqual([503, 'CLOSED']);
    expect(answer.json().detail).toContain('no factor model');
    await app.close();
    await engine.close();
  });
});

describe('the end', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await newEngine();
  });
  afterAll(() => engine.close());

  const start = (drainMs?: number): Promise<Server> => startServer({ engine, port: 0, drainMs });

  /** Milliseconds that closing takes. */
  async function closing(server: Server): Promise<number> {
    const begin = performance.now();
    await server.close();
    return performance.now() - begin;
  }

  it('comes at once when nothing is under way, kept connections or not', async () => {
    const server = await start();
    const wire = new Wire(server.address);
    wire.send('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => wire.received.includes('alive'));
    expect(wire.received).toMatch(/keep-alive: timeout=65/i);
    expect(await closing(server)).toBeLessThan(1_000);
    await wire.closed;
    await expect(fetch(server.address)).rejects.toThrow();
  });

  it('waits for a stream under way, to its summary, and refuses what comes meanwhile', async () => {
    const server = await start();
    const wire = new Wire(server.address);
    // Not idle: a part of its headers has come.
    wire.send('GET /health/ready HTTP/1.1\r\n');
    const body = new TransformStream<Uint8Array, Uint8Array>();
    const writer = body.writable.getWriter();
    const answer = fetch(`${server.address}/v1/margin/batch`, {
      method: 'POST',
      headers: NDJSON_TYPE,
      body: body.readable,
      duplex: 'half',
    } as RequestInit);
    await writer.write(Buffer.from(ndjson(ACCOUNTS)));
    await until(
      async () => (await metric(server.address, 'plimsoll_http_requests_in_flight')) === 2,
    );
    const closed = closing(server);
    await sleep(300);
    wire.send('Host: x\r\n\r\n');
    await wire.closed;
    expect(wire.received).toMatch(/^HTTP\/1\.1 503 /);
    expect(wire.received.toLowerCase()).toContain('connection: close');
    expect(wire.received).toContain('"code":"CLOSED"');
    await writer.write(Buffer.from(ndjson(ACCOUNTS)));
    await writer.close();
    expect(await (await answer).text()).toContain('"summary":{"accounts":600,"rejected":0');
    const ms = await closed;
    expect(ms).toBeGreaterThan(300);
    expect(ms).toBeLessThan(5_000);
  });

  it('answers all of 50 requests under way', async () => {
    const server = await start();
    const wires = ACCOUNTS.slice(0, 50).map(() => new Wire(server.address));
    // Accepted, all of them: a connection that the kernel has not handed over yet dies with the listening socket.
    const hello = 'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n';
    for (const wire of wires) wire.send(hello);
    await until(() => wires.every(({ received }) => received.includes('HTTP/1.1 200')));
    wires.forEach((wire, i) => {
      wire.received = '';
      const body = JSON.stringify(ACCOUNTS[i]);
      const length = Buffer.byteLength(body);
      wire.send(
        `POST /v1/margin HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`,
      );
    });
    await until(() => wires.some(({ received }) => received.includes('HTTP/1.1 200')));
    const ms = closing(server);
    await Promise.all(wires.map(({ closed }) => closed));
    const statuses = wires.map(({ received }) => received.slice(9, 12));
    // What had not been accepted when closing began is refused in so many words, never dropped.
    expect(statuses.filter((status) => status !== '200' && status !== '503')).toEqual([]);
    expect(statuses.filter((status) => status === '200').length).toBeGreaterThan(0);
    expect(await ms).toBeLessThan(5_000);
  });

  it('cuts what takes longer than the drain may', async () => {
    const server = await start(300);
    const wire = new Wire(server.address);
    const head = 'POST /v1/margin HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
    wire.send(`${head}Content-Length: 50\r\n\r\n{"id"`);
    await until(
      async () => (await metric(server.address, 'plimsoll_http_requests_in_flight')) === 2,
    );
    const ms = await closing(server);
    expect(ms).toBeGreaterThan(250);
    expect(ms).toBeLessThan(2_000);
    await wire.closed;
  });

  it('says so when the port is taken, and leaves nothing open', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as { port: number };
    await expect(startServer({ engine, port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    taken.close();
  });
});

describe('risk reports', () => {
  const open = listening({ reports: 1, reportsWaiting: 1 });
  const ask = (scenarios: number, signal?: AbortSignal): Promise<Response> =>
    fetch(`${open.server.address}/v1/var`, {
      method: 'POST',
      headers: JSON_TYPE,
      body: JSON.stringify({ account: ACCOUNT, scenarios }),
      ...(signal === undefined ? {} : { signal }),
    });

  it('stop when their caller hangs up; one waits, the next is refused', async () => {
    const gone = new AbortController();
    const long = ask(10_000_000, gone.signal).catch(() => null);
    await until(async () => (await open.engine.info()).queued > 0);
    const waiting = ask(1_000);
    await until(
      async () => (await metric(open.server.address, 'plimsoll_http_requests_in_flight')) === 3,
    );
    const refused = await ask(1_000);
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ code: 'SATURATED' });
    const begin = performance.now();
    gone.abort();
    expect((await waiting).status).toBe(200);
    // Its tasks, some tens of milliseconds each, end at their next look at the signal.
    expect(performance.now() - begin).toBeLessThan(3_000);
    expect(await long).toBeNull();
    expect((await open.engine.info()).queued).toBe(0);
  });
});

describe('market updates', () => {
  const open = listening();

  it('do not wait for who dawdles with a body; that one is taken when it is whole', async () => {
    const body = JSON.stringify(DEMO.market);
    const put = (): Promise<Response> =>
      fetch(`${open.server.address}/v1/market`, { method: 'PUT', headers: JSON_TYPE, body });
    const slow = new Wire(open.server.address);
    const length = Buffer.byteLength(body);
    const head = `PUT /v1/market HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${length}`;
    slow.send(`${head}\r\n\r\n${body[0]}`);
    const requests = 'plimsoll_http_requests_in_flight';
    // The other one is the question itself.
    await until(async () => (await metric(open.server.address, requests)) === 2);
    expect((await put()).status).toBe(200);
    expect(slow.received).toBe('');
    slow.send(Buffer.from(body).subarray(1).toString('latin1'));
    await until(() => slow.received !== '');
    expect(slow.received).toMatch(/^HTTP\/1\.1 200 /);
    // Who hangs up leaves no update behind that would shut the next one out.
    const gone = new Wire(open.server.address);
    gone.send(`${head}\r\n\r\n${body[0]}`);
    await until(async () => (await metric(open.server.address, requests)) === 2);
    gone.socket.destroy();
    expect((await put()).status).toBe(200);
    slow.socket.destroy();
  });
});

describe('a gate', () => {
  const never = new AbortController().signal;

  it('lets so many in, the next in their order, and none twice', async () => {
    const gate = new Gate('things', 2, 2);
    const [first, second] = [await gate.enter(never), await gate.enter(never)];
    const order: string[] = [];
    const third = gate.enter(never).then((leave) => {
      order.push('third');
      return leave;
    });
    const fourth = gate.enter(never).then(() => order.push('fourth'));
    await expect(gate.enter(never)).rejects.toMatchObject({ code: 'SATURATED' });
    first();
    first();
    (await third)();
    await fourth;
    expect(order).toEqual(['third', 'fourth']);
    expect(gate.running).toBe(2);
    second();
    expect(gate.running).toBe(1);
  });

  it('forgets who has gone while waiting', async () => {
    const gate = new Gate('things', 1, 1);
    const leave = await gate.enter(never);
    const gone = new AbortController();
    const waiting = gate.enter(gone.signal);
    gone.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' });
    leave();
    expect(gate.running).toBe(0);
    await expect(gate.enter(gone.signal)).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});

describe('answers', () => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY])('never hold %s', (value) => {
    expect(() => writeJson({ initialMargin: value })).toThrow('initialMargin');
    expect(() => writeJson([{ risk: [1, value] }])).toThrow(PlimsollError);
  });
});
