/** Figures of the book for Prometheus: counted as they happen where they are events, looked up when they are scraped where they are a state. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { BookAccount } from '../../book/book.ts';
import type { Desk } from '../../book/desk/desk.ts';
import { ACCOUNT_STATES } from '../../margin/requirement.ts';

/** Seconds: a commit to a fast disk takes a fraction of a millisecond, a cycle over a large book seconds. */
const TIMES = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

/** Gauges that are looked up in the desk's memory. */
const STATES: readonly (readonly [name: string, help: string, of: (desk: Desk) => number])[] = [
  [
    'plimsoll_book_margin_calls_open',
    'Margin calls that are neither met nor expired.',
    ({ book }) => countOf(book.accounts.values(), ({ call }) => call !== null),
  ],
  [
    'plimsoll_book_liquidations_open',
    'Liquidations under way.',
    ({ book }) => countOf(book.accounts.values(), ({ liquidation }) => liquidation !== null),
  ],
  [
    'plimsoll_book_liquidations_unplanned',
    'Liquidations that wait for their plan.',
    ({ plans }) => plans.size,
  ],
  ['plimsoll_log_sequence', 'Number of the last record of the log.', ({ book }) => book.seq],
  [
    'plimsoll_cycle_accounts_waiting',
    'Accounts whose figures are behind their holdings or the market.',
    ({ measures }) => measures.waiting,
  ],
  [
    'plimsoll_figure_age_seconds_max',
    'For how long the figures of any account have been behind; 0 where all are current.',
    ({ measures }) => measures.greatestAge(),
  ],
  [
    'plimsoll_underlyings_stale',
    'Underlyings that were not heard of for too long.',
    (desk) => desk.staleUnderlyings().length,
  ],
  [
    'plimsoll_triggers_waiting',
    'Accounts whose triggers are behind their figures or not known yet.',
    ({ triggers }) => triggers.waiting,
  ],
  [
    'plimsoll_trigger_age_seconds_max',
    'For how long the triggers of any account have been behind its figures; 0 where all are current.',
    ({ triggers }) => triggers.greatestAge(),
  ],
];

/** Counters that the desk keeps. */
const FAILURES: readonly (readonly [name: string, help: string, of: (desk: Desk) => number])[] = [
  [
    'plimsoll_plan_failures_total',
    'Liquidation plans that could not be computed or recorded.',
    ({ plans }) => plans.failures,
  ],
  [
    'plimsoll_trigger_failures_total',
    'Searches of triggers that failed.',
    ({ triggers }) => triggers.failures,
  ],
];

function countOf(accounts: Iterable<BookAccount>, wanted: (one: BookAccount) => boolean): number {
  let count = 0;
  for (const account of accounts) if (wanted(account)) count += 1;
  return count;
}

/** @returns how to stop watching the desk */
export function watchBook(desk: Desk, registry: Registry): () => void {
  const registers = [registry];
  for (const [name, help, of] of STATES) {
    gauge(name, help, registry, async (self) => self.set(of(desk)));
  }
  for (const [name, help, of] of FAILURES) {
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(of(desk));
      },
    });
  }
  accountsByState(desk, registry);
  snapshotGauges(desk, registry);
  return watchTimes(desk, registry);
}

function gauge(
  name: string,
  help: string,
  registry: Registry,
  look: (self: Gauge) => Promise<void>,
): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      return look(this);
    },
  });
}

function accountsByState(desk: Desk, registry: Registry): void {
  new Gauge({
    name: 'plimsoll_book_accounts',
    help: 'Booked accounts by held state.',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      const counts = new Map(ACCOUNT_STATES.map((state) => [state, 0]));
      for (const { heldState } of desk.book.accounts.values()) {
        counts.set(heldState, counts.get(heldState)! + 1);
      }
      for (const [state, count] of counts) this.set({ state }, count);
    },
  });
}

/** A restart folds the log from the latest snapshot on. A store that cannot be asked now says nothing of it. */
function snapshotGauges(desk: Desk, registry: Registry): void {
  const unknown = { at: '', seq: Number.NaN };
  const latest = async () => {
    const { snapshots } = await desk.journal.store.info();
    return snapshots[0] ?? { at: '', seq: 0 };
  };
  const age = 'Since the latest snapshot of the book was written; NaN where there is none.';
  gauge('plimsoll_snapshot_age_seconds', age, registry, async (self) => {
    const { at } = await latest().catch(() => unknown);
    self.set((Date.now() - Date.parse(at)) / 1_000);
  });
  const behind = 'Records since the latest snapshot of the book: what a restart has to fold.';
  gauge('plimsoll_snapshot_records_behind', behind, registry, async (self) => {
    const { seq } = await latest().catch(() => unknown);
    self.set(desk.book.seq - seq);
  });
}

function watchTimes({ journal, measures }: Desk, registry: Registry): () => void {
  const registers = [registry];
  const records = new Counter({
    name: 'plimsoll_log_records_total',
    help: 'Records that were appended to the log, by kind.',
    labelNames: ['kind'],
    registers,
  });
  const times = (name: string, help: string) =>
    new Histogram({ name, help, buckets: TIMES, registers });
  const commits = times(
    'plimsoll_log_commit_duration_seconds',
    'From an append to the log until it is durable.',
  );
  const turns = times(
    'plimsoll_cycle_duration_seconds',
    'One turn of the cycle of recomputation: market changes taken in, accounts margined, figures published.',
  );
  const followed = times(
    'plimsoll_tick_to_figure_seconds',
    'From the arrival of the earliest tick that an account was behind to the publication of its figures.',
  );
  const stops = [
    journal.listen((appended) => {
      for (const { kind } of appended) records.inc({ kind });
    }),
    measures.watch({
      committed: (seconds) => commits.observe(seconds),
      turned: (seconds) => turns.observe(seconds),
      followed: (seconds) => followed.observe(seconds),
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
