/** Opening, changing and closing accounts. */
import { PlimsollError } from '../errors.ts';
import { canonicalJson } from '../json.ts';
import { type Account, positionPath, readAccount } from '../margin/account.ts';
import { openAccount } from './accountFold.ts';
import { accountOf, type Book, type BookAccount, toAccount } from './book.ts';
import type { CommandOf } from './commands.ts';
import { checkAccount, Draft } from './draft.ts';
import { type BookEvent, type EventBody, event } from './events.ts';
import { type DecisionContext, Listings } from './listings.ts';

/**
 * Opens the account with what it holds; of one that is booked already, changes mode, credit line and allocations. Holdings that are stated then
 * must be those of the book (they change by fills, collateral moves and corrections), so that what `toAccount` gave can be put back, and a file of
 * accounts that is loaded twice overwrites nothing. What is left out stays.
 */
export function decidePut(
  book: Book,
  { account: input }: CommandOf<'put-account'>,
  context: DecisionContext,
): readonly BookEvent[] {
  const account = readAccount(input);
  const booked = book.accounts.get(account.id);
  if (booked === undefined) return openings(book, account, context);
  return changes(book, booked, account, input as object, context);
}

function openings(book: Book, account: Account, context: DecisionContext): readonly BookEvent[] {
  const { market } = context;
  if (market === null) throw new PlimsollError('NO_MARKET', 'no market is loaded');
  const { id, currency, mode, creditLine } = account;
  if (currency !== null && currency !== market.currency) {
    const message = `the account's currency is ${currency}, the market's ${market.currency}`;
    throw new PlimsollError('CURRENCY_MISMATCH', message, { account: id, path: 'currency' });
  }
  const listings = new Listings(book, context);
  const opened = event('account-opened', {
    account: id,
    mode,
    currency: market.currency,
    creditLine: creditLine + 0,
    collateral: openedCollateral(account, context),
    positions: openedPositions(account, listings),
    orders: openedOrders(account, listings),
  });
  const { seq, at } = book;
  checkAccount(openAccount(opened.body, { seq, at }));
  return [...listings.events, opened];
}

function openedCollateral(
  { id, collateral }: Account,
  { market }: DecisionContext,
): EventBody<'account-opened'>['collateral'] {
  return collateral.map(({ asset, amount }, i) => {
    if (asset !== market!.currency && !market!.underlyingIndex.has(asset)) {
      throw new PlimsollError(
        'UNKNOWN_ASSET',
        `${asset} is neither the currency ${market!.currency} nor an underlying with a spot`,
        { account: id, path: `collateral[${i}].asset` },
      );
    }
    return { asset, amount: amount + 0 };
  });
}

function openedPositions(
  account: Account,
  listings: Listings,
): EventBody<'account-opened'>['positions'] {
  const { id, instruments, sizes, entryPrices, allocated, mode } = account;
  const seen = new Set<string>();
  return instruments.map((instrument, i) => {
    const path = positionPath(account, i, 'instrument');
    listings.use(instrument, path);
    if (seen.has(instrument)) {
      const message = `two positions name ${instrument}`;
      throw new PlimsollError('DUPLICATE_POSITION', message, { account: id, path });
    }
    seen.add(instrument);
    if (sizes[i] === 0) {
      const place = { account: id, path: positionPath(account, i, 'size') };
      throw new PlimsollError('INVALID_FIELD', `the position in ${instrument} is of 0`, place);
    }
    const entry = entryPrices?.[i] ?? Number.NaN;
    const own = allocated?.[i] ?? Number.NaN;
    if (mode === 'isolated' && Number.isNaN(own)) {
      const place = { account: id, path: positionPath(account, i, 'allocated') };
      const message = `in isolated mode ${instrument} needs collateral of its own`;
      throw new PlimsollError('MISSING_FIELD', message, place);
    }
    return {
      instrument,
      size: sizes[i]!,
      entryPrice: Number.isNaN(entry) ? null : entry,
      ...(Number.isNaN(own) ? {} : { allocated: own + 0 }),
    };
  });
}

function openedOrders(
  { id: account, orders }: Account,
  listings: Listings,
): EventBody<'account-opened'>['orders'] {
  const seen = new Set<string>();
  return orders.map(({ id, instrument, side, size, price }, i) => {
    if (id === undefined) {
      const message = `orders[${i}].id is required: a booked order is changed and filled by its id`;
      throw new PlimsollError('MISSING_FIELD', message, { account, path: `orders[${i}].id` });
    }
    if (seen.has(id)) {
      const message = `two orders have the id ${id}`;
      throw new PlimsollError('DUPLICATE_ID', message, { account, path: `orders[${i}].id` });
    }
    seen.add(id);
    listings.use(instrument, `orders[${i}].instrument`);
    return { id, instrument, side, size, price };
  });
}

function changes(
  book: Book,
  booked: BookAccount,
  account: Account,
  input: object,
  context: DecisionContext,
): readonly BookEvent[] {
  const draft = new Draft(book, booked.id, context);
  checkHoldings(book, booked, account, input);
  const mode = 'mode' in input ? account.mode : booked.mode;
  const creditLine = 'creditLine' in input ? account.creditLine + 0 : booked.creditLine;
  const allocated = account.instruments
    .map((instrument, i) => ({ instrument, amount: (account.allocated?.[i] ?? Number.NaN) + 0 }))
    .filter(({ instrument, amount }) => {
      const before = booked.positions.get(instrument)!.allocated;
      return !Number.isNaN(amount) && amount !== before;
    });
  if (mode === booked.mode && creditLine === booked.creditLine && allocated.length === 0) return [];
  draft.emit(
    event('account-changed', {
      account: booked.id,
      ...(mode === booked.mode ? {} : { mode }),
      ...(creditLine === booked.creditLine ? {} : { creditLine }),
      ...(allocated.length === 0 ? {} : { allocated }),
    }),
  );
  if (mode === 'isolated') checkAllocations(draft);
  return draft.finish();
}

/** @throws MISSING_FIELD where a position has no collateral of its own */
export function checkAllocations(draft: Draft): void {
  for (const [instrument, { allocated }] of draft.account.positions) {
    if (!Number.isNaN(allocated)) continue;
    const message = `in isolated mode ${instrument} needs collateral of its own`;
    throw draft.fault('MISSING_FIELD', message, 'allocated');
  }
}

const FORMS: readonly (readonly [string, readonly string[]])[] = [
  ['currency', ['currency']],
  ['collateral', ['collateral']],
  ['positions', ['positions', 'instruments']],
  ['orders', ['orders']],
];

/** What the input states of its holdings against what the book has; order of lines does not count, nor do lines of 0. */
function checkHoldings(book: Book, booked: BookAccount, account: Account, input: object): void {
  const stated = comparable({
    currency: account.currency ?? booked.currency,
    collateral: account.collateral,
    positions: account.instruments.map((instrument, i) => ({
      instrument,
      size: account.sizes[i]!,
      entryPrice: account.entryPrices?.[i] ?? Number.NaN,
    })),
    orders: account.orders,
  });
  const held = toAccount(book, booked.id);
  const own = comparable({
    currency: booked.currency,
    collateral: held.collateral ?? [],
    positions: (held.positions ?? []).map(({ instrument, size, entryPrice }) => ({
      instrument,
      size,
      entryPrice: entryPrice ?? Number.NaN,
    })),
    orders: held.orders ?? [],
  });
  for (const [path, fields] of FORMS) {
    if (!fields.some((field) => field in input) || stated[path] === own[path]) continue;
    const message = `${path} differ from what is booked: holdings change by fills, collateral moves and corrections`;
    throw new PlimsollError('BOOK_CONFLICT', message, { account: booked.id, path });
  }
}

interface Holdings {
  readonly currency: string;
  readonly collateral: readonly { readonly asset: string; readonly amount: number }[];
  readonly positions: readonly object[];
  readonly orders: readonly object[];
}

function comparable({ currency, collateral, positions, orders }: Holdings): Record<string, string> {
  const lines = (rows: readonly object[]): string => rows.map(lineText).sort().join('\n');
  return {
    currency,
    collateral: lines(collateral.filter(({ amount }) => amount !== 0)),
    positions: lines(positions),
    orders: lines(orders),
  };
}

function lineText(row: object): string {
  const known = Object.entries(row).filter(([, value]) => !Number.isNaN(value));
  return canonicalJson(Object.fromEntries(known));
}

/** @throws NOT_FOUND; ACCOUNT_NOT_FLAT while it holds anything, is called or liquidated */
export function decideDelete(
  book: Book,
  { account: id }: CommandOf<'delete-account'>,
): readonly BookEvent[] {
  const { positions, orders, collateral, call, liquidation } = accountOf(book, id);
  const left = [
    [positions.size, 'positions'],
    [orders.size, 'open orders'],
    [collateral.size, 'collateral assets'],
    [call === null ? 0 : 1, 'margin call'],
    [liquidation === null ? 0 : 1, 'liquidation'],
  ] as const;
  const open = left.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  if (open.length > 0) {
    const message = `the account is not flat: ${open.join(', ')}`;
    throw new PlimsollError('ACCOUNT_NOT_FLAT', message, { account: id });
  }
  return [event('account-closed', { account: id })];
}

/** The call is marked as seen; once is enough. @throws NOT_FOUND */
export function decideAcknowledge(
  book: Book,
  { account: id, call: number, by }: CommandOf<'acknowledge-call'>,
): readonly BookEvent[] {
  const { call } = accountOf(book, id);
  if (call === null || call.call !== number) {
    const message = `the account has no open call ${number}`;
    throw new PlimsollError('NOT_FOUND', message, { account: id, path: 'call' });
  }
  if (call.acknowledged !== null) return [];
  return [event('call-acknowledged', { account: id, call: number, by })];
}
