/** What is asked of the exchange: contracts and indices checked, and the channels that come of them. */
import { PlimsollError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import { type Contract, parseContract } from '../../market/readers/contracts.ts';
import { show } from '../../schema.ts';
import type { Subscription } from './messages.ts';

export interface DeribitIndex {
  /** `btc_usd` */
  readonly name: string;
  /** `BTC` */
  readonly underlying: string;
  /** Of the linear book, paid in USDC. */
  readonly linear: boolean;
  /** What `public/get_book_summary_by_currency` calls the book. */
  readonly currency: string;
}

export interface Plan {
  readonly contracts: ReadonlyMap<string, Contract>;
  readonly indices: readonly DeribitIndex[];
  /** By underlying. */
  readonly leading: ReadonlyMap<string, DeribitIndex>;
  readonly allOptions: boolean;
  readonly channels: readonly string[];
}

const INTERVAL = '100ms';

/**
 * @throws INVALID_FIELD for a name that is no contract, an index that is none, an underlying with two indices or an instrument without one;
 * MISSING_FIELD where nothing is asked for; TOO_LARGE
 */
export function planSubscription(subscription: Subscription): Plan {
  const { instruments, markPrices = false, books = [] } = subscription;
  const contracts = new Map<string, Contract>();
  instruments.forEach((name, i) => {
    contracts.set(name, contractOf(name, `instruments[${i}]`));
  });
  books.forEach((name, i) => {
    contractOf(name, `books[${i}]`);
  });
  const names = subscription.indices ?? defaultIndices([...contracts.values()]);
  const indices = names.map((name, i) => indexOf(name, `indices[${i}]`));
  const leading = new Map<string, DeribitIndex>();
  for (const index of indices) {
    const { underlying } = index;
    if (leading.has(underlying)) fail('indices', `${underlying} has two indices: choose one`);
    leading.set(underlying, index);
  }
  for (const { name, underlying } of contracts.values()) {
    if (!leading.has(underlying)) fail('indices', `${name} needs an index of ${underlying}`);
  }
  if (indices.length === 0) {
    throw new PlimsollError('MISSING_FIELD', 'name instruments or indices', {
      path: 'instruments',
    });
  }
  const channels = [
    ...indices.map(({ name }) => `deribit_price_index.${name}`),
    ...(markPrices ? indices.map(({ name }) => `markprice.options.${name}`) : []),
    ...[...contracts.keys()].map((name) => `ticker.${name}.${INTERVAL}`),
    ...[...new Set(books)].map((name) => bookChannel(name)),
  ];
  if (channels.length > LIMITS.feedChannelsMax) {
    const message = `${channels.length} channels are more than ${LIMITS.feedChannelsMax}`;
    throw new PlimsollError('TOO_LARGE', message, { path: 'instruments' });
  }
  return { contracts, indices, leading, allOptions: markPrices, channels };
}

export function bookChannel(instrument: string): string {
  return `book.${instrument}.${INTERVAL}`;
}

function fail(path: string, message: string): never {
  throw new PlimsollError('INVALID_FIELD', message, { path });
}

function contractOf(name: string, path: string): Contract {
  const contract = parseContract(name);
  if (contract !== null) return contract;
  return fail(path, `${path} ${show(name)} is a pair or a combination, not a contract`);
}

const INDEX = /^([a-z0-9]+)_(usd|usdc)$/;

function indexOf(name: string, path: string): DeribitIndex {
  const match = INDEX.exec(name);
  if (match === null) return fail(path, `${path} ${show(name)} is no index such as btc_usd`);
  const underlying = match[1]!.toUpperCase();
  const linear = match[2] === 'usdc';
  return { name, underlying, linear, currency: linear ? 'USDC' : underlying };
}

/** The inverse book's where an underlying has contracts of both. */
function defaultIndices(contracts: readonly Contract[]): string[] {
  const linear = new Map<string, boolean>();
  for (const { underlying, linear: own } of contracts) {
    linear.set(underlying, own && linear.get(underlying) !== false);
  }
  return [...linear].map(([id, own]) => `${id.toLowerCase()}_${own ? 'usdc' : 'usd'}`);
}
