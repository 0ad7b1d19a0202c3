/** Contracts as the log states them, against those that the market lists. */
import { PlimsollError } from '../errors.ts';
import { canonicalJson } from '../json.ts';
import { readInstant } from '../market/instruments.ts';
import type { Instrument, Market } from '../market/market.ts';
import { type Book, type Contract, holdersOf } from './book.ts';
import type { Draft } from './draft.ts';
import { type BookEvent, type EventBody, event } from './events.ts';
import { contractOf } from './fold.ts';

/** What a decision may look at beside the book. */
export interface DecisionContext {
  /** Null before the first snapshot. */
  readonly market: Market | null;
  /** ISO-8601 UTC with milliseconds. */
  readonly now: string;
  /** For a withdrawal: equity less initial requirement after credit as they would be after it, in currency (a what-if's `freeCollateral.after`). */
  readonly freeAfter?: number;
  /** Decisions of this account that were made before and are not in the book yet: this one comes behind them. */
  readonly draft?: Draft;
}

/** Terms of a market's contract, as the log states them. @throws UNSUPPORTED_INSTRUMENT */
export function listingOf(instrument: Instrument, market: Market): EventBody<'contract-listed'> {
  const { id, type, settlement, multiplier, expiryMs, strike, right } = instrument;
  const underlying = market.underlyings[instrument.underlying]!.id;
  if (settlement !== 'linear' && underlying === market.currency) {
    const message = `${id} pays in ${underlying}, which is the name of the currency too`;
    throw new PlimsollError('UNSUPPORTED_INSTRUMENT', message);
  }
  return event('contract-listed', {
    instrument: id,
    type,
    underlying,
    settlement,
    multiplier,
    asset: settlement === 'linear' ? market.currency : underlying,
    ...(expiryMs === 0 ? {} : { expiry: new Date(expiryMs).toISOString() }),
    ...(Number.isNaN(strike) ? {} : { strike }),
    ...(right === 0 ? {} : { right: right === 1 ? ('call' as const) : ('put' as const) }),
  }).body;
}

/** Contracts that a decision names: those of the book, and those that the market lists and nobody has held yet. */
export class Listings {
  readonly events: BookEvent[] = [];
  private readonly book: Book;
  private readonly context: DecisionContext;
  private readonly fresh = new Map<string, Contract>();

  constructor(book: Book, context: DecisionContext) {
    this.book = book;
    this.context = context;
  }

  get(id: string): Contract | undefined {
    return this.fresh.get(id) ?? this.book.contracts.get(id);
  }

  /** The market's own entry, with its prices; undefined where it is not listed (any more). */
  quoted(id: string): Instrument | undefined {
    const { market } = this.context;
    const index = market?.instrumentIndex.get(id);
    return index === undefined ? undefined : market!.instruments[index];
  }

  /**
   * A contract that is going to be held; where its terms are new they are stated first. One that the market lists no more is still what it was.
   * @throws UNKNOWN_INSTRUMENT, NO_MARKET, CONTRACT_CHANGED, EXPIRED_INSTRUMENT, UNSUPPORTED_INSTRUMENT
   */
  use(id: string, path: string): Contract {
    const known = this.get(id);
    const quoted = this.quoted(id);
    if (quoted === undefined) {
      if (known !== undefined) return this.running(known, path);
      if (this.context.market === null) throw new PlimsollError('NO_MARKET', 'no market is loaded');
      const message = `the market has no instrument ${id}`;
      throw new PlimsollError('UNKNOWN_INSTRUMENT', message, { path });
    }
    const listed = listingOf(quoted, this.context.market!);
    if (known !== undefined && canonicalJson(known.listed) === canonicalJson(listed)) {
      return this.running(known, path);
    }
    if (known !== undefined && (this.fresh.has(id) || holdersOf(this.book, id).length > 0)) {
      const message = `the market states other terms for ${id}, which is held, than when it was listed`;
      throw new PlimsollError('CONTRACT_CHANGED', message, { path });
    }
    const contract = this.running(contractOf(listed), path);
    this.fresh.set(id, contract);
    this.events.push({ kind: 'contract-listed', body: listed });
    return contract;
  }

  private running(contract: Contract, path: string): Contract {
    const { expiry, instrument } = contract.listed;
    if (expiry === undefined || readInstant(this.context.now, 'now') < readInstant(expiry, path)) {
      return contract;
    }
    throw new PlimsollError('EXPIRED_INSTRUMENT', `${instrument} expired at ${expiry}`, { path });
  }
}

/**
 * Contracts that somebody holds and for which the market states other terms: a snapshot that has any is not for this book. One that is not
 * listed any more is not among them.
 */
export function changedContracts(book: Book, market: Market): readonly string[] {
  return [...book.contracts.values()].flatMap(({ listed }) => {
    const index = market.instrumentIndex.get(listed.instrument);
    if (index === undefined) return [];
    const stated = listingOf(market.instruments[index]!, market);
    if (canonicalJson(stated) === canonicalJson(listed)) return [];
    return holdersOf(book, listed.instrument).length === 0 ? [] : [listed.instrument];
  });
}
