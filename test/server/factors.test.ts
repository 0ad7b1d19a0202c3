/** The factor model over HTTP: what is in force, another one, and dynamic volatilities after the ticks of a day. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createEngine, type Engine } from '../../src/engine/engine.ts';
import { hashOf } from '../../src/json.ts';
import { type Server, startServer } from '../../src/server/server.ts';
import { DEMO, deskSite, type Site } from '../book/deskSupport.ts';

const DAY = 86_400_000;
const midnight = Math.ceil(Date.parse(DEMO.market.asOf) / DAY) * DAY;
const at = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');

const opened = (estimate: 'fixed' | 'dynamic'): Promise<Engine> =>
  createEngine({
    market: DEMO.market,
    factors: DEMO.factors,
    methodology: { scenarios: 256, volatilities: { estimate } },
    workers: 1,
  });

let engines: Engine[];
let site: Site;
let book: Server;
let bare: Server;
beforeAll(async () => {
  engines = [await opened('dynamic'), await opened('fixed')];
  const [dynamic, fixed] = engines as [Engine, Engine];
  site = await deskSite(dynamic);
  // Not watched: the machine may be busy with other tests.
  const limits = { loopDelayMs: 0 };
  book = await startServer({ engine: dynamic, desk: site.desk, port: 0, limits });
  bare = await startServer({ engine: fixed, port: 0, limits });
});
afterAll(async () => {
  await book.close();
  await bare.close();
  await site.remove();
  for (const engine of engines) await engine.close();
});

interface Info {
  readonly scenarioSet: string;
  readonly hash: string;
  readonly estimate: string;
  readonly nextInstant: string | null;
  readonly model: typeof DEMO.factors;
  readonly code?: string;
  readonly path?: string;
}

async function send({ address }: Server, method: string, path: string, body?: unknown) {
  const answer = await fetch(`${address}${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  return { status: answer.status, body: (await answer.json()) as Info };
}

it('shows the model in force, and the next instant at which it changes', async () => {
  const { status, body } = await send(book, 'GET', '/v1/factors');
  expect(status).toBe(200);
  expect(body).toMatchObject({
    hash: hashOf(DEMO.factors),
    estimate: 'dynamic',
    nextInstant: at(midnight),
    model: DEMO.factors,
  });
  expect((await send(bare, 'GET', '/v1/factors')).body).toMatchObject({
    estimate: 'fixed',
    nextInstant: null,
    scenarioSet: body.scenarioSet,
  });
});

it('is another one after the ticks of two midnights', async () => {
  const before = (await send(book, 'GET', '/v1/factors')).body;
  const [{ id: underlying, spot }] = DEMO.market.underlyings as [{ id: string; spot: number }];
  const steps = [midnight - 1_000, midnight, midnight + DAY - 1_000, midnight + DAY];
  for (const [i, ms] of steps.entries()) {
    const tick = { sequence: i + 1, underlying, asOf: at(ms), spot: spot * (1 + i / 50) };
    const answer = await send(book, 'PATCH', '/v1/market', { source: 'feed', ticks: [tick] });
    expect(answer.status).toBe(200);
  }
  await site.desk.quiet();
  const { body } = await send(book, 'GET', '/v1/factors');
  expect(body.scenarioSet).not.toBe(before.scenarioSet);
  expect(body.model.asOf).toBe(at(midnight + DAY));
  expect(body.nextInstant).toBe(at(midnight + 2 * DAY));
  const { body: market } = await send(book, 'GET', '/v1/market');
  expect(market.scenarioSet).toBe(body.scenarioSet);
});

it('a model that is sent is in force, with a book and without', async () => {
  const model = { ...DEMO.factors, drift: 0.02 };
  const sets = [];
  for (const server of [book, bare]) {
    const { status, body } = await send(server, 'PUT', '/v1/factors', model);
    expect(status).toBe(200);
    expect(body).toMatchObject({ hash: hashOf(model), model });
    sets.push(body.scenarioSet);
  }
  expect(sets[0]).toBe(sets[1]);
});

it('says what is wrong with one', async () => {
  const wrong = { ...DEMO.factors, degreesOfFreedom: 1 };
  for (const server of [book, bare]) {
    const { status, body } = await send(server, 'PUT', '/v1/factors', wrong);
    expect(status).toBe(422);
    expect(body).toMatchObject({ code: 'INVALID_FIELD', path: 'degreesOfFreedom' });
  }
});
