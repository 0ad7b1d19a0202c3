/** The book over HTTP: accounts, fills, orders, collateral, ticks, current figures, orders reserved. */
import { expect, it } from 'vitest';
import { buildApp } from '../../src/server/app.ts';
import { ACCOUNTS, bookService, DEMO, PERPETUAL, SPOT } from './bookSupport.ts';

const service = bookService();
const LONG = process.env.PLIMSOLL_LONG === '1';
const TRIALS = LONG ? 1_000 : 50;

it('opens, trades, margins, empties and closes an account', async () => {
  const { send } = service;
  const url = '/v1/accounts/one%2Ftwo';
  // The path says whose it is.
  const account = { collateral: [{ asset: 'USD', amount: 100_000 }] };
  const opened = await send('PUT', url, account);
  expect(opened.body).toEqual({
    account: 'one/two',
    records: ['account-opened'],
    seq: expect.any(Number),
  });
  const fills = [{ id: 'f-1', instrument: PERPETUAL.id, size: 2, price: SPOT }];
  const filled = await send('POST', `${url}/fills`, { fills });
  expect(filled.body.records).toEqual(['contract-listed', 'fill']);
  const orders = [{ id: 'o-1', instrument: PERPETUAL.id, side: 'buy', size: 1, price: SPOT }];
  expect((await send('POST', `${url}/orders`, { orders })).body.records).toEqual(['order-placed']);
  const same = await send('PUT', url, { id: 'one/two', mode: 'cross' });
  expect(same.body.records).toEqual(['account-changed']);
  const columns = { instruments: [PERPETUAL.id], sizes: [2], mode: 'portfolio' };
  expect((await send('PUT', url, columns)).body).toMatchObject({ code: 'BOOK_CONFLICT' });
  await send('PUT', url, { mode: 'portfolio' });
  const { body: booked } = await send('GET', url);
  expect(booked).toMatchObject({
    account: { orders: [{ id: 'o-1' }], positions: [{ instrument: PERPETUAL.id, size: 2 }] },
    call: null,
  });
  const { body: current } = await send('GET', `${url}/margin`);
  const { body: alone } = await send('POST', '/v1/margin', booked.account);
  expect(current).toMatchObject({ margin: alone, stale: false, staleUnderlyings: [] });
  expect(current.seq).toBeGreaterThan(booked.changedSeq as number);
  const explained = await send('GET', `${url}/explain`);
  expect(explained.status).toBe(200);
  const asked = { account: booked.account, plan: {} };
  const liquidation = await send('GET', `${url}/liquidation?plan=true`);
  expect(liquidation.body).toEqual((await send('POST', '/v1/liquidation', asked)).body);
  expect((await send('DELETE', url)).body.code).toBe('ACCOUNT_NOT_FLAT');
  await send('POST', `${url}/orders/amend`, { order: 'o-1', size: 0.5 });
  await send('POST', `${url}/orders/cancel`, { reason: 'end' });
  await send('POST', `${url}/fills`, {
    fills: [{ id: 'f-2', instrument: PERPETUAL.id, size: -2, price: SPOT }],
  });
  const all = { asset: 'USD', amount: -100_000, reason: 'end' };
  expect((await send('POST', `${url}/collateral`, all)).status).toBe(200);
  expect((await send('DELETE', url)).status).toBe(200);
  expect((await send('GET', `${url}/margin`)).status).toBe(404);
});

it('says what is wrong', async () => {
  const { send } = service;
  const put = await send('PUT', '/v1/accounts/a', { id: 'b' });
  expect([put.status, put.body.code, put.body.path]).toEqual([422, 'INVALID_FIELD', 'id']);
  const nothing = await send('PUT', '/v1/accounts/a', { id: null });
  expect([nothing.status, nothing.body.code, nothing.body.path]).toEqual([
    422,
    'INVALID_FIELD',
    'id',
  ]);
  const none = await send('POST', '/v1/accounts/none/fills', {
    fills: [{ id: 'f', instrument: PERPETUAL.id, size: 1, price: 1 }],
  });
  expect([none.status, none.body.code]).toEqual([404, 'NOT_FOUND']);
  const field = await send('POST', '/v1/accounts/none/fills', { fills: [{ id: 'f' }] });
  expect([field.status, field.body.code]).toEqual([422, 'MISSING_FIELD']);
  const app = await buildApp({ engine: service.site.engine, limits: { loopDelayMs: 60_000 } });
  const answer = await app.inject({ method: 'GET', url: '/v1/accounts/a/margin' });
  expect([answer.statusCode, answer.json().code]).toEqual([409, 'NO_STORE']);
  await app.close();
});

it('ticks change the figures of who holds what moved, and nobody else’s', async () => {
  const { send, site } = service;
  const { desk } = site;
  await desk.load(ACCOUNTS);
  await desk.quiet();
  const moved = PERPETUAL.underlying;
  const before = new Map(ACCOUNTS.map(({ id }) => [id, desk.latest(id)!]));
  const asOf = new Date(Date.parse(DEMO.market.asOf) + 60_000).toISOString();
  const tick = { sequence: 1, underlying: moved, asOf, spot: SPOT * 0.97 };
  const taken = await send('PATCH', '/v1/market', { source: 'test', ticks: [tick] });
  expect(taken.body).toEqual({ source: 'test', last: 1, seq: expect.any(Number) });
  await desk.quiet();
  let changed = 0;
  for (const { id } of ACCOUNTS) {
    const { hash, seq } = desk.latest(id)!;
    const old = before.get(id)!;
    if (seq === old.seq) expect(hash).toBe(old.hash);
    else changed += 1;
    const { body } = await send('GET', `/v1/accounts/${id}/margin`);
    expect(body.margin).toEqual((await send('POST', '/v1/margin', desk.account(id))).body);
  }
  expect(changed).toBeGreaterThan(0);
  const again = await send('PATCH', '/v1/market', { source: 'test', ticks: [tick] });
  expect([again.status, again.body.code]).toEqual([409, 'SEQUENCE_REPEATED']);
});

it('a new snapshot goes through the log', async () => {
  const { send, site } = service;
  const { market } = site.desk;
  const [first, ...rest] = market.underlyings;
  const underlyings = [{ ...first!, spot: first!.spot * 1.001 }, ...rest];
  const put = await send('PUT', '/v1/market', { ...market, underlyings });
  expect(put.status).toBe(200);
  expect(site.desk.market.underlyings[0]!.spot).toBe(first!.spot * 1.001);
  await site.desk.quiet();
  expect(await site.engine.market()).toEqual(site.desk.market);
});

it(`of two orders at once with margin for one exactly one passes, ${TRIALS} times`, async () => {
  const { send, site } = service;
  const { desk } = site;
  const { body: one } = await send('POST', '/v1/margin', {
    id: 'probe',
    collateral: [{ asset: 'USD', amount: 1e9 }],
    orders: [{ id: 'x', instrument: PERPETUAL.id, side: 'buy', size: 1, price: SPOT * 0.9 }],
  });
  // Enough for one order and a half.
  const amount = (one.initialMargin as number) * 1.5;
  expect(amount).toBeGreaterThan(0);
  for (let trial = 0; trial < TRIALS; trial++) {
    const id = `trial-${trial}`;
    await desk.command({
      do: 'put-account',
      account: { id, collateral: [{ asset: 'USD', amount }] },
    });
    const order = { instrument: PERPETUAL.id, side: 'buy', size: 1, price: SPOT * 0.9 };
    const ask = (name: string) =>
      send('POST', '/v1/what-if', {
        account: id,
        change: { orders: [{ id: name, ...order }] },
        reserve: true,
      });
    const answers = await Promise.all([ask('a'), ask('b')]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(answers.map(({ body }) => body.reserved).sort()).toEqual([false, true]);
    expect(desk.account(id).orders).toHaveLength(1);
  }
}, 600_000);

it('a what-if on a booked account leaves it as it is; only orders are reserved', async () => {
  const { send, site } = service;
  const { id } = ACCOUNTS[0]!;
  const before = JSON.stringify(site.desk.account(id));
  const change = { collateral: [{ asset: 'USD', amount: 10 }] };
  const { body } = await send('POST', '/v1/what-if', { account: id, change });
  expect((body.difference as { equity: number }).equity).toBeCloseTo(10, 6);
  expect(JSON.stringify(site.desk.account(id))).toBe(before);
  const wrong = await send('POST', '/v1/what-if', { account: id, change, reserve: true });
  expect([wrong.status, wrong.body.path]).toEqual([422, 'change.collateral']);
  const stated = { account: ACCOUNTS[0], change: { orders: [] }, reserve: true };
  expect((await send('POST', '/v1/what-if', stated)).body.path).toBe('reserve');
});
