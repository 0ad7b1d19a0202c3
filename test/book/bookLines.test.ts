/** A book that is written down while it goes on changing: the bytes are those of the moment when the writing began. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Book } from '../../src/book/book.ts';
import { accountsChanged } from '../../src/book/fold.ts';
import { BookLines, restore, serialise } from '../../src/book/snapshots.ts';
import { PlimsollError } from '../../src/errors.ts';
import { LoggedBook } from './markets.ts';

const IDS = ['a', 'b', 'c', 'd'];
const text = (book: Book): string => new TextDecoder().decode(serialise(book));

/** Does what the journal does: the writer is told of each account before it changes. */
class WrittenBook extends LoggedBook {
  writing: BookLines | null = null;

  override append(events: Parameters<LoggedBook['append']>[0]) {
    for (const one of events) {
      for (const id of accountsChanged(this.book, one)) {
        const account = this.book.accounts.get(id);
        if (account !== undefined) this.writing?.keep(account);
      }
      super.append([one]);
    }
    return events;
  }
}

type Act = (kept: WrittenBook) => void;

const id = fc.constantFrom(...IDS, 'new');
const amount = fc.integer({ min: 1, max: 1_000 });
const act: fc.Arbitrary<Act> = fc.oneof(
  fc
    .tuple(id, fc.constantFrom('BTC-LIN', 'BTC-INV', 'ETH-LIN'), amount, fc.boolean())
    .map(([account, instrument, n, buys]): Act => {
      return (kept) => kept.fill(account, instrument, buys ? n : -n, 90_000);
    }),
  fc.tuple(id, amount).map(([account, n]): Act => {
    const move = { do: 'move-collateral', account, asset: 'USD', amount: n, reason: 'test' };
    return (kept) => void kept.run(move);
  }),
  amount.map((n): Act => {
    const funding = { do: 'fund', instrument: 'BTC-LIN', rate: n / 1e6 };
    return (kept) => void kept.run(funding);
  }),
  fc.constant<Act>((kept) => void kept.run({ do: 'settle', instrument: 'ETH-LIN', price: 3_000 })),
  id.map(
    (account): Act =>
      (kept) =>
        void kept.run({ do: 'delete-account', account }),
  ),
  id.map(
    (account): Act =>
      (kept) =>
        kept.open(account, { creditLine: 5 }),
  ),
  fc.tuple(id, amount).map(([account, n]): Act => {
    const order = { id: `o${n}`, instrument: 'BTC-FUT', side: 'buy', size: n, price: 91_000 };
    return (kept) => void kept.run({ do: 'place-orders', account, orders: [order] });
  }),
);

/** What is refused changes nothing. */
function perform(kept: WrittenBook, acts: readonly Act[]): void {
  for (const one of acts) {
    try {
      one(kept);
    } catch (error) {
      if (!(error instanceof PlimsollError)) throw error;
    }
  }
}

const acts = fc.array(act, { maxLength: 40 });

describe('lines of a live book', () => {
  it('are those of the beginning, whatever happens between two of them', () => {
    let changed = 0;
    const property = fc.property(acts, fc.array(acts, { maxLength: 12 }), (before, between) => {
      const kept = new WrittenBook();
      for (const one of IDS) kept.open(one, { collateral: [{ asset: 'USD', amount: 1_000 }] });
      perform(kept, before);
      const expected = text(kept.book);
      kept.writing = new BookLines(kept.book);
      const lines: string[] = [];
      for (const line of kept.writing) {
        lines.push(line);
        perform(kept, between.shift() ?? []);
      }
      const written = [...lines, ''].join('\n');
      expect(written).toBe(expected);
      expect(text(restore(new TextEncoder().encode(written)))).toBe(expected);
      if (text(kept.book) !== expected) changed += 1;
    });
    fc.assert(property, { numRuns: 300, seed: 103 });
    // Most of them did change the book while it was written.
    expect(changed).toBeGreaterThan(100);
  });

  it('a book that was cut off is refused', () => {
    const kept = new LoggedBook();
    for (const one of IDS) kept.open(one);
    const whole = serialise(kept.book);
    for (let length = 0; length < whole.length; length += 7) {
      expect(() => restore(whole.subarray(0, length))).toThrow(/no snapshot/);
    }
    expect(text(restore(whole))).toBe(text(kept.book));
  });
});
