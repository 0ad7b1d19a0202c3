/** What a monitor is told of the book. */
import { expect, it } from 'vitest';
import { ACCOUNTS, bookService, DEMO, PERPETUAL, SPOT } from './bookSupport.ts';
import { readEvents } from './eventStream.ts';

const service = bookService();

/** Samples by name and labels, as they are written. */
async function scrape(): Promise<ReadonlyMap<string, number>> {
  const answer = await fetch(`${service.server.address}/metrics`);
  expect(answer.status).toBe(200);
  const lines = (await answer.text()).split('\n').filter((line) => !/^(#|$)/.test(line));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1).replace('Nan', 'NaN'))];
    }),
  );
}

it('before anything happened', async () => {
  const samples = await scrape();
  for (const state of ['healthy', 'warning', 'margin-call', 'liquidation', 'default']) {
    expect(samples.get(`plimsoll_book_accounts{state="${state}"}`)).toBe(0);
  }
  for (const name of [
    'plimsoll_book_margin_calls_open',
    'plimsoll_book_liquidations_open',
    'plimsoll_book_liquidations_unplanned',
    'plimsoll_cycle_accounts_waiting',
    'plimsoll_figure_age_seconds_max',
    'plimsoll_trigger_age_seconds_max',
    'plimsoll_triggers_waiting',
    'plimsoll_underlyings_stale',
    'plimsoll_stream_readers',
    'plimsoll_plan_failures_total',
    'plimsoll_trigger_failures_total',
  ])
    expect([name, samples.get(name)]).toEqual([name, 0]);
  // The market is a record of the log; there is no snapshot of the book yet.
  expect(samples.get('plimsoll_log_sequence')).toBe(service.site.desk.book.seq);
  expect(samples.get('plimsoll_snapshot_age_seconds')).toBeNaN();
});

it('counts accounts, calls, liquidations, records and times', async () => {
  const { desk, engine } = service.site;
  const begin = desk.book.seq;
  await desk.load(ACCOUNTS);
  const positions = [{ instrument: PERPETUAL.id, size: 2, entryPrice: SPOT }];
  const { initialMargin } = await engine.margin({ id: 'probe', positions });
  for (const [id, share] of [
    ['called', 0.9],
    ['drowning', 0.7],
  ] as const) {
    const collateral = [{ asset: 'USD', amount: share * initialMargin }];
    await desk.command({ do: 'put-account', account: { id, collateral, positions } });
  }
  await desk.quiet();
  const asOf = new Date(Date.parse(DEMO.market.asOf) + 1_000).toISOString();
  const tick = { sequence: 1, underlying: PERPETUAL.underlying, asOf, spot: SPOT * 1.0001 };
  const first = await scrape();
  await desk.ticks({ source: 'test', ticks: [tick] });
  await desk.quiet();
  const samples = await scrape();
  const states = new Map<string, number>();
  for (const { heldState } of desk.book.accounts.values()) {
    states.set(heldState, (states.get(heldState) ?? 0) + 1);
  }
  for (const [state, count] of states) {
    expect(samples.get(`plimsoll_book_accounts{state="${state}"}`)).toBe(count);
  }
  const accounts = [...desk.book.accounts.values()];
  const calls = accounts.filter(({ call }) => call !== null).length;
  expect(calls).toBeGreaterThan(0);
  expect(samples.get('plimsoll_book_margin_calls_open')).toBe(calls);
  const running = accounts.filter(({ liquidation }) => liquidation !== null).length;
  expect(samples.get('plimsoll_book_liquidations_open')).toBe(running);
  const kinds = new Map<string, number>();
  for (const { kind } of await desk.journal.store.read(begin + 1, 10_000)) {
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  expect([...kinds.keys()]).toContain('liquidation-planned');
  for (const [kind, count] of kinds) {
    expect(samples.get(`plimsoll_log_records_total{kind="${kind}"}`)).toBe(count);
  }
  const affected = accounts.filter(
    ({ id }) => desk.latest(id)!.marketSeq === desk.book.market!.seq,
  );
  const followed = 'plimsoll_tick_to_figure_seconds_count';
  // Each account that the tick concerned once; those that changed by themselves are not ticks.
  expect(samples.get(followed)! - first.get(followed)!).toBe(affected.length);
  expect(first.get(followed)).toBe(0);
  expect(samples.get('plimsoll_tick_to_figure_seconds_sum')).toBeGreaterThan(0);
  for (const name of ['plimsoll_cycle_duration_seconds', 'plimsoll_log_commit_duration_seconds']) {
    expect(samples.get(`${name}_count`)).toBeGreaterThan(first.get(`${name}_count`)!);
  }
  expect(samples.get('plimsoll_cycle_accounts_waiting')).toBe(0);
  expect(samples.get('plimsoll_log_sequence')).toBe(desk.book.seq);
});

it('ages: of figures, of a snapshot; and readers of streams', async () => {
  const { desk } = service.site;
  await desk.journal.saveSnapshot();
  const saved = await scrape();
  expect(saved.get('plimsoll_snapshot_age_seconds')).toBeLessThan(60);
  expect(saved.get('plimsoll_snapshot_age_seconds')).toBeGreaterThanOrEqual(0);
  expect(saved.get('plimsoll_snapshot_records_behind')).toBe(0);
  const url = `${service.server.address}/v1/stream?kind=fill`;
  const reading = readEvents(url, ({ length }) => length === 1);
  await expect.poll(async () => (await scrape()).get('plimsoll_stream_readers')).toBe(1);
  const fills = [{ id: 'end', instrument: PERPETUAL.id, size: 1, price: SPOT }];
  const { id } = ACCOUNTS[0]!;
  const release = await new Promise<() => void>((resolve) => {
    const { append } = desk.journal.store;
    void desk.command({ do: 'fill', account: id, fills }).then(() => {
      // The figures that follow from the fill wait for a disk that takes its time.
      const late = new Promise<void>((go) => resolve(go));
      desk.journal.store.append = async (drafts) => {
        await late;
        desk.journal.store.append = append;
        return append.call(desk.journal.store, drafts);
      };
    });
  });
  await reading;
  await new Promise((resolve) => setTimeout(resolve, 120));
  const waiting = await scrape();
  expect(waiting.get('plimsoll_cycle_accounts_waiting')).toBe(1);
  expect(waiting.get('plimsoll_figure_age_seconds_max')).toBeGreaterThanOrEqual(0.1);
  release();
  await desk.quiet();
  const current = await scrape();
  expect(current.get('plimsoll_figure_age_seconds_max')).toBe(0);
  expect(current.get('plimsoll_snapshot_records_behind')).toBeGreaterThan(0);
  await expect.poll(async () => (await scrape()).get('plimsoll_stream_readers')).toBe(0);
});

it('without a book there are no figures of one', async () => {
  const { buildApp } = await import('../../src/server/app.ts');
  const app = await buildApp({ engine: service.site.engine, limits: { loopDelayMs: 60_000 } });
  const { body } = await app.inject('/metrics');
  expect(body).not.toContain('plimsoll_book_');
  expect(body).toContain('plimsoll_ready 1');
  await app.close();
});
