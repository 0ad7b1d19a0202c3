/** Whatever is wrong is a problem with the right status, code and path; and nothing wrong is a figure. */
import { describe, expect, it } from 'vitest';
import { ACCOUNT, listening, ndjson, post, service, until, Wire } from './support.ts';

const running = service({ accountBytes: 100_000, marketBytes: 5_000, jsonBytes: 5_000 });

const position = (fields: string): string => `{"id":"a","positions":[{${fields}}]}`;
const BTC = '"instrument":"BTC-PERPETUAL"';

describe('bodies that are not what they claim to be', () => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  it.each([
    ['nothing', ''],
    ['half', '{"id":'],
    ['NaN', position(`${BTC},"size":NaN`)],
    ['Infinity', position(`${BTC},"size":-Infinity`)],
    ['hexadecimal', position(`${BTC},"size":0x10`)],
    ['a duplicate key', '{"id":"a","id":"b"}'],
    ['a duplicate key, escaped', '{"id":"a","\\u0069d":"b"}'],
    ['a nested duplicate key', position(`${BTC},"size":1,"size":2`)],
    ['__proto__', '{"id":"a","__proto__":{"mode":"cross"}}'],
    ['a byte that is not UTF-8', Buffer.from([...Buffer.from('{"id":"a'), 0xff, 0x22, 0x7d])],
    ['two documents', '{"id":"a"} {"id":"b"}'],
    ['deep nesting, not ended', deep.slice(0, 50_000)],
  ])('%s is 400', async (_, body) => {
    for (const url of ['/v1/margin', '/v1/var']) {
      const answer = await post(running, url, body);
      if (url === '/v1/var' && answer.statusCode === 413) continue;
      expect([answer.statusCode, answer.json().code]).toEqual([400, 'MALFORMED_JSON']);
    }
    expect(Object.hasOwn(Object.prototype, 'mode')).toBe(false);
  });
});

describe('well-formed but wrong', () => {
  it.each([
    ['1e999', position(`${BTC},"size":1e999`), 'INVALID_FIELD', 'positions[0].size'],
    ['a text', position(`${BTC},"size":"1"`), 'INVALID_FIELD', 'positions[0].size'],
    ['"Infinity"', position(`${BTC},"size":"Infinity"`), 'INVALID_FIELD', 'positions[0].size'],
    ['null', position(`${BTC},"size":null`), 'INVALID_FIELD', 'positions[0].size'],
    ['true', position(`${BTC},"size":true`), 'INVALID_FIELD', 'positions[0].size'],
    ['0', position(`${BTC},"size":0`), 'INVALID_FIELD', 'positions[0].size'],
    ['none', position(BTC), 'MISSING_FIELD', 'positions[0].size'],
    ['a typo', position(`${BTC},"size":1,"sise":2`), 'UNKNOWN_FIELD', 'positions[0].sise'],
    ['no account', '[1]', 'INVALID_FIELD', undefined],
    ['null', 'null', 'INVALID_FIELD', undefined],
    ['a range', '{"id":"a","creditLine":-1}', 'INVALID_FIELD', 'creditLine'],
    ['an id', '{"id":""}', 'INVALID_FIELD', 'id'],
    ['a currency', '{"id":"a","currency":"EUR"}', 'CURRENCY_MISMATCH', 'currency'],
    [
      'an asset',
      '{"id":"a","collateral":[{"asset":"USDT","amount":1}]}',
      'UNKNOWN_ASSET',
      'collateral[0].asset',
    ],
    ['too much', position(`${BTC},"size":1e308`), 'NUMERIC_OVERFLOW', undefined],
  ])('%s is 422', async (_, body, code, path) => {
    const answer = await post(running, '/v1/margin', body);
    const problem = answer.json();
    expect([answer.statusCode, problem.code, problem.path]).toEqual([422, code, path]);
    expect(problem.status).toBe(422);
  });

  it.each(['-0', '5e-324', '9007199254740993'])('%s is a number, or an error', async (size) => {
    const answer = await post(running, '/v1/margin', position(`${BTC},"size":${size}`));
    if (answer.statusCode === 200) expect(answer.json().initialMargin).toBeGreaterThanOrEqual(0);
    else expect(answer.statusCode).toBe(422);
    expect(answer.body).not.toMatch(/"(initialMargin|maintenanceMargin|equity)":null/);
  });
});

describe('content types', () => {
  const refused = [
    ['none at all', undefined],
    ['text', 'text/plain'],
    ['a form', 'application/x-www-form-urlencoded'],
    ['multipart', 'multipart/form-data; boundary=x'],
    ['another JSON', 'application/problem+json'],
    ['json by suffix', 'application/account+json'],
    ['an old JSON', 'text/json'],
    ['a longer name', 'application/jsonx'],
    ['a shorter name', 'application/jso'],
    ['a list', 'application/json, text/plain'],
    ['a list after a parameter', 'application/json; charset=utf-8, text/plain'],
    ['another charset', 'application/json; charset=latin1'],
    ['UTF-16', 'application/json; charset=utf-16'],
    ['an unknown parameter', 'application/json; version=1'],
    ['two parameters', 'application/json; charset=utf-8; charset=utf-8'],
    ['an empty parameter', 'application/json;'],
    ['space inside', 'application /json'],
    ['tab inside', 'application/\tjson'],
    ['tab and rubbish', 'application/json\t a'],
    ['space and rubbish', 'application/json x'],
    ['a comma', 'application/json,'],
    ['a semicolon first', ';application/json'],
    ['spaces around =', 'application/json; charset = utf-8'],
    ['half a quote', 'application/json; charset="utf-8'],
    ['a wildcard', 'application/*'],
    ['anything', '*/*'],
    ['no subtype', 'application'],
    ['Arrow with a charset', 'application/vnd.apache.arrow.stream; charset=utf-8'],
  ] as const;

  it.each(refused)('%s is 415, whatever the body', async (_, type) => {
    const headers = type === undefined ? {} : { 'content-type': type };
    for (const body of [JSON.stringify(ACCOUNT), '{"broken":']) {
      for (const url of ['/v1/margin', '/v1/margin/batch', '/v1/var']) {
        const answer = await running.app.inject({ method: 'POST', url, headers, payload: body });
        expect([answer.statusCode, answer.json().code]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
      }
    }
  });

  it.each([
    'application/json',
    'APPLICATION/JSON',
    'application/json;charset=utf-8',
    'application/json; charset=UTF-8',
    'application/json ;\tCharset="utf-8"',
  ])('%j is JSON', async (type) => {
    const headers = { 'content-type': type };
    expect((await post(running, '/v1/margin', JSON.stringify(ACCOUNT), headers)).statusCode).toBe(
      200,
    );
    expect((await post(running, '/v1/margin', '{"broken":', headers)).statusCode).toBe(400);
  });

  it('those of a batch are not those of a single account', async () => {
    const headers = { 'content-type': 'application/x-ndjson' };
    const answer = await post(running, '/v1/margin', ndjson([ACCOUNT]), headers);
    expect(answer.statusCode).toBe(415);
    expect(answer.json().detail).toContain('application/json');
  });

  it('refuses encoded bodies', async () => {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    expect((await post(running, '/v1/margin', '{}', headers)).statusCode).toBe(415);
  });
});

describe('paths and methods', () => {
  it.each([
    ['GET', '/nothing', 404, 'NOT_FOUND'],
    ['POST', '/v1/nothing', 404, 'NOT_FOUND'],
    ['GET', '/v1/margin', 405, 'METHOD_NOT_ALLOWED'],
    ['DELETE', '/v1/market', 405, 'METHOD_NOT_ALLOWED'],
    ['GET', '/v1/accounts/a/fills', 405, 'METHOD_NOT_ALLOWED'],
    ['POST', '/v1/accounts/one%2Ftwo', 405, 'METHOD_NOT_ALLOWED'],
    ['PATCH', '/v1/accounts/a/orders/cancel', 405, 'METHOD_NOT_ALLOWED'],
    ['POST', '/docs/static/index.css', 405, 'METHOD_NOT_ALLOWED'],
    ['POST', '/v1/accounts/a/nothing', 404, 'NOT_FOUND'],
    ['POST', '/v1/accounts/', 404, 'NOT_FOUND'],
    ['GET', '/v1xaccounts/a/fills', 404, 'NOT_FOUND'],
    ['OPTIONS', '/v1/margin', 405, 'METHOD_NOT_ALLOWED'],
    ['GET', '/v1/margin/', 404, 'NOT_FOUND'],
    ['GET', '/%ff', 400, 'MALFORMED_REQUEST'],
    ['GET', '/docs/static/../../package.json', 404, 'NOT_FOUND'],
    ['GET', '/docs/static/nothing.js', 404, 'NOT_FOUND'],
  ] as const)('%s %s is %i', async (method, url, status, code) => {
    const answer = await running.app.inject({ method, url });
    expect([answer.statusCode, answer.json().code]).toEqual([status, code]);
    expect(answer.headers['content-type']).toContain('application/problem+json');
  });

  it('405 names the methods', async () => {
    const answer = await running.app.inject({ method: 'DELETE', url: '/v1/market' });
    expect(answer.headers.allow).toBe('GET, HEAD, PATCH, PUT');
    const account = await running.app.inject({ method: 'POST', url: '/v1/accounts/a' });
    expect(account.headers.allow).toBe('DELETE, GET, HEAD, PUT');
    const fills = await running.app.inject({ method: 'GET', url: '/v1/accounts/a/fills?x=1' });
    expect(fills.headers.allow).toBe('POST');
  });
});

describe('sizes', () => {
  const big = (bytes: number): string => `{"id":"${'x'.repeat(bytes)}"}`;
  it.each([
    ['POST', '/v1/margin', 100_000],
    ['POST', '/v1/var', 5_000],
    ['PUT', '/v1/market', 5_000],
  ] as const)('%s %s takes %i bytes and no more', async (method, url, limit) => {
    const headers = { 'content-type': 'application/json' };
    const fits = await running.app.inject({ method, url, headers, payload: big(limit - 9) });
    expect(fits.statusCode).toBe(422);
    const over = await running.app.inject({ method, url, headers, payload: big(limit - 8) });
    expect([over.statusCode, over.json().code]).toEqual([413, 'TOO_LARGE']);
    expect(over.json().detail).toContain(String(limit));
  });
});

describe('on the wire', () => {
  const limits = {
    accountBytes: 100_000,
    headersMs: 400,
    bodyMs: 700,
    uploadMs: 1_200,
    checkMs: 50,
  };
  const open = listening(limits);
  const HEAD = 'POST /v1/margin HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';

  async function answered(text: string): Promise<{ head: string; code: string; ms: number }> {
    const wire = new Wire(open.server.address);
    const start = performance.now();
    wire.send(text);
    await wire.closed;
    const [head, body] = wire.received.split('\r\n\r\n');
    return { head: head!, code: JSON.parse(body!).code, ms: performance.now() - start };
  }

  it.each([
    ['no HTTP', 'hello\r\n\r\n', 400, 'MALFORMED_REQUEST'],
    ['no host', 'GET / HTTP/1.1\r\n\r\n', 400, 'MALFORMED_REQUEST'],
    [
      'a length and chunks',
      `${HEAD}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`,
      400,
      'MALFORMED_REQUEST',
    ],
    [
      'two lengths',
      `${HEAD}Content-Length: 5\r\nContent-Length: 6\r\n\r\n`,
      400,
      'MALFORMED_REQUEST',
    ],
    [
      'an expectation',
      `${HEAD}Content-Length: 2\r\nExpect: a miracle\r\n\r\n`,
      400,
      'MALFORMED_REQUEST',
    ],
    ['long headers', `${HEAD}X: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'HEADERS_TOO_LARGE'],
    [
      'two content types',
      `${HEAD}Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{`,
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    [
      'a declared length above the limit',
      `${HEAD}Content-Length: 100001\r\n\r\n`,
      413,
      'TOO_LARGE',
    ],
  ])('%s is refused at once', async (_, text, status, code) => {
    const wire = new Wire(open.server.address);
    wire.send(text);
    await until(() => wire.received.includes('\r\n\r\n{'));
    await wire.closed;
    expect(wire.received).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(wire.received.toLowerCase()).toContain('content-type: application/problem+json');
    expect(JSON.parse(wire.received.split('\r\n\r\n')[1]!).code).toBe(code);
  });

  it('cuts a chunked body at the limit', async () => {
    const chunk = `${(60_000).toString(16)}\r\n${' '.repeat(60_000)}\r\n`;
    const { head, code } = await answered(
      `${HEAD}Transfer-Encoding: chunked\r\n\r\n${chunk}${chunk}`,
    );
    expect(head).toContain(' 413 ');
    expect(code).toBe('TOO_LARGE');
  });

  // A tick of the check and a loaded machine come on top of each timeout.
  it('drops who is slow with the headers', async () => {
    const { head, code, ms } = await answered('POST /v1/margin HTTP/1.1\r\nHost: x\r\n');
    expect([head.split(' ')[1], code]).toEqual(['408', 'REQUEST_TIMEOUT']);
    expect(ms).toBeLessThan(limits.headersMs + 1_000);
  });

  it('drops who is slow with the body', async () => {
    const { head, code, ms } = await answered(`${HEAD}Content-Length: 50\r\n\r\n{"id"`);
    expect([head.split(' ')[1], code]).toEqual(['408', 'REQUEST_TIMEOUT']);
    expect(ms).toBeGreaterThan(limits.bodyMs - 50);
    expect(ms).toBeLessThan(limits.bodyMs + 1_000);
  });

  it('survives who hangs up in the middle of a body', async () => {
    const wire = new Wire(open.server.address);
    wire.send(`${HEAD}Content-Length: 50\r\n\r\n{"id"`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    wire.socket.destroy();
    const answer = await fetch(`${open.server.address}/health/ready`);
    expect(answer.status).toBe(200);
  });
});
