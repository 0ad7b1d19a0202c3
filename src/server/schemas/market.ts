/** What a client is told of the market and the engine. */
import Type, { type Static } from 'typebox';
import { SCENARIO_MODELS } from '../../margin/methodology.ts';

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
    parameters: Type.Object(
      {
        name: Type.String(),
        scenarioModel: Type.Enum([...SCENARIO_MODELS]),
        confidence: Type.Number(),
        horizonDays: Type.Number(),
        scenarios: Type.Integer(),
        seed: Type.String(),
        maxLogShock: Type.Number(),
        instantaneous: Type.Boolean(),
        mmFactor: Type.Number(),
        floor: Type.Number(),
        haircuts: Type.Record(Type.String(), Type.Number()),
        warningLevel: Type.Number(),
      },
      {
        ...closed,
        description: 'Every parameter as it is in force, in the units of the Methodology.',
      },
    ),
  },
  { ...closed, title: 'MethodologyInfo' },
);
