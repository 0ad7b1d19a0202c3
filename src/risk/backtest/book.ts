/** A linear book: what it holds, as currency exposures and as units. */
import Type, { type Static } from 'typebox';
import { PlimsollError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';

const AMOUNT = { minimum: -LIMITS.priceMax, maximum: LIMITS.priceMax } as const;

export const HoldingSchema = Type.Object(
  {
    underlying: Type.String({ minLength: 1, maxLength: LIMITS.idLengthMax }),
    exposure: Type.Optional(
      Type.Number({
        ...AMOUNT,
        description: 'Currency held in it, the same every day (rebalanced); negative short.',
      }),
    ),
    units: Type.Optional(
      Type.Number({
        ...AMOUNT,
        description: 'Units held, the same every day: the exposure moves with the price.',
      }),
    ),
  },
  { additionalProperties: false },
);

export type Holding = Static<typeof HoldingSchema>;

/** P&L from one level S₀ to another S₁ is Σ (exposure + units · S₀)(S₁/S₀ − 1). */
export interface LinearBook {
  readonly underlyings: readonly string[];
  readonly exposures: Float64Array;
  readonly units: Float64Array;
}

/** @throws INVALID_FIELD for a holding of nothing, DUPLICATE_ID */
export function linearBook(holdings: readonly Holding[]): LinearBook {
  const seen = new Set<string>();
  holdings.forEach(({ underlying, exposure = 0, units = 0 }, i) => {
    if (seen.has(underlying)) {
      const message = `the book names ${JSON.stringify(underlying)} twice`;
      throw new PlimsollError('DUPLICATE_ID', message, { path: `book[${i}].underlying` });
    }
    seen.add(underlying);
    if (exposure !== 0 || units !== 0) return;
    const message = `book[${i}] needs an exposure or units other than 0`;
    throw new PlimsollError('INVALID_FIELD', message, { path: `book[${i}]` });
  });
  return {
    underlyings: holdings.map(({ underlying }) => underlying),
    exposures: Float64Array.from(holdings, ({ exposure = 0 }) => exposure),
    units: Float64Array.from(holdings, ({ units = 0 }) => units),
  };
}
