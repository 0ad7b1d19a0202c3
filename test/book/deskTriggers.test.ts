/** Triggers of all booked accounts: those of the study, current when the desk is idle, in the way of nothing. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { followTriggers, type TriggerNews, triggerPage } from '../../src/book/desk/triggerPages.ts';
import { createEngine, type Engine } from '../../src/engine/engine.ts';
import { LIMITS } from '../../src/limits.ts';
import {
  ACCOUNTS,
  DEMO,
  deskSite,
  engineOn,
  METHODOLOGY,
  outrights,
  type Site,
} from './deskSupport.ts';

const linear = outrights(DEMO.market).find(({ settlement }) => settlement === 'linear')!;
const { underlying } = linear;
const { spot } = DEMO.market.underlyings.find(({ id }) => id === underlying)!;
const POSITIONS = [{ instrument: linear.id, size: 2, entryPrice: spot }];

let engine: Engine;
let site: Site;
beforeAll(async () => {
  engine = await engineOn(DEMO.market);
  site = await deskSite(engine);
  await site.desk.load(ACCOUNTS);
});
afterAll(async () => {
  await site.remove();
  await engine.close();
});

async function settled(): Promise<void> {
  await site.desk.quiet();
  await expect.poll(() => site.desk.triggers.waiting, { timeout: 60_000 }).toBe(0);
  await site.desk.triggers.settled();
}

let sequence = 0;
async function tick(factor: number): Promise<void> {
  const { desk } = site;
  const { asOf, spot: now } = desk.market.underlyings.find(({ id }) => id === underlying)!;
  sequence += 1;
  const later = new Date(Date.parse(asOf ?? desk.market.asOf) + 1_000).toISOString();
  await desk.ticks({
    source: 'test',
    ticks: [{ sequence, underlying, asOf: later, spot: now * factor }],
  });
}

it('are those of the study, for the figures as they are; near a threshold exact', async () => {
  const { desk } = site;
  // Equity 2% above the initial margin: near a threshold.
  const { initialMargin } = await engine.margin({ id: 'probe', positions: POSITIONS });
  const collateral = [{ asset: 'USD', amount: 1.02 * initialMargin }];
  const account = { id: 'near', collateral, positions: POSITIONS };
  await desk.command({ do: 'put-account', account });
  await settled();
  expect(desk.triggers.ids()).toEqual([...desk.book.accounts.keys()].sort());
  for (const id of desk.triggers.ids()) {
    const { heldState, mode } = desk.book.accounts.get(id)!;
    const { result, seq, marketSeq, nearness } = desk.latest(id)!;
    const approximate = nearness > LIMITS.triggersNear;
    const request = mode === 'isolated' ? { approximate } : { approximate, heldState };
    const { computedAt: _, ...asked } = await engine.triggers(desk.account(id), request);
    const { computedAt, ...known } = desk.triggers.of(id)!;
    expect(known).toEqual({ ...asked, seq, marketSeq });
    expect(known.market).toBe(result!.market);
    expect(Date.now() - Date.parse(computedAt)).toBeLessThan(600_000);
    expect(desk.triggers.ageOf(id)).toBe(0);
  }
  expect(desk.triggers.of('near')!.exact).toBe(true);
  expect(desk.triggers.greatestAge()).toBe(0);
});

it('are the same when several are searched at a time', async () => {
  const methodology = METHODOLOGY;
  const { market, factors } = DEMO;
  const many = await createEngine({ market, factors, methodology, workers: 4 });
  const other = await deskSite(many);
  try {
    await other.desk.load(ACCOUNTS);
    await other.desk.quiet();
    await expect.poll(() => other.desk.triggers.waiting, { timeout: 60_000 }).toBe(0);
    for (const { id } of ACCOUNTS) {
      const { computedAt: _, seq, marketSeq, ...known } = other.desk.triggers.of(id)!;
      const { computedAt, seq: s, marketSeq: m, ...alone } = site.desk.triggers.of(id)!;
      expect(known).toEqual(alone);
    }
  } finally {
    await other.remove();
    await many.close();
  }
});

it('a price beyond a trigger changes the held state, one before it does not', async () => {
  const { desk } = site;
  const { triggers, state } = desk.triggers.of('near')!;
  const { below, spot: from } = triggers.find((one) => one.underlying === underlying)!;
  expect(state).toBe(desk.book.accounts.get('near')!.heldState);
  expect(from).toBe(spot);
  const marked = async (price: number): Promise<void> => {
    const { market } = desk;
    const { forwards, asOf = market.asOf } = market.underlyings.find(
      ({ id }) => id === underlying,
    )!;
    const marks = outrights(market)
      .concat(market.instruments.filter(({ type }) => type === 'future'))
      .filter((one) => one.underlying === underlying && one.mark !== undefined);
    sequence += 1;
    // What a trigger is a move of: the spot with all that hangs on it, time and implied volatilities as they are.
    const by = price / market.underlyings.find(({ id }) => id === underlying)!.spot;
    await desk.ticks({
      source: 'test',
      ticks: [
        {
          ...{ sequence, underlying, asOf, spot: price },
          forwards: forwards?.map(({ expiry, price: at }) => ({ expiry, price: at * by })),
          marks: marks.map(({ id, mark }) => ({ instrument: id, mark: mark! * by })),
        },
      ],
    });
    await desk.quiet();
  };
  // Found to 1e-9 of equity: a millionth of the price on either side is past that.
  await marked(below!.price * (1 + 1e-6));
  expect(desk.book.accounts.get('near')!.heldState).toBe(state);
  await marked(below!.price * (1 - 1e-6));
  expect(desk.book.accounts.get('near')!.heldState).toBe(below!.to);
});

it('fall behind with the figures, and say for how long', async () => {
  const { desk } = site;
  await settled();
  const before = new Map(desk.triggers.ids().map((id) => [id, desk.triggers.of(id)!.market]));
  const triggers = engine.triggers.bind(engine);
  engine.triggers = (account, request, options = {}) =>
    new Promise((_, reject) => {
      options.signal?.addEventListener('abort', () => {
        triggers(account, request, options).catch(reject);
      });
    });
  await tick(1.001);
  await desk.quiet();
  const since = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 60));
  const affected = desk.triggers.ids().filter((id) => desk.triggers.ageOf(id) > 0);
  expect(affected).toContain('near');
  expect(affected.length).toBeLessThan(before.size);
  for (const id of desk.triggers.ids()) {
    const same = desk.latest(id)!.result!.market === before.get(id);
    expect(desk.triggers.ageOf(id) === 0).toBe(same);
    expect(desk.triggers.of(id)!.market).toBe(before.get(id));
  }
  // Both by the same clock, and the age is read last: it cannot be the lesser, however long the reading takes.
  const staysBehind = (): void => {
    const seconds = (performance.now() - since) / 1_000;
    expect(desk.triggers.greatestAge()).toBeGreaterThanOrEqual(seconds);
  };
  staysBehind();
  await new Promise((resolve) => setTimeout(resolve, 40));
  staysBehind();
  // Another tick while they wait: still behind since the first.
  await tick(1.001);
  await desk.quiet();
  staysBehind();
  engine.triggers = triggers;
  await tick(1.001);
  await settled();
  for (const id of affected) {
    expect(desk.triggers.of(id)!.market).toBe(desk.latest(id)!.result!.market);
  }
});

it('are gone when the account is', async () => {
  const { desk } = site;
  await desk.command({ do: 'put-account', account: { id: 'gone' } });
  await settled();
  expect(desk.triggers.of('gone')).toMatchObject({ triggers: [], nearest: null });
  const news: TriggerNews[] = [];
  const end = new AbortController();
  const reading = (async () => {
    for await (const one of followTriggers(desk.triggers, new Set(['gone']), end.signal)) {
      news.push(one);
      if (news.length === 2) end.abort();
    }
  })();
  await expect.poll(() => news.length).toBe(1);
  await desk.command({ do: 'delete-account', account: 'gone' });
  await reading;
  expect(news).toEqual([
    { account: 'gone', triggers: expect.objectContaining({ account: 'gone' }) },
    { account: 'gone', triggers: null },
  ]);
  expect(desk.triggers.of('gone')).toBeNull();
});

it('come in pages, filtered', () => {
  const { triggers } = site.desk;
  const ids = triggers.ids();
  const paged: string[] = [];
  let after: string | undefined;
  do {
    const page = triggerPage(triggers, { limit: 5, after });
    paged.push(...page.triggers.map(({ account }) => account));
    expect(page.triggers.length).toBeLessThanOrEqual(5);
    after = page.next ?? undefined;
  } while (after !== undefined);
  expect(paged).toEqual(ids);
  const limit = 1_000;
  const whole = triggerPage(triggers, { limit, underlyings: new Set([underlying]) });
  for (const one of whole.triggers)
    for (const trigger of one.triggers) expect(trigger.underlying).toBe(underlying);
  const touching = ids.filter((id) =>
    triggers.of(id)!.triggers.some((one) => one.underlying === underlying),
  );
  expect(whole.triggers.map(({ account }) => account)).toEqual(touching);
  const close = triggerPage(triggers, { limit, within: 0.05 });
  const within = ids.filter((id) => (triggers.of(id)!.nearest ?? 1) <= 0.05);
  expect(close.triggers.map(({ account }) => account)).toEqual(within);
  expect(within).toContain('near');
  const one = triggerPage(triggers, { limit, accounts: new Set(['near']) });
  expect(one).toMatchObject({ triggers: [{ account: 'near', age: 0 }], next: null });
});

it('a slow reader gets the latest of each account, not what came between', async () => {
  const { desk } = site;
  const end = new AbortController();
  const reading = followTriggers(desk.triggers, new Set(['near']), end.signal);
  const first = await reading.next();
  expect(first.value).toEqual({ account: 'near', triggers: desk.triggers.of('near') });
  for (let i = 0; i < 3; i++) {
    await tick(0.9999);
    await settled();
  }
  const next = await reading.next();
  expect(next.value).toEqual({ account: 'near', triggers: desk.triggers.of('near') });
  const waiting = reading.next();
  end.abort();
  expect((await waiting).done).toBe(true);
});
