/** The same account, the same bytes: alone, in a batch, in a lab, its lists in any order. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { studyContext } from '../../src/engine/studies/studyShard.ts';
import { readAccount } from '../../src/margin/account.ts';
import { between, books, collaterals, opened, type Position } from './books.ts';

const run = (numRuns: number) => ({ numRuns, seed: 20_260_107 });
const filled = opened({ scenarios: 1_500 });
const text = (outcome: unknown): string => JSON.stringify(outcome);

/** Orders at 98% to 102% of what they would be filled at, in instruments that are held and in others. */
const ordersOf = (positions: readonly Position[]) => {
  const { market, plan } = filled.session.valuation;
  return positions.map(({ instrument, size }, i) => {
    const index = market.instrumentIndex.get(instrument)!;
    const { type, mark, multiplier, settlement, underlying } = market.instruments[index]!;
    const { spot } = market.underlyings[underlying]!;
    const priced = type === 'perpetual' || type === 'future';
    const unit = multiplier * (settlement === 'coin' ? spot : 1);
    const fair = priced ? mark : plan.baseValues[index]! / unit;
    const side = size > 0 ? 'buy' : 'sell';
    const price = Math.max(1e-6, fair * (0.98 + 0.01 * (i % 5)));
    return { instrument, side, size: Math.abs(size), price };
  });
};

const account = fc
  .record({
    mode: fc.constantFrom('portfolio', 'cross', 'isolated'),
    held: books(filled, { least: 0, most: 12, entries: true }),
    ordered: books(filled, { least: 0, most: 4 }),
    collateral: collaterals(filled),
    creditLine: fc.constantFrom(0, 5_000),
    also: fc.nat(3),
  })
  .map(({ mode, held, ordered, collateral, creditLine, also }) => {
    const positions = held.map((position, i) => ({ ...position, allocated: 1_000 * i }));
    const orders = ordersOf([...ordered, ...held.slice(0, also)]);
    return { id: 'a', mode, positions, orders, collateral, creditLine };
  });

/** A permutation of a list, from the numbers that fast-check draws for it. */
const shuffled = <T>(list: readonly T[], keys: readonly number[]): T[] =>
  list
    .map((item, i) => ({ item, key: keys[i % keys.length]! * 31 + i * 7 }))
    .sort((a, b) => (a.key % 97) - (b.key % 97))
    .map(({ item }) => item);
const keys = fc.array(fc.nat(96), { minLength: 5, maxLength: 13 });

describe('the same bytes', () => {
  it('in a batch, in any order of it, alone and in a lab', () => {
    const context = studyContext(filled.bench, 0);
    fc.assert(
      fc.property(fc.array(account, { minLength: 17, maxLength: 40 }), (accounts) => {
        // More than sixteen go through the cube in blocks, one goes through rows.
        const batch = filled.evaluate(accounts).map(text);
        const backwards = filled
          .evaluate([...accounts].reverse())
          .map(text)
          .reverse();
        expect(backwards).toEqual(batch);
        accounts.forEach((one, i) => {
          expect(filled.evaluate([one]).map(text)).toEqual([batch[i]]);
        });
        const read = accounts.slice(0, 3).map(readAccount);
        const lab = context.lab(read);
        read.forEach((one, i) => {
          expect(text(lab.margin(one))).toBe(batch[i]);
        });
      }),
      run(12),
    );
  });

  it('whatever the order of positions', () => {
    fc.assert(
      fc.property(account, keys, (one, drawn) => {
        const other = { ...one, positions: shuffled(one.positions, drawn) };
        expect(filled.evaluate([other]).map(text)).toEqual(filled.evaluate([one]).map(text));
      }),
      run(150),
    );
  });

  it('whatever the order of collateral', () => {
    fc.assert(
      fc.property(account, keys, (one, drawn) => {
        const other = { ...one, collateral: shuffled(one.collateral, drawn) };
        expect(filled.evaluate([other]).map(text)).toEqual(filled.evaluate([one]).map(text));
      }),
      run(150),
    );
  });

  it('whatever the order of orders', () => {
    // Sales that close: their fees and losses are all that is charged, so that no larger figure hides their last bit.
    const closing = fc.array(between(0.01, 10), { minLength: 2, maxLength: 8 });
    fc.assert(
      fc.property(closing, keys, (sizes, drawn) => {
        const [perpetual] = filled.session.valuation.market.instruments.filter(
          ({ type }) => type === 'perpetual',
        );
        const { id: instrument, mark } = perpetual!;
        const orders = sizes.map((size) => ({
          instrument,
          side: 'sell',
          size,
          price: 0.97 * mark,
        }));
        const one = { id: 'a', positions: [{ instrument, size: 100 }], orders };
        const other = { ...one, orders: shuffled(orders, drawn) };
        expect(filled.evaluate([other]).map(text)).toEqual(filled.evaluate([one]).map(text));
      }),
      run(150),
    );
  });

  it('in columns as in rows', () => {
    fc.assert(
      fc.property(account, ({ positions, ...one }) => {
        const columns = {
          ...one,
          instruments: positions.map(({ instrument }) => instrument),
          sizes: positions.map(({ size }) => size),
          entryPrices: positions.map(({ entryPrice }) => entryPrice ?? null),
          allocated: positions.map(({ allocated }) => allocated),
        };
        const rows = filled.evaluate([{ ...one, positions }]).map(text);
        expect(filled.evaluate([columns]).map(text)).toEqual(rows);
      }),
      run(60),
    );
  });
});
