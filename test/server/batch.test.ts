/** Batches: the bytes are the engine's, streamed, with back-pressure, and stop when the caller does. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { tableFromIPC } from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import type { AccountOutcome } from '../../src/engine/evaluator.ts';
import { streamOf } from '../engine/arrowStreams.ts';
import { all } from '../engine/pieces.ts';
import {
  ACCOUNT,
  ACCOUNTS,
  ARROW_TYPE,
  digestOf,
  JSON_TYPE,
  listening,
  metric,
  NDJSON_TYPE,
  ndjson,
  outcomesOf,
  post,
  service,
  until,
} from './support.ts';

const URL_PATH = '/v1/margin/batch';

/** Every tenth account is wrong, each in its own way. */
const MIXED = ACCOUNTS.map((account, i) => {
  if (i % 30 === 10) return { ...account, positions: [{ instrument: 'NONE', size: 1 }] };
  if (i % 30 === 20) return { ...account, currency: 'EUR' };
  return account;
});

const isRejected = (outcome: AccountOutcome): boolean => 'error' in outcome;

describe('one batch, three forms', () => {
  const running = service();

  it('NDJSON: the lines of the library, in order, then the summary with their digest', async () => {
    const outcomes = await outcomesOf(running.engine, MIXED);
    const lines = ndjson(outcomes);
    const rejected = outcomes.filter(isRejected).length;
    expect(rejected).toBe(20);
    const answer = await post(running, URL_PATH, ndjson(MIXED), NDJSON_TYPE);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toContain('application/x-ndjson');
    const summary = { accounts: MIXED.length, rejected, digest: digestOf(lines) };
    expect(answer.body).toBe(`${lines}${JSON.stringify({ summary })}\n`);
  });

  it('a JSON array: the same elements, the same digest', async () => {
    const outcomes = await outcomesOf(running.engine, MIXED);
    const answer = await post(running, URL_PATH, JSON.stringify(MIXED, null, 1), JSON_TYPE);
    expect(answer.headers['content-type']).toContain('application/json');
    const elements = answer.json() as unknown[];
    expect(elements.slice(0, -1)).toEqual(outcomes);
    expect(elements.at(-1)).toMatchObject({ summary: { digest: digestOf(ndjson(outcomes)) } });
  });

  it('Arrow: the same figures, the same digest', async () => {
    const some = ACCOUNTS.slice(0, 40).map((account) => ({
      id: account.id,
      instruments: account.positions.map((position) => position.instrument),
      sizes: account.positions.map((position) => position.size),
    }));
    const outcomes = await outcomesOf(running.engine, some);
    const answer = await post(running, URL_PATH, Buffer.from(streamOf(some)), ARROW_TYPE);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toContain('application/vnd.apache.arrow.stream');
    const rows = tableFromIPC(answer.rawPayload).toArray();
    expect(rows.slice(0, -1).map((row) => [row.account, row.initialMargin, row.equity])).toEqual(
      outcomes.map((o) => ('error' in o ? [] : [o.account, o.initialMargin, o.equity])),
    );
    expect(JSON.parse(rows.at(-1)!.summary)).toMatchObject({
      summary: { accounts: 40, rejected: 0, digest: digestOf(ndjson(outcomes)) },
    });
  });

  it('a malformed line fails alone', async () => {
    const body = `${JSON.stringify(ACCOUNT)}\n{"id":\n\n${JSON.stringify(ACCOUNT)}\n`;
    const answer = await post(running, URL_PATH, body, NDJSON_TYPE);
    const [first, broken, last, end] = answer.body
      .trimEnd()
      .split('\n')
      .map((l) => JSON.parse(l));
    expect(first).toEqual(last);
    expect(broken).toMatchObject({ account: null, error: { code: 'MALFORMED_JSON' } });
    expect(end.summary).toMatchObject({ accounts: 3, rejected: 1 });
  });

  it.each([
    ['NDJSON', NDJSON_TYPE, '', { accounts: 0, rejected: 0, digest: digestOf('') }],
    ['JSON', JSON_TYPE, '[]', { accounts: 0, rejected: 0, digest: digestOf('') }],
  ])('an empty batch of %s has a summary', async (_, type, body, summary) => {
    const answer = await post(running, URL_PATH, body, type);
    const last = answer.body.match(/\{"summary".*\}/)![0];
    expect(JSON.parse(last)).toEqual({ summary });
  });

  it.each([
    ['a JSON object', JSON_TYPE, '{"id":"a"}', 'MALFORMED_JSON'],
    ['half an array', JSON_TYPE, '[{"id":"a"}', 'MALFORMED_JSON'],
    ['no Arrow', ARROW_TYPE, 'hello, this is not Arrow', 'MALFORMED_ARROW'],
    ['nothing, for Arrow', ARROW_TYPE, '', 'MALFORMED_ARROW'],
  ])('%s is a problem, not a stream', async (_, type, body, code) => {
    const answer = await post(running, URL_PATH, body, type);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect([answer.statusCode, answer.json().code]).toEqual([400, code]);
  });

  it('counts accounts, rejections by code, and batches', async () => {
    const read = async (line: string): Promise<number> => {
      const text = (await running.app.inject({ method: 'GET', url: '/metrics' })).body;
      return Number(
        text
          .split('\n')
          .find((row) => row.startsWith(`${line} `))
          ?.split(' ')[1] ?? 0,
      );
    };
    const names = [
      'plimsoll_accounts_total{route="/v1/margin/batch"}',
      'plimsoll_accounts_rejected_total{code="UNKNOWN_INSTRUMENT"}',
      'plimsoll_accounts_rejected_total{code="CURRENCY_MISMATCH"}',
      'plimsoll_batches_total{outcome="completed"}',
    ];
    const before = await Promise.all(names.map(read));
    await post(running, URL_PATH, ndjson(MIXED), NDJSON_TYPE);
    const after = await Promise.all(names.map(read));
    expect(after.map((n, i) => n - before[i]!)).toEqual([300, 10, 10, 1]);
  });
});

/** A batch whose body the test writes and whose answer it reads, both at its own pace. */
function openBatch(address: string) {
  const request = httpRequest(`${address}${URL_PATH}`, { method: 'POST', headers: NDJSON_TYPE });
  request.on('error', () => {});
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve).once('error', reject);
  });
  response.catch(() => {});
  return { request, response };
}

describe('on the wire', () => {
  const open = listening({ answerBytes: 64 * 1024, batches: 2, stallMs: 1_500 });
  const lines = ndjson(ACCOUNTS);
  const outcome = (name: string) =>
    metric(open.server.address, `plimsoll_batches_total{outcome="${name}"}`);

  it('answers while the body still comes', async () => {
    const { request, response } = openBatch(open.server.address);
    // More than the 4 shards of 512 accounts that two workers keep under way, and the body is not ended.
    for (let i = 0; i < 10; i++) request.write(lines);
    const answer = await response;
    const [first] = await new Promise<Buffer[]>((resolve) => {
      answer.once('data', (piece) => resolve([piece]));
    });
    expect(first!.toString()).toContain(`{"account":"${ACCOUNT.id}"`);
    request.end(lines);
    const rest = (await all(answer)).map(String).join('');
    expect(rest).toContain('{"summary":{"accounts":3300,"rejected":0');
  });

  it('stops the work when the caller hangs up', async () => {
    const before = await outcome('cancelled');
    const { request, response } = openBatch(open.server.address);
    for (let i = 0; i < 10; i++) request.write(lines);
    await response;
    request.destroy();
    const start = performance.now();
    await until(async () => (await outcome('cancelled')) === before + 1);
    expect(performance.now() - start).toBeLessThan(1_000);
    await until(async () => (await open.engine.info()).queued === 0);
    expect(await metric(open.server.address, 'plimsoll_http_requests_in_flight')).toBe(1);
  });

  it('stops when the body breaks off, without a summary', async () => {
    const before = (await outcome('cancelled')) + (await outcome('failed'));
    const { request } = openBatch(open.server.address);
    request.write(lines);
    request.write('{"id":"half');
    await until(() => request.socket?.writableLength === 0);
    request.destroy();
    await until(async () => (await outcome('cancelled')) + (await outcome('failed')) > before);
  });

  it('pauses for a reader that does not read, and goes on with it', async () => {
    const { request, response } = openBatch(open.server.address);
    const batches = 200;
    const route = 'plimsoll_accounts_total{route="/v1/margin/batch"}';
    const before = await metric(open.server.address, route);
    let sent = 0;
    const write = (): void => {
      sent += 1;
      request.write(lines);
      if (sent < batches) request.once('drain', write);
      else request.end();
    };
    write();
    const answer = await response;
    // Nobody reads: after a while the figures stand still, far from the end.
    let done = -1;
    await until(async () => {
      const now = await metric(open.server.address, route);
      await new Promise((resolve) => setTimeout(resolve, 150));
      if (now === done) return true;
      done = now;
      return false;
    });
    expect(done - before).toBeLessThan(0.8 * batches * ACCOUNTS.length);
    expect(sent).toBeLessThan(batches);
    let bytes = 0;
    let tail = '';
    for await (const piece of answer) {
      bytes += (piece as Buffer).length;
      tail = (tail + String(piece)).slice(-200);
    }
    expect(tail).toContain(`{"summary":{"accounts":${batches * ACCOUNTS.length},"rejected":0`);
    expect(bytes).toBeGreaterThan(10_000_000);
  });

  it('cuts off a reader that has stopped for good', async () => {
    const { request, response } = openBatch(open.server.address);
    const before = await outcome('cancelled');
    const write = (): void => {
      request.write(lines);
      if (!request.destroyed) request.once('drain', write);
    };
    write();
    const answer = await response;
    const cut = new Promise<void>((resolve) => answer.once('close', () => resolve()));
    answer.on('error', () => {});
    // 1.5 s without a byte either way, and what the kernel takes up before that.
    await until(async () => (await outcome('cancelled')) > before, 15_000);
    request.destroy();
    await cut;
  });

  it('gives up on a body that stalls', async () => {
    const { request, response } = openBatch(open.server.address);
    request.write('{"id":');
    const answer = await response;
    expect(answer.statusCode).toBe(408);
    expect(JSON.parse(String(await all(answer)))).toMatchObject({ code: 'REQUEST_TIMEOUT' });
  });

  it('refuses the third batch at once, and takes the next', async () => {
    const held = [openBatch(open.server.address), openBatch(open.server.address)];
    for (const { request } of held) request.write(lines);
    const third = (): Promise<Response> =>
      fetch(`${open.server.address}${URL_PATH}`, {
        method: 'POST',
        headers: NDJSON_TYPE,
        body: lines,
      });
    await until(async () => {
      const inFlight = await metric(open.server.address, 'plimsoll_http_requests_in_flight');
      return inFlight === 3;
    });
    const refused = await third();
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await refused.json()).toMatchObject({ code: 'SATURATED' });
    for (const { request, response } of held) {
      request.end();
      await all(await response);
    }
    const taken = await third();
    expect(taken.status).toBe(200);
    expect(await taken.text()).toContain('"summary":{"accounts":300');
  });
});

describe('a reader that sends everything before it reads', () => {
  const open = listening();

  it('is served as far as the answers that may wait', async () => {
    const { request, response } = openBatch(open.server.address);
    // 4,500 accounts: about 6 MB of answers, more than the sockets between us hold.
    await new Promise<void>((resolve) => request.end(ndjson(ACCOUNTS).repeat(15), () => resolve()));
    const text = (await all(await response)).map(String).join('');
    expect(text).toContain('{"summary":{"accounts":4500,"rejected":0');
  });
});
