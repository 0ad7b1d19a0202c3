/** What liquidation prices are: the parts of the work, and what they find. */
import Type, { type Static } from 'typebox';
import { LIMITS } from '../../limits.ts';
import type { MarginResult } from '../../margin/result.ts';

const closed = { additionalProperties: false } as const;

export const LiquidationPriceRequestSchema = Type.Object(
  {
    part: Type.Integer({ minimum: 0, description: 'Which part of the work, from 0.' }),
    parts: Type.Integer({ minimum: 1, maximum: LIMITS.workersMax, description: 'Of how many.' }),
  },
  closed,
);

export const LiquidationCrossingSchema = Type.Object(
  {
    price: Type.Number({ description: "The underlying's spot, in currency." }),
    move: Type.Number({ description: 'price / spot − 1.' }),
    equity: Type.Number({ description: 'At this price, in currency.' }),
    maintenanceRequirement: Type.Number({ description: 'At this price, after credit.' }),
    standardError: Type.Union([Type.Number(), Type.Null()], {
      description:
        'Of the price, from that of the ES in the requirement and the slope of both; null where it is not known, or they run alongside each other.',
    }),
    jump: Type.Optional(
      Type.Literal(true, {
        description:
          'Equity less requirement leaps over 0 here, as where a binary option that expires within the horizon changes its payoff in a scenario: both are those just beyond the price, and do not meet.',
      }),
    ),
  },
  { ...closed, title: 'LiquidationCrossing' },
);

const crossing = (description: string) =>
  Type.Union([LiquidationCrossingSchema, Type.Null()], { description });

export const LiquidationPriceSchema = Type.Object(
  {
    underlying: Type.String(),
    instrument: Type.Optional(Type.String({ description: 'Isolated mode: the position.' })),
    spot: Type.Number({ description: "Today's, in currency." }),
    inLiquidation: Type.Boolean({
      description:
        'Equity is below the maintenance requirement today: the prices are those at which it no longer is.',
    }),
    below: crossing('The nearest price below; null where there is none down to −95%.'),
    above: crossing('The nearest price above; null where there is none up to +400%.'),
  },
  { ...closed, title: 'LiquidationPrice' },
);

export type LiquidationPriceRequest = Static<typeof LiquidationPriceRequestSchema>;
export type LiquidationCrossing = Static<typeof LiquidationCrossingSchema>;
export type LiquidationPrice = Static<typeof LiquidationPriceSchema>;

/** What one part of the work found: the target's number, and of the sides that were its own. */
export interface FoundPrice {
  readonly target: number;
  readonly price: LiquidationPrice;
  readonly sides: readonly ('below' | 'above')[];
}

export interface FoundPrices {
  /** Of the account today: of the first part alone. */
  readonly margin: MarginResult | null;
  readonly found: readonly FoundPrice[];
}
