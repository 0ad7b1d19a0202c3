/** Triggers and liquidation plans of booked accounts, asked for and streamed. */
import { expect, it } from 'vitest';
import { ACCOUNTS, bookService, DEMO, PERPETUAL, SPOT } from './bookSupport.ts';
import { readEvents, type StreamEvent } from './eventStream.ts';

const service = bookService();

interface Known {
  readonly account: string;
  readonly age: number;
  readonly market: string;
  readonly triggers: readonly { readonly underlying: string }[];
}

const pageOf = async (query: string) => {
  const { status, body } = await service.send('GET', `/v1/triggers${query}`);
  expect(status).toBe(200);
  return body as unknown as {
    readonly accounts: number;
    readonly waiting: number;
    readonly greatestAge: number;
    readonly triggers: readonly Known[];
    readonly next: string | null;
  };
};

const settled = async (): Promise<void> => {
  const { desk } = service.site;
  await desk.quiet();
  await expect.poll(() => desk.triggers.waiting, { timeout: 60_000 }).toBe(0);
};

it('answers what is known of all accounts, page by page', async () => {
  const { desk } = service.site;
  await desk.load(ACCOUNTS);
  await settled();
  const all = await pageOf('');
  const ids = ACCOUNTS.map(({ id }) => id).sort();
  expect(all).toMatchObject({ accounts: ids.length, waiting: 0, greatestAge: 0, next: null });
  expect(all.triggers.map(({ account }) => account)).toEqual(ids);
  const paged: Known[] = [];
  for (let after = ''; ; ) {
    const page = await pageOf(`?limit=5${after}`);
    paged.push(...page.triggers);
    if (page.next === null) break;
    after = `&after=${encodeURIComponent(page.next)}`;
  }
  expect(paged).toEqual(all.triggers);
  const { body: margin } = await service.send('GET', `/v1/accounts/${ids[0]}/margin`);
  expect(all.triggers[0]).toMatchObject({
    market: (margin.margin as { readonly market: string }).market,
    seq: margin.seq,
    age: 0,
  });
});

it('filters, and says what is wrong with a filter', async () => {
  const [first, second] = ACCOUNTS.map(({ id }) => id);
  const two = await pageOf(`?account=${second}&account=${first}`);
  expect(two.triggers.map(({ account }) => account)).toEqual([first, second].sort());
  const { underlying } = PERPETUAL;
  const moves = await pageOf(`?underlying=${underlying}`);
  expect(moves.triggers.length).toBeGreaterThan(0);
  for (const { triggers } of moves.triggers)
    for (const one of triggers) expect(one.underlying).toBe(underlying);
  expect((await pageOf('?within=0')).triggers).toEqual([]);
  const wrong: [string, number, string, string | undefined][] = [
    ['account=none', 404, 'NOT_FOUND', undefined],
    ['underlying=none', 422, 'UNKNOWN_UNDERLYING', 'query.underlying'],
    ['within=x', 422, 'INVALID_FIELD', 'query.within'],
    ['within=-1', 422, 'INVALID_FIELD', 'query.within'],
    ['limit=0', 422, 'INVALID_FIELD', 'query.limit'],
    ['limit=1001', 422, 'INVALID_FIELD', 'query.limit'],
    ['by=x', 422, 'UNKNOWN_FIELD', 'query.by'],
  ];
  for (const [query, status, code, path] of wrong) {
    const answer = await service.send('GET', `/v1/triggers?${query}`);
    expect([answer.status, answer.body.code, answer.body.path]).toEqual([status, code, path]);
  }
});

it('streams triggers without a place in the log, so that a reader resumes exactly where it was', async () => {
  const { desk } = service.site;
  const { address } = service.server;
  const { id } = ACCOUNTS[0]!;
  let cutting = true;
  const writer = (async () => {
    for (let i = 0; cutting; i++) {
      const move = { asset: 'USD', amount: 1 + i, reason: 'x' };
      await desk.command({ do: 'move-collateral', account: id, ...move });
      // Idle for long enough that triggers are searched.
      await desk.quiet();
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
  })();
  const begin = desk.book.seq;
  const url = `${address}/v1/stream?account=${id}&kind=triggers&kind=collateral-moved&kind=margin`;
  const got: StreamEvent[] = [];
  const places = () => got.filter((one) => !Number.isNaN(one.id)).map((one) => one.id);
  for (let cut = 0; cut < 20; cut++) {
    const most = 2 + (cut % 3);
    const last = places().at(-1) ?? begin;
    const events = await readEvents(url, ({ length }) => length >= most, last);
    // At the beginning of each stream stands what is known.
    expect(events.some(({ event }) => event === 'triggers')).toBe(true);
    got.push(...events);
  }
  cutting = false;
  await writer;
  const wanted = new Set(['collateral-moved', 'margin']);
  const end = places().at(-1)!;
  const log = (await desk.journal.store.read(begin + 1, 10_000)).filter(
    ({ kind, body, seq }) =>
      wanted.has(kind) && (body as { readonly account: string }).account === id && seq <= end,
  );
  expect(places()).toEqual(log.map(({ seq }) => seq));
  expect(log.length).toBeGreaterThan(10);
  for (const { id: place, event, data } of got) {
    expect(Number.isNaN(place)).toBe(event === 'triggers');
    if (event !== 'triggers') continue;
    const known = data as unknown as { readonly account: string; readonly triggers: Known };
    expect(known.account).toBe(id);
    expect(known.triggers.age).toBeGreaterThanOrEqual(0);
  }
  // Nobody gets them who has not asked for them.
  const records = await readEvents(`${address}/v1/stream?after=0`, ({ length }) => length >= 20);
  expect(records.every(({ event }) => event !== 'triggers')).toBe(true);
}, 60_000);

it('of one account at its own address: first what is known, then each change', async () => {
  await settled();
  const { desk } = service.site;
  const { id } = ACCOUNTS[1]!;
  const url = `${service.server.address}/v1/accounts/${id}/events?kind=triggers`;
  const reading = readEvents(url, ({ length }) => length === 2);
  await new Promise((resolve) => setTimeout(resolve, 300));
  await desk.command({ do: 'move-collateral', account: id, asset: 'USD', amount: 5, reason: 'x' });
  const [first, second] = (await reading).map(
    ({ data }) => data as unknown as { readonly triggers: { readonly seq: number } },
  );
  expect(second!.triggers.seq).toBeGreaterThan(first!.triggers.seq);
});

it('a liquidation has its plan at the account', async () => {
  const { send, site } = service;
  const { desk } = site;
  const positions = [{ instrument: PERPETUAL.id, size: 2, entryPrice: SPOT }];
  const { initialMargin } = await site.engine.margin({ id: 'probe', positions });
  const { currency } = DEMO.market;
  const collateral = [{ asset: currency, amount: 0.7 * initialMargin }];
  await send('PUT', '/v1/accounts/drowning', { collateral, positions });
  const before = await send('GET', `/v1/accounts/${ACCOUNTS[0]!.id}/plan`);
  expect([before.status, before.body.code]).toEqual([404, 'NOT_FOUND']);
  await desk.quiet();
  const { body: account } = await send('GET', '/v1/accounts/drowning');
  const running = { liquidation: 1, cause: 'maintenance', stepsDone: 0, planned: true };
  expect(account).toMatchObject({ heldState: 'liquidation', liquidation: running });
  const { body: plan } = await send('GET', '/v1/accounts/drowning/plan');
  const asked = { account: desk.account('drowning'), plan: {} };
  const { body: whole } = await send('POST', '/v1/liquidation', asked);
  const { steps, outcome, cost } = whole.plan as {
    readonly steps: readonly { readonly instrument: string; readonly size: number }[];
    readonly outcome: string;
    readonly cost: number;
  };
  expect(plan).toMatchObject({
    account: 'drowning',
    liquidation: 1,
    plan: { level: 'maintenance', outcome, cost, stepsLeft: 0 },
  });
  const booked = plan.plan as { readonly steps: typeof steps; readonly seq: number };
  expect(booked.steps.map(({ instrument, size }) => [instrument, size])).toEqual(
    steps.map(({ instrument, size }) => [instrument, size]),
  );
  const [event] = await readEvents(
    `${service.server.address}/v1/stream?kind=liquidation-planned&after=0`,
    ({ length }) => length === 1,
  );
  expect(event).toMatchObject({ id: booked.seq, data: { body: { account: 'drowning' } } });
});
