/**
 * A request that comes again finds the book changed by itself: it is refused now, or would have another effect. It gets the answer of the first
 * time all the same, and changes nothing.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Desk } from '../../src/book/desk/desk.ts';
import { serialise } from '../../src/book/snapshots.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { canonicalJson } from '../../src/json.ts';
import { DEMO, deskSite, engineOn, outrights, type Site } from './deskSupport.ts';

let engine: Engine;
let site: Site;
beforeAll(async () => {
  engine = await engineOn(DEMO.market);
  site = await deskSite(engine);
  for (const id of ['a', 'b']) {
    const collateral = [{ asset: 'USD', amount: 1e7 }];
    await site.desk.command({ do: 'put-account', account: { id, collateral } });
  }
});
afterAll(async () => {
  await site.remove();
  await engine.close();
});

const [perpetual] = outrights(DEMO.market);
const instrument = perpetual!.id;

/** All of the book but when figures were published, which goes on beside. */
async function bookOf(desk: Desk): Promise<string> {
  await desk.quiet();
  const { accounts } = desk.book;
  const held = [...accounts.values()].map(
    ({ published: _, heldState: _s, heldSince: _h, ...rest }) => [
      ...rest.collateral,
      ...rest.positions.keys(),
      ...rest.orders.values(),
      rest.changedSeq,
    ],
  );
  return canonicalJson(held);
}

const fill = { id: 'f-1', instrument, size: 1, price: 90_000 };
const order = { id: 'o-1', instrument, side: 'buy', size: 1, price: 80_000 };

/** A command, what happens after it, and how it would end if it came a second time under no key. */
const CASES: readonly {
  readonly name: string;
  readonly command: object;
  readonly after?: object;
  readonly again: string;
}[] = [
  {
    name: 'a fill, which is booked already',
    command: { do: 'fill', account: 'a', fills: [fill] },
    again: 'DUPLICATE_ID',
  },
  {
    name: 'an order, which was cancelled since and could be placed again',
    command: { do: 'place-orders', account: 'a', orders: [order] },
    after: { do: 'cancel-orders', account: 'a', reason: 'test' },
    again: 'accepted',
  },
  {
    name: 'a deposit, which would be booked again',
    command: { do: 'move-collateral', account: 'a', asset: 'USD', amount: 5, reason: 'wire' },
    again: 'accepted',
  },
  {
    name: 'funding of all holders, which would be paid again',
    command: { do: 'fund', instrument, rate: 0.0001 },
    again: 'accepted',
  },
  {
    name: 'the end of an account, which is gone',
    command: { do: 'delete-account', account: 'b' },
    again: 'NOT_FOUND',
  },
];

describe('a key that comes again', () => {
  it.each(CASES)('for $name', async ({ name, command, after, again }) => {
    const { desk } = site;
    if (name.startsWith('the end')) {
      const amount = -1e7;
      await desk.command({
        do: 'move-collateral',
        account: 'b',
        asset: 'USD',
        amount,
        reason: 'out',
      });
    }
    const keyed = { key: `key of ${name}`, body: command };
    const first = await desk.command(command, keyed);
    if (after !== undefined) await desk.command(after);
    const before = await bookOf(desk);
    const { seq } = desk.book;
    expect(await desk.command(command, keyed)).toEqual(first);
    await site.restart();
    expect(await site.desk.command(command, keyed)).toEqual(first);
    expect(await bookOf(site.desk)).toBe(before);
    // Beside others in the same transaction it fails alone, whatever it asks for now.
    const deposit = {
      do: 'move-collateral',
      account: 'a',
      asset: 'USD',
      amount: 1,
      reason: 'else',
    };
    const beside = [site.desk.command(deposit), site.desk.command(command, keyed)];
    const [moved, told] = await Promise.all([...beside, site.desk.command(deposit)]);
    expect(told).toEqual(first);
    expect(moved!.seq).toBeGreaterThan(seq);
    const other = { ...command, account: 'c' };
    await expect(site.desk.command(other, { key: keyed.key, body: other })).rejects.toMatchObject({
      code: expect.stringMatching(/IDEMPOTENCY_CONFLICT|UNKNOWN_FIELD/),
    });
    const ended = await site.desk.command(command).then(
      () => 'accepted',
      (error: { code: string }) => error.code,
    );
    expect(ended).toBe(again);
  });

  it('a request that was refused may be tried again under its key', async () => {
    const { desk } = site;
    const command = { do: 'cancel-orders', account: 'a', orders: ['o-9'], reason: 'test' };
    const keyed = { key: 'refused', body: command };
    await expect(desk.command(command, keyed)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await desk.command({ do: 'place-orders', account: 'a', orders: [{ ...order, id: 'o-9' }] });
    const done = await desk.command(command, keyed);
    expect(done.records).toEqual(['order-cancelled']);
    expect(await desk.command(command, keyed)).toEqual(done);
    expect(new TextDecoder().decode(serialise(desk.book))).not.toContain('o-9');
  });
});
