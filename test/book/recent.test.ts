/** The end of the log in memory: bounded by records and by the prices in them. */
import { expect, it } from 'vitest';
import { RecentRecords } from '../../src/book/desk/recent.ts';
import type { LogRecord } from '../../src/book/store/store.ts';
import { LIMITS } from '../../src/limits.ts';

const record = (seq: number, kind: string, body: unknown): LogRecord => {
  return { seq, at: '2026-01-02T08:00:00.000Z', kind, body, hash: '' };
};
const fill = (seq: number): LogRecord => record(seq, 'fill', { account: 'a' });
const seqs = (records: readonly LogRecord[] | null) => records?.map(({ seq }) => seq) ?? null;

it('has the latest records, so many at most, and says where it does not reach', () => {
  const recent = new RecentRecords(3);
  expect(recent.after(0, 10)).toBeNull();
  for (let seq = 5; seq <= 9; seq++) recent.push(fill(seq));
  expect(seqs(recent.after(6, 10))).toEqual([7, 8, 9]);
  expect(seqs(recent.after(7, 1))).toEqual([8]);
  expect(seqs(recent.after(9, 10))).toEqual([]);
  expect(recent.after(5, 10)).toBeNull();
});

it('has fewer where they are large: of ticks each price counts, of a snapshot each contract, too', () => {
  const most = LIMITS.streamPricesKept;
  const quotes = Array.from({ length: most / 4 - 3 }, (_, i) => ({ strike: 1 + i, iv: 0.5 }));
  const expiry = '2026-03-27T08:00:00Z';
  const tick = {
    ...{ sequence: 1, underlying: 'BTC', asOf: expiry, spot: 1 },
    forwards: [{ expiry, price: 1 }],
    surface: [{ expiry, quotes }],
    marks: [{ instrument: 'BTC-PERPETUAL', mark: 1 }],
  };
  // A quarter of what is kept, each.
  const ticks = (seq: number) => record(seq, 'ticks', { ticks: [tick] });
  const recent = new RecentRecords(1_000);
  for (let seq = 1; seq <= 4; seq++) recent.push(ticks(seq));
  expect(seqs(recent.after(0, 10))).toEqual([1, 2, 3, 4]);
  recent.push(fill(5));
  expect(seqs(recent.after(0, 10))).toEqual([1, 2, 3, 4, 5]);
  recent.push(ticks(6));
  expect(recent.after(0, 10)).toBeNull();
  expect(seqs(recent.after(1, 10))).toEqual([2, 3, 4, 5, 6]);
  const instruments = Array.from({ length: most }, () => ({}));
  const snapshot = { underlyings: [{ spot: 1 }], instruments };
  // Larger than all that is kept: it stands alone until the next comes.
  recent.push(record(7, 'market-replaced', { snapshot }));
  expect(seqs(recent.after(6, 10))).toEqual([7]);
  expect(recent.after(5, 10)).toBeNull();
  recent.push(fill(8));
  expect(seqs(recent.after(7, 10))).toEqual([8]);
  expect(recent.after(6, 10)).toBeNull();
});
