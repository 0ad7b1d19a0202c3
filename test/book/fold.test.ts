/** The log and the book: what events do, what cannot follow, what comes back from bytes. */
import { describe, expect, it } from 'vitest';
import {
  type Book,
  type BookAccount,
  emptyBook,
  holdersOf,
  ledger,
  POSTINGS,
  toAccount,
} from '../../src/book/book.ts';
import {
  type BookEvent,
  EVENT_KINDS,
  EVENT_SCHEMAS,
  event,
  readEvent,
} from '../../src/book/events.ts';
import { accountsTouched, fold, type TypedRecord } from '../../src/book/fold.ts';
import { RecentIds } from '../../src/book/recentIds.ts';
import { restore, serialise } from '../../src/book/snapshots.ts';
import { canonicalJson } from '../../src/json.ts';
import { readAccount } from '../../src/margin/account.ts';
import { EXPIRY, LoggedBook, refusal, START } from './markets.ts';

const text = (book: Book): string => new TextDecoder().decode(serialise(book));

function replay(log: readonly string[], book = emptyBook()): Book {
  for (const line of log) fold(book, JSON.parse(line));
  return book;
}

/** A book with some of everything in it. */
function busy(): LoggedBook {
  const kept = new LoggedBook();
  kept.open('a', {
    collateral: [
      { asset: 'USD', amount: 100_000 },
      { asset: 'BTC', amount: 2 },
    ],
    positions: [{ instrument: 'ETH-LIN', size: 3 }],
    orders: [{ id: 'o1', instrument: 'BTC-LIN', side: 'buy', size: 4, price: 89_000 }],
  });
  kept.open('b', { mode: 'isolated', collateral: [{ asset: 'USD', amount: 50_000 }] });
  kept.fill('a', 'BTC-LIN', 3, 89_000, { order: 'o1', fee: 1.5, feeAsset: 'USD' });
  kept.fill('b', 'BTC-INV', -20_000, 91_000, { allocated: 4_000 });
  kept.fill('a', 'BTC-CALL', -1.5, 0.04);
  kept.run({ do: 'fund', instrument: 'BTC-INV', rate: 0.0001 });
  kept.append([
    event('state-changed', {
      ...{ account: 'a', from: 'healthy', to: 'margin-call' },
      ...{ equity: 1, initialRequirement: 2, maintenanceRequirement: 1 },
    }),
    event('call-opened', { account: 'a', call: 1, amount: 1, deadline: EXPIRY }),
    event('liquidation-started', { account: 'b', liquidation: 1, cause: 'maintenance' }),
    event('liquidation-planned', {
      ...{ account: 'b', liquidation: 1 },
      steps: [{ instrument: 'BTC-INV', size: 20_000, action: 'close' }],
    }),
    event('ticks', {
      ...{ source: 'feed', first: 7, last: 7 },
      ticks: [{ sequence: 7, underlying: 'BTC', asOf: START, spot: 90_001 }],
    }),
  ]);
  return kept;
}

describe('folding', () => {
  it('does to an account what the events say', () => {
    const { book } = busy();
    const a = toAccount(book, 'a');
    expect(a.positions).toEqual([
      { instrument: 'ETH-LIN', size: 3, entryPrice: null },
      { instrument: 'BTC-LIN', size: 3, entryPrice: 89_000 },
      { instrument: 'BTC-CALL', size: -1.5, entryPrice: 0.04 },
    ]);
    expect(a.orders).toEqual([
      { id: 'o1', instrument: 'BTC-LIN', side: 'buy', size: 1, price: 89_000 },
    ]);
    // 1.5 contracts of 0.04 coin are received; 1.5 USD of fee paid.
    expect(a.collateral).toEqual([
      { asset: 'USD', amount: 99_998.5 },
      { asset: 'BTC', amount: 2.06 },
    ]);
    expect(toAccount(book, 'b')).toMatchObject({
      mode: 'isolated',
      positions: [{ instrument: 'BTC-INV', size: -20_000, entryPrice: 91_000, allocated: 4_000 }],
    });
    // The short receives 20,000 / 90,000 BTC × 0.0001.
    expect(toAccount(book, 'b').collateral![1]!.amount).toBe((20_000 / 90_000) * 0.0001);
    for (const id of ['a', 'b']) expect(readAccount(toAccount(book, id)).id).toBe(id);
  });

  it('hands out copies', () => {
    const { book } = busy();
    const before = text(book);
    const account = toAccount(book, 'a');
    account.collateral![0]!.amount = -1;
    account.positions!.length = 0;
    account.orders![0]!.size = 9;
    expect(text(book)).toBe(before);
  });

  it('settlement pays holders and clears positions, orders and terms', () => {
    const kept = new LoggedBook();
    for (const id of ['long', 'short', 'other']) kept.open(id);
    kept.fill('long', 'BTC-FUT', 2, 90_000);
    kept.fill('short', 'BTC-FUT', -2, 90_000);
    const order = { id: 'o', instrument: 'BTC-FUT', side: 'sell', size: 1, price: 99_000 };
    kept.run({ do: 'place-orders', account: 'other', orders: [order] });
    kept.context = { ...kept.context, now: EXPIRY };
    const [settlement] = kept.run({ do: 'settle', instrument: 'BTC-FUT', price: 95_000 });
    expect(kept.balance('long', 'USD')).toBe(10_000);
    expect(kept.balance('short', 'USD')).toBe(-10_000);
    for (const id of ['long', 'short', 'other']) {
      const { positions, orders } = toAccount(kept.book, id);
      expect([positions, orders]).toEqual([[], []]);
    }
    expect(kept.book.contracts.has('BTC-FUT')).toBe(false);
    expect(settlement!.kind).toBe('settlement');
  });

  it('names the accounts that an event touches, before it is folded', () => {
    const { book } = busy();
    const funding = event('funding', { instrument: 'BTC-INV', rate: 0.1, mark: 1 });
    expect(accountsTouched(book, funding)).toEqual(['b']);
    expect(accountsTouched(book, event('account-closed', { account: 'z' }))).toEqual(['z']);
    const published = event('call-resolved', { account: 'a', call: 1 });
    expect(accountsTouched(book, published)).toEqual([]);
    expect(holdersOf(book, 'BTC-LIN')).toEqual(['a']);
  });
});

describe('records that do not fit', () => {
  const record = (book: Book, one: BookEvent, more: Partial<TypedRecord> = {}) =>
    ({ ...one, seq: book.seq + 1, at: book.at, ...more }) as TypedRecord;
  const fill = { account: 'a', id: 'x', instrument: 'BTC-LIN', size: 1, price: 1 };
  const refused: readonly [string, BookEvent, string][] = [
    ['an unknown account', event('fill', { ...fill, account: 'z' }), 'INVALID_RECORD'],
    ['an unlisted contract', event('fill', { ...fill, instrument: 'z' }), 'INVALID_RECORD'],
    ['no such order', event('order-filled', { account: 'a', order: 'z', size: 1, fill: 'x' }), ''],
    ['a state that is not held', stateFrom('healthy'), ''],
    [
      'a second call',
      event('call-opened', { account: 'a', call: 2, amount: 1, deadline: START }),
      '',
    ],
    ['another call', event('call-resolved', { account: 'a', call: 2 }), ''],
    ['a second liquidation', startOf('b', 2), ''],
    ['no liquidation', event('liquidation-ended', endOf('a')), ''],
    ['an account that is not flat', event('account-closed', { account: 'a' }), ''],
    ['terms of what is held', listing(), ''],
    ['a malformed body', event('fill', { ...fill, price: -1 }), 'INVALID_FIELD body.price'],
    ['a kind of no kind', { kind: 'thought' } as unknown as BookEvent, 'INVALID_RECORD kind'],
  ];

  it.each(refused)('%s', (_, one, code) => {
    const { book } = busy();
    const before = text(book);
    expect(refusal(() => fold(book, record(book, one)))).toBe(
      code === '' ? 'INVALID_RECORD' : code,
    );
    expect(text(book)).toBe(before);
  });

  it('a gap, a repetition, a clock that goes back', () => {
    const { book } = busy();
    const fine = event('collateral-moved', { account: 'a', asset: 'USD', amount: 1, reason: 'r' });
    for (const more of [{ seq: book.seq }, { seq: book.seq + 2 }, { at: '2026-01-01' }]) {
      expect(refusal(() => fold(book, record(book, fine, more)))).toBe('INVALID_RECORD');
    }
    expect(refusal(() => fold(book, record(book, fine)))).toBe('accepted');
  });
});

function stateFrom(from: BookAccount['heldState']): BookEvent {
  const figures = { equity: 1, initialRequirement: 1, maintenanceRequirement: 1 };
  return event('state-changed', { account: 'a', from, to: 'warning', ...figures });
}
function startOf(account: string, liquidation: number): BookEvent {
  return event('liquidation-started', { account, liquidation, cause: 'maintenance' });
}
function endOf(account: string) {
  return { account, liquidation: 1, outcome: 'stopped' } as const;
}
function listing(): BookEvent {
  const { listed } = busy().book.contracts.get('BTC-LIN')!;
  return { kind: 'contract-listed', body: { ...listed, multiplier: 5 } };
}

describe('bytes', () => {
  it('a replayed log, and a restored snapshot with the rest of the log, are the live book', () => {
    const { book, log } = busy();
    expect(text(replay(log))).toBe(text(book));
    for (let cut = 0; cut <= log.length; cut++) {
      const restored = restore(serialise(replay(log.slice(0, cut))));
      expect(text(replay(log.slice(cut), restored))).toBe(text(book));
    }
  });

  it('the key order of the stored bodies does not show', () => {
    const { book, log } = busy();
    const sorted = log.map((line) => canonicalJson(JSON.parse(line)));
    expect(text(replay(sorted))).toBe(text(book));
  });

  it('numbers come back with their bits', () => {
    const kept = new LoggedBook();
    kept.open('a', { collateral: [{ asset: 'USD', amount: 0.1 + 0.2 }] });
    kept.fill('a', 'BTC-INV', 5e-324 + 1e-7, 1e15);
    const back = restore(serialise(kept.book));
    expect(toAccount(back, 'a')).toEqual(toAccount(kept.book, 'a'));
    expect(back.accounts.get('a')).toEqual(kept.book.accounts.get('a'));
  });

  it('what is no snapshot of this format is refused', () => {
    for (const bad of ['', 'null', '{}', '{"format":"plimsoll-book/0"}']) {
      expect(refusal(() => restore(new TextEncoder().encode(bad)))).toBe('INVALID_RECORD');
    }
  });
});

describe('the ledger', () => {
  it('states where every amount came from', () => {
    const { book } = busy();
    const usd = ledger(book).get('USD')!;
    const named = Object.fromEntries(POSTINGS.map((name, i) => [name, usd[i]]));
    expect(named).toMatchObject({ transfer: 150_000, fee: -1.5, realised: 0 });
    const btc = ledger(book).get('BTC')!;
    expect(btc[POSTINGS.indexOf('premium')]).toBe(0.06);
  });

  it('remembers accounts that are closed', () => {
    const kept = new LoggedBook();
    kept.open('a', { collateral: [{ asset: 'USD', amount: 10 }] });
    kept.run({ do: 'fill', account: 'a', fills: [feeOf(10)] });
    kept.fill('a', 'BTC-LIN', -1, 90_000);
    kept.run({ do: 'delete-account', account: 'a' });
    expect(kept.book.accounts.size).toBe(0);
    expect(ledger(kept.book).get('USD')).toEqual([10, 0, 0, -10, 0, 0, 0]);
  });
});

function feeOf(fee: number) {
  return { id: 'fee', instrument: 'BTC-LIN', size: 1, price: 90_000, fee, feeAsset: 'USD' };
}

describe('events', () => {
  it('every kind is known, versioned and closed', () => {
    for (const kind of EVENT_KINDS) {
      expect(EVENT_SCHEMAS[kind]).toMatchObject({ additionalProperties: false });
      expect(EVENT_SCHEMAS[kind].required).toContain('v');
    }
    const read = (body: unknown) =>
      refusal(() => readEvent({ seq: 1, at: START, kind: 'account-closed', body }));
    expect(read({ v: 1, account: 'a' })).toBe('accepted');
    expect(read({ v: 2, account: 'a' })).toBe('INVALID_FIELD body.v');
    expect(read({ account: 'a' })).toBe('MISSING_FIELD body.v');
    expect(read({ v: 1, account: 'a', more: 1 })).toBe('UNKNOWN_FIELD body.more');
  });

  it('recent ids are the last n, or at least half of them, and are added again to the same', () => {
    const ids = new RecentIds(4);
    const names = ['a', 'b', 'c', 'b', 'd', 'e'];
    const lists = names.map((id) => {
      ids.add(id);
      const again = new RecentIds(4);
      for (const one of ids.list()) again.add(one);
      expect(again.list()).toEqual(ids.list());
      return ids.list().join('');
    });
    expect(lists).toEqual(['a', 'ab', 'abc', 'abcb', 'cbd', 'cbde']);
    expect(['a', 'b', 'e'].map((id) => ids.has(id))).toEqual([false, true, true]);
  });
});
