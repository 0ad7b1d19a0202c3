/**
 * The market snapshot: prices, volatility surfaces and liquidity at one instant, and the contracts listed on them. This module
 * reads the JSON shape and checks it; defaults are applied later, in `compileMarket`, because hashes are taken of the value as read.
 */
import Type, { type Static } from 'typebox';
import { PlimsollError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { reader, show } from '../schema.ts';
import {
  checkInstrument,
  IdSchema,
  InstantSchema,
  InstrumentSchema,
  PriceSchema,
  readInstant,
} from './instruments.ts';

const strict = { additionalProperties: false } as const;

export const ForwardSchema = Type.Object(
  {
    expiry: InstantSchema('when the forward falls due'),
    price: PriceSchema('forward price of one unit of the underlying, in the currency'),
  },
  strict,
);

export const QuoteSchema = Type.Object(
  {
    strike: PriceSchema('in the currency'),
    iv: Type.Number({
      minimum: LIMITS.impliedVolatilityMin,
      maximum: LIMITS.impliedVolatilityMax,
      description: 'implied volatility, annual, a decimal (0.48 is 48%), of the call and the put',
    }),
  },
  strict,
);

export const SurfaceSliceSchema = Type.Object(
  {
    expiry: InstantSchema('of the options quoted'),
    quotes: Type.Array(QuoteSchema, { minItems: 1, maxItems: LIMITS.quotesPerSliceMax }),
  },
  strict,
);

export const LiquiditySchema = Type.Object(
  {
    halfSpread: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1,
        description: 'half the bid-ask spread as a fraction of mid',
      }),
    ),
    dailyVolume: Type.Optional(
      PriceSchema('traded volume of a day, in units of the underlying (not of the currency)'),
    ),
    depth: Type.Optional(
      Type.Array(
        Type.Object(
          {
            distance: Type.Number({
              minimum: 0,
              maximum: 1,
              description: 'distance from mid as a fraction of mid, ascending',
            }),
            size: PriceSchema('cumulative size up to there on one side, units of the underlying'),
          },
          strict,
        ),
        { minItems: 1, maxItems: LIMITS.depthLevelsMax },
      ),
    ),
  },
  strict,
);

export const UnderlyingSchema = Type.Object(
  {
    id: IdSchema,
    spot: PriceSchema('index or spot price of one unit, in the currency'),
    asOf: Type.Optional(InstantSchema("of these prices (default: the snapshot's asOf)")),
    rate: Type.Optional(
      Type.Number({
        minimum: -LIMITS.rateMax,
        maximum: LIMITS.rateMax,
        description: 'continuously compounded interest rate per year, default 0',
      }),
    ),
    oracleConfidence: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1,
        description: 'confidence in the price source, default 1',
      }),
    ),
    forwards: Type.Optional(
      Type.Array(ForwardSchema, {
        maxItems: LIMITS.expiriesMax,
        description: 'one per expiry; a missing one is an error where it is needed',
      }),
    ),
    surface: Type.Optional(Type.Array(SurfaceSliceSchema, { maxItems: LIMITS.expiriesMax })),
    liquidity: Type.Optional(LiquiditySchema),
  },
  strict,
);

export const MarketSnapshotSchema = Type.Object(
  {
    asOf: InstantSchema('of the snapshot'),
    currency: Type.String({
      minLength: 1,
      maxLength: LIMITS.idLengthMax,
      description: 'of every price, and of the accounts margined on it',
    }),
    underlyings: Type.Array(UnderlyingSchema, { minItems: 1, maxItems: LIMITS.underlyingsMax }),
    instruments: Type.Array(InstrumentSchema, { maxItems: LIMITS.instrumentsMax }),
  },
  { ...strict, title: 'MarketSnapshot', description: 'Instruments and prices at one instant.' },
);

export type MarketSnapshot = Static<typeof MarketSnapshotSchema>;
export type UnderlyingRecord = Static<typeof UnderlyingSchema>;
export type LiquidityRecord = Static<typeof LiquiditySchema>;
export type SurfaceSliceRecord = Static<typeof SurfaceSliceSchema>;

const check = reader(MarketSnapshotSchema);

/**
 * Checks a parsed JSON value and returns it, unchanged, with its type.
 * @throws INVALID_FIELD, UNKNOWN_FIELD, MISSING_FIELD, DUPLICATE_ID, UNKNOWN_UNDERLYING, with the path of the field
 */
export function readSnapshot(value: unknown): MarketSnapshot {
  const snapshot = check(value);
  readInstant(snapshot.asOf, 'asOf');
  const underlyings = new Set<string>();
  snapshot.underlyings.forEach((record, i) => {
    const path = `underlyings[${i}]`;
    refuseTwice(underlyings, record.id, `${path}.id`);
    checkUnderlying(record, path);
  });
  const ids = new Set<string>();
  snapshot.instruments.forEach((record, i) => {
    const path = `instruments[${i}]`;
    refuseTwice(ids, record.id, `${path}.id`);
    checkInstrument(record, path);
    if (!underlyings.has(record.underlying)) {
      throw new PlimsollError(
        'UNKNOWN_UNDERLYING',
        `${path}.underlying ${show(record.underlying)} is not an underlying of the snapshot`,
        { path: `${path}.underlying` },
      );
    }
  });
  return snapshot;
}

function refuseTwice<T>(seen: Set<T>, key: T, path: string): void {
  if (seen.has(key)) {
    throw new PlimsollError('DUPLICATE_ID', `${path} ${show(key)} occurs twice`, { path });
  }
  seen.add(key);
}

function checkUnderlying(record: UnderlyingRecord, path: string): void {
  if (record.asOf !== undefined) readInstant(record.asOf, `${path}.asOf`);
  const expiries = new Set<number>();
  record.forwards?.forEach((forward, i) => {
    const at = `${path}.forwards[${i}].expiry`;
    refuseTwice(expiries, readInstant(forward.expiry, at), at);
  });
  const slices = new Set<number>();
  record.surface?.forEach((slice, i) => {
    const at = `${path}.surface[${i}]`;
    refuseTwice(slices, readInstant(slice.expiry, `${at}.expiry`), `${at}.expiry`);
    checkQuotes(slice, at);
  });
  record.liquidity?.depth?.forEach((level, i, depth) => {
    const before = depth[i - 1];
    if (before === undefined) return;
    if (!(level.distance > before.distance) || !(level.size >= before.size)) {
      const at = `${path}.liquidity.depth[${i}]`;
      throw new PlimsollError(
        'INVALID_FIELD',
        `${at} must lie further out than the level before, with no smaller cumulative size`,
        { path: at },
      );
    }
  });
}

/** Relative distance below which two strikes could share one ln(K/F), where a slope has no meaning. */
const STRIKE_GAP_MIN = 1e-12;

function checkQuotes(slice: SurfaceSliceRecord, path: string): void {
  const order = slice.quotes.map((_, i) => i);
  order.sort((a, b) => slice.quotes[a]!.strike - slice.quotes[b]!.strike || a - b);
  for (let n = 1; n < order.length; n++) {
    const below = slice.quotes[order[n - 1]!]!;
    const quote = slice.quotes[order[n]!]!;
    const at = `${path}.quotes[${order[n]!}]`;
    if (quote.strike === below.strike) {
      if (quote.iv === below.iv) continue;
      throw new PlimsollError(
        'INVALID_FIELD',
        `${at}.iv ${quote.iv} contradicts ${below.iv}, quoted for the same strike ${quote.strike}`,
        { path: `${at}.iv` },
      );
    }
    if (!(quote.strike - below.strike > STRIKE_GAP_MIN * quote.strike)) {
      throw new PlimsollError(
        'INVALID_FIELD',
        `${at}.strike ${quote.strike} is too close to ${below.strike} to be another strike`,
        { path: `${at}.strike` },
      );
    }
  }
}
