/** Laws of the book under random commands: replay, restoring, conservation, exact sizes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Book, emptyBook, POSTINGS, toAccount } from '../../src/book/book.ts';
import { assess } from '../../src/book/calls.ts';
import { fold } from '../../src/book/fold.ts';
import { restore, serialise } from '../../src/book/snapshots.ts';
import { PlimsollError } from '../../src/errors.ts';
import { readAccount } from '../../src/margin/account.ts';
import { EXPIRY, LoggedBook } from './markets.ts';

const ACCOUNTS = ['a', 'b', 'c'];
const MARKS: Readonly<Record<string, number>> = {
  'BTC-LIN': 90_000,
  'BTC-INV': 90_000,
  'ETH-LIN': 3_000,
  'BTC-FUT': 91_000,
  'BTC-FUTINV': 91_000,
  'BTC-CALL': 0.04,
  'BTC-PUT': 900,
  'BTC-SPOT': 90_000,
  'BTC-DIGITAL': 0.5,
};
const INSTRUMENTS = Object.keys(MARKS);
const EPS = 2 ** -52;

const text = (book: Book): string => new TextDecoder().decode(serialise(book));
const pick = (list: readonly string[]) => fc.constantFrom(...list);
const account = pick(ACCOUNTS);
const instrument = pick(INSTRUMENTS);
/** Sizes of three decimals, as whole thousandths. */
const thousandths = fc.integer({ min: -3_000, max: 3_000 }).filter((n) => n !== 0);
const cents = fc.integer({ min: -500_000, max: 500_000 }).filter((n) => n !== 0);
const level = fc.integer({ min: 500, max: 2_000 });

interface Trade {
  readonly instrument: string;
  readonly buyer: string;
  readonly seller: string;
  readonly thousandths: number;
  readonly level: number;
  readonly fee: number;
}

const trade = fc
  .record({
    ...{ instrument, buyer: account, seller: account, thousandths, level },
    fee: fc.integer({ min: 0, max: 300 }),
  })
  .filter(({ buyer, seller }) => buyer !== seller);

type Act = (kept: LoggedBook) => void;

const priceOf = ({ instrument: id, level: share }: Trade): number => (MARKS[id]! * share) / 1_000;

const tradeAct = (one: Trade): Act => {
  return (kept) => {
    const price = priceOf(one);
    const fee = { fee: one.fee / 100, feeAsset: 'USD' };
    const size = one.thousandths / 1_000;
    kept.fill(one.buyer, one.instrument, size, price, fee);
    kept.fill(one.seller, one.instrument, -size, price, fee);
  };
};

const command = (make: fc.Arbitrary<object>, freeAfter = 0): fc.Arbitrary<Act> =>
  make.map((one) => (kept) => kept.run(one, { freeAfter }));

const moveOf = fc.record({
  ...{ do: fc.constant('move-collateral'), account, asset: pick(['USD', 'BTC', 'USDT']) },
  ...{ amount: cents.map((n) => n / 100), reason: fc.constant('test') },
});
const orderId = pick(['o1', 'o2', 'o3']);
const placement = fc.record({
  ...{ do: fc.constant('place-orders'), account },
  orders: fc.array(
    fc.record({
      ...{ id: orderId, instrument, side: fc.constantFrom('buy', 'sell') },
      size: thousandths.map((n) => Math.abs(n) / 1_000),
      price: level,
    }),
    { minLength: 1, maxLength: 2 },
  ),
});
const amendment = fc.record({
  ...{ do: fc.constant('amend-order'), account, order: orderId },
  size: thousandths.map((n) => n / 500),
});
const cancellation = fc.record(
  {
    ...{ do: fc.constant('cancel-orders'), account, reason: fc.constant('test') },
    orders: fc.array(orderId, { minLength: 1, maxLength: 2 }),
  },
  { requiredKeys: ['do', 'account', 'reason'] },
);
const funding = fc.record({
  ...{ do: fc.constant('fund'), instrument },
  rate: fc.integer({ min: -100, max: 100 }).map((n) => n / 10_000),
});
const settings = fc.record({
  do: fc.constant('put-account'),
  account: fc.record({
    ...{ id: account, mode: fc.constantFrom('portfolio', 'cross') },
    creditLine: fc.integer({ min: 0, max: 9 }),
  }),
});

/** Figures from nowhere, and time that passes: states, calls, expiries. */
const assessment = fc
  .record({ account, equity: fc.integer({ min: -20, max: 200 }), minutes: fc.nat(90) })
  .map(({ account: id, equity, minutes }): Act => {
    return (kept) => {
      const now = new Date(Date.parse(kept.context.now) + minutes * 60_000).toISOString();
      kept.context = { ...kept.context, now };
      const standing = { equity, initialRequirement: 100, maintenanceRequirement: 80 };
      const levels = { warningLevel: 1.25, releaseLevel: 1.05 };
      kept.append(assess(kept.book.accounts.get(id)!, [standing], levels, now));
    };
  });

const acts = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: trade.map(tradeAct) },
    { weight: 2, arbitrary: command(moveOf) },
    { weight: 2, arbitrary: command(placement) },
    command(amendment),
    command(cancellation),
    command(funding),
    command(settings),
    { weight: 2, arbitrary: assessment },
  ),
  { minLength: 5, maxLength: 60 },
);

function opened(): LoggedBook {
  const kept = new LoggedBook();
  for (const id of ACCOUNTS) kept.open(id, { collateral: [{ asset: 'USD', amount: 5_000 }] });
  return kept;
}

/** Runs them; what is refused is refused for a reason that is the caller's. */
function perform(kept: LoggedBook, list: readonly Act[]): void {
  for (const act of list) {
    const before = text(kept.book);
    try {
      act(kept);
    } catch (error) {
      if (!(error instanceof PlimsollError)) throw error;
      expect(error.status).toBeLessThan(500);
      expect(text(kept.book)).toBe(before);
    }
  }
}

describe('under random commands', () => {
  it('a replay of the log, and any snapshot with the rest of it, have the bytes of the live book', () => {
    const met = new Set<string>();
    const property = fc.property(acts, fc.nat(), (list, at) => {
      const kept = opened();
      perform(kept, list);
      for (const line of kept.log) met.add(JSON.parse(line).kind);
      const replayed = emptyBook();
      const cut = at % (kept.log.length + 1);
      let restored = emptyBook();
      kept.log.forEach((line, i) => {
        if (i === cut) restored = restore(serialise(restored));
        fold(replayed, JSON.parse(line));
        fold(restored, JSON.parse(line));
      });
      expect(text(replayed)).toBe(text(kept.book));
      expect(text(restored)).toBe(text(kept.book));
      for (const id of ACCOUNTS) {
        const states = [replayed, kept.book].map((book) => book.accounts.get(id)!.heldState);
        expect(states[0]).toBe(states[1]);
        expect(readAccount(toAccount(kept.book, id)).id).toBe(id);
      }
    });
    fc.assert(property, { numRuns: 200, seed: 101 });
    // The sequences reach what they are meant to reach.
    const hoped = ['fill', 'order-placed', 'order-amended', 'order-cancelled', 'collateral-moved'];
    const rarer = ['funding', 'account-changed', 'call-opened', 'call-resolved', 'call-expired'];
    const ended = ['liquidation-started', 'liquidation-ended', 'state-changed', 'contract-listed'];
    expect([...hoped, ...rarer, ...ended].filter((kind) => !met.has(kind))).toEqual([]);
  });

  it('collateral is the sum of its postings', () => {
    const property = fc.property(acts, (list) => {
      const kept = opened();
      perform(kept, list);
      for (const { collateral, postings } of kept.book.accounts.values()) {
        for (const [asset, amounts] of postings) {
          const total = amounts.reduce((sum, amount) => sum + amount, 0);
          // Each of at most 120 flows is rounded into a balance and into a posting, relative to amounts below 1e7.
          const most = 240 * EPS * 1e7;
          expect(Math.abs(total - (collateral.get(asset) ?? 0))).toBeLessThanOrEqual(most);
        }
        for (const asset of collateral.keys()) expect(postings.has(asset)).toBe(true);
      }
    });
    fc.assert(property, { numRuns: 100, seed: 102 });
  });
});

/** What a position would bring at a price, in what its contract pays in. */
function worth(book: Book, id: string, price: number): number {
  let total = 0;
  const { listed, multiplier, settlement, type } = book.contracts.get(id)!;
  for (const { positions } of book.accounts.values()) {
    const position = positions.get(id);
    if (position === undefined) continue;
    const { size, entryPrice } = position;
    if (type !== 'perpetual' && type !== 'future') total += size * multiplier * price;
    else if (settlement === 'inverse') total += size * multiplier * (1 / entryPrice - 1 / price);
    else total += size * multiplier * (price - entryPrice);
  }
  expect(listed.instrument).toBe(id);
  return total;
}

describe('trades between accounts', () => {
  const trades = fc.array(trade, { minLength: 1, maxLength: 50 });

  it('what one gains the others lose: realised and unrealised gains, premiums, funding and settlement sum to 0', () => {
    const property = fc.property(trades, level, fc.boolean(), (list, share, settles) => {
      const kept = opened();
      for (const one of list) tradeAct(one)(kept);
      for (const id of INSTRUMENTS) {
        if (!kept.book.contracts.has(id) || !/LIN|INV/.test(id) || id === 'BTC-FUTINV') continue;
        kept.run({ do: 'fund', instrument: id, rate: share / 1e6 });
      }
      if (settles) {
        kept.context = { ...kept.context, now: EXPIRY };
        for (const id of ['BTC-FUT', 'BTC-FUTINV', 'BTC-CALL', 'BTC-PUT', 'BTC-DIGITAL']) {
          kept.run({ do: 'settle', instrument: id, price: 90 * share });
        }
      }
      const totals = new Map<string, number>();
      for (const { postings } of kept.book.accounts.values()) {
        for (const [asset, amounts] of postings) {
          const moved = amounts.filter((_, i) => !['transfer', 'fee'].includes(POSTINGS[i]!));
          totals.set(
            asset,
            moved.reduce((a, b) => a + b, totals.get(asset) ?? 0),
          );
        }
      }
      for (const id of kept.book.contracts.keys()) {
        const { asset } = kept.book.contracts.get(id)!.listed;
        const price = (MARKS[id]! * share) / 1_000;
        totals.set(asset, (totals.get(asset) ?? 0) + worth(kept.book, id, price));
      }
      for (const [asset, total] of totals) {
        // 100 fills of at most 3 × 180,000 USD; of coin at most 3 × 10 (options) and 3/45,000. Some ten roundings each.
        const most = (asset === 'USD' ? 3 * 180_000 : 30) * 100 * 10 * EPS;
        expect(Math.abs(total)).toBeLessThanOrEqual(most);
      }
    });
    fc.assert(property, { numRuns: 200, seed: 103 });
  });

  it('sizes are exact, and gains do not depend on how they were averaged', () => {
    const property = fc.property(trades, level, (list, share) => {
      const kept = opened();
      const exact = new Map<string, number>();
      const gains = new Map<string, number>();
      for (const one of list) {
        tradeAct(one)(kept);
        const price = priceOf(one);
        const mark = (MARKS[one.instrument]! * share) / 1_000;
        const { multiplier, listed } = kept.book.contracts.get(one.instrument)!;
        const each = listed.asset === 'USD' ? mark - price : 0;
        for (const [id, sign] of [
          [one.buyer, 1],
          [one.seller, -1],
        ] as const) {
          const key = `${id} ${one.instrument}`;
          exact.set(key, (exact.get(key) ?? 0) + sign * one.thousandths);
          const gain = ((sign * one.thousandths) / 1_000) * multiplier * each;
          gains.set(id, (gains.get(id) ?? 0) + gain);
        }
      }
      for (const [key, count] of exact) {
        const [id, name] = key.split(' ') as [string, string];
        const position = kept.book.accounts.get(id)!.positions.get(name);
        expect(position?.size ?? 0).toBe(count / 1_000);
      }
      for (const id of ACCOUNTS) {
        const alone = linearGains(kept.book, id, share);
        // As above: both sums run over at most 100 fills of at most 540,000 USD.
        expect(Math.abs(alone - (gains.get(id) ?? 0))).toBeLessThanOrEqual(540_000 * 2_000 * EPS);
      }
    });
    fc.assert(property, { numRuns: 200, seed: 104 });
  });
});

/** Postings of one account in USD, without transfers and fees, and what its contracts in USD would bring. */
function linearGains(book: Book, id: string, share: number): number {
  const { postings, positions } = book.accounts.get(id)!;
  const only = { ...book, accounts: new Map([[id, book.accounts.get(id)!]]) };
  const usd = postings.get('USD') ?? [];
  let total = usd.reduce(
    (sum, amount, i) => (['transfer', 'fee'].includes(POSTINGS[i]!) ? sum : sum + amount),
    0,
  );
  for (const name of positions.keys()) {
    if (book.contracts.get(name)!.listed.asset !== 'USD') continue;
    total += worth(only, name, (MARKS[name]! * share) / 1_000);
  }
  return total;
}
