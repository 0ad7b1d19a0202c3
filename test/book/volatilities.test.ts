/** Volatilities that follow a live book's ticks: each figure of one scenario set, before and after a restart, live and replayed. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { emptyBook, toAccount } from '../../src/book/book.ts';
import { type Desk, openDesk } from '../../src/book/desk/desk.ts';
import { FactorState } from '../../src/book/desk/factorState.ts';
import { Journal } from '../../src/book/desk/journal.ts';
import { ruleOf } from '../../src/book/desk/volatilities.ts';
import type { EventBody } from '../../src/book/events.ts';
import { fold, type TypedRecord } from '../../src/book/fold.ts';
import { rebuild } from '../../src/book/simulation/rebuild.ts';
import { serialise } from '../../src/book/snapshots.ts';
import { type LogRecord, openStore } from '../../src/book/store/store.ts';
import { createEngine, type Engine } from '../../src/engine/engine.ts';
import { PlimsollError } from '../../src/errors.ts';
import { hashOf } from '../../src/json.ts';
import type { MethodologyInput } from '../../src/margin/methodology.ts';
import { DynamicVolatility, type VolatilityUpdate } from '../../src/market/dynamicVolatility.ts';
import type { MarketChange } from '../../src/market/factorHearing.ts';
import type { FactorModel } from '../../src/market/factorModel.ts';
import type { MarketSnapshot } from '../../src/market/snapshot.ts';
import { tickedSnapshot } from '../../src/market/ticks.ts';
import { ACCOUNTS, DEMO, deskSite, outrights, type Site } from './deskSupport.ts';

const METHODOLOGY = {
  scenarios: 256,
  volatilities: { estimate: 'dynamic' },
} satisfies MethodologyInput;

const opened = (
  market: MarketSnapshot,
  factors: FactorModel,
  methodology: MethodologyInput = METHODOLOGY,
): Promise<Engine> => createEngine({ market, factors, methodology, workers: 1 });

let site: Site;
beforeAll(async () => {
  site = await deskSite(await opened(DEMO.market, DEMO.factors));
  await site.desk.load(ACCOUNTS);
  await site.desk.quiet();
});
afterAll(async () => {
  await site.remove();
  await site.engine.close();
});

const DAY = 86_400_000;
const midnight = Math.ceil(Date.parse(DEMO.market.asOf) / DAY) * DAY;
const at = (ms: number): string => new Date(ms).toISOString();
const underlyings = DEMO.market.underlyings.map(({ id }) => id);
const spotOf = (id: string): number =>
  DEMO.market.underlyings.find((record) => record.id === id)!.spot;

let sequence = 0;
function batch(ms: number, spots: Readonly<Record<string, number>>) {
  const ticks = Object.entries(spots).map(([underlying, spot]) => {
    sequence += 1;
    return { sequence, underlying, asOf: at(ms), spot };
  });
  return { source: 'feed', ticks };
}
const all = (factor: number): Record<string, number> =>
  Object.fromEntries(underlyings.map((id) => [id, spotOf(id) * factor]));

async function recordsOf({ journal }: Desk): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for await (const page of journal.store.pages()) records.push(...page);
  return records;
}

type Updated = EventBody<'factors-updated'>;
const updatesIn = (records: readonly LogRecord[]): Updated[] =>
  records.filter(({ kind }) => kind === 'factors-updated').map(({ body }) => body as Updated);

/** Closes everything and opens it again as a new process would, with the model of the file. */
async function reopened(factors: FactorModel = DEMO.factors): Promise<void> {
  await site.desk.close();
  await site.store.close();
  await site.engine.close();
  site.engine = await opened(DEMO.market, factors);
  site.store = await openStore(site.path);
  site.desk = await openDesk({ store: site.store, engine: site.engine });
  await site.desk.quiet();
}

async function expectFresh(
  desk: Desk,
  engine: Engine,
  ids: readonly string[] = ACCOUNTS.map(({ id }) => id),
): Promise<void> {
  const fresh = await opened(desk.market, (await engine.factorModel())!);
  try {
    for (const id of ids) {
      const { result } = await desk.figures(id);
      expect(JSON.stringify(result)).toBe(JSON.stringify(await fresh.margin(desk.account(id))));
    }
  } finally {
    await fresh.close();
  }
}

it('changes at the instant that ticks reach, all at once, with the figures of a fresh engine', async () => {
  const { desk, engine } = site;
  const before = (await engine.info()).scenarioSet;
  await desk.ticks(batch(midnight - 60_000, all(1)));
  await desk.ticks(batch(midnight + 1_000, all(1.01)));
  await desk.quiet();
  expect((await engine.info()).scenarioSet).toBe(before);
  // The levels of the first instant are noted; the next one has changes.
  await desk.ticks(batch(midnight + DAY - 1, { [underlyings[0]!]: spotOf(underlyings[0]!) * 1.3 }));
  const taken = await desk.ticks(batch(midnight + DAY + 5, all(1.02)));
  // Whoever is told that the tick is taken finds the figures after it.
  const { result } = await desk.figures(ACCOUNTS[0]!.id);
  expect(result!.scenarioSet).not.toBe(before);
  await desk.quiet();
  const after = (await engine.info()).scenarioSet;
  expect(after).not.toBe(before);
  const [first, second, ...more] = updatesIn(await recordsOf(desk));
  expect(more).toEqual([]);
  expect([first!.instant, second!.instant]).toEqual(
    [midnight, midnight + DAY].map((ms) => at(ms).replace('.000Z', 'Z')),
  );
  expect(first!.before).toBe(first!.after);
  const [changed] = second!.factors;
  expect(changed!.factor).toBe(`${underlyings[0]}:spot`);
  expect(changed!.change).toBeCloseTo(Math.log(1.3), 14);
  const old = DEMO.factors.factors.find(({ id }) => id === changed!.factor)!.volatility;
  // λ 0.94, 365 days a year: the demo's model.
  expect(changed!.volatility).toBeCloseTo(
    Math.sqrt(0.94 * old ** 2 + 0.06 * 365 * Math.log(1.3) ** 2),
    13,
  );
  // The other underlyings were heard of at the second batch, after the first instant, and so before the second.
  expect(second!.factors.map(({ factor }) => factor)).toEqual(
    DEMO.factors.factors.map(({ id }) => id).filter((id) => id.endsWith(':spot')),
  );
  const records = await recordsOf(desk);
  expect(records[taken.seq]).toMatchObject({ kind: 'factors-updated' });
  const model = (await engine.factorModel())!;
  expect(hashOf(model)).toBe(second!.after);
  expect(model).toMatchObject({ correlation: DEMO.factors.correlation });
  await expectFresh(desk, engine);
});

it('figures asked for after an acknowledged tick are of the market after it', async () => {
  const { desk, engine } = site;
  const { id } = ACCOUNTS[0]!;
  for (let i = 1; i <= 5; i++) {
    await desk.ticks(batch(midnight + DAY + 1_000 * i, all(1.02 + i / 1_000)));
    const { result } = await desk.figures(id);
    expect(JSON.stringify(result)).toBe(JSON.stringify(await engine.margin(desk.account(id))));
    expect(result!.asOf).toBe(at(midnight + DAY + 1_000 * i));
  }
});

it('is after a restart what it was: with a snapshot, and from the log alone', async () => {
  const form = JSON.stringify(site.desk.journal.market.factors.form);
  const book = (): string => new TextDecoder().decode(serialise(site.desk.book));
  const before = book();
  const model = await site.engine.factorModel();
  await reopened();
  expect(JSON.stringify(site.desk.journal.market.factors.form)).toBe(form);
  expect(await site.engine.factorModel()).toEqual(model);
  expect(book()).toBe(before);
  const { store } = site;
  const without = { ...store, latestSnapshot: () => Promise.resolve(null) };
  const alone = await Journal.open(
    Object.setPrototypeOf(without, Object.getPrototypeOf(store) as object) as typeof store,
  );
  expect(JSON.stringify(alone.market.factors.form)).toBe(form);
  expect(await store.verify()).toMatchObject({ ok: true });
  // Half a day was heard of before the restart: it counts at the next instant.
  await site.desk.ticks(batch(midnight + 2 * DAY, all(0.98)));
  await site.desk.quiet();
  const [update] = updatesIn(await recordsOf(site.desk)).slice(-1);
  const rising = update!.factors.find(({ factor }) => factor === `${underlyings[1]}:spot`)!;
  expect(rising.change).toBeCloseTo(Math.log(0.98 / 1.01), 14);
  await expectFresh(site.desk, site.engine);
});

it('any published margin is computed again from the log, to the byte', async () => {
  const { desk, store } = site;
  const records = await recordsOf(desk);
  const margins = records.filter(({ kind }) => kind === 'margin');
  // The first, one of each set, the last.
  const picked = [0, 0.3, 0.6, 0.8, 1].map((share) =>
    margins.at(Math.floor(share * (margins.length - 1))),
  );
  const engine = await opened(DEMO.market, DEMO.factors);
  const sets = new Set<string>();
  for (const record of picked) {
    const { account, figures, scenarioSet } = record!.body as EventBody<'margin'>;
    const then = await rebuild(store, { until: { seq: record!.seq - 1 }, account });
    await engine.updateMarket(then.market!, then.factors!);
    const margin = await engine.margin(toAccount(then.book, account));
    expect(margin.scenarioSet).toBe(scenarioSet);
    expect(hashOf(margin)).toBe(figures);
    sets.add(scenarioSet);
  }
  expect(sets.size).toBe(3);
  await engine.close();
});

it('a snapshot reaches an instant as ticks do', async () => {
  const { desk } = site;
  const count = updatesIn(await recordsOf(desk)).length;
  const asOf = at(midnight + 3 * DAY + 60_000);
  const snapshot = {
    ...desk.market,
    asOf,
    underlyings: desk.market.underlyings.map((record) => ({
      ...record,
      asOf,
      spot: record.spot * 1.05,
    })),
  };
  await desk.ticks(batch(midnight + 2 * DAY + 60_000, all(0.9)));
  const seq = await desk.replaceMarket(snapshot, 'test');
  await desk.quiet();
  const records = await recordsOf(desk);
  expect(records.slice(seq - 1, seq + 1).map(({ kind }) => kind)).toEqual([
    'market-replaced',
    'factors-updated',
  ]);
  const updates = updatesIn(records);
  expect(updates).toHaveLength(count + 1);
  expect(updates.at(-1)!.factors[0]!.change).toBeCloseTo(Math.log(0.9 / 0.98), 14);
  sequence = 0;
  await expectFresh(desk, site.engine);
});

it('where the log cannot be written nothing changes, and the next try does', async () => {
  const { desk, engine } = site;
  const { store } = desk.journal;
  await desk.ticks(batch(midnight + 3 * DAY + 120_000, all(1.1)));
  await desk.quiet();
  const before = [await engine.factorModel(), await engine.market()];
  const append = store.append.bind(store);
  store.append = () => Promise.reject(new PlimsollError('STORE_FULL', 'no room'));
  const next = batch(midnight + 4 * DAY, all(1.2));
  await expect(desk.ticks(next)).rejects.toMatchObject({ code: 'STORE_FULL' });
  await expect(desk.replaceFactors(DEMO.factors, 'test')).rejects.toMatchObject({
    code: 'STORE_FULL',
  });
  store.append = append;
  expect([await engine.factorModel(), await engine.market()]).toEqual(before);
  await desk.ticks(next);
  await desk.quiet();
  expect(await engine.factorModel()).not.toEqual(before[0]);
  await expectFresh(desk, engine);
});

it('a new calibration is durable; one that a start brings counts when it is another than the last', async () => {
  const calibrated: FactorModel = {
    ...DEMO.factors,
    asOf: at(midnight + 4 * DAY),
    factors: DEMO.factors.factors.map((one) => ({ ...one, volatility: one.volatility * 1.5 })),
  };
  const seq = await site.desk.replaceFactors(calibrated, 'test');
  expect((await recordsOf(site.desk))[seq - 1]).toMatchObject({
    kind: 'factors-replaced',
    body: { source: 'test', hash: hashOf(calibrated) },
  });
  await site.desk.quiet();
  await expectFresh(site.desk, site.engine);
  await reopened();
  expect(await site.engine.factorModel()).toEqual(calibrated);
  // What was heard of before counts for the new model, too.
  await site.desk.ticks(batch(midnight + 5 * DAY, all(1.1)));
  await site.desk.quiet();
  const [update] = updatesIn(await recordsOf(site.desk)).slice(-1);
  expect(update!.before).toBe(hashOf(calibrated));
  expect(update!.factors[0]!.change).toBeCloseTo(Math.log(1.1 / 1.2), 13);
  const { degreesOfFreedom = 4 } = DEMO.factors;
  const file = { ...DEMO.factors, degreesOfFreedom: degreesOfFreedom + 1 };
  await reopened(file);
  expect(await site.engine.factorModel()).toEqual(file);
  const count = (await recordsOf(site.desk)).length;
  await reopened(file);
  expect(await recordsOf(site.desk)).toHaveLength(count);
  await expect(
    site.desk.replaceFactors({ ...file, correlation: [] }, 'test'),
  ).rejects.toMatchObject({ code: 'INVALID_FIELD', path: 'correlation' });
});

it('changes under load, and every published margin is of the scenario set that its place in the log has', async () => {
  const { desk } = site;
  const [perpetual] = outrights(desk.market);
  const mark = spotOf(perpetual!.underlying);
  // Options of the other accounts expire in these days.
  const ids = ['load-0', 'load-1', 'load-2'];
  const collateral = [{ asset: 'USD', amount: 1e6 }];
  await desk.load(ids.map((id) => ({ id, collateral })));
  let done = false;
  const trading = async (id: string): Promise<void> => {
    for (let i = 0; !done; i++) {
      const fill = { id: `load-${i}`, instrument: perpetual!.id, size: 1e-3, price: mark };
      await desk.command({ do: 'fill', account: id, fills: [fill] });
      const order = { id: `o-${i}`, instrument: perpetual!.id, side: 'buy' as const, size: 1e-3 };
      const { before, after } = await desk.reserve(id, { orders: [{ ...order, price: mark }] });
      expect(after.scenarioSet).toBe(before.scenarioSet);
      await desk.figures(id);
    }
  };
  const traders = ids.map(trading);
  for (let hour = 1; hour <= 24 * 6; hour += 5) {
    const time = midnight + 5 * DAY + hour * 3_600_000;
    await desk.ticks(batch(time, all(1.1 + (hour % 7) / 100)));
  }
  done = true;
  await Promise.all(traders);
  await desk.quiet();
  const records = await recordsOf(desk);
  expect(
    updatesIn(records)
      .slice(-6)
      .map(({ before, after }) => before !== after),
  ).toEqual(Array.from({ length: 6 }, () => true));
  await expectFresh(desk, site.engine, ids);
  const sets = new Map<string, string>();
  const engine = await opened(DEMO.market, DEMO.factors);
  const state = new FactorState();
  for (const record of records) {
    state.fold(record as TypedRecord, record.seq);
    if (record.kind !== 'margin') continue;
    const { hash, model } = state.volatility!;
    if (!sets.has(hash)) {
      await engine.updateFactors(model);
      sets.set(hash, (await engine.info()).scenarioSet);
    }
    expect((record.body as EventBody<'margin'>).scenarioSet).toBe(sets.get(hash));
  }
  expect(sets.size).toBeGreaterThan(10);
  await engine.close();
});

it('its updates follow from the market changes of the log, for whoever checks it', async () => {
  const rule = ruleOf((await site.engine.info()).parameters)!;
  const expected: VolatilityUpdate[] = [];
  let found = 0;
  const now: { volatility?: DynamicVolatility; market?: MarketSnapshot } = {};
  const heard = (change: MarketChange): void => {
    expected.push(...(now.volatility?.advance(now.market!, change, rule) ?? []));
  };
  for (const record of await recordsOf(site.desk)) {
    const { kind, body } = record as TypedRecord;
    if (kind === 'factors-replaced') {
      now.volatility = now.volatility?.replaced(body.model) ?? DynamicVolatility.of(body.model);
    } else if (kind === 'market-replaced') {
      heard({ snapshot: body.snapshot! });
      now.market = body.snapshot!;
    } else if (kind === 'ticks') {
      heard(body);
      now.market = tickedSnapshot(now.market!, body.ticks).snapshot;
    } else if (kind === 'factors-updated') {
      expect(body).toEqual({ v: 1, ...expected.shift() });
      found += 1;
    } else expect(expected).toEqual([]);
  }
  expect(expected).toEqual([]);
  expect(found).toBeGreaterThan(10);
});

it('the book’s own fold takes the records as they come', async () => {
  const book = emptyBook();
  for (const record of await recordsOf(site.desk)) fold(book, record);
  expect(new TextDecoder().decode(serialise(book))).toBe(
    new TextDecoder().decode(serialise(site.desk.book)),
  );
});

it('with fixed volatilities no model is recorded until one is sent, and that survives a restart', async () => {
  const engine = await opened(DEMO.market, DEMO.factors, { scenarios: 256 });
  const fixed = await deskSite(engine);
  try {
    const kinds = async (): Promise<string[]> =>
      (await recordsOf(fixed.desk)).map(({ kind }) => kind);
    await fixed.desk.ticks({ ...batch(midnight - 1, all(1)), source: 'a' });
    await fixed.desk.ticks({ ...batch(midnight + DAY, all(2)), source: 'b' });
    expect(await kinds()).toEqual(['market-replaced', 'ticks', 'ticks']);
    const sent = { ...DEMO.factors, drift: 0.01 };
    await fixed.desk.replaceFactors(sent, 'test');
    expect((await kinds()).slice(3)).toEqual(['factors-replaced', 'factors-replaced']);
    await engine.updateFactors(DEMO.factors);
    await fixed.restart();
    expect(await engine.factorModel()).toEqual(sent);
  } finally {
    await fixed.remove();
    await engine.close();
  }
});
