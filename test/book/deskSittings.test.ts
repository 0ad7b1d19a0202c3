/** Trades of one account that come at once share an append; what each of them is answered, and what the account is then, is as one after the other. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { emptyBook } from '../../src/book/book.ts';
import { fold } from '../../src/book/fold.ts';
import { serialise } from '../../src/book/snapshots.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { PlimsollError } from '../../src/errors.ts';
import { canonicalJson } from '../../src/json.ts';
import { DEMO, deskSite, engineOn, outrights, type Site } from './deskSupport.ts';

let engine: Engine;
let site: Site;
beforeAll(async () => {
  engine = await engineOn(DEMO.market);
  site = await deskSite(engine);
});
afterAll(async () => {
  await site.remove();
  await engine.close();
});

const instruments = outrights(DEMO.market).map(({ id }) => id);
const collateral = [{ asset: 'USD', amount: 1e6 }];

let accounts = 0;
/** An account that holds everything already, or nothing: then the first trade lists its contract. */
async function openAccount(holds: boolean): Promise<string> {
  accounts += 1;
  const id = `account-${accounts}`;
  const positions = holds
    ? instruments.map((instrument) => ({ instrument, size: 1, entryPrice: 90_000 }))
    : [];
  await site.desk.command({ do: 'put-account', account: { id, collateral, positions } });
  return id;
}

type Request = { readonly do: string; readonly key?: string } & Record<string, unknown>;

const instrument = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom(...instruments) },
  fc.constant('NOWHERE'),
);
const small = fc.integer({ min: 1, max: 4 });
const orderId = small.map((n) => `o${n}`);
const side = fc.constantFrom('buy', 'sell');
const order = fc.record({ id: orderId, instrument, side, size: small, price: small });
const size = fc.constantFrom(-2, -1, 1, 2, 3);
const filled = fc.record({ id: fc.nat(60).map((n) => `f${n}`), instrument, size, price: small });
const reason = fc.constant('test');
const request: fc.Arbitrary<Request> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('fill'),
      fills: fc.array(filled, { minLength: 1, maxLength: 2 }),
    }),
  },
  fc.record({ do: fc.constant('place-orders'), orders: fc.tuple(order) }),
  fc.record({ do: fc.constant('amend-order'), order: orderId, size: small }),
  fc.record({ do: fc.constant('cancel-orders'), orders: fc.tuple(orderId), reason }),
  fc.record({ do: fc.constant('cancel-orders'), reason }),
  fc.record({
    do: fc.constant('move-collateral'),
    asset: fc.constant('USD'),
    amount: small,
    reason,
  }),
);
/** Half of them have a key of their own. */
const requests = fc
  .array(fc.tuple(request, fc.boolean()), { minLength: 2, maxLength: 20 })
  .map((list) => list.map(([one, has], i): Request => (has ? { ...one, key: `k${i}` } : one)));

async function ask(account: string, { key, ...command }: Request): Promise<string> {
  const request = { ...command, account };
  const under = key === undefined ? {} : { key: `${account} ${key}`, body: command };
  return site.desk.command(request, under).then(
    // Whoever comes first lists the contract.
    ({ records }) => records.filter((kind) => kind !== 'contract-listed').join(),
    (error: { readonly code: string }) => error.code,
  );
}

const held = (id: string): string => canonicalJson({ ...site.desk.account(id), id: '' });

it('as one after the other, whatever is among them', async () => {
  let shared = 0;
  const stop = site.desk.journal.listen((records) => {
    const trades = records.filter(({ kind }) => kind === 'fill' || kind.startsWith('order-'));
    if (new Set(trades.map(({ body }) => (body as { account: string }).account)).size === 1) {
      shared = Math.max(shared, trades.length);
    }
  });
  const property = fc.asyncProperty(requests, fc.boolean(), async (list, holds) => {
    const [single, together] = [await openAccount(holds), await openAccount(holds)];
    const expected: string[] = [];
    const atOnce = () => Promise.all(list.map((one) => ask(together, one)));
    const before = holds ? null : await atOnce();
    for (const one of list) expected.push(await ask(single, one));
    expect(before ?? (await atOnce())).toEqual(expected);
    expect(held(together)).toBe(held(single));
    // What was accepted under a key comes again: the answers are those of before, and nothing changes.
    const again = list.flatMap((one, i) => {
      return one.key === undefined || /^[A-Z_]+$/.test(expected[i]!) ? [] : [[one, i] as const];
    });
    const told = await Promise.all(again.map(([one]) => ask(together, one)));
    expect(told).toEqual(again.map(([, i]) => expected[i]));
    expect(held(together)).toBe(held(single));
  });
  await fc.assert(property, { numRuns: 60, seed: 104 });
  stop();
  expect(shared).toBeGreaterThan(5);
  // And the log says the same.
  await site.desk.quiet();
  const book = emptyBook();
  for await (const page of site.store.pages()) for (const record of page) fold(book, record);
  expect(Buffer.compare(serialise(book), serialise(site.desk.book))).toBe(0);
});

it('many at once need few appends, and are answered with their own places in the log', async () => {
  const account = await openAccount(true);
  const before = site.desk.book.seq;
  let appends = 0;
  const stop = site.desk.journal.listen((records) => {
    if (records.some(({ kind }) => kind === 'fill')) appends += 1;
  });
  const fills = Array.from({ length: 400 }, (_, i) => {
    return { id: `many-${i}`, instrument: instruments[0]!, size: 1, price: 90_000 };
  });
  const answers = await Promise.all(
    fills.map((fill, i) =>
      site.desk.command({ do: 'fill', account, fills: [fill] }, { key: `many ${i}`, body: fill }),
    ),
  );
  stop();
  // The first by itself or not, the rest in sittings of at most 256.
  expect(appends).toBeLessThanOrEqual(4);
  const records = await site.store.read(before + 1, 1_000);
  const placed = records.filter(({ kind }) => kind === 'fill');
  expect(placed.map(({ seq }) => seq)).toEqual(answers.map(({ seq }) => seq));
  expect(placed.map(({ body }) => (body as { id: string }).id)).toEqual(fills.map(({ id }) => id));
  expect(placed.map(({ key }) => key)).toEqual(fills.map((_, i) => `many ${i}`));
  expect(site.desk.book.accounts.get(account)!.positions.get(instruments[0]!)!.size).toBe(401);
});

it('where the store refuses each is told, none has an effect, and all may come again', async () => {
  const { desk } = site;
  const account = await openAccount(true);
  const before = held(account);
  const fills = Array.from({ length: 20 }, (_, i) => {
    return { id: `refused-${i}`, instrument: instruments[0]!, size: 1, price: 90_000 };
  });
  const all = () =>
    Promise.allSettled(
      fills.map((fill) =>
        desk.command({ do: 'fill', account, fills: [fill] }, { key: fill.id, body: fill }),
      ),
    );
  const { store } = desk.journal;
  const append = store.append.bind(store);
  store.append = () => Promise.reject(new PlimsollError('STORE_FULL', 'no room'));
  const refused = await all();
  store.append = append;
  expect(refused.map((one) => one.status === 'rejected' && one.reason.code)).toEqual(
    fills.map(() => 'STORE_FULL'),
  );
  expect(held(account)).toBe(before);
  // Some of them come again beside new ones: of a sitting with a key that is taken each goes by itself.
  const some = fills.slice(5, 8).map((fill) => {
    return desk.command({ do: 'fill', account, fills: [fill] }, { key: fill.id, body: fill });
  });
  const first = await Promise.all(some);
  const told = await all();
  expect(told.slice(5, 8)).toEqual(first.map((value) => ({ status: 'fulfilled', value })));
  expect(told.every(({ status }) => status === 'fulfilled')).toBe(true);
  expect(desk.book.accounts.get(account)!.positions.get(instruments[0]!)!.size).toBe(21);
});
