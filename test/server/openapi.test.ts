/** The OpenAPI document holds together, in the dialect it claims, and says what is really answered. */
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import Type from 'typebox';
import Schema from 'typebox/schema';
import { describe, expect, it } from 'vitest';
import { buildApp } from '../../src/server/app.ts';
import { asDialect, hoistTitled, openApiDocument } from '../../src/server/schemas/openapi.ts';
import {
  type Document,
  type Json,
  objectsIn,
  operationsOf,
  responseOf,
  schemasOf,
  standalone,
} from './openApiDocument.ts';
import { ROUTES, SCHEMAS } from './openApiNames.ts';
import {
  ACCOUNT,
  ACCOUNTS,
  DEMO,
  JSON_TYPE,
  NDJSON_TYPE,
  ndjson,
  post,
  service,
} from './support.ts';

type Check = ((value: unknown) => boolean) & { readonly errors?: unknown };

/** Comes with the framework: an implementation of JSON Schema 2020-12, and its meta-schema, that is not the one which validates here. */
function ajvOf(): { compile(schema: Json): Check } | null {
  try {
    const { Ajv2020 } = createRequire(import.meta.url)('ajv/dist/2020.js');
    // A format is an annotation in this dialect. Strict: an unknown or misplaced keyword is an error, not a silence.
    return new Ajv2020({ strict: true, allowUnionTypes: true, validateFormats: false });
  } catch {
    return null;
  }
}

const ajv = ajvOf();
const running = service({ accountBytes: 100_000, loopDelayMs: 60_000 });
const get = (url: string) => running.app.inject({ method: 'GET', url });
const load = async (): Promise<Document> => (await get('/openapi.json')).json() as Document;

/**
 * Compilers hold up the loop that the service here shares with them. It takes a second without a turn for overload, whatever the
 * delay that it may have; so each schema gets a turn of its own.
 */
async function compiled(schema: Json, document: Document): Promise<Check | undefined> {
  await sleep(1);
  return ajv?.compile(standalone(schema, document));
}

/** Both validators must agree: the one that the service uses, and the other where it is installed. */
async function checkOf(schema: Json, document: Document): Promise<(value: unknown) => boolean> {
  const other = await compiled(schema, document);
  const ours = Schema.Compile(standalone(schema, document));
  return (value) => {
    const accepted = ours.Check(value);
    if (other !== undefined) expect(other(value), JSON.stringify(other.errors)).toBe(accepted);
    return accepted;
  };
}

describe('the document', () => {
  it('describes every route of the service', async () => {
    const { openapi, paths } = await load();
    expect(openapi).toBe('3.1.0');
    const routes = Object.entries(paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(routes.toSorted()).toEqual([...ROUTES].sort());
  });

  it('gives every operation a summary, a 200 and its problems, and every reference a target', async () => {
    const document = await load();
    for (const operation of operationsOf(document)) {
      const { summary, requestBody, responses } = operation;
      expect(summary).toBeTruthy();
      const statuses = ['200', '400', '405', '408', '431', '500', 'default'];
      if (requestBody !== undefined) statuses.push('413', '415', '422', '503');
      expect(Object.keys(responses), summary).toEqual(expect.arrayContaining(statuses));
      for (const [status, response] of Object.entries(responses)) {
        const types = Object.keys(responseOf(response, document).content ?? {});
        if (status !== '200') expect(types).toEqual(['application/problem+json']);
      }
    }
    const references = [...objectsIn(document)].flatMap(({ $ref }) => $ref ?? []) as string[];
    expect(references.length).toBeGreaterThan(20);
    for (const reference of references) {
      const [, kind, name] = /^#\/components\/(schemas|responses)\/(\w+)$/.exec(reference)!;
      expect(document.components[kind as 'schemas'][name!], reference).toBeDefined();
    }
    expect(Object.keys(document.components.schemas).toSorted()).toEqual([...SCHEMAS].sort());
    const { Unavailable, MethodNotAllowed } = document.components.responses;
    expect(Object.keys(Unavailable!.headers!)).toEqual(['Retry-After']);
    expect(Object.keys(MethodNotAllowed!.headers!)).toEqual(['Allow']);
  });

  it('writes tuples as JSON Schema 2020-12 does', async () => {
    const document = await load();
    for (const object of objectsIn(document)) {
      expect(object.items).not.toBeInstanceOf(Array);
      expect(object).not.toHaveProperty('additionalItems');
    }
    const { MarginResult, RiskReport } = document.components.schemas;
    for (const schema of [MarginResult!, RiskReport!]) {
      const tuples = [...objectsIn(schema)].filter(({ prefixItems }) => prefixItems !== undefined);
      expect(tuples).toHaveLength(1);
      expect(tuples[0]).toMatchObject({ type: 'array', items: false, minItems: 2 });
      expect(tuples[0]!.prefixItems).toHaveLength(2);
    }
  });

  it.skipIf(ajv === null)(
    'holds only schemas that another validator compiles, strictly',
    async () => {
      const document = await load();
      const schemas = schemasOf(document);
      expect(schemas.length).toBeGreaterThan(20);
      for (const schema of schemas) await compiled(schema, document);
      // It would notice: the form that tuples had.
      const old = {
        type: 'array',
        items: [{ type: 'number' }],
        minItems: 1,
        additionalItems: false,
      };
      expect(() => ajv!.compile(old)).toThrow();
      expect(() => ajv!.compile(asDialect(old) as Json)).not.toThrow();
    },
  );

  it('has an example for every body that is text, which its own schema accepts', async () => {
    const document = await load();
    let count = 0;
    for (const { summary, requestBody } of operationsOf(document)) {
      for (const [type, media] of Object.entries(requestBody?.content ?? {})) {
        const { example, examples, schema } = media;
        const values = Object.values(examples ?? {}).map(({ value }) => value);
        if (example !== undefined) values.push(example);
        if (!type.includes('arrow')) expect(values.length, summary).toBeGreaterThan(0);
        const accepts = await checkOf(schema, document);
        for (const value of values) expect(accepts(value), JSON.stringify(value)).toBe(true);
        count += values.length;
      }
    }
    expect(count).toBeGreaterThanOrEqual(6);
  });

  it('has an example of a market that the service takes', async () => {
    const document = await load();
    const media = document.paths['/v1/market']!.put!.requestBody!.content['application/json']!;
    const payload = media.example ?? Object.values(media.examples!)[0]!.value;
    const put = (body: unknown) =>
      running.app.inject({
        method: 'PUT',
        url: '/v1/market',
        headers: JSON_TYPE,
        payload: JSON.stringify(body),
      });
    const taken = await put(payload);
    expect([taken.statusCode, taken.json().instruments]).toEqual([200, 2]);
    expect((await put(DEMO.market)).statusCode).toBe(200);
  });

  it('keeps schemas apart and tells tuples from data', () => {
    const twice = { a: { type: 'object', title: 'A' }, b: { type: 'object', title: 'A', x: 1 } };
    expect(() => hoistTitled(twice)).toThrow('two schemas are called A');
    const tuple = Type.Tuple([Type.Number(), Type.Tuple([Type.String()])]);
    expect(JSON.parse(JSON.stringify(asDialect(tuple)))).toMatchObject({
      prefixItems: [{ type: 'number' }, { prefixItems: [{ type: 'string' }], items: false }],
      items: false,
    });
    const data = { type: 'object', examples: [{ items: [1] }], additionalProperties: false };
    expect(asDialect(data)).toEqual(data);
    const unknown = { paths: { '/': { get: { responses: { 200: {}, 418: {} } } } } };
    expect(() => openApiDocument(unknown)).toThrow('no problem is described for status 418');
  });
});

describe('answers', () => {
  /** What the document says of an answer, and the answer itself. */
  async function matches(
    [method, path]: readonly [string, string],
    answer: { statusCode: number; headers: Json; body: string },
  ): Promise<(value: unknown) => boolean> {
    const document = await load();
    const { responses } = document.paths[path]![method.toLowerCase()]!;
    const response = responseOf(responses[answer.statusCode] ?? responses.default!, document);
    const type = String(answer.headers['content-type']).split(';')[0]!;
    const media = response.content?.[type];
    expect(media, `${method} ${path} ${answer.statusCode} ${type}`).toBeDefined();
    for (const name of Object.keys(response.headers ?? {})) {
      expect(answer.headers, name).toHaveProperty(name.toLowerCase());
    }
    const check = await checkOf(media!.schema, document);
    const value: unknown = /[/+]json$/.test(type) ? JSON.parse(answer.body) : answer.body;
    expect(check(value), answer.body.slice(0, 500)).toBe(true);
    return check;
  }

  it.each([
    '/health/live',
    '/health/ready',
    '/metrics',
    '/v1/market',
    '/v1/methodology',
    '/v1/example',
  ])('GET %s', async (path) => {
    const answer = await get(path);
    expect(answer.statusCode).toBe(200);
    await matches(['GET', path], answer);
  });

  it('margins and risk reports', async () => {
    const body = JSON.stringify(ACCOUNT);
    const margin = await post(running, '/v1/margin', body);
    const check = await matches(['POST', '/v1/margin'], margin);
    const { risk, ...rest } = margin.json();
    expect(check({ ...rest, risk, extra: 1 })).toBe(false);
    const ends = risk.interval.valueAtRisk;
    for (const valueAtRisk of [ends.slice(1), [...ends, 0], ['0', ends[1]]]) {
      expect(
        check({ ...rest, risk: { ...risk, interval: { ...risk.interval, valueAtRisk } } }),
      ).toBe(false);
    }
    for (const mode of ['cross', 'isolated']) {
      await matches(
        ['POST', '/v1/margin'],
        await post(running, '/v1/margin', JSON.stringify({ ...ACCOUNT, mode })),
      );
    }
    await matches(['POST', '/v1/var'], await post(running, '/v1/var', `{"account":${body}}`));
  });

  it('batches, rejections and summary in them', async () => {
    const accounts = [...ACCOUNTS.slice(0, 5), { id: 'wrong', mood: 1 }];
    const json = await post(running, '/v1/margin/batch', JSON.stringify(accounts));
    await matches(['POST', '/v1/margin/batch'], json);
    expect(json.json().slice(-2)).toMatchObject([
      { account: 'wrong' },
      { summary: { rejected: 1 } },
    ]);
    const lines = await post(running, '/v1/margin/batch', ndjson(accounts), NDJSON_TYPE);
    await matches(['POST', '/v1/margin/batch'], lines);
  });

  it.each([
    ['malformed', '{', JSON_TYPE, 400],
    ['too large', ' '.repeat(100_001), JSON_TYPE, 413],
    ['of a wrong type', '{}', { 'content-type': 'text/plain' }, 415],
    ['wrong', '{}', JSON_TYPE, 422],
  ])('a body that is %s', async (_, payload, headers, status) => {
    const answer = await post(running, '/v1/margin', payload, headers);
    expect(answer.statusCode).toBe(status);
    await matches(['POST', '/v1/margin'], answer);
  });

  it('a method and a path that are not there', async () => {
    const method = await running.app.inject({ method: 'DELETE', url: '/v1/market' });
    expect(method.statusCode).toBe(405);
    await matches(['PUT', '/v1/market'], method);
    const path = await get('/v1/nothing');
    expect(path.statusCode).toBe(404);
    await matches(['GET', '/v1/market'], path);
    const document = await load();
    const { content } = document.components.responses.NotFound!;
    const check = await checkOf(Object.values(content!)[0]!.schema, document);
    expect(check(path.json())).toBe(true);
  });

  it('a service that is full, and one that has a fault', async () => {
    const full = await buildApp({
      engine: running.engine,
      limits: { bodiesBytes: 1, loopDelayMs: 60_000 },
    });
    const answer = await full.inject({
      method: 'POST',
      url: '/v1/margin',
      headers: JSON_TYPE,
      payload: '{}',
    });
    await full.close();
    expect(answer.statusCode).toBe(503);
    await matches(['POST', '/v1/margin'], answer);
    const engine = new Proxy(running.engine, {
      get: (target, name) =>
        name === 'marginDocument'
          ? () => Promise.reject(new TypeError('a secret'))
          : Reflect.get(target, name, target),
    });
    const faulty = await buildApp({ engine, limits: { loopDelayMs: 60_000 } });
    const fault = await faulty.inject({
      method: 'POST',
      url: '/v1/margin',
      headers: JSON_TYPE,
      payload: '{}',
    });
    await faulty.close();
    expect(fault.statusCode).toBe(500);
    expect(fault.body).not.toContain('secret');
    await matches(['POST', '/v1/margin'], fault);
  });

  it('headers that are too large', async () => {
    const app = await buildApp({ engine: running.engine });
    const address = new URL(await app.listen({ port: 0 }));
    const socket = connect(Number(address.port), address.hostname).setEncoding('utf8');
    socket.write(`GET /health/live HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`);
    let text = '';
    for await (const piece of socket) text += piece;
    await app.close();
    const [head, body] = text.split('\r\n\r\n');
    const type = /content-type: (\S+)/i.exec(head!)![1]!;
    expect(head).toMatch(/^HTTP\/1\.1 431 /);
    await matches(['GET', '/health/live'], {
      statusCode: 431,
      headers: { 'content-type': type },
      body: body!,
    });
  });
});
