/** What a stress test is asked for, and what it says. */
import Type, { type Static } from 'typebox';
import { StressLibrarySchema } from '../../scenarios/stress/schema.ts';
import { type Reader, reader } from '../../schema.ts';

const closed = { additionalProperties: false } as const;
const numbers = (description: string) => Type.Array(Type.Number(), { description });

export const StressRequestSchema = Type.Object(StressLibrarySchema.properties, {
  ...closed,
  title: 'StressRequest',
  description:
    'What is left out is as in the methodology’s library; without a grid there, one of spot −50% … +50% and volatility −25% … +100%.',
});

export type StressRequest = Static<typeof StressRequestSchema>;
export const readStressRequest: Reader<StressRequest> = reader(StressRequestSchema);

const PnlSchema = Type.Union([Type.Number(), Type.Null()], {
  description: 'In currency; null where the history has a gap in a factor of the account.',
});

const ScenarioPnlSchema = Type.Object(
  {
    name: Type.String(),
    kind: Type.Enum(['hypothetical', 'historical', 'grid', 'user']),
    pnl: PnlSchema,
    underlyings: Type.Array(Type.Object({ underlying: Type.String(), pnl: PnlSchema }, closed), {
      description: 'The parts of the P&L, of underlyings with positions or coins.',
    }),
  },
  closed,
);

export const StressReportSchema = Type.Object(
  {
    account: Type.String(),
    currency: Type.String(),
    asOf: Type.String(),
    equity: Type.Number({ description: 'Now.' }),
    horizonDays: Type.Number({ description: 'Taken off times to expiry in each scenario.' }),
    scenarios: Type.Array(ScenarioPnlSchema, { description: 'But for the cells of the grid.' }),
    grid: Type.Object(
      {
        spot: numbers('Relative moves of all spots.'),
        vol: numbers('Relative moves of all volatilities at 30 days.'),
        pnl: Type.Array(Type.Array(PnlSchema), { description: 'By spot, then by vol.' }),
      },
      closed,
    ),
    worst: Type.Union(
      [
        Type.Object(
          { name: Type.String(), pnl: Type.Number(), equity: Type.Number() },
          { ...closed, description: 'The scenario with the least P&L, and equity there.' },
        ),
        Type.Null(),
      ],
      { description: 'Null where no scenario can be reckoned.' },
    ),
    clampedShocks: Type.Integer({ description: 'Shocks that met the clamp.' }),
    clampedScenarios: Type.Array(Type.String(), {
      description:
        'Scenarios that have such a shock: historical days and the engine’s own moves. A stated move beyond the clamp is refused.',
    }),
    unknownUnderlyings: Type.Array(Type.String(), {
      description:
        'Underlyings that a scenario names and of which the scenarios’ model has no factor: they move nothing. A misspelt id is among them.',
    }),
    heldFactors: Type.Array(Type.String(), {
      description: 'Factors that a scenario moves and the scenarios’ model lacks: held still.',
    }),
    heldInHistory: Type.Array(Type.String(), {
      description: 'Factors that the history lacks: still on historical days.',
    }),
    withoutOwn: Type.Array(Type.String(), {
      description: 'Underlyings without scenarios of their own, as there are too many.',
    }),
    stressSet: Type.String({ description: 'Identity of the shocks: sha256:…' }),
    methodology: Type.String(),
    market: Type.String(),
    engine: Type.String(),
  },
  { ...closed, title: 'StressReport' },
);

export type StressReport = Static<typeof StressReportSchema>;
export type ScenarioPnl = Static<typeof ScenarioPnlSchema>;
