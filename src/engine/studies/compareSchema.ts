/** What a comparison is asked for, and what it says. */
import Type, { type Static } from 'typebox';
import { LIMITS } from '../../limits.ts';
import { MARGIN_MODES } from '../../margin/account.ts';
import { type MethodologyInput, PRESET_NAMES } from '../../margin/methodologySchema.ts';
import { ACCOUNT_STATES } from '../../margin/requirement.ts';
import { type Reader, reader } from '../../schema.ts';

const closed = { additionalProperties: false } as const;
const nullable = (description: string) => Type.Union([Type.Number(), Type.Null()], { description });

export const CompareRequestSchema = Type.Object(
  {
    methodologies: Type.Optional(
      Type.Array(
        Type.Union([
          Type.String({
            maxLength: LIMITS.idLengthMax,
            description: `By name: ${PRESET_NAMES.join(', ')}.`,
          }),
          Type.Unsafe<MethodologyInput>({
            type: 'object',
            description: 'A methodology: `reference` of GET /v1/methodology has its schema.',
          }),
        ]),
        {
          maxItems: LIMITS.comparedMethodologiesMax,
          description:
            'Compared beside the one that is in use. Where one states no scenario model, number of scenarios or seed, those in use are taken.',
        },
      ),
    ),
  },
  { ...closed, title: 'CompareRequest' },
);

export type CompareRequest = Static<typeof CompareRequestSchema>;
/** What is wrong in a methodology, its own reader says better: here it may be anything. */
export const readCompareRequest: Reader<{ methodologies?: unknown[] }> = reader(
  Type.Object(
    {
      methodologies: Type.Optional(
        Type.Array(Type.Unknown(), { maxItems: LIMITS.comparedMethodologiesMax }),
      ),
    },
    closed,
  ),
);

export const AllocationSchema = Type.Object(
  {
    instrument: Type.String(),
    allocated: Type.Number({ description: 'What the figures are computed with, in currency.' }),
    stated: Type.Boolean({ description: 'Whether the account states it.' }),
    needed: Type.Number({
      description: 'The least with which the position covers its own initial margin, in currency.',
    }),
  },
  closed,
);

const ModeSchema = Type.Object(
  {
    mode: Type.Enum([...MARGIN_MODES]),
    current: Type.Boolean({ description: 'Whether the account is in this mode.' }),
    initialMargin: Type.Number({ description: 'Before credit.' }),
    maintenanceMargin: Type.Number({ description: 'Before credit.' }),
    initialRequirement: Type.Number({ description: 'After credit; isolated margin has none.' }),
    maintenanceRequirement: Type.Number(),
    freeCollateral: Type.Number({
      description:
        'Equity less the initial requirement; isolated: collateral that is set apart for no position. < 0 is what is missing.',
    }),
    marginRatio: nullable('Maintenance requirement over equity; null when equity ≤ 0.'),
    state: Type.Enum([...ACCOUNT_STATES], {
      description: 'Of the account if it switched to this mode.',
    }),
    components: Type.Array(
      Type.Object(
        { name: Type.String(), initial: Type.Number(), maintenance: Type.Number() },
        closed,
      ),
    ),
    allocations: Type.Optional(
      Type.Array(AllocationSchema, {
        description:
          'Isolated mode: a position for which nothing is stated is given what its own initial margin needs.',
      }),
    ),
  },
  closed,
);

export type Allocation = Static<typeof AllocationSchema>;
export type ModeFigures = Static<typeof ModeSchema>;

export const ModesSchema = Type.Object(
  {
    account: Type.String(),
    currency: Type.String(),
    asOf: Type.String(),
    equity: Type.Number(),
    modes: Type.Array(ModeSchema),
    capitalEfficiency: nullable(
      '1 − portfolio/Σ isolated initial margin; null when isolated needs nothing.',
    ),
    scenarioSet: Type.String(),
    methodology: Type.String(),
    market: Type.String(),
    engine: Type.String(),
  },
  { ...closed, title: 'ModesCompared' },
);

export type ModesCompared = Static<typeof ModesSchema>;
