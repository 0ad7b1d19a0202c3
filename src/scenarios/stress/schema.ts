/** What a stress library may say. All moves are relative: spot −0.3 is a fall by 30%, vol 0.5 lifts volatilities to 1.5 times what they are. */
import Type, { type Static } from 'typebox';
import { LIMITS } from '../../limits.ts';
import { type Reader, reader } from '../../schema.ts';

const strict = { additionalProperties: false } as const;
const MOVE_MAX = 1_000;

const spot = Type.Number({
  exclusiveMinimum: -1,
  maximum: MOVE_MAX,
  description: 'relative move of the spot; forwards go along',
});
const vol = Type.Number({
  exclusiveMinimum: -1,
  maximum: MOVE_MAX,
  description: 'relative move of volatilities at 30 days; other expiries by the smile rule',
});
const basis = Type.Number({
  minimum: -LIMITS.rateMax,
  maximum: LIMITS.rateMax,
  description: 'shift of the annualised basis, added',
});
const moves = {
  spot: Type.Optional(spot),
  vol: Type.Optional(vol),
  basis: Type.Optional(basis),
};
const name = Type.String({ minLength: 1, maxLength: LIMITS.idLengthMax });

export const StressScenarioSchema = Type.Object(
  {
    name,
    ...moves,
    underlyings: Type.Optional(
      Type.Record(name, Type.Object(moves, strict), {
        description:
          'moves of single underlyings, by id; each stands in for the one that is for all',
      }),
    ),
  },
  { ...strict, description: 'spot, vol and basis are moves of every underlying; left out: none' },
);

const levels = (items: typeof spot) =>
  Type.Array(items, { minItems: 1, maxItems: LIMITS.stressScenariosMax });

export const StressLibrarySchema = Type.Object(
  {
    hypothetical: Type.Optional(
      Type.Boolean({ description: 'the moves that come with the engine. Default true' }),
    ),
    historicalDays: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: LIMITS.stressDaysMax,
        description:
          'worst moves over the horizon in the history: so many for an equal-weight book, long and short, and for each underlying. Default 3',
      }),
    ),
    grid: Type.Optional(
      Type.Object(
        { spot: levels(spot), vol: levels(vol) },
        { ...strict, description: 'every pair of a spot and a vol move, all underlyings at once' },
      ),
    ),
    scenarios: Type.Optional(
      Type.Array(StressScenarioSchema, { maxItems: LIMITS.stressScenariosMax }),
    ),
  },
  { ...strict, title: 'StressLibrary', description: 'Scenarios of extreme moves.' },
);

export type StressScenario = Static<typeof StressScenarioSchema>;
export type StressLibrary = Static<typeof StressLibrarySchema>;
export type Moves = NonNullable<StressScenario['underlyings']>[string];

/** @throws INVALID_FIELD, UNKNOWN_FIELD, MISSING_FIELD with the path */
export const readStressLibrary: Reader<StressLibrary> = reader(StressLibrarySchema);
