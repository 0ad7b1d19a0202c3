/** Accounts from Arrow against the same accounts as JSON, columns and rows alike; streams by pyarrow and by apache-arrow. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readArrowAccounts } from '../../src/engine/arrowAccounts.ts';
import type { PlimsollError } from '../../src/errors.ts';
import { type ColumnarAccountInput, readAccount } from '../../src/margin/account.ts';
import {
  ACCOUNTS,
  accountOf,
  CODED,
  documentsOf,
  plain,
  STREAMS,
  streamOf,
  TYPES,
} from './arrowStreams.ts';
import { piecesOf } from './pieces.ts';

/** The row form of a columnar document. */
function rowsOf({ instruments, sizes, entryPrices, allocated, ...head }: ColumnarAccountInput) {
  const positions = instruments.map((instrument, i) => {
    const margin = allocated?.[i] ?? undefined;
    const entryPrice = entryPrices?.[i] ?? undefined;
    return {
      instrument,
      size: sizes[i]!,
      ...(entryPrice === undefined ? {} : { entryPrice }),
      ...(margin === undefined ? {} : { allocated: margin }),
    };
  });
  return { ...head, positions };
}

/** What is left to compare between forms: which columns are absent is the form's own, an absent one says what NaNs say. */
function content(document: unknown) {
  const account = plain(readAccount(document));
  return withoutForm(account);
}

function withoutForm(account: ReturnType<typeof plain>) {
  const none = account.instruments.map(() => Number.NaN);
  const { entryPrices, allocated } = account;
  return {
    ...account,
    entryPrices: entryPrices ?? none,
    allocated: allocated ?? none,
    columnar: null,
  };
}

describe('readArrowAccounts', () => {
  it.each(STREAMS)('%s: the account of the columnar JSON, and of the rows', async (_, bytes) => {
    const documents = await documentsOf(piecesOf(bytes));
    expect(documents.every((document) => 'account' in document)).toBe(true);
    const accounts = documents.map((document) => plain(accountOf(document)));
    expect(accounts).toEqual(ACCOUNTS.map((document) => plain(readAccount(document))));
    expect(accounts.map(withoutForm)).toEqual(
      ACCOUNTS.map((document) => content(rowsOf(document))),
    );
  });

  const number = fc.double({ noDefaultInfinity: true, noNaN: true });
  const price = fc.double({ min: 1e-12, max: 1e12, noNaN: true });
  const id = fc.oneof(
    fc.constantFrom('BTC-PERPETUAL', 'É₿😀'),
    fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }),
  );
  const account = fc.integer({ min: 0, max: 6 }).chain((n) => {
    const column = <T>(value: fc.Arbitrary<T>) => fc.array(value, { minLength: n, maxLength: n });
    return fc.record(
      {
        id,
        mode: fc.constantFrom('portfolio' as const, 'cross' as const, 'isolated' as const),
        currency: fc.constantFrom('USD', 'EUR'),
        creditLine: fc.double({ min: 0, max: 1e9, noNaN: true }),
        instruments: column(id),
        sizes: column(number),
        entryPrices: column(fc.option(price)),
        allocated: column(fc.option(number)),
        collateral: fc.array(fc.record({ asset: id, amount: number }), { maxLength: 3 }),
        orders: fc.array(
          fc.record({
            instrument: id,
            side: fc.constantFrom('buy' as const, 'sell' as const),
            size: price,
            price,
          }),
          { maxLength: 2 },
        ),
      },
      { requiredKeys: ['id', 'instruments', 'sizes'] },
    );
  });

  it('gives what columnar JSON gives, for whatever apache-arrow writes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(account, { minLength: 1, maxLength: 6 }),
        fc.boolean(),
        async (accounts, coded) => {
          const bytes = streamOf(accounts, coded ? CODED : TYPES);
          const documents = await documentsOf(piecesOf(bytes), 2);
          expect(documents.map((document) => plain(accountOf(document)))).toEqual(
            accounts.map((document) => plain(readAccount(document))),
          );
        },
      ),
      { seed: 23, numRuns: 150 },
    );
  });

  it('reads sizes in place', async () => {
    const bytes = streamOf([{ id: 'a', instruments: ['X', 'Y'], sizes: [1, 2] }]);
    const [document] = await documentsOf(piecesOf(bytes));
    expect((accountOf(document!).sizes as Float64Array).buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  /** The error of the document as JSON, and of its row between two good ones in Arrow. */
  async function errors(row: Record<string, unknown>) {
    const good = {
      id: 'good',
      instruments: ['X'],
      sizes: [1],
      entryPrices: [null],
      allocated: [null],
      mode: 'cross',
      creditLine: 0,
    };
    const bytes = streamOf([good, row, { ...good, id: 'better' }]);
    const documents = await documentsOf(piecesOf(bytes));
    expect(accountOf(documents[0]!).id).toBe('good');
    expect(accountOf(documents[2]!).id).toBe('better');
    const record = (read: () => unknown): unknown => {
      try {
        return read();
      } catch (error) {
        return {
          account: (error as PlimsollError).account,
          ...(error as PlimsollError).toRecord(),
        };
      }
    };
    return { json: record(() => readAccount(row)), arrow: record(() => accountOf(documents[1]!)) };
  }

  it.each([
    ['an empty id', { id: '', instruments: ['X'], sizes: [1] }, 'INVALID_FIELD', 'id'],
    ['no id', { instruments: ['X'], sizes: [1] }, 'MISSING_FIELD', 'id'],
    ['a long id', { id: 'x'.repeat(129), instruments: ['X'], sizes: [1] }, 'INVALID_FIELD', 'id'],
    [
      'an unknown mode',
      { id: 'a', mode: 'gross', instruments: ['X'], sizes: [1] },
      'INVALID_FIELD',
      'mode',
    ],
    [
      'a negative credit line',
      { id: 'a', creditLine: -1, instruments: ['X'], sizes: [1] },
      'INVALID_FIELD',
      'creditLine',
    ],
    ['no sizes', { id: 'a', instruments: ['X'] }, 'MISSING_FIELD', 'sizes'],
    ['no instruments', { id: 'a', sizes: [1] }, 'MISSING_FIELD', 'instruments'],
    ['neither, but prices', { id: 'a', entryPrices: [1] }, 'UNKNOWN_FIELD', 'entryPrices'],
    [
      'a null size',
      { id: 'a', instruments: ['X', 'Y'], sizes: [1, null] },
      'INVALID_FIELD',
      'sizes[1]',
    ],
    [
      'a size that is no number',
      { id: 'a', instruments: ['X'], sizes: [Number.NaN] },
      'INVALID_FIELD',
      'sizes[0]',
    ],
    [
      'an infinite size',
      { id: 'a', instruments: ['X'], sizes: [-Infinity] },
      'INVALID_FIELD',
      'sizes[0]',
    ],
    [
      'a null instrument',
      { id: 'a', instruments: ['X', null], sizes: [1, 1] },
      'INVALID_FIELD',
      'instruments[1]',
    ],
    [
      'an empty instrument',
      { id: 'a', instruments: [''], sizes: [1] },
      'INVALID_FIELD',
      'instruments[0]',
    ],
    [
      'a price of 0',
      { id: 'a', instruments: ['X'], sizes: [1], entryPrices: [0] },
      'INVALID_FIELD',
      'entryPrices[0]',
    ],
    [
      'a price that is no number',
      { id: 'a', instruments: ['X'], sizes: [1], entryPrices: [Number.NaN] },
      'INVALID_FIELD',
      'entryPrices[0]',
    ],
    [
      'an infinite allocation',
      { id: 'a', instruments: ['X'], sizes: [1], allocated: [Infinity] },
      'INVALID_FIELD',
      'allocated[0]',
    ],
    ['too few sizes', { id: 'a', instruments: ['X', 'Y'], sizes: [1] }, 'INVALID_FIELD', 'sizes'],
    [
      'too many prices',
      { id: 'a', instruments: ['X'], sizes: [1], entryPrices: [1, 2] },
      'INVALID_FIELD',
      'entryPrices',
    ],
    [
      'too few allocations',
      { id: 'a', instruments: ['X'], sizes: [1], allocated: [] },
      'INVALID_FIELD',
      'allocated',
    ],
    [
      'a collateral without amount',
      { id: 'a', instruments: [], sizes: [], collateral: [{ asset: 'USD' }] },
      'MISSING_FIELD',
      'collateral[0].amount',
    ],
    [
      'a collateral of null',
      { id: 'a', instruments: [], sizes: [], collateral: [null] },
      'INVALID_FIELD',
      'collateral[0]',
    ],
    [
      'an order without side',
      { id: 'a', instruments: [], sizes: [], orders: [{ instrument: 'X', size: 1, price: 1 }] },
      'MISSING_FIELD',
      'orders[0].side',
    ],
  ])('%s is the error that JSON has, of that account alone', async (_, row, code, path) => {
    const { json, arrow } = await errors(row);
    expect(arrow).toEqual(json);
    expect(arrow).toMatchObject({ code, path });
  });

  it('takes a row without positions for an account that has none', async () => {
    const { json, arrow } = await errors({ id: 'a', creditLine: 5 });
    expect(arrow).toEqual(json);
    expect(arrow).toMatchObject({ id: 'a', instruments: [], creditLine: 5 });
  });

  it('refuses a text that is not UTF-8, of that account alone', async () => {
    const bytes = streamOf([{ id: 'first' }, { id: 'Ünique' }, { id: 'third' }]);
    const at = Buffer.from(bytes).indexOf('Ünique');
    bytes[at] = 0xff;
    const documents = await documentsOf(piecesOf(bytes));
    expect(accountOf(documents[0]!).id).toBe('first');
    expect(accountOf(documents[2]!).id).toBe('third');
    expect(() => accountOf(documents[1]!)).toThrow(
      expect.objectContaining({
        code: 'INVALID_FIELD',
        message: 'row 1 of its batch: a text is not UTF-8',
      }),
    );
  });

  it('refuses rows that the batch does not have', () => {
    const bytes = streamOf([{ id: 'a' }]);
    expect(() => readArrowAccounts(bytes, 0, 2)).toThrow('rows 0 to 2 of a batch of 1');
  });
});
