/** Commands: what is decided, and what is refused with which code and path. */
import { describe, expect, it } from 'vitest';
import { toAccount } from '../../src/book/book.ts';
import { changedContracts } from '../../src/book/listings.ts';
import { EXPIRY, LoggedBook, MARKET, marketWith, refusal } from './markets.ts';

const order = { id: 'o', instrument: 'BTC-LIN', side: 'buy', size: 4, price: 89_000 };
const fill = { id: 'f', instrument: 'BTC-LIN', size: 1, price: 90_000 };

function kept(): LoggedBook {
  const book = new LoggedBook();
  book.open('a', { collateral: [{ asset: 'USD', amount: 1_000 }] });
  return book;
}

type Row = readonly [string, object, string];
const fills = (more: object) => ({ do: 'fill', account: 'a', fills: [{ ...fill, ...more }] });
const orders = (...list: object[]) => ({ do: 'place-orders', account: 'a', orders: list });
const put = (account: object) => ({ do: 'put-account', account: { id: 'n', ...account } });
const correct = (more: object) => ({
  ...{ do: 'correct', account: 'a', refersTo: 1, reason: 'bust' },
  ...more,
});
const line = { instrument: 'BTC-LIN', size: 1, entryPrice: null };

const REFUSED: readonly Row[] = [
  ['a command of no kind', { do: 'think' }, 'INVALID_FIELD do'],
  ['no command', null as unknown as object, 'INVALID_FIELD do'],
  ['an unknown field', { do: 'delete-account', account: 'a', x: 1 }, 'UNKNOWN_FIELD x'],
  ['an unknown account', { do: 'delete-account', account: 'z' }, 'NOT_FOUND'],
  ['no fills', { do: 'fill', account: 'a', fills: [] }, 'INVALID_FIELD fills'],
  ['a fill of null', fills({ size: null }), 'INVALID_FIELD fills[0].size'],
  ['a fill of text', fills({ size: '1' }), 'INVALID_FIELD fills[0].size'],
  ['a fill of NaN', fills({ size: Number.NaN }), 'INVALID_FIELD fills[0].size'],
  ['a fill of 0', fills({ size: 0 }), 'INVALID_FIELD fills[0].size'],
  ['a fill without id', fills({ id: undefined }), 'INVALID_FIELD fills[0].id'],
  ['a price of 0', fills({ price: 0 }), 'INVALID_FIELD fills[0].price'],
  ['no such instrument', fills({ instrument: 'Q' }), 'UNKNOWN_INSTRUMENT fills[0].instrument'],
  ['a fee in nothing', fills({ fee: 1 }), 'MISSING_FIELD fills[0].feeAsset'],
  ['no fee in USD', fills({ feeAsset: 'USD' }), 'MISSING_FIELD fills[0].fee'],
  ['a fee in EUR', fills({ fee: 1, feeAsset: 'EUR' }), 'UNKNOWN_ASSET fills[0].feeAsset'],
  ['no such order', fills({ order: 'q' }), 'NOT_FOUND fills[0].order'],
  ['a size that only margin refuses', fills({ size: 1e308, price: 1e15 }), 'accepted'],
  ['a spot beyond doubles', fills({ instrument: 'BTC-SPOT', size: 1e308 }), 'NUMERIC_OVERFLOW'],
  ['two orders of one id', orders(order, order), 'DUPLICATE_ID orders[1].id'],
  ['an order of 0', orders({ ...order, size: 0 }), 'INVALID_FIELD orders[0].size'],
  [
    'an order on nothing',
    orders({ ...order, instrument: 'Q' }),
    'UNKNOWN_INSTRUMENT orders[0].instrument',
  ],
  ['no such amended', { do: 'amend-order', account: 'a', order: 'q', size: 1 }, 'NOT_FOUND order'],
  [
    'no such cancelled',
    { do: 'cancel-orders', account: 'a', orders: ['q'], reason: 'r' },
    'NOT_FOUND orders[0]',
  ],
  [
    'a position of 0',
    put({ positions: [{ instrument: 'BTC-LIN', size: 0 }] }),
    'INVALID_FIELD positions[0].size',
  ],
  [
    'two positions of one',
    put({ instruments: ['BTC-LIN', 'BTC-LIN'], sizes: [1, 1] }),
    'DUPLICATE_POSITION instruments[1]',
  ],
  [
    'an isolated position of nothing',
    put({ mode: 'isolated', positions: [{ instrument: 'BTC-LIN', size: 1 }] }),
    'MISSING_FIELD positions[0].allocated',
  ],
  [
    'an order without id',
    put({ orders: [{ ...order, id: undefined }] }),
    'MISSING_FIELD orders[0].id',
  ],
  ['another currency', put({ currency: 'EUR' }), 'CURRENCY_MISMATCH currency'],
  [
    'a strange coin',
    put({ collateral: [{ asset: 'X', amount: 1 }] }),
    'UNKNOWN_ASSET collateral[0].asset',
  ],
  ['collateral of 0', { ...move(0) }, 'INVALID_FIELD amount'],
  ['a strange asset', { ...move(1), asset: 'EUR' }, 'UNKNOWN_ASSET asset'],
  ['more than there is', { ...move(-1_000.01) }, 'INSUFFICIENT_COLLATERAL amount'],
  ['a coin that is not there', { ...move(-1), asset: 'BTC' }, 'INSUFFICIENT_COLLATERAL amount'],
  ['funding of nothing', { do: 'fund', instrument: 'Q', rate: 1 }, 'UNKNOWN_INSTRUMENT instrument'],
  ['funding without either', { do: 'fund', instrument: 'BTC-LIN' }, 'MISSING_FIELD rate'],
  [
    'funding by both',
    { do: 'fund', instrument: 'BTC-LIN', rate: 1, payments: [] },
    'INVALID_FIELD rate',
  ],
  [
    'settling of nothing',
    { do: 'settle', instrument: 'Q', price: 1 },
    'UNKNOWN_INSTRUMENT instrument',
  ],
  [
    'a correction of the future',
    correct({ refersTo: 99, positions: [line] }),
    'NOT_FOUND refersTo',
  ],
  ['a correction of nothing', correct({}), 'MISSING_FIELD positions'],
  [
    'a corrected 0',
    correct({ collateral: [{ asset: 'USD', amount: 0 }] }),
    'INVALID_FIELD collateral[0].amount',
  ],
  [
    'a line twice',
    correct({ positions: [line, line] }),
    'DUPLICATE_POSITION positions[1].instrument',
  ],
  [
    'an entry of nothing',
    correct({ positions: [{ ...line, size: 0, entryPrice: 1 }] }),
    'INVALID_FIELD positions[0].entryPrice',
  ],
  ['no open call', { do: 'acknowledge-call', account: 'a', call: 1, by: 'me' }, 'NOT_FOUND call'],
  ['what is held', { do: 'delete-account', account: 'a' }, 'ACCOUNT_NOT_FLAT'],
];

function move(amount: number) {
  return { do: 'move-collateral', account: 'a', asset: 'USD', amount, reason: 'test' };
}

describe('refusals', () => {
  it.each(REFUSED)('%s', (_, command, code) => {
    expect(refusal(() => kept().run(command, { freeAfter: 1 }))).toBe(code);
  });

  it('a fill that is booked already, in this command or before', () => {
    const book = kept();
    const twice = { do: 'fill', account: 'a', fills: [fill, fill] };
    expect(refusal(() => book.run(twice))).toBe('DUPLICATE_ID fills[1].id');
    book.run(fills({}));
    expect(refusal(() => book.run(fills({})))).toBe('DUPLICATE_ID fills[0].id');
    book.open('b');
    // The other side of the same trade.
    expect(refusal(() => book.run({ ...fills({}), account: 'b' }))).toBe('accepted');
  });

  it('all fills of a command or none', () => {
    const book = kept();
    const half = { do: 'fill', account: 'a', fills: [fill, { ...fill, id: 'g', size: 0 }] };
    expect(refusal(() => book.run(half))).toBe('INVALID_FIELD fills[1].size');
    expect(toAccount(book.book, 'a').positions).toEqual([]);
  });

  it('fills and orders in what has expired; settlement of what has not', () => {
    const book = kept();
    book.fill('a', 'BTC-CALL', 1, 0.03);
    const settle = { do: 'settle', instrument: 'BTC-CALL', price: 90_000 };
    expect(refusal(() => book.run(settle))).toBe('NOT_EXPIRED instrument');
    expect(refusal(() => book.run({ ...settle, instrument: 'BTC-LIN' }))).toBe('accepted');
    book.fill('a', 'BTC-LIN', 1, 1);
    expect(refusal(() => book.run({ ...settle, instrument: 'BTC-LIN' }))).toBe(
      'INVALID_FIELD instrument',
    );
    book.context = { ...book.context, now: EXPIRY };
    const late = { ...fill, instrument: 'BTC-CALL', price: 0.01 };
    const command = { do: 'fill', account: 'a', fills: [late] };
    expect(refusal(() => book.run(command))).toBe('EXPIRED_INSTRUMENT fills[0].instrument');
    const one = { ...order, instrument: 'BTC-FUT' };
    expect(refusal(() => book.run(orders(one)))).toBe('EXPIRED_INSTRUMENT orders[0].instrument');
    expect(book.run(settle)).toHaveLength(1);
    expect(refusal(() => book.run(settle))).toBe('accepted');
  });

  it('a market that states other terms for what is held, or none at all', () => {
    const book = kept();
    book.fill('a', 'BTC-LIN', 1, 90_000);
    const changed = marketWith(({ instruments }) => {
      instruments.find(({ id }) => id === 'BTC-LIN')!.multiplier = 1;
      instruments.splice(
        instruments.findIndex(({ id }) => id === 'BTC-PUT'),
        1,
      );
    });
    const code = refusal(() => book.run(fills({}), { market: changed }));
    expect(code).toBe('CONTRACT_CHANGED fills[0].instrument');
    expect(changedContracts(book.book, changed)).toEqual(['BTC-LIN']);
    expect(changedContracts(book.book, MARKET)).toEqual([]);
    // What is listed no more can still be closed; what nobody holds takes its new terms.
    book.fill('a', 'BTC-PUT', 1, 500);
    const close = fills({ id: 'p', instrument: 'BTC-PUT', size: -1, price: 400 });
    expect(refusal(() => book.run(close, { market: changed }))).toBe('accepted');
    book.fill('a', 'BTC-LIN', -1, 90_000);
    const [listed] = book.run(fills({}), { market: changed });
    expect(listed).toMatchObject({ kind: 'contract-listed', body: { multiplier: 1 } });
    expect(refusal(() => new LoggedBook().run(put({}), { market: null }))).toBe('NO_MARKET');
  });

  it('fills of an isolated account need collateral of their own', () => {
    const book = kept();
    book.run({ do: 'put-account', account: { id: 'a', mode: 'isolated' } });
    expect(refusal(() => book.run(fills({})))).toBe('MISSING_FIELD fills[0].allocated');
    expect(refusal(() => book.run(fills({ allocated: 500 })))).toBe('accepted');
    // It grows with what it has; turned around it is another position.
    expect(refusal(() => book.run(fills({ id: 'g' })))).toBe('accepted');
    const turn = fills({ id: 'h', size: -5 });
    expect(refusal(() => book.run(turn))).toBe('MISSING_FIELD fills[0].allocated');
    const flat = fills({ id: 'i', size: -2, allocated: 1 });
    expect(refusal(() => book.run(flat))).toBe('INVALID_FIELD fills[0].allocated');
  });

  it('a withdrawal that margin does not allow; one that nobody asked margin for', () => {
    const book = kept();
    const refused = refusal(() => book.run(move(-10), { freeAfter: -0.01 }));
    expect(refused).toBe('INSUFFICIENT_MARGIN amount');
    expect(refusal(() => book.run(move(-10), { freeAfter: Number.NaN }))).toBe(
      'INSUFFICIENT_MARGIN amount',
    );
    expect(refusal(() => book.run(move(-10)))).toBe('INTERNAL');
    expect(refusal(() => book.run(move(-1_000), { freeAfter: 0 }))).toBe('accepted');
    expect(refusal(() => book.run(move(10)))).toBe('accepted');
  });
});

describe('accounts', () => {
  it('what the book gives back can be put back, and changes nothing', () => {
    const book = kept();
    book.run(orders(order));
    book.fill('a', 'BTC-INV', 500, 88_000, { order: undefined });
    book.fill('a', 'BTC-CALL', -1, 0.05);
    expect(book.run({ do: 'put-account', account: toAccount(book.book, 'a') })).toEqual([]);
  });

  it('settings change by a put, holdings do not', () => {
    const book = kept();
    book.fill('a', 'BTC-LIN', 2, 90_000);
    const settings = { id: 'a', mode: 'isolated', creditLine: 5 };
    const own = { instrument: 'BTC-LIN', size: 2, entryPrice: 90_000, allocated: 700 };
    const account = { ...settings, positions: [own] };
    expect(refusal(() => book.run({ do: 'put-account', account: settings }))).toBe(
      'MISSING_FIELD allocated',
    );
    expect(book.run({ do: 'put-account', account })).toMatchObject([
      {
        kind: 'account-changed',
        body: { ...{ mode: 'isolated', creditLine: 5 }, allocated: [{ amount: 700 }] },
      },
    ]);
    const others: readonly [object, string][] = [
      [{ positions: [] }, 'positions'],
      [{ positions: [{ ...own, size: 3 }] }, 'positions'],
      [{ positions: [{ ...own, entryPrice: null }] }, 'positions'],
      [{ collateral: [{ asset: 'USD', amount: 1 }] }, 'collateral'],
      [{ orders: [order] }, 'orders'],
    ];
    for (const [more, path] of others) {
      const other = { do: 'put-account', account: { id: 'a', ...more } };
      expect(refusal(() => book.run(other))).toBe(`BOOK_CONFLICT ${path}`);
    }
  });

  it('a flat account is closed, a called one is not', () => {
    const book = kept();
    book.run(move(-1_000), { freeAfter: 0 });
    expect(book.run({ do: 'delete-account', account: 'a' })).toHaveLength(1);
    expect(refusal(() => toAccount(book.book, 'a'))).toBe('NOT_FOUND');
  });
});

describe('orders', () => {
  it('are filled in part and wholly, and only with what they are for', () => {
    const book = kept();
    book.run(orders(order));
    book.run(fills({ id: '1', size: 1.1, order: 'o' }));
    book.run(fills({ id: '2', size: 2.2, order: 'o' }));
    const open = () => toAccount(book.book, 'a').orders;
    expect(open()).toMatchObject([{ id: 'o', size: 0.7 }]);
    const over = fills({ id: '3', size: 0.8, order: 'o' });
    expect(refusal(() => book.run(over))).toBe('INVALID_FIELD fills[0].size');
    const other = fills({ id: '3', size: -0.1, order: 'o' });
    expect(refusal(() => book.run(other))).toBe('INVALID_FIELD fills[0].order');
    const events = book.run(fills({ id: '3', size: 0.7, order: 'o' }));
    expect(events.map(({ kind }) => kind)).toEqual(['fill', 'order-filled']);
    expect(open()).toEqual([]);
  });

  it('are amended and cancelled', () => {
    const book = kept();
    book.run(orders(order, { ...order, id: 'p' }));
    const amend = { do: 'amend-order', account: 'a', order: 'o' };
    expect(refusal(() => book.run(amend))).toBe('MISSING_FIELD size');
    expect(book.run({ ...amend, size: 4, price: 89_000 })).toEqual([]);
    book.run({ ...amend, size: 2 });
    expect(toAccount(book.book, 'a').orders![0]).toMatchObject({ size: 2, price: 89_000 });
    const all = book.run({ do: 'cancel-orders', account: 'a', reason: 'test' });
    expect(all).toHaveLength(2);
    expect(book.run({ do: 'cancel-orders', account: 'a', reason: 'test' })).toEqual([]);
  });
});

describe('funds', () => {
  it('funding takes the market mark, or payments as stated', () => {
    const book = kept();
    book.open('b');
    expect(book.run({ do: 'fund', instrument: 'ETH-LIN', rate: 0.001 })).toEqual([]);
    book.fill('a', 'ETH-LIN', 2, 3_000);
    book.fill('b', 'ETH-LIN', -2, 3_000);
    book.run({ do: 'fund', instrument: 'ETH-LIN', rate: 2 ** -10 });
    // 2 contracts at a mark of 3,010: 6,020/1,024, a power of two.
    expect(book.balance('b', 'USD')).toBe(5.87890625);
    expect(book.balance('a', 'USD')).toBe(994.12109375);
    const payments = [{ account: 'b', amount: 0.12109375 }];
    book.run({ do: 'fund', instrument: 'ETH-LIN', payments });
    expect(book.balance('b', 'USD')).toBe(6);
    const lost = { do: 'fund', instrument: 'ETH-LIN', payments: [{ account: 'z', amount: 1 }] };
    expect(refusal(() => book.run(lost))).toBe('NOT_FOUND payments[0].account');
    book.fill('a', 'BTC-FUT', 1, 90_000);
    const future = { do: 'fund', instrument: 'BTC-FUT', rate: 1 };
    expect(refusal(() => book.run(future))).toBe('INVALID_FIELD instrument');
  });

  it('what has no entry price settles to the mark, which the log states', () => {
    const book = kept();
    book.open('b', { positions: [{ instrument: 'BTC-FUT', size: 1 }] });
    book.fill('b', 'BTC-FUT', 1, 90_400);
    expect(book.balance('b', 'USD')).toBe(600);
    book.context = { market: null, now: EXPIRY };
    const settle = { do: 'settle', instrument: 'BTC-FUT', price: 92_000 };
    expect(refusal(() => book.run(settle))).toBe('MISSING_FIELD mark');
    book.run({ ...settle, mark: 91_500 });
    expect(book.balance('b', 'USD')).toBe(1_600);
  });

  it('a correction compensates; the record that was wrong stays', () => {
    const book = kept();
    book.fill('a', 'BTC-LIN', 5, 90_000, { fee: 2, feeAsset: 'USD' });
    const seq = book.book.seq;
    book.run({
      ...{ do: 'correct', account: 'a', refersTo: seq, reason: 'the trade was busted' },
      collateral: [{ asset: 'USD', amount: 2 }],
      positions: [{ instrument: 'BTC-LIN', size: -5, entryPrice: null }],
    });
    expect(toAccount(book.book, 'a')).toMatchObject({
      collateral: [{ asset: 'USD', amount: 1_000 }],
      positions: [],
    });
    expect(book.log).toHaveLength(seq + 1);
    // A position that is added needs the terms of its contract first.
    const added = { instrument: 'BTC-PUT', size: 1, entryPrice: 300 };
    const events = book.run(correct({ positions: [added] }));
    expect(events.map(({ kind }) => kind)).toEqual(['contract-listed', 'correction']);
  });

  it('coin-settled premiums and inverse gains are paid in coin', () => {
    const book = kept();
    book.fill('a', 'BTC-CALL', -2, 0.05);
    expect(book.balance('a', 'BTC')).toBe(0.1);
    book.fill('a', 'BTC-INV', 1_000, 50_000);
    book.fill('a', 'BTC-INV', -1_000, 62_500);
    // 1,000/50,000 − 1,000/62,500 = 0.004, up to a rounding of each term and of their difference.
    expect(Math.abs(book.balance('a', 'BTC') - 0.104)).toBeLessThanOrEqual(4 * 2 ** -52 * 0.02);
  });
});

it('every contract of the test market can be priced', () => {
  expect(MARKET.instruments.filter(({ problem }) => problem !== null)).toEqual([]);
});
