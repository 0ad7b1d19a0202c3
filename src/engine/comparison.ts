/** One account under several methodologies side by side, each in all margin modes. */
import Type, { type Static } from 'typebox';
import { ERROR_CODES, type ErrorCode, PlimsollError } from '../errors.ts';
import { type MethodologyInput, PRESETS, readMethodology } from '../margin/methodology.ts';
import { type ModesCompared, ModesSchema } from './studies/compareSchema.ts';

const closed = { additionalProperties: false } as const;

export const ComparisonSchema = Type.Object(
  {
    current: ModesSchema,
    methodologies: Type.Array(
      Type.Union([
        Type.Object({ name: Type.String(), compared: ModesSchema }, closed),
        Type.Object(
          {
            name: Type.String(),
            error: Type.Object(
              {
                code: Type.Enum(Object.keys(ERROR_CODES) as ErrorCode[]),
                message: Type.String(),
                path: Type.Optional(Type.String()),
              },
              closed,
            ),
          },
          {
            ...closed,
            description: 'Why it cannot be computed here: it needs a history, for example.',
          },
        ),
      ]),
      { description: 'In the order in which they were named.' },
    ),
  },
  { ...closed, title: 'Comparison' },
);

export type Comparison = Static<typeof ComparisonSchema>;

export interface Compared {
  readonly name: string;
  readonly methodology: MethodologyInput;
}

/**
 * The methodologies that a request names. The sampling is no part of a method: a scenario model, number of scenarios and seed that one does
 * not state are those in use, so that the figures differ by the method alone.
 * @throws INVALID_FIELD, UNKNOWN_FIELD with the path (`methodologies[1].mmFactor`)
 */
export function comparedMethodologies(
  { methodologies = [] }: { readonly methodologies?: readonly unknown[] },
  base: MethodologyInput,
): readonly Compared[] {
  const { scenarioModel, scenarios, seed } = base;
  const sampling = Object.fromEntries(
    Object.entries({ scenarioModel, scenarios, seed }).filter(([, value]) => value !== undefined),
  );
  return methodologies.map((given, i) => {
    const stated = readMethodology(given, { prefix: `methodologies[${i}]` });
    const methodology: MethodologyInput = { ...sampling, ...stated };
    if (methodology.scenarioModel === 'historical' && stated.scenarios === undefined) {
      delete methodology.scenarios;
    }
    const preset = PRESETS[stated.preset ?? 'exchange-crypto'];
    return { name: stated.name ?? preset.name, methodology };
  });
}

/** @param under the account under one methodology; a fault of the methodology stands in its place, any other is thrown */
export async function comparison(
  compared: readonly Compared[],
  current: ModesCompared,
  under: (methodology: MethodologyInput) => Promise<ModesCompared>,
): Promise<Comparison> {
  const methodologies: Comparison['methodologies'] = [];
  for (const { name, methodology } of compared) {
    try {
      methodologies.push({ name, compared: await under(methodology) });
    } catch (error) {
      if (!(error instanceof PlimsollError) || error.status !== 422) throw error;
      methodologies.push({ name, error: error.toRecord() });
    }
  }
  return { current, methodologies };
}
