/** Deribit's JSON-RPC answers of public/get_book_summary_by_currency and public/get_instruments, as docs.deribit.com describes them. */
import Type, { type Static } from 'typebox';
import { PlimsollError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import { reader, show } from '../../schema.ts';
import type { ChainRow, Listing } from './chain.ts';
import { type Contract, expiresOn, parseContract } from './contracts.ts';

const nullable = (minimum: number, maximum: number) =>
  Type.Optional(Type.Unsafe<number | null>({ type: ['number', 'null'], minimum, maximum }));
const price = nullable(LIMITS.priceMin, LIMITS.priceMax);
const amount = nullable(0, LIMITS.priceMax);
const Name = Type.String({ minLength: 1, maxLength: LIMITS.idLengthMax });
/** Milliseconds since 1970, to the end of the year 9999. */
const Time = Type.Integer({ minimum: 0, maximum: 253_402_300_799_999 });

/** The fields that are read; the exchange has more and adds to them, so others may stand beside. */
const SummarySchema = Type.Object({
  instrument_name: Name,
  creation_timestamp: Time,
  /** Of options in coin, and 0 far out of the money: read of perpetuals and futures only. */
  mark_price: amount,
  /** Percent. */
  mark_iv: nullable(0, 100 * LIMITS.impliedVolatilityMax),
  underlying_price: price,
  estimated_delivery_price: price,
  bid_price: amount,
  ask_price: amount,
  volume: amount,
});

const ListingSchema = Type.Object({
  instrument_name: Name,
  kind: Name,
  contract_size: Type.Number({ minimum: LIMITS.priceMin, maximum: LIMITS.priceMax }),
  /** The linear perpetuals' is far in the year 3000, and is not read. Spot pairs have one too. */
  expiration_timestamp: Type.Optional(Time),
  strike: price,
  option_type: Type.Optional(Name),
  instrument_type: Type.Optional(Name),
});

const list = <S extends Type.TSchema>(items: S) =>
  Type.Object({ result: Type.Array(items, { maxItems: LIMITS.instrumentsMax }) });
// What is passed over need not have the shape of the rest (a combination's price may be negative): names and kinds come first.
const readNames = reader(list(Type.Object({ instrument_name: Name })));
const readKinds = reader(list(Type.Object({ kind: Name })));
const readSummary = reader(SummarySchema);
const readListing = reader(ListingSchema);

type Summary = Static<typeof SummarySchema>;

export interface RpcAnswer {
  readonly rows: readonly ChainRow[];
  readonly listings: readonly Listing[];
}

/** Whether a parsed JSON value is an answer of the exchange rather than a snapshot of ours. */
export function isRpcAnswer(value: unknown): boolean {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return false;
  return 'jsonrpc' in value || 'result' in value || 'error' in value;
}

/**
 * One answer, of either method: told apart by `kind`, which only lists of instruments have. Spot pairs and combinations are
 * passed over: they are not contracts that a position is kept in.
 * @throws INVALID_FIELD, MISSING_FIELD with the path of the field, `result[3].mark_iv`
 */
export function readRpcAnswer(value: unknown): RpcAnswer {
  const { result, error } = value as { result?: unknown; error?: { message?: unknown } };
  if (error !== undefined && error !== null) {
    throw new PlimsollError('INVALID_FIELD', `the answer is an error: ${show(error.message)}`, {
      path: 'error',
    });
  }
  const first: unknown = Array.isArray(result) ? result[0] : undefined;
  if (first !== null && typeof first === 'object' && 'kind' in first) {
    return { rows: [], listings: listingsOf(value) };
  }
  const rows: ChainRow[] = [];
  readNames(value).result.forEach((record, i) => {
    const place = `result[${i}]`;
    const contract = placed(place, () => parseContract(record.instrument_name));
    if (contract === null) return;
    rows.push(rowOf(readSummary(record, { prefix: place }), contract, place));
  });
  return { rows, listings: [] };
}

/** Puts the record's place in front of an error's path and message. */
function placed<T>(place: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof PlimsollError)) throw error;
    throw new PlimsollError(error.code, `${place}.${error.message}`, {
      path: `${place}.${error.path}`,
    });
  }
}

function rowOf(summary: Summary, contract: Contract, place: string): ChainRow {
  const common = {
    contract,
    timeMs: summary.creation_timestamp,
    index: summary.estimated_delivery_price ?? undefined,
  };
  if (contract.type === 'option') {
    const percent = summary.mark_iv ?? undefined;
    return {
      ...common,
      forward: summary.underlying_price ?? undefined,
      // A mark volatility of 0 is none: no option with time to run has it.
      volatility: percent === undefined || percent === 0 ? undefined : percent / 100,
    };
  }
  const mark = summary.mark_price ?? 0;
  if (!(mark >= LIMITS.priceMin)) {
    throw new PlimsollError(
      'INVALID_FIELD',
      `${place}.mark_price of ${contract.name} must be > 0, got ${show(summary.mark_price)}`,
      { path: `${place}.mark_price` },
    );
  }
  return {
    ...common,
    mark,
    bid: summary.bid_price || undefined,
    ask: summary.ask_price || undefined,
    volume: summary.volume ?? undefined,
  };
}

function listingsOf(value: unknown): Listing[] {
  const listings: Listing[] = [];
  const { result } = readKinds(value);
  for (let i = 0; i < result.length; i++) {
    const place = `result[${i}]`;
    if (result[i]!.kind !== 'option' && result[i]!.kind !== 'future') continue;
    const record = readListing(result[i], { prefix: place });
    const contract = placed(place, () => parseContract(record.instrument_name));
    if (contract === null) continue;
    checkAgreement(record, contract, place);
    const expiryMs = contract.type === 'perpetual' ? 0 : record.expiration_timestamp;
    listings.push({
      contract: { ...contract, expiryMs: expiryMs ?? contract.expiryMs },
      contractSize: record.contract_size,
    });
  }
  return listings;
}

/** The name is what positions go by: a list that contradicts it is not to be trusted. Only the hour of expiry may differ. */
function checkAgreement(
  record: Static<typeof ListingSchema>,
  contract: Contract,
  place: string,
): void {
  const said = { strike: record.strike, right: record.option_type, book: record.instrument_type };
  const expected = {
    strike: contract.strike,
    right: contract.right,
    book: contract.linear ? 'linear' : 'reversed',
  };
  const fail = (field: string, got: unknown): never => {
    throw new PlimsollError(
      'INVALID_FIELD',
      `${place}.${field} ${show(got)} contradicts the name ${contract.name}`,
      { path: `${place}.${field}` },
    );
  };
  if (contract.type === 'option') {
    if (said.strike !== undefined && said.strike !== expected.strike) fail('strike', said.strike);
    if (said.right !== undefined && said.right !== expected.right) fail('option_type', said.right);
  }
  const expiry = record.expiration_timestamp;
  if (expiry !== undefined && !expiresOn(contract, expiry)) fail('expiration_timestamp', expiry);
  if (said.book !== undefined && said.book !== expected.book) fail('instrument_type', said.book);
}
