/** A journal that is opened again: from the snapshot that was taken while it went on, or from the log alone, it is the same book. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Journal } from '../../src/book/desk/journal.ts';
import { replacement } from '../../src/book/desk/marketDoor.ts';
import { event } from '../../src/book/events.ts';
import { serialise } from '../../src/book/snapshots.ts';
import { openStore, type Store } from '../../src/book/store/store.ts';
import { SNAPSHOT } from './markets.ts';

const ACCOUNTS = 400;
let folder: string;
let store: Store;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-journal-'));
  store = await openStore(join(folder, 'book.db'));
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

const idOf = (i: number): string => `account-${i}`;

async function opened(): Promise<Journal> {
  const journal = await Journal.open(store);
  await journal.append([replacement('start', SNAPSHOT)]);
  // A reason of some length: the snapshot takes many turns of the event loop to write.
  const open = (i: number) =>
    event('account-opened', {
      ...{ account: idOf(i), mode: 'portfolio', currency: 'USD', creditLine: i },
      collateral: Array.from({ length: 40 }, (_, k) => ({ asset: `ASSET-${i}-${k}`, amount: 1 })),
      ...{ positions: [], orders: [] },
    });
  await journal.append(Array.from({ length: ACCOUNTS }, (_, i) => open(i)));
  return journal;
}

const deposit = (i: number) =>
  event('collateral-moved', { account: idOf(i), asset: 'USD', amount: i + 1, reason: 'wire' });

/** Bytes of a journal that is opened again, and how many records it read on the way. */
async function again(limit = Number.POSITIVE_INFINITY) {
  const steps: number[] = [];
  let read = 0;
  const pages = store.pages.bind(store);
  const counted: Store = Object.create(store, {
    pages: {
      value: async function* (from: number) {
        for await (const page of pages(from)) {
          read += page.length;
          yield page;
        }
      },
    },
    latestSnapshot: {
      value: async () => {
        const found = await store.latestSnapshot();
        return found !== null && found.seq <= limit ? found : null;
      },
    },
  });
  const journal = await Journal.open(counted, undefined, ({ done, total }) => {
    steps.push(done);
    expect(total).toBe(journalEnd);
  });
  return { bytes: serialise(journal.book), read, steps };
}

let journalEnd = 0;

it('goes on while its snapshot is written, and the snapshot is of the beginning', async () => {
  const journal = await opened();
  const { seq } = journal.book;
  const saved = journal.saveSnapshot();
  let during = 0;
  let done = false;
  void saved.then(() => {
    done = true;
  });
  // Accounts from the last on, which are written last: they change before their turn.
  for (let i = ACCOUNTS - 1; i >= 0 && !done; i--) {
    await journal.append([deposit(i)]);
    during += 1;
  }
  await saved;
  expect(during).toBeGreaterThan(2);
  journalEnd = journal.book.seq;
  expect((await store.latestSnapshot())!.seq).toBe(seq);
  const live = serialise(journal.book);
  const short = await again();
  expect(short.read).toBe(journalEnd - seq);
  expect(Buffer.compare(short.bytes, live)).toBe(0);
  const whole = await again(0);
  expect(whole.read).toBe(journalEnd);
  expect(whole.steps.at(-1)).toBe(journalEnd);
  expect(Buffer.compare(whole.bytes, live)).toBe(0);
});

it('a snapshot of another form is passed over', async () => {
  const journal = await opened();
  await journal.append([deposit(1)]);
  journalEnd = journal.book.seq;
  const head = await store.head();
  const state = new TextEncoder().encode('{"format":"plimsoll-book/0"}\n');
  await store.saveSnapshot({ ...head, state });
  const { bytes, read } = await again();
  expect(read).toBe(journalEnd);
  expect(Buffer.compare(bytes, serialise(journal.book))).toBe(0);
});
