/** The methodology as a caller writes it: every parameter with its unit, range and default. What is left out takes the preset's value. */
import Type, { type Static } from 'typebox';
import { LIMITS } from '../limits.ts';
import { SURFACE_MODELS } from '../market/surface.ts';
import { SCENARIO_MODELS } from '../scenarios/scenarioSet.ts';
import { StressLibrarySchema } from '../scenarios/stress/schema.ts';
import { SMILE_RULES } from '../valuation/plan.ts';

const closed = { additionalProperties: false } as const;

const number = (minimum: number, maximum: number, description: string) =>
  Type.Optional(Type.Number({ minimum, maximum, description }));
const positive = (maximum: number, description: string) =>
  Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum, description }));
const flag = (description: string) => Type.Optional(Type.Boolean({ description }));
const share = (description: string) => Type.Number({ minimum: 0, maximum: 1, description });
const group = <P extends Parameters<typeof Type.Object>[0]>(properties: P, description: string) =>
  Type.Optional(Type.Object(properties, { ...closed, description }));

/** In the order in which they are charged and shown. */
export const COMPONENT_NAMES = [
  'marketRisk',
  'stress',
  'dependence',
  'liquidity',
  'concentration',
  'basis',
  'shortOptionMinimum',
  'oracle',
  'depeg',
  'openOrders',
] as const;
export type ComponentName = (typeof COMPONENT_NAMES)[number];

export const PRESET_NAMES = ['exchange-crypto', 'clearing-listed', 'market-risk'] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

export const VOLATILITY_ESTIMATES = ['fixed', 'dynamic'] as const;

/** A share of 1e6 is beyond anything that is meant. */
const FACTOR_MAX = 1e6;

export const MethodologySchema = Type.Object(
  {
    name: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: LIMITS.idLengthMax,
        description: 'Default: the preset.',
      }),
    ),
    version: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: LIMITS.idLengthMax,
        description: 'The caller\'s own version of these parameters. Default "1".',
      }),
    ),
    preset: Type.Optional(
      Type.Enum([...PRESET_NAMES], {
        description: 'Where parameters that are not stated come from. Default exchange-crypto.',
      }),
    ),
    scenarioModel: Type.Optional(
      Type.Enum([...SCENARIO_MODELS], {
        description:
          'How scenarios are made. Default: student-t where the factor model states degreesOfFreedom, else gaussian.',
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
    maxLogShock: positive(100, 'Clamp of log shocks. Default 3.'),
    instantaneous: flag('Keep the time to expiry instead of taking h off. Default false.'),
    smileRule: Type.Optional(
      Type.Enum([...SMILE_RULES], {
        description:
          'Which volatility an option has when the forward moves. Default sticky-strike.',
      }),
    ),
    surfaceModel: Type.Optional(
      Type.Enum([...SURFACE_MODELS], {
        description: 'How quotes become a surface. Default quotes (monotone cubic through them).',
      }),
    ),
    filtered: group(
      {
        lambda: Type.Optional(
          Type.Number({
            exclusiveMinimum: 0,
            exclusiveMaximum: 1,
            description: 'Decay of the EWMA volatility a row. Default 0.97.',
          }),
        ),
        residuals: Type.Optional(
          Type.Integer({
            minimum: 2,
            maximum: LIMITS.historyRowsMax,
            description: 'Residual vectors that are used, the latest ones. Default 500.',
          }),
        ),
      },
      'Of the scenario model filtered-historical.',
    ),
    volatilities: group(
      {
        estimate: Type.Optional(
          Type.Enum([...VOLATILITY_ESTIMATES], {
            description:
              "fixed: the factor model's. dynamic: in a live book those of spots and implied volatilities follow their ticks. Default fixed.",
          }),
        ),
        instants: Type.Optional(
          Type.Array(Type.String({ pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$' }), {
            minItems: 1,
            maxItems: LIMITS.volatilityInstantsMax,
            uniqueItems: true,
            description:
              'When dynamic ones change, UTC: at each a new scenario set. Default ["00:00"].',
          }),
        ),
        lambda: Type.Optional(
          Type.Number({
            exclusiveMinimum: 0,
            exclusiveMaximum: 1,
            description: 'Decay of the EWMA variance a day. Default 0.94.',
          }),
        ),
      },
      'Whose estimate of volatility scenarios are drawn with.',
    ),
    components: Type.Optional(
      Type.Array(Type.Enum([...COMPONENT_NAMES]), {
        uniqueItems: true,
        maxItems: COMPONENT_NAMES.length,
        description: 'Parts of the requirement that are charged. Default: all.',
      }),
    ),
    stress: group(
      {
        weight: number(0, FACTOR_MAX, 'w of the loss beyond market risk. Default 0.25.'),
        library: Type.Optional(StressLibrarySchema),
      },
      'w · max(0, worst loss over the stress library − marketRisk).',
    ),
    dependence: group(
      { weight: number(0, FACTOR_MAX, 'Default 0.25.') },
      'w · max(0, max(ES of unrelated, ES of comonotone underlyings) − ES).',
    ),
    liquidity: group(
      {
        impact: number(0, FACTOR_MAX, 'η of the square-root impact. Default 1.'),
        vegaSpread: number(
          0,
          FACTOR_MAX,
          'Volatility points (decimal) paid on the net vega. Default 0.02.',
        ),
      },
      'Cost of closing the net delta and vega of each underlying.',
    ),
    concentration: group(
      {
        participation: positive(
          1,
          "Share of a day's volume that a liquidation may take. Default 0.1.",
        ),
      },
      'Grown liquidation horizon: Σ (√(h_u/h) − 1) · ES of the positions in u alone.',
    ),
    basis: group(
      {
        least: number(0, FACTOR_MAX, 'Least rate. Default 0.01.'),
        slope: number(0, 100, 'Rate per year of maturity, continuous. Default 0.075.'),
      },
      'Of deltas that offset each other across expiries; off where a basis factor is simulated.',
    ),
    shortOptionMinimum: group(
      {
        share: number(0, FACTOR_MAX, 'Of spot × multiplier per net short contract. Default 0.005.'),
      },
      'Least charge for short options, by expiry and strike.',
    ),
    oracle: group(
      {
        threshold: number(0, 1, 'Confidence below which it is charged. Default 0.95.'),
        share: number(0, FACTOR_MAX, 'Of the notional, per unit of missing confidence. Default 1.'),
      },
      '(threshold − confidence)⁺ × share of the notional. Initial-only.',
    ),
    depeg: group(
      {
        threshold: number(
          0,
          FACTOR_MAX,
          'Price below which it is charged, in currency. Default 0.99.',
        ),
        factor: number(0, FACTOR_MAX, 'Default 4.'),
        assets: Type.Optional(
          Type.Array(Type.String({ minLength: 1, maxLength: LIMITS.idLengthMax }), {
            maxItems: 1_000,
            description: 'Stable coins. Default USDT, USDC.',
          }),
        ),
      },
      '(threshold − price)⁺ × factor × amount of the coin in the collateral. Initial-only.',
    ),
    openOrders: group(
      { feeRate: number(0, 1, 'Fee as a share of the notional of all orders. Default 0.0005.') },
      'The worse side filled, fees, and losses of orders through the mark. Initial-only.',
    ),
    antiProcyclicality: group(
      {
        buffer: flag(
          '(a) 25% buffer, used up as volatility rises above its long run. Default false.',
        ),
        stressed: flag('(b) 25% weight on the stressed set. Needs a history. Default false.'),
        longRunFloor: flag('(c) volatilities floored at those of up to 10 years. Default false.'),
        stressedRows: Type.Optional(
          Type.Integer({
            minimum: 20,
            maximum: 10_000,
            description: 'Consecutive rows of the stressed set. Default 250.',
          }),
        ),
      },
      'EMIR RTS 153/2013 article 28; applied in the order c, b, a.',
    ),
    mmFactor: Type.Optional(share('Maintenance margin as a share of its base. Default 0.8.')),
    floor: number(0, 1e15, 'Least initial margin, in currency. Default 0.'),
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
    warningLevel: number(1, 100, 'Equity below this multiple of IM is `warning`. Default 1.25.'),
    releaseLevel: number(
      1,
      100,
      'A booked account leaves a band past this multiple of its level; a liquidation ends there. Default 1.05.',
    ),
  },
  { ...closed, title: 'Methodology' },
);

export type MethodologyInput = Static<typeof MethodologySchema>;

/** The same with every parameter stated: what a resolved methodology looks like. */
export function resolvedSchema(): Record<string, unknown> {
  return stated(MethodologySchema as unknown as Schema) as unknown as Record<string, unknown>;
}

interface Schema {
  readonly type?: string;
  readonly title?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
}

/** Additional property names of a record (haircuts) stay as they are: only objects with named properties are closed. */
function stated(schema: Schema): Schema {
  // A stress library says what is not the default: nothing in it is filled in.
  if (schema.title === 'StressLibrary') return schema;
  if (schema.type !== 'object' || schema.properties === undefined) return schema;
  const properties = Object.fromEntries(
    Object.entries(schema.properties).map(([name, one]) => [name, stated(one)]),
  );
  return { ...schema, properties, required: Object.keys(properties) } as Schema;
}
