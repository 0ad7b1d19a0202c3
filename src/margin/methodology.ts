/**
 * The methodology as data: every parameter with its unit, range and default. A caller states what differs; `resolveMethodology` fills
 * the rest, and the hash of the filled form is what a result cites.
 */
import Type, { type Static } from 'typebox';
import { PlimsollError } from '../errors.ts';
import { hashOf } from '../json.ts';
import { LIMITS } from '../limits.ts';
import { type Reader, reader } from '../schema.ts';

const closed = { additionalProperties: false } as const;

export const SCENARIO_MODELS = ['gaussian', 'student-t', 'historical'] as const;
export type ScenarioModel = (typeof SCENARIO_MODELS)[number];

const share = (description: string) => Type.Number({ minimum: 0, maximum: 1, description });

export const MethodologySchema = Type.Object(
  {
    name: Type.Optional(Type.String({ minLength: 1, maxLength: LIMITS.idLengthMax })),
    scenarioModel: Type.Optional(
      Type.Enum([...SCENARIO_MODELS], {
        description:
          'How scenarios are drawn. Default: student-t where the factor model states degreesOfFreedom, else gaussian.',
      }),
    ),
    confidence: Type.Optional(
      Type.Number({
        minimum: LIMITS.confidenceMin,
        maximum: LIMITS.confidenceMax,
        description: 'α of VaR and ES. Default 0.99.',
      }),
    ),
    horizonDays: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: LIMITS.horizonDaysMax,
        description: 'Margin period of risk h, in days. Default 1.',
      }),
    ),
    scenarios: Type.Optional(
      Type.Number({
        description: 'Number of scenarios S. Default 10,240; historical takes its own.',
      }),
    ),
    seed: Type.Optional(
      Type.Union([Type.String({ maxLength: LIMITS.idLengthMax }), Type.Number()], {
        description:
          'Seed of the draws; a number is turned into its decimal text. Default "plimsoll".',
      }),
    ),
    maxLogShock: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 100,
        description: 'Clamp of log shocks. Default 3.',
      }),
    ),
    instantaneous: Type.Optional(
      Type.Boolean({
        description: 'Keep the time to expiry instead of taking h off. Default false.',
      }),
    ),
    mmFactor: Type.Optional(share('Maintenance margin as a share of its base. Default 0.8.')),
    floor: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1e15,
        description: 'Least initial margin, in currency. Default 0.',
      }),
    ),
    haircuts: Type.Optional(
      Type.Record(
        Type.String({ maxLength: LIMITS.idLengthMax }),
        share('Haircut of a collateral asset.'),
        {
          description:
            'Haircut by asset; `*` is that of assets not named. Default BTC and ETH 0.05, USDT and USDC 0.01, * 0.15; the currency 0.',
        },
      ),
    ),
    warningLevel: Type.Optional(
      Type.Number({
        minimum: 1,
        maximum: 100,
        description: 'Equity below this multiple of IM is `warning`. Default 1.25.',
      }),
    ),
  },
  closed,
);

export type MethodologyInput = Static<typeof MethodologySchema>;
export const readMethodology: Reader<MethodologyInput> = reader(MethodologySchema);

/** Every parameter stated. */
export interface Methodology {
  readonly name: string;
  readonly scenarioModel: ScenarioModel;
  readonly confidence: number;
  readonly horizonDays: number;
  /** 0 with `historical`: the history says. */
  readonly scenarios: number;
  readonly seed: string;
  readonly maxLogShock: number;
  readonly instantaneous: boolean;
  readonly mmFactor: number;
  readonly floor: number;
  readonly haircuts: Readonly<Record<string, number>>;
  readonly warningLevel: number;
}

/** Collateral haircuts where the methodology names none. */
const DEFAULT_HAIRCUTS: Readonly<Record<string, number>> = {
  '*': 0.15,
  BTC: 0.05,
  ETH: 0.05,
  USDC: 0.01,
  USDT: 0.01,
};
export const DEFAULT_SCENARIOS = 10_240;

/**
 * Fills in the defaults.
 * @param heavyTailed whether the factor model states degrees of freedom
 * @throws INVALID_SCENARIO_COUNT, also when `historical` is given a number of scenarios
 */
export function resolveMethodology(input: MethodologyInput, heavyTailed: boolean): Methodology {
  const scenarioModel = input.scenarioModel ?? (heavyTailed ? 'student-t' : 'gaussian');
  if (scenarioModel === 'student-t' && !heavyTailed) {
    throw new PlimsollError(
      'MISSING_FIELD',
      'student-t needs degreesOfFreedom in the factor model',
      {
        path: 'degreesOfFreedom',
      },
    );
  }
  return {
    name: input.name ?? 'default',
    scenarioModel,
    confidence: input.confidence ?? 0.99,
    horizonDays: input.horizonDays ?? 1,
    scenarios: scenarioCount(input.scenarios, scenarioModel),
    seed: String(input.seed ?? 'plimsoll'),
    maxLogShock: input.maxLogShock ?? LIMITS.maxLogShock,
    instantaneous: input.instantaneous ?? false,
    mmFactor: input.mmFactor ?? 0.8,
    floor: input.floor ?? 0,
    haircuts: { ...DEFAULT_HAIRCUTS, ...input.haircuts },
    warningLevel: input.warningLevel ?? 1.25,
  };
}

function scenarioCount(asked: number | undefined, model: ScenarioModel): number {
  if (model === 'historical') {
    if (asked === undefined) return 0;
    throw new PlimsollError(
      'INVALID_SCENARIO_COUNT',
      `historical takes its number of scenarios from the history; ${asked} was asked for`,
      { path: 'scenarios' },
    );
  }
  const scenarios = asked ?? DEFAULT_SCENARIOS;
  const { scenariosMin, scenariosMax } = LIMITS;
  if (!Number.isInteger(scenarios) || scenarios < scenariosMin || scenarios > scenariosMax) {
    throw new PlimsollError(
      'INVALID_SCENARIO_COUNT',
      `scenarios must be a whole number from ${scenariosMin} to ${scenariosMax}, got ${scenarios}`,
      { path: 'scenarios' },
    );
  }
  return scenarios;
}

export function methodologyHash(methodology: Methodology): string {
  return hashOf(methodology);
}
