/** Liquidation plans on the real desk: made when a liquidation begins, records of the log, and nobody waits for them. */
import { afterEach, beforeAll, expect, it } from 'vitest';
import { emptyBook } from '../../src/book/book.ts';
import type { DeskOptions } from '../../src/book/desk/desk.ts';
import { fold } from '../../src/book/fold.ts';
import { serialise } from '../../src/book/snapshots.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { PlimsollError } from '../../src/errors.ts';
import { hashOf } from '../../src/json.ts';
import { DEMO, deskSite, engineOn, outrights, type Site } from './deskSupport.ts';

const linear = outrights(DEMO.market).find(({ settlement }) => settlement === 'linear')!;
const { spot } = DEMO.market.underlyings.find(({ id }) => id === linear.underlying)!;
const POSITIONS = [{ instrument: linear.id, size: 2, entryPrice: spot }];

let engine: Engine;
let site: Site;
let initialMargin: number;
beforeAll(async () => {
  engine = await engineOn(DEMO.market);
  ({ initialMargin } = await engine.margin({ id: 'probe', positions: POSITIONS }));
  return () => engine.close();
});
afterEach(() => site.remove());

async function open(options: Partial<DeskOptions> = {}): Promise<void> {
  await engine.updateMarket(DEMO.market);
  site = await deskSite(engine, options);
}

/** Equity is a share of the initial margin; maintenance is 0.8 of it. */
const opened = (id: string, share: number) =>
  site.desk.command({
    do: 'put-account',
    account: {
      id,
      collateral: [{ asset: 'USD', amount: share * initialMargin }],
      positions: POSITIONS,
    },
  });
const pay = (account: string, amount: number) =>
  site.desk.command({ do: 'move-collateral', account, asset: 'USD', amount, reason: 'test' });
const held = (id: string) => site.desk.book.accounts.get(id)!;

async function plansOf(id: string) {
  const log = await site.desk.journal.store.read(1, 10_000);
  return log.filter(
    ({ kind, body }) =>
      kind === 'liquidation-planned' && (body as { readonly account: string }).account === id,
  );
}

async function checkLog(): Promise<void> {
  const { desk } = site;
  const book = emptyBook();
  for await (const page of desk.journal.store.pages())
    for (const record of page) fold(book, record);
  expect(Buffer.from(serialise(desk.book)).equals(Buffer.from(serialise(book)))).toBe(true);
  expect(await desk.journal.store.verify()).toMatchObject({ ok: true, problem: null });
}

/** Holds plans back until it is called. */
function holdPlans(): () => void {
  const study = engine.study.bind(engine);
  let go = (): void => {};
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  engine.study = (async (name, account, request, options) => {
    if (name === 'liquidationPlan') await gate;
    return study(name, account, request, options);
  }) as Engine['study'];
  return () => {
    engine.study = study;
    go();
  };
}

it('is what the engine answers for the account and the market, and stands in the log', async () => {
  await open();
  await opened('a', 0.7);
  await site.desk.quiet();
  const { liquidation, heldState, changedSeq } = held('a');
  expect(heldState).toBe('liquidation');
  const { plan } = await engine.liquidation(site.desk.account('a'), { plan: true });
  expect(plan!.steps.length).toBeGreaterThan(0);
  expect(liquidation!.planned).toMatchObject({
    level: 'maintenance',
    outcome: plan!.outcome,
    cost: plan!.cost,
    shortfall: 0,
    stepsLeft: 0,
    plan: hashOf(plan),
    market: site.desk.latest('a')!.result!.market,
    changedSeq,
  });
  expect(liquidation!.plan.map(({ action, size }) => [action, size])).toEqual(
    plan!.steps.map(({ action, size }) => [action, size]),
  );
  const [record, ...more] = await plansOf('a');
  expect([record!.seq, more]).toEqual([liquidation!.planned!.seq, []]);
  await checkLog();
  // After a restart it is there, and not made again.
  await site.restart();
  await site.desk.quiet();
  expect(held('a').liquidation).toEqual(liquidation);
  expect(await plansOf('a')).toHaveLength(1);
});

it('is made anew when the account enters again', async () => {
  await open();
  await opened('a', 0.7);
  await site.desk.quiet();
  await pay('a', 0.5 * initialMargin);
  await site.desk.quiet();
  expect(held('a')).toMatchObject({ heldState: 'warning', liquidation: null });
  const { asOf } = site.desk.market;
  const later = new Date(Date.parse(asOf) + 1_000).toISOString();
  // The loss takes equity from 1.2 to 0.6 of the margin.
  const fallen = spot - (0.6 * initialMargin) / (2 * linear.multiplier);
  const tick = {
    ...{ sequence: 1, underlying: linear.underlying, asOf: later, spot: fallen },
    marks: [{ instrument: linear.id, mark: fallen }],
  };
  await site.desk.ticks({ source: 'test', ticks: [tick] });
  await site.desk.quiet();
  expect(held('a').liquidation).toMatchObject({
    liquidation: 2,
    planned: { level: 'maintenance' },
  });
  const [first, second] = await plansOf('a');
  expect((first!.body as { readonly market: string }).market).not.toBe(
    (second!.body as { readonly market: string }).market,
  );
  await checkLog();
});

it('holds nobody up, and is not of an account that has left meanwhile', async () => {
  await open();
  const letPlans = holdPlans();
  try {
    await opened('left', 0.7);
    await opened('changed', 0.7);
    // Figures are published and commands answered while the plan is being made.
    expect((await site.desk.figures('left')).account.heldState).toBe('liquidation');
    await pay('left', 0.5 * initialMargin);
    const after = await site.desk.figures('left');
    expect(after.account).toMatchObject({ heldState: 'warning', liquidation: null });
    await site.desk.figures('changed');
    await pay('changed', 0.01 * initialMargin);
    await site.desk.figures('changed');
    expect(held('changed').liquidation).toMatchObject({ planned: null });
    expect(site.desk.plans.size).toBeGreaterThan(0);
  } finally {
    letPlans();
  }
  await site.desk.quiet();
  expect(await plansOf('left')).toEqual([]);
  // Of what it holds now, not of what it held when the plan was begun.
  const { liquidation, changedSeq } = held('changed');
  expect(liquidation!.planned!.changedSeq).toBe(changedSeq);
  await checkLog();
});

it('comes on scenarios of its own, and is the same, where the engine is never idle', async () => {
  await open();
  const study = engine.study.bind(engine);
  const asked: unknown[] = [];
  engine.study = (async (name, account, request, options) => {
    if (name !== 'liquidationPlan') return study(name, account, request, options);
    asked.push(options);
    // As the engine answers when somebody else needs the worker.
    if (options?.givesWay === true) throw new PlimsollError('CANCELLED', 'the caller has gone');
    return study(name, account, request, options);
  }) as Engine['study'];
  try {
    await opened('a', 0.7);
    await site.desk.quiet();
  } finally {
    engine.study = study;
  }
  expect(asked).toMatchObject([{ givesWay: true }, { background: true }]);
  const { plan } = await engine.liquidation(site.desk.account('a'), { plan: true });
  expect(held('a').liquidation!.planned!.plan).toBe(hashOf(plan));
});

it('restores the initial requirement when a call was not met, also of a liquidation that runs', async () => {
  let time = Date.now();
  await open({ clock: () => time, callMinutes: 5 });
  await opened('late', 0.9);
  await opened('both', 0.9);
  await site.desk.quiet();
  const numbers = ['late', 'both'].map((id) => held(id).call?.call);
  expect(numbers).toEqual([1, 1]);
  await pay('both', -0.2 * initialMargin).catch(() => {});
  const fill = { id: 'more', instrument: linear.id, size: 0.4, price: spot };
  await site.desk.command({ do: 'fill', account: 'both', fills: [fill] });
  await site.desk.quiet();
  expect(held('both').liquidation).toMatchObject({
    cause: 'maintenance',
    planned: { level: 'maintenance' },
  });
  time += 6 * 60_000;
  // Deadlines are looked at every second.
  await expect
    .poll(() => ['late', 'both'].map((id) => held(id).liquidation?.planned?.level), {
      timeout: 20_000,
    })
    .toEqual(['initial', 'initial']);
  expect(await plansOf('both')).toHaveLength(2);
  await site.desk.quiet();
  await checkLog();
});

it('is made after a restart where it was not made before', async () => {
  await open();
  const letPlans = holdPlans();
  await opened('a', 0.7);
  await site.desk.figures('a');
  const restarted = site.restart();
  letPlans();
  await restarted;
  expect(held('a').liquidation).toMatchObject({ liquidation: 1, planned: null });
  await site.desk.quiet();
  expect(held('a').liquidation).toMatchObject({ planned: { level: 'maintenance' } });
  await checkLog();
});
