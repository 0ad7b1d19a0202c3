/** What a client is told of the market and the engine. */
import Type, { type Static } from 'typebox';
import type { Methodology } from '../../margin/methodology.ts';
import { resolvedSchema } from '../../margin/methodologySchema.ts';
import type { MarketSnapshot } from '../../market/snapshot.ts';

const closed = { additionalProperties: false } as const;
const hash = (description: string) => Type.String({ description: `${description}; sha256:…` });

export const MarketInfoSchema = Type.Object(
  {
    asOf: Type.String({ description: "The snapshot's." }),
    currency: Type.String(),
    underlyings: Type.Integer(),
    instruments: Type.Integer(),
    snapshot: hash('Of the RFC 8785 JSON of the whole snapshot'),
    scenarioSet: hash('Identity of the scenarios that figures are computed on'),
    scenarios: Type.Integer(),
    clampedShocks: Type.Integer({ description: 'Log shocks that met the clamp.' }),
    methodology: hash('Of every parameter: GET /v1/methodology'),
    engine: Type.String({ description: 'Version of the code.' }),
    workers: Type.Integer({ description: 'Worker threads.' }),
    memoryBytes: Type.Integer({ description: 'Shared memory of this market.' }),
  },
  { ...closed, title: 'MarketInfo' },
);

export type MarketInfo = Static<typeof MarketInfoSchema>;

export const MethodologyInfoSchema = Type.Object(
  {
    hash: hash('Of the RFC 8785 JSON of `parameters`'),
    parameters: Type.Unsafe<Methodology>({
      ...resolvedSchema(),
      title: 'ResolvedMethodology',
      description: 'Every parameter as it is in force.',
    }),
    presets: Type.Record(Type.String(), Type.Unknown(), {
      description: 'What a methodology may start from, every parameter stated.',
    }),
    reference: Type.Record(Type.String(), Type.Unknown(), {
      description: 'The JSON Schema of a methodology: unit, range and default of every parameter.',
    }),
  },
  { ...closed, title: 'MethodologyInfo' },
);

/** A forward quoted for the option's expiry: none is ever interpolated. */
export const EXAMPLE_MARKET: MarketSnapshot = {
  asOf: '2025-12-30T17:31:15Z',
  currency: 'USD',
  underlyings: [
    {
      id: 'BTC',
      spot: 88_530.23,
      forwards: [{ expiry: '2026-03-27T08:00:00Z', price: 89_500.1 }],
      surface: [
        {
          expiry: '2026-03-27T08:00:00Z',
          quotes: [
            { strike: 80_000, iv: 0.48 },
            { strike: 100_000, iv: 0.46 },
          ],
        },
      ],
    },
  ],
  instruments: [
    {
      id: 'BTC-27MAR26-100000-C',
      type: 'option',
      underlying: 'BTC',
      expiry: '2026-03-27T08:00:00Z',
      strike: 100_000,
      right: 'call',
      style: 'european',
      settlement: 'coin',
      multiplier: 1,
    },
    {
      id: 'BTC-PERPETUAL',
      type: 'perpetual',
      underlying: 'BTC',
      settlement: 'inverse',
      multiplier: 1,
    },
  ],
};
