/**
 * Every error code of the system, with the HTTP status that it maps to and a sentence for the reference.
 * Callers match on `code`, never on text.
 */
export const ERROR_CODES = {
  // Malformed: the bytes are not what they claim to be.
  MALFORMED_JSON: [400, 'The bytes are not well-formed JSON (or not UTF-8, or hold a key twice).'],
  MALFORMED_CSV: [400, 'The CSV file cannot be read.'],
  MALFORMED_ARROW: [400, 'The Arrow stream cannot be decoded.'],
  MALFORMED_PARQUET: [400, 'The Parquet file cannot be decoded.'],
  MALFORMED_REQUEST: [400, 'The bytes are not an HTTP request that this service reads.'],
  METHOD_NOT_ALLOWED: [
    405,
    'The path exists, but not for this method; `Allow` names those it has.',
  ],
  REQUEST_TIMEOUT: [408, 'The request did not arrive in time.'],
  HEADERS_TOO_LARGE: [431, 'The header fields of the request are too large.'],
  UNSUPPORTED_MEDIA_TYPE: [415, 'The content type is not one that this route reads.'],
  TOO_LARGE: [413, 'The input is larger than its limit.'],
  // Well-formed but wrong.
  INVALID_FIELD: [422, 'A field has the wrong type or lies outside its range.'],
  UNKNOWN_FIELD: [422, 'A field that the contract does not know.'],
  MISSING_FIELD: [422, 'A required field is absent.'],
  UNKNOWN_INSTRUMENT: [422, 'The position names an instrument that the market does not hold.'],
  UNKNOWN_UNDERLYING: [
    422,
    'An instrument or factor names an underlying that the market does not hold.',
  ],
  UNKNOWN_ASSET: [
    422,
    'A collateral asset that is neither the currency nor an underlying with a spot.',
  ],
  UNSUPPORTED_INSTRUMENT: [422, 'The instrument type cannot be margined yet.'],
  UNSUPPORTED_FACTOR: [
    422,
    'The factor model names a kind of factor that cannot be simulated yet.',
  ],
  CURRENCY_MISMATCH: [422, "The account's currency is not the snapshot's."],
  DUPLICATE_POSITION: [422, 'Two positions of one account name the same instrument.'],
  DUPLICATE_ID: [422, 'An id occurs twice where it must be unique.'],
  EXPIRED_INSTRUMENT: [422, "The instrument expired at or before its underlying's asOf."],
  MISSING_FORWARD: [422, 'No forward is quoted for the expiry; forwards are never interpolated.'],
  MISSING_VOLATILITY: [422, 'No implied volatility can be read for the option.'],
  MISSING_FACTOR: [422, 'The factor model lacks a factor that the instrument needs.'],
  MISSING_HISTORY: [422, 'The scenario model needs a history that was not given.'],
  INSUFFICIENT_HISTORY: [422, 'The history has too few usable rows.'],
  NOT_POSITIVE_SEMIDEFINITE: [422, 'The correlation matrix is not positive semi-definite.'],
  INVALID_SCENARIO_COUNT: [
    422,
    'The number of scenarios is outside its range or does not fit the model.',
  ],
  NUMERIC_OVERFLOW: [422, 'A sum would leave the range of double precision.'],
  OUT_OF_MEMORY: [422, 'The computation would not fit into memory; the message has the numbers.'],
  NOT_FOUND: [404, 'There is nothing under this name.'],
  NO_MARKET: [409, 'No market snapshot has been loaded yet.'],
  // The book.
  INVALID_RECORD: [500, 'A record of the log does not fit the book that it is folded into.'],
  BOOK_CONFLICT: [
    409,
    'The account is booked with other holdings: they change by fills, collateral moves and corrections.',
  ],
  ACCOUNT_NOT_FLAT: [409, 'The account still holds something, or is called or liquidated.'],
  CONTRACT_CHANGED: [409, 'The market states other terms for a contract that is held.'],
  INSUFFICIENT_COLLATERAL: [409, 'The account holds less of the asset than is withdrawn.'],
  INSUFFICIENT_MARGIN: [409, 'The equity left would not cover the initial requirement.'],
  NOT_EXPIRED: [409, 'The contract has not expired yet.'],
  IDEMPOTENCY_CONFLICT: [409, 'The idempotency key was used for another request.'],
  NO_STORE: [409, 'The service keeps no book: it was started without a store.'],
  // Ticks.
  SEQUENCE_GAP: [409, 'Ticks of the source are missing before these.'],
  SEQUENCE_REPEATED: [409, 'Ticks with these sequence numbers were accepted already.'],
  OUT_OF_ORDER: [422, 'The ticks of one batch are not numbered one after the other.'],
  STALE_TICK: [409, 'The tick is older than what the market has of its underlying.'],
  CROSSED_PRICES: [422, 'The bid lies above the ask, or the price outside of them.'],
  // Feeds.
  FEED_FAILED: [503, 'The source of a feed cannot be reached or refuses what it is asked for.'],
  // Operations.
  SATURATED: [503, 'All workers are busy and the queue is full; try again later.'],
  SHARD_FAILED: [500, 'A shard of the work failed on every try.'],
  CANCELLED: [499, 'The caller cancelled the work.'],
  STARTING: [503, 'Scenarios are still being drawn and instruments revalued; try again later.'],
  CLOSED: [503, 'The engine is closing.'],
  // The store of the book.
  DUPLICATE_KEY: [409, 'Something is recorded under this idempotency key already.'],
  STORE_FULL: [503, 'The disk of the store is full: nothing is accepted until there is room.'],
  STORE_READ_ONLY: [503, 'The store cannot be written to.'],
  STORE_CORRUPT: [503, 'The store is damaged, was tampered with, or is no store at all.'],
  STORE_LOCKED: [503, 'Another process writes to the store; it has one writer at a time.'],
  STORE_FAILED: [503, 'The disk or the server of the store failed; try again later.'],
  USAGE: [400, 'The command was called wrongly.'],
  OUTPUT_FAILED: [500, 'The results could not be written.'],
  INTERNAL: [500, 'A fault of ours: please report it.'],
} as const satisfies Record<string, readonly [number, string]>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Where an error lies: the account's id and the path of the field, `positions[3].instrument`. */
export interface ErrorPlace {
  readonly path?: string | undefined;
  readonly account?: string | undefined;
}

/** The plain form of an error, as it crosses threads and stands in results. */
export interface ErrorRecord {
  readonly code: ErrorCode;
  readonly message: string;
  readonly path?: string;
}

/** The one error class of the system. */
export class PlimsollError extends Error {
  override readonly name = 'PlimsollError';
  readonly code: ErrorCode;
  readonly path: string | undefined;
  readonly account: string | undefined;

  constructor(code: ErrorCode, message: string, place: ErrorPlace = {}) {
    super(message);
    this.code = code;
    this.path = place.path;
    this.account = place.account;
  }

  get status(): number {
    return ERROR_CODES[this.code][0];
  }

  toRecord(): ErrorRecord {
    const { code, message, path } = this;
    return path === undefined ? { code, message } : { code, message, path };
  }
}

/** Turns anything thrown into a PlimsollError; what is not ours becomes INTERNAL. */
export function asPlimsollError(thrown: unknown): PlimsollError {
  if (thrown instanceof PlimsollError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new PlimsollError('INTERNAL', message);
}

/** A post-condition of ours: its failure is a defect, not the caller's fault. */
export function ensure(condition: boolean, message: string): asserts condition {
  if (!condition) throw new PlimsollError('INTERNAL', message);
}
