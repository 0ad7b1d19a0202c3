/** `Idempotency-Key`: one effect and one answer, at the same time and later; another request is refused. */
import { expect, it } from 'vitest';
import { bookService, PERPETUAL, SPOT } from './bookSupport.ts';

const service = bookService();
const deposit = (amount: number) => ({ asset: 'USD', amount, reason: 'test' });
const url = '/v1/accounts/keyed';

it('answers a repeated request as the first, with one effect', async () => {
  const { send, site } = service;
  const put = { id: 'keyed', collateral: [{ asset: 'USD', amount: 100_000 }] };
  const key = { 'idempotency-key': 'put' };
  const opened = await send('PUT', url, put, key);
  expect((await send('PUT', url, put, key)).body).toEqual(opened.body);
  const answers = await Promise.all(
    Array.from({ length: 16 }, () =>
      send('POST', `${url}/collateral`, deposit(5), { 'Idempotency-Key': 'one' }),
    ),
  );
  for (const answer of answers) expect(answer).toEqual(answers[0]);
  expect(answers[0]!.status).toBe(200);
  expect(site.desk.account('keyed').collateral).toEqual([{ asset: 'USD', amount: 100_005 }]);
});

it('refuses the key for another body, path or method', async () => {
  const { send } = service;
  const key = { 'idempotency-key': 'one' };
  const requests = [
    await send('POST', `${url}/collateral`, deposit(6), key),
    await send('POST', `${url}/orders/cancel`, { reason: 'x' }, key),
    await send('DELETE', url, undefined, key),
  ];
  for (const { status, body } of requests) {
    expect([status, body.code]).toEqual([409, 'IDEMPOTENCY_CONFLICT']);
  }
});

it('lets a refused request be tried again under its key', async () => {
  const { send } = service;
  const key = { 'idempotency-key': 'again' };
  const order = [{ id: 'o', instrument: PERPETUAL.id, side: 'buy', size: 1, price: SPOT }];
  const cancel = { orders: ['o'], reason: 'x' };
  expect((await send('POST', `${url}/orders/cancel`, cancel, key)).status).toBe(404);
  await send('POST', `${url}/orders`, { orders: order });
  expect((await send('POST', `${url}/orders/cancel`, cancel, key)).status).toBe(200);
  // The order is gone, the answer stays.
  expect((await send('POST', `${url}/orders/cancel`, cancel, key)).status).toBe(200);
});

it('keeps what a reservation answered, granted or not', async () => {
  const { send, site } = service;
  const order = (id: string, size: number) => ({
    account: 'keyed',
    change: { orders: [{ id, instrument: PERPETUAL.id, side: 'buy', size, price: SPOT * 0.9 }] },
    reserve: true,
  });
  for (const [key, size, reserved] of [
    ['small', 0.01, true],
    ['large', 1e6, false],
  ] as const) {
    const first = await send('POST', '/v1/what-if', order(key, size), { 'idempotency-key': key });
    expect([first.status, first.body.reserved]).toEqual([200, reserved]);
    await send('POST', `${url}/collateral`, deposit(1));
    const again = await send('POST', '/v1/what-if', order(key, size), { 'idempotency-key': key });
    expect(again).toEqual(first);
  }
  expect(site.desk.account('keyed').orders).toHaveLength(1);
});

it('refuses what is no key', async () => {
  const { send } = service;
  for (const key of ['', 'x'.repeat(256), 'caf\u00e9']) {
    const answer = await send('POST', `${url}/collateral`, deposit(1), { 'idempotency-key': key });
    expect([answer.status, answer.body.code]).toEqual([422, 'INVALID_FIELD']);
  }
});
