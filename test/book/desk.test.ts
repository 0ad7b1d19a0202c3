/** The desk: acknowledged is durable, one effect a key, one order for one margin, figures of the log's end. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { emptyBook } from '../../src/book/book.ts';
import type { Desk } from '../../src/book/desk/desk.ts';
import { fold } from '../../src/book/fold.ts';
import { serialise } from '../../src/book/snapshots.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { PlimsollError } from '../../src/errors.ts';
import { ACCOUNTS, DEMO, deskSite, engineOn, outrights, type Site } from './deskSupport.ts';

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

const later = (minutes: number): string =>
  new Date(Date.parse(DEMO.market.asOf) + minutes * 60_000).toISOString();
const [first] = outrights(DEMO.market);

async function replayed(desk: Desk): Promise<string> {
  const book = emptyBook();
  for await (const page of desk.journal.store.pages())
    for (const record of page) fold(book, record);
  return new TextDecoder().decode(serialise(book));
}

it('margins what is booked, and publishes it', async () => {
  const { desk } = site;
  expect(await desk.load(ACCOUNTS)).toBe(ACCOUNTS.length);
  expect(await desk.load(ACCOUNTS)).toBe(0);
  for (const { id } of ACCOUNTS) {
    const { result, hash, account, seq } = await desk.figures(id);
    expect(JSON.stringify(result)).toBe(JSON.stringify(await engine.margin(desk.account(id))));
    expect(account.published).toEqual({ seq, figures: hash });
  }
});

it('answers a key once, at the same time and after a restart', async () => {
  const account = ACCOUNTS[0]!.id;
  const command = { do: 'move-collateral', account, asset: 'USD', amount: 1_000, reason: 'test' };
  const before = site.desk.book.accounts.get(account)!.collateral.get('USD') ?? 0;
  const keyed = { key: 'k-1', body: command };
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => site.desk.command(command, keyed)),
  );
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  await site.restart();
  expect(await site.desk.command(command, keyed)).toEqual(answers[0]);
  expect(site.desk.book.accounts.get(account)!.collateral.get('USD')).toBe(before + 1_000);
  const other = { ...command, amount: 2_000 };
  await expect(site.desk.command(other, { key: 'k-1', body: other })).rejects.toMatchObject({
    code: 'IDEMPOTENCY_CONFLICT',
  });
  // What changes nothing is remembered, too.
  const cancel = { do: 'cancel-orders', account, reason: 'none are open' };
  const open = { do: 'cancel-orders', account, reason: 'all' };
  await site.desk.command(open);
  const none = await site.desk.command(cancel, { key: 'k-2', body: cancel });
  expect(none.records).toEqual([]);
  await site.restart();
  expect(await site.desk.command(cancel, { key: 'k-2', body: cancel })).toEqual(none);
});

it('is after a restart what it was, and what the log says', async () => {
  await site.desk.quiet();
  const text = new TextDecoder().decode(serialise(site.desk.book));
  expect(await replayed(site.desk)).toBe(text);
  await site.restart();
  await site.desk.quiet();
  expect(new TextDecoder().decode(serialise(site.desk.book))).toBe(text);
});

it('takes ticks in, names what is wrong with others', async () => {
  const { desk } = site;
  const { underlying } = first!;
  const spot = DEMO.market.underlyings.find(({ id }) => id === underlying)!.spot;
  const tick = { sequence: 7, underlying, asOf: later(1), spot: spot * 1.01 };
  const taken = await desk.ticks({ source: 'feed', ticks: [tick] });
  expect(taken).toMatchObject({ source: 'feed', last: 7 });
  await desk.quiet();
  expect((await engine.market()).underlyings.find(({ id }) => id === underlying)!.spot).toBe(
    spot * 1.01,
  );
  expect(await engine.market()).toEqual(desk.market);
  const wrong: [object, string][] = [
    [{ ticks: [tick] }, 'SEQUENCE_REPEATED'],
    [{ ticks: [{ ...tick, sequence: 10 }] }, 'SEQUENCE_GAP'],
    [
      {
        ticks: [
          { ...tick, sequence: 8 },
          { ...tick, sequence: 10 },
        ],
      },
      'OUT_OF_ORDER',
    ],
    [{ ticks: [{ ...tick, sequence: 8, asOf: later(0) }] }, 'STALE_TICK'],
    [{ ticks: [{ ...tick, sequence: 8, spot: 0 }] }, 'INVALID_FIELD'],
    [{ ticks: [{ ...tick, sequence: 8, bid: 2, ask: 1 }] }, 'CROSSED_PRICES'],
    [{ ticks: [{ ...tick, sequence: 8, underlying: 'NONE' }] }, 'UNKNOWN_UNDERLYING'],
  ];
  for (const [value, code] of wrong) {
    await expect(desk.ticks({ source: 'feed', ...value })).rejects.toMatchObject({ code });
  }
  expect(
    await desk.ticks({ source: 'feed', resume: true, ticks: [{ ...tick, sequence: 10 }] }),
  ).toMatchObject({ last: 10 });
  await site.restart();
  expect(site.desk.market).toEqual(await engine.market());
});

it('says which underlyings were not heard of for too long, and leaves the figures as they are', async () => {
  let time = Date.parse('2026-01-02T12:00:00Z');
  const other = await deskSite(engine, { clock: () => time, staleAfterMs: 60_000 });
  const { desk } = other;
  const { underlying } = first!;
  await desk.command({
    do: 'put-account',
    account: { id: 'coin', collateral: [{ asset: underlying, amount: 1 }] },
  });
  // The store stamps by the system's clock, which is ahead of this one: heard of just now.
  time = Date.parse(desk.book.at);
  const fresh = await desk.figures('coin');
  expect(fresh.staleUnderlyings).toEqual([]);
  time += 60_001;
  const stale = await desk.figures('coin');
  expect(stale.staleUnderlyings).toEqual([underlying]);
  expect(stale.result).toEqual(fresh.result);
  await other.remove();
});

it('keeps terms of a contract that is held, whatever a new snapshot says', async () => {
  const { desk } = site;
  const { id } = first!;
  const fill = { id: 'terms', instrument: id, size: 1, price: 100 };
  await desk.command({ do: 'fill', account: ACCOUNTS[1]!.id, fills: [fill] });
  const instruments = desk.market.instruments.map((one) =>
    one.id === id ? { ...one, multiplier: one.multiplier * 2 } : one,
  );
  await expect(desk.replaceMarket({ ...desk.market, instruments }, 'test')).rejects.toMatchObject({
    code: 'CONTRACT_CHANGED',
  });
  expect(await engine.market()).toEqual(desk.market);
});

it('lists a contract once, however many open it at the same time', async () => {
  const { desk } = site;
  const fresh = DEMO.market.instruments.find((one) => !desk.book.contracts.has(one.id))!;
  const ids = ACCOUNTS.map(({ id }) => id);
  const fill = { id: 'rush', instrument: fresh.id, size: 0.001, price: 0.01 };
  const answers = await Promise.all(
    ids.map((account) => desk.command({ do: 'fill', account, fills: [fill] })),
  );
  const listings = answers.flatMap(({ records }) => records).filter((k) => k === 'contract-listed');
  expect(listings).toHaveLength(1);
});

it('an append that fails has no effect, and the desk goes on', async () => {
  const { desk } = site;
  const { id } = ACCOUNTS[2]!;
  const before = JSON.stringify(desk.account(id));
  const command = { do: 'move-collateral', account: id, asset: 'USD', amount: 1, reason: 'test' };
  const { store } = desk.journal;
  const append = store.append.bind(store);
  store.append = () => Promise.reject(new PlimsollError('STORE_FULL', 'no room'));
  await expect(desk.command(command, { key: 'full', body: command })).rejects.toMatchObject({
    code: 'STORE_FULL',
  });
  store.append = append;
  expect(JSON.stringify(desk.account(id))).toBe(before);
  await desk.command(command, { key: 'full', body: command });
  expect(JSON.stringify(desk.account(id))).not.toBe(before);
  await desk.quiet();
  expect(await replayed(desk)).toBe(new TextDecoder().decode(serialise(desk.book)));
});

it('a withdrawal must leave the margin covered', async () => {
  const { desk } = site;
  const id = 'withdrawer';
  const account = { id, collateral: [{ asset: 'USD', amount: 1_000 }] };
  await desk.command({ do: 'put-account', account });
  const move = { do: 'move-collateral', account: id, asset: 'USD', reason: 'test' };
  await desk.command({ ...move, amount: -400 });
  const size = first!.settlement === 'inverse' ? 2_000 : 0.02;
  const fill = { id: 'f', instrument: first!.id, size, price: 90_000 };
  await desk.command({ do: 'fill', account: id, fills: [fill] });
  const { result } = await desk.figures(id);
  expect(result!.initialMargin).toBeGreaterThan(0);
  await expect(desk.command({ ...move, amount: -590 })).rejects.toMatchObject({
    code: 'INSUFFICIENT_MARGIN',
  });
  await expect(desk.command({ ...move, amount: -700 })).rejects.toMatchObject({
    code: 'INSUFFICIENT_COLLATERAL',
  });
});
