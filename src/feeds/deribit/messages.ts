/**
 * The messages of Deribit's API v2 that the feed reads, as docs.deribit.com describes them: JSON-RPC 2.0 over WebSocket, notifications with method
 * `subscription` and `heartbeat`. Fields beside those that are read are let through: the exchange has more and adds to them.
 */
import Type, { type Static } from 'typebox';
import { LIMITS } from '../../limits.ts';
import { reader } from '../../schema.ts';

/** Milliseconds since 1970, to the end of the year 9999. */
const Time = Type.Integer({ minimum: 0, maximum: 253_402_300_799_999 });
const Name = Type.String({ minLength: 1, maxLength: LIMITS.idLengthMax });
/** Whether it can be a price is for the gate to say. */
const number = Type.Number();
const nullable = Type.Optional(Type.Unsafe<number | null>({ type: ['number', 'null'] }));

/** Of `deribit_price_index.{index_name}`. */
export const readIndex = reader(Type.Object({ index_name: Name, price: number, timestamp: Time }));

const TickerSchema = Type.Object({
  instrument_name: Name,
  timestamp: Time,
  index_price: number,
  mark_price: number,
  /** Options only. Percent. */
  mark_iv: nullable,
  /** Options only: the forward that their volatility is of. */
  underlying_price: nullable,
  /** 0 or null where there is none. */
  best_bid_price: nullable,
  best_ask_price: nullable,
});
export type TickerData = Static<typeof TickerSchema>;
/** Of `ticker.{instrument_name}.{interval}`. */
export const readTicker = reader(TickerSchema);

const MarkSchema = Type.Object({
  instrument_name: Name,
  timestamp: Time,
  /** A decimal here (0.9 is 90%), unlike the ticker's `mark_iv`. */
  iv: nullable,
});
/** Of `markprice.options.{index_name}`. */
export const readMarkPrices = reader(Type.Array(MarkSchema, { maxItems: LIMITS.instrumentsMax }));
export type MarkData = Static<typeof MarkSchema>;

const Change = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
/** Of `book.{instrument_name}.{interval}`: a snapshot first, then changes, each with the id of the one before. Levels are not read. */
export const readBookChange = reader(
  Type.Object({
    type: Type.Enum(['snapshot', 'change']),
    instrument_name: Name,
    change_id: Change,
    prev_change_id: Type.Optional(Change),
  }),
);

/** Whatever comes in: a notification, or the answer to a request. */
export const readFrame = reader(
  Type.Object({
    id: Type.Optional(Type.Integer()),
    method: Type.Optional(Type.String()),
    params: Type.Optional(
      Type.Object({
        channel: Type.Optional(Type.String()),
        type: Type.Optional(Type.String()),
        data: Type.Optional(Type.Unknown()),
      }),
    ),
    result: Type.Optional(Type.Unknown()),
    error: Type.Optional(Type.Object({ code: Type.Number(), message: Type.String() })),
  }),
);

export const readChannels = reader(Type.Array(Type.String()));

export interface Subscription {
  /** Contracts to follow by `ticker.{name}.100ms`. */
  readonly instruments: readonly string[];
  /**
   * Indices (`btc_usd`, `sol_usdc`), one an underlying; default: those of the instruments, the inverse book's where an underlying has both. The
   * book of the index is the one whose index prices, forwards and volatilities count; the other's perpetuals and futures give their marks.
   */
  readonly indices?: readonly string[] | undefined;
  /** Volatilities of all options of the indices, by `markprice.options.{index}`. It has no forwards: follow one option or future an expiry, or refresh. */
  readonly markPrices?: boolean | undefined;
  /** Contracts whose book changes are followed for gaps, by `book.{name}.100ms`. */
  readonly books?: readonly string[] | undefined;
}
