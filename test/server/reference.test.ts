/** The pages come whole from here; the metrics count. */
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { ShownMarket, ShownProblem } from '../../src/dashboard/page.ts';
import type { MarketInfo } from '../../src/server/schemas/market.ts';
import type { Problem } from '../../src/server/schemas/problem.ts';
import { post, service } from './support.ts';

const running = service();
const get = (url: string) => running.app.inject({ method: 'GET', url });

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
