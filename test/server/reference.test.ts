/** The OpenAPI document holds together and says what is answered; the pages come whole from here. */
import Schema from 'typebox/schema';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { ShownMarket, ShownProblem } from '../../src/dashboard/page.ts';
import type { MarketInfo } from '../../src/server/schemas/market.ts';
import type { Problem } from '../../src/server/schemas/problem.ts';
import { ACCOUNT, post, service } from './support.ts';

const running = service();
const get = (url: string) => running.app.inject({ method: 'GET', url });

type Json = Record<string, unknown>;
interface Operation extends Json {
  readonly summary?: string;
  readonly requestBody?: { readonly content: Record<string, Media> };
  readonly responses: Record<string, { readonly content?: Record<string, Media> }>;
}
interface Media {
  readonly schema: Json;
  readonly example?: unknown;
  readonly examples?: Record<string, { readonly value: unknown }>;
}
interface Document extends Json {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, Json> };
}

const load = async (): Promise<Document> => (await get('/openapi.json')).json() as Document;

/** Every object of a document. */
function* objectsIn(node: unknown): Generator<Json> {
  if (node === null || typeof node !== 'object') return;
  if (!Array.isArray(node)) yield node as Json;
  for (const value of Object.values(node)) yield* objectsIn(value);
}

/** A schema of the document that stands by itself: its references lead into `$defs`. */
function standalone(schema: Json, { components }: Document): Json {
  const moved = JSON.stringify({ ...schema, $defs: components.schemas });
  return JSON.parse(moved.replaceAll('#/components/schemas/', '#/$defs/')) as Json;
}

describe('the OpenAPI document', () => {
  it('describes every route of the service', async () => {
    const { openapi, paths } = await load();
    expect(openapi).toBe('3.1.0');
    const routes = Object.entries(paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(routes.toSorted()).toEqual([
      'GET /health/live',
      'GET /health/ready',
      'GET /v1/example',
      'GET /v1/market',
      'GET /v1/methodology',
      'POST /v1/margin',
      'POST /v1/margin/batch',
      'POST /v1/var',
      'PUT /v1/market',
    ]);
  });

  it('gives every operation a summary, a 200 and problems, and every reference a target', async () => {
    const document = await load();
    for (const [path, operations] of Object.entries(document.paths)) {
      for (const operation of Object.values(operations)) {
        expect(operation.summary, path).toBeTruthy();
        expect(Object.keys(operation.responses), path).toContain('200');
        for (const [status, { content }] of Object.entries(operation.responses)) {
          const types = Object.keys(content ?? {});
          if (status !== '200') expect(types).toEqual(['application/problem+json']);
        }
      }
    }
    const references = [...objectsIn(document)].flatMap(({ $ref }) => $ref ?? []) as string[];
    expect(references.length).toBeGreaterThan(20);
    for (const reference of references) {
      const name = /^#\/components\/schemas\/(\w+)$/.exec(reference)?.[1];
      expect(document.components.schemas[name!], reference).toBeDefined();
    }
    expect(Object.keys(document.components.schemas).toSorted()).toEqual([
      'Account',
      'ColumnarAccount',
      'MarginResult',
      'MarketInfo',
      'MarketSnapshot',
      'MethodologyInfo',
      'Problem',
      'RejectedAccount',
      'RiskReport',
      'Summary',
    ]);
  });

  it('has examples that its own schemas accept', async () => {
    const document = await load();
    const bodies = Object.values(document.paths)
      .flatMap((operations) => Object.values(operations))
      .flatMap(({ requestBody }) => Object.values(requestBody?.content ?? {}));
    let count = 0;
    for (const { schema, example, examples } of bodies) {
      const check = Schema.Compile(standalone(schema, document));
      const values = Object.values(examples ?? {}).map(({ value }) => value);
      for (const value of example === undefined ? values : [...values, example]) {
        expect(check.Check(value), JSON.stringify(value)).toBe(true);
        count += 1;
      }
    }
    expect(count).toBeGreaterThanOrEqual(5);
  });

  it('describes what is really answered', async () => {
    const document = await load();
    const schemaOf = (path: string, method: string, status: string) => {
      const [media] = Object.values(document.paths[path]![method]!.responses[status]!.content!);
      return Schema.Compile(standalone(media!.schema, document));
    };
    const body = JSON.stringify(ACCOUNT);
    const margin = (await post(running, '/v1/margin', body)).json();
    const risk = (await post(running, '/v1/var', `{"account":${body}}`)).json();
    const problem = (await post(running, '/v1/margin', '{')).json();
    expect(schemaOf('/v1/margin', 'post', '200').Check(margin)).toBe(true);
    expect(schemaOf('/v1/margin', 'post', '200').Check({ ...margin, extra: 1 })).toBe(false);
    expect(schemaOf('/v1/var', 'post', '200').Check(risk)).toBe(true);
    expect(schemaOf('/v1/margin', 'post', '400').Check(problem)).toBe(true);
    for (const path of ['/v1/market', '/v1/methodology', '/v1/example', '/health/live']) {
      expect(schemaOf(path, 'get', '200').Check((await get(path)).json()), path).toBe(true);
    }
  });

  it('refuses two schemas of one name', async () => {
    const { hoistTitled } = await import('../../src/server/routes/reference.ts');
    const twice = { a: { type: 'object', title: 'A' }, b: { type: 'object', title: 'A', x: 1 } };
    expect(() => hoistTitled(twice)).toThrow('two schemas are called A');
  });
});

describe('pages', () => {
  const assetsOf = (html: string): string[] =>
    [...html.matchAll(/(?:src|href)="([^"#]+)"/g)].map((match) => match[1]!);

  it('the page needs nothing from elsewhere and runs nothing inline', async () => {
    const page = await get('/');
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    const policy = String(page.headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
    expect(page.body).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\bon[a-z]+=|style=/);
    const assets = assetsOf(page.body);
    expect(assets.length).toBeGreaterThan(4);
    for (const asset of assets) {
      expect(asset).toMatch(/^\//);
      expect((await get(asset)).statusCode, asset).toBe(200);
    }
    // Every field that is filled in has its label or its role.
    expect(page.body).toContain('<label for="account">');
    expect(page.body).toContain('id="problem" role="alert"');
  });

  it('its script is the compiled module and asks only this service', async () => {
    const script = await get('/page/page.js');
    expect(script.headers['content-type']).toBe('text/javascript; charset=utf-8');
    expect(script.body).toContain("from './figures.js'");
    expect(script.body).not.toMatch(/innerHTML|https?:/);
    expect((await get('/page/figures.js')).statusCode).toBe(200);
    expect((await get('/page/nothing.js')).statusCode).toBe(404);
  });

  it('shows what the service answers', () => {
    expectTypeOf<MarketInfo>().toExtend<ShownMarket>();
    expectTypeOf<Problem>().toExtend<ShownProblem>();
  });

  it('the reference is served from here', async () => {
    const docs = await get('/docs/');
    expect(docs.statusCode).toBe(200);
    expect(docs.body).not.toMatch(/(?:src|href)="https?:/);
    expect(String(docs.headers['content-security-policy'])).toContain("default-src 'self'");
    for (const asset of assetsOf(docs.body)) {
      const { pathname } = new URL(asset, 'http://x/docs/');
      expect((await get(pathname)).statusCode, pathname).toBe(200);
    }
  });

  it('metrics count requests by route and status, unknown paths as one', async () => {
    await post(running, '/v1/margin', '{');
    await get('/one');
    await get('/two');
    const { body, headers } = await get('/metrics');
    expect(headers['content-type']).toContain('text/plain; version=0.0.4');
    const count = 'plimsoll_http_request_duration_seconds_count';
    expect(body).toContain(`${count}{method="POST",route="/v1/margin",status="400"}`);
    expect(body).toContain(`${count}{method="GET",route="unknown",status="404"} 3`);
    expect(body).not.toContain('/one');
    for (const name of [
      'plimsoll_engine_queue 0',
      'plimsoll_engine_workers 2',
      'plimsoll_engine_scenarios 2048',
      'plimsoll_engine_worker_deaths 0',
      'plimsoll_ready 1',
      'nodejs_eventloop_lag_p99_seconds',
      'process_resident_memory_bytes',
    ]) {
      expect(body).toContain(`\n${name}`);
    }
  });
});
