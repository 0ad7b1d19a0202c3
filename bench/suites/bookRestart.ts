/**
 * A service that starts again on a book with a long history: from the start of its process until it listens, and until all its accounts have
 * figures again. Once as after a kill, with the snapshots that were taken while the log grew; once from the log alone.
 */
import { join } from 'node:path';
import type { Book } from '../../src/book/book.ts';
import { decide } from '../../src/book/decide.ts';
import { Journal } from '../../src/book/desk/journal.ts';
import { replacement } from '../../src/book/desk/marketDoor.ts';
import { type BookEvent, event } from '../../src/book/events.ts';
import { loadDriver } from '../../src/book/store/sqlite/driver.ts';
import { type Draft, openStore } from '../../src/book/store/store.ts';
import { sha256 } from '../../src/json.ts';
import { demoMarket } from '../../src/market/demoMarket.ts';
import { compileMarket } from '../../src/market/market.ts';
import type { MarketSnapshot } from '../../src/market/snapshot.ts';
import { shortDigest } from '../digest.ts';
import { ServerProcess } from '../http/serverProcess.ts';
import { atMost, type Line, type Target } from '../line.ts';
import { bookedAccounts, inFolder, line, type SiteOptions, SMALL } from './bookSite.ts';

const FULL = {
  market: {},
  preset: 'exchange-crypto',
  scenarios: 10_240,
  accounts: 10_000,
  positions: 20,
  events: 1_000_000,
} as const;
const QUICK = { ...FULL, ...SMALL, events: 1_000 } as const;
/** Records of one append while the log is made. */
const BATCH = 4_000;
const LISTENS_SECONDS = 10;
const WRITTEN = Date.parse('2026-01-02T08:00:00.000Z');

export function restart(quick: boolean): Promise<readonly Line[]> {
  const { events, ...options } = quick ? QUICK : FULL;
  return inFolder(async (folder) => {
    const path = join(folder, 'book.db');
    const head = await makeLog(path, options, events);
    const fromSnapshot = await timed(path, options);
    await forgetSnapshots(path);
    const fromLog = await timed(path, options);
    const measured = (
      name: string,
      how: string,
      { listens, figures }: Restart,
      targets: readonly Target[] = [],
    ): Line =>
      line({
        name,
        rate: events / listens,
        unit: 'events/s',
        seconds: listens,
        per: `${events}`,
        figures: { allFiguresSeconds: figures },
        hash: shortDigest(head),
        targets,
        notes: [
          `${how}: listens after ${listens.toFixed(1)} s, all of ${options.accounts} accounts of ${options.positions} positions have figures, and those in liquidation a plan, after ${figures.toFixed(1)} s (${options.scenarios} scenarios, ${options.preset})`,
        ],
      });
    const asked = [atMost('seconds', fromSnapshot.listens, LISTENS_SECONDS)];
    return [
      measured('restart', 'after a kill, with the snapshots taken on the way', fromSnapshot, asked),
      // What it takes when every snapshot is lost: for comparison.
      measured('restart from the log alone', 'no snapshot', fromLog),
    ];
  });
}

/** Seconds since the process was started. */
interface Restart {
  readonly listens: number;
  readonly figures: number;
}

async function timed(path: string, options: SiteOptions): Promise<Restart> {
  const start = performance.now();
  const server = await ServerProcess.start({ ...options, book: { path, options, made: true } });
  const listens = (performance.now() - start) / 1_000;
  await server.quiet();
  const figures = (performance.now() - start) / 1_000;
  // It ends without a word: no snapshot is taken, as after a kill.
  await server.stop();
  return { listens, figures };
}

async function forgetSnapshots(path: string): Promise<void> {
  const connection = (await loadDriver()).connect(path);
  connection.exec('DELETE FROM snapshots; DELETE FROM snapshot_parts;');
  connection.close();
}

/** A log as a service writes it: accounts, then fills, deposits, ticks and margins. @returns the hash of its last record */
async function makeLog(path: string, options: SiteOptions, events: number): Promise<string> {
  const { market } = demoMarket(options.market);
  const store = await openStore(path, { clock: () => WRITTEN });
  const journal = await Journal.open(store);
  try {
    await journal.append([replacement('start', market)]);
    await openAccounts(journal, market, options);
    const made = drafts(journal.book, market);
    for (let left = events - journal.book.seq; left > 0; left -= BATCH) {
      const count = Math.min(BATCH, left);
      await journal.append(Array.from({ length: count }, () => made.next().value));
    }
    const { hash } = await store.head();
    return hash;
  } finally {
    await store.close();
  }
}

async function openAccounts(
  journal: Journal,
  market: MarketSnapshot,
  { accounts, positions }: SiteOptions,
): Promise<void> {
  const context = { market: compileMarket(market), now: market.asOf };
  const made = bookedAccounts(market, accounts, positions);
  for (let first = 0; first < made.length; first += 100) {
    const events = made
      .slice(first, first + 100)
      .flatMap((account) => decide(journal.book, { do: 'put-account', account }, context));
    // Decided on one book, several accounts state the terms of the same contract.
    const listed = new Set<string>();
    await journal.append(
      events.filter(({ kind, body }) => {
        if (kind !== 'contract-listed') return true;
        const repeated = listed.has(body.instrument);
        listed.add(body.instrument);
        return !repeated;
      }),
    );
  }
}

/** Of twenty events twelve are fills, five margins, two deposits and one a tick. */
function* drafts(book: Book, market: MarketSnapshot): Generator<Draft, never> {
  const traders = Array.from(book.accounts.values(), ({ id, positions }) => {
    const traded = [...positions].filter(([, { entryPrice }]) => entryPrice > 0);
    return { id, traded };
  }).filter(({ traded }) => traded.length > 0);
  for (let n = 0; ; n++) {
    const { id: account, traded } = traders[(n * 7_919) % traders.length]!;
    const place = n % 20;
    if (place < 12) {
      const [instrument, { size, entryPrice }] = traded[n % traded.length]!;
      const change = (n % 40 < 20 ? 0.1 : -0.1) * size;
      const fill = { account, id: `fill-${n}`, instrument, size: change, price: entryPrice };
      const answer = { account, records: ['fill'] };
      const request = { key: `request-${n}`, answer, bodyHash: sha256(String(n)) };
      yield { ...event('fill', fill), ...request };
    } else if (place < 17) yield marginOf(account, n, market.asOf);
    else if (place < 19) {
      const amount = place === 17 ? 10 : -10;
      yield event('collateral-moved', { account, asset: market.currency, amount, reason: 'wire' });
    } else yield tickOf(n, market);
  }
}

function marginOf(account: string, n: number, asOf: string): BookEvent {
  const [figures, scenarioSet, methodology] = [`${n}`, 'set', 'methodology'].map(sha256);
  return event('margin', {
    account,
    figures: figures!,
    market: figures!,
    scenarioSet: scenarioSet!,
    methodology: methodology!,
    engine: 'plimsoll/bench',
    asOf,
  });
}

function tickOf(n: number, { underlyings, asOf }: MarketSnapshot): BookEvent {
  const { id, spot } = underlyings[n % underlyings.length]!;
  const tick = {
    sequence: n,
    underlying: id,
    asOf: new Date(Date.parse(asOf) + n).toISOString(),
    spot: spot * (n % 40 < 20 ? 1.0001 : 0.9999),
  };
  return event('ticks', { source: 'feed', first: n, last: n, ticks: [tick] });
}
