/** What one listed contract is, as a snapshot says it: the schema, and the rules that a schema cannot say. */
import Type, { type Static } from 'typebox';
import { type ErrorCode, PlimsollError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { show } from '../schema.ts';
import { MILLISECONDS_PER_DAY, parseInstant } from './dates.ts';

export const INSTRUMENT_TYPES = [
  'spot',
  'perpetual',
  'future',
  'option',
  'binary',
  'pool',
] as const;
export const DELIVERABLES = ['spot', 'future'] as const;
export const SETTLEMENTS = ['linear', 'inverse', 'coin'] as const;

export type InstrumentType = (typeof INSTRUMENT_TYPES)[number];
export type Deliverable = (typeof DELIVERABLES)[number];
export type Settlement = (typeof SETTLEMENTS)[number];

export const IdSchema = Type.String({ minLength: 1, maxLength: LIMITS.idLengthMax });

export const PriceSchema = (description: string) =>
  Type.Number({ minimum: LIMITS.priceMin, maximum: LIMITS.priceMax, description });

export const InstantSchema = (description: string) =>
  Type.String({
    maxLength: 40,
    description: `${description}; ISO-8601 in UTC (…Z or …+00:00), read to the millisecond`,
    examples: ['2026-03-27T08:00:00Z'],
  });

export const InstrumentSchema = Type.Object(
  {
    id: IdSchema,
    type: Type.Enum([...INSTRUMENT_TYPES], {
      description:
        'binary: an option that pays the multiplier, in the currency, or nothing; pool: a share of a constant-product pool x·y = k², k its multiplier',
    }),
    underlying: Type.String({
      minLength: 1,
      maxLength: LIMITS.idLengthMax,
      description: 'the id of an underlying of this snapshot',
    }),
    expiry: Type.Optional(InstantSchema('of futures, options and binaries, and only of those')),
    strike: Type.Optional(
      PriceSchema('price of one unit of the underlying; of options and binaries only'),
    ),
    right: Type.Optional(
      Type.Enum(['call', 'put'], { description: 'of options and binaries only' }),
    ),
    style: Type.Optional(
      Type.Enum(['european', 'american'], {
        description:
          'of options and binaries only; default european; american (linear options only; on the spot with a rate ≥ 0): its carry is that of the quoted forward, so the yield of the underlying is rate − ln(forward/spot)/T',
      }),
    ),
    deliverable: Type.Optional(
      Type.Enum([...DELIVERABLES], {
        description:
          'of options only: what exercise delivers, the underlying (spot, the default) or a future of the same expiry (future)',
      }),
    ),
    settlement: Type.Enum([...SETTLEMENTS], {
      description:
        'linear: quoted and paid in the currency; inverse (perpetuals, futures): sized in the currency, paid in the underlying; coin (options): quoted and paid in the underlying',
    }),
    multiplier: PriceSchema(
      'units of the underlying per contract; for inverse contracts and binaries units of the currency; of a pool share k, worth 2k√spot',
    ),
    mark: Type.Optional(
      PriceSchema(
        'mark price, of perpetuals (default: spot) and futures (default: the forward of the expiry); options are always valued by the model',
      ),
    ),
  },
  { additionalProperties: false },
);

export type InstrumentRecord = Static<typeof InstrumentSchema>;

type Field = 'expiry' | 'strike' | 'right' | 'style' | 'deliverable' | 'mark';

interface TypeRule {
  readonly required: readonly Field[];
  readonly optional: readonly Field[];
  readonly settlements: readonly Settlement[];
}

/** Which fields each type has. Whatever is in neither list is refused: it would be ignored in silence. */
const RULES: Readonly<Record<InstrumentType, TypeRule>> = {
  spot: { required: [], optional: [], settlements: ['linear'] },
  perpetual: { required: [], optional: ['mark'], settlements: ['linear', 'inverse'] },
  future: { required: ['expiry'], optional: ['mark'], settlements: ['linear', 'inverse'] },
  option: {
    required: ['expiry', 'strike', 'right'],
    optional: ['style', 'deliverable'],
    settlements: ['linear', 'coin'],
  },
  binary: { required: ['expiry', 'strike', 'right'], optional: ['style'], settlements: ['linear'] },
  pool: { required: [], optional: [], settlements: ['linear'] },
};
const FIELDS: readonly Field[] = ['expiry', 'strike', 'right', 'style', 'deliverable', 'mark'];

/**
 * The rules of one instrument that passed the schema.
 * @throws MISSING_FIELD, or INVALID_FIELD for a field or settlement that its type does not have
 */
export function checkInstrument(record: InstrumentRecord, path: string): void {
  const rule = RULES[record.type];
  const fail = (code: ErrorCode, field: string, text: string): never => {
    throw new PlimsollError(code, `${path}.${field} (${show(record.id)}) ${text}`, {
      path: `${path}.${field}`,
    });
  };
  for (const field of FIELDS) {
    const given = record[field] !== undefined;
    if (rule.required.includes(field)) {
      if (!given) fail('MISSING_FIELD', field, `is required of type ${record.type}`);
    } else if (given && !rule.optional.includes(field)) {
      fail('INVALID_FIELD', field, `is not a field of type ${record.type}`);
    }
  }
  if (!rule.settlements.includes(record.settlement)) {
    const allowed = rule.settlements.join(' or ');
    fail('INVALID_FIELD', 'settlement', `must be ${allowed}, got ${show(record.settlement)}`);
  }
  if (record.expiry !== undefined) readInstant(record.expiry, `${path}.expiry`);
}

const STRICT = /^(?:19[7-9]\d|[2-9]\d{3})-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|\+00:00)$/;

/**
 * Milliseconds since 1970 of a strict UTC instant. Local time, another offset, a date alone and a day that the calendar does not
 * have are refused: an hour is worth real money on the day of expiry.
 * @throws INVALID_FIELD
 */
export function readInstant(text: string, path: string): number {
  const instant = STRICT.test(text) ? parseInstant(text) : Number.NaN;
  if (Number.isNaN(instant)) {
    throw new PlimsollError(
      'INVALID_FIELD',
      `${path} must be an instant in UTC such as 2026-03-27T08:00:00Z, got ${show(text)}`,
      { path },
    );
  }
  return instant;
}

const MILLISECONDS_PER_YEAR = 365 * MILLISECONDS_PER_DAY;

/** ACT/365F years from one instant to another, both in ms. */
export function yearFraction(fromMs: number, toMs: number): number {
  return (toMs - fromMs) / MILLISECONDS_PER_YEAR;
}

/** Order of UTF-16 code units: the order of ids everywhere, free of any locale. */
export function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
