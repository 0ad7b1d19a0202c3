/** What an explanation is asked with, and what it says. Money in the account's currency, losses positive. */
import Type, { type Static, type TSchema } from 'typebox';
import { PlimsollError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import { type Account, readAccount } from '../../margin/account.ts';
import { MarginResultSchema } from '../../margin/result.ts';
import { reader } from '../../schema.ts';
import { type AccountChange, ChangeSchema, changedInstruments } from './changes.ts';

const closed = { additionalProperties: false } as const;
const number = (description: string) => Type.Number({ description });
const nullable = (description: string) => Type.Union([Type.Number(), Type.Null()], { description });
const list = <T extends TSchema>(item: T, description: string) => Type.Array(item, { description });

export const WORST_SHOWN = 10;

export const ExplainParametersSchema = Type.Object(
  {
    worst: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: LIMITS.explainWorstMax,
        description: `How many of the worst scenarios are shown. Default ${WORST_SHOWN}.`,
      }),
    ),
    change: Type.Optional(ChangeSchema),
  },
  closed,
);

/** With the account that the first is compared with; it is read by its own reader, which says better what is wrong in it. */
const ExplainDocumentSchema = Type.Object(
  { ...ExplainParametersSchema.properties, other: Type.Optional(Type.Object({})) },
  closed,
);
export type ExplainDocument = Static<typeof ExplainDocumentSchema>;

const readDocument = reader(ExplainDocumentSchema);

/** The request as a worker is sent it. */
export interface ExplainRequest {
  readonly worst: number;
  readonly other: Account | null;
  readonly change: AccountChange | null;
}

/** @throws INVALID_FIELD, also where both `other` and `change` are given; what the other account has wrong, under `other.` */
export function readExplainRequest(value: unknown): ExplainRequest {
  const { worst = WORST_SHOWN, other, change } = readDocument(value);
  if (other !== undefined && change !== undefined) {
    const message = 'give either another account or a change of this one, not both';
    throw new PlimsollError('INVALID_FIELD', message, { path: 'other' });
  }
  return { worst, other: other === undefined ? null : readOther(other), change: change ?? null };
}

function readOther(value: unknown): Account {
  try {
    return readAccount(value);
  } catch (error) {
    throw ofOther(error);
  }
}

/** An error in the other account, with its path in the request. */
export function ofOther(error: unknown): unknown {
  if (!(error instanceof PlimsollError)) return error;
  const { code, message, path } = error;
  return new PlimsollError(code, message, { path: path === undefined ? 'other' : `other.${path}` });
}

/** Instruments that a request is about, beside those of the account. */
export function explainedInstruments({ other, change }: ExplainRequest): readonly string[] {
  const orders = other?.orders.map(({ instrument }) => instrument) ?? [];
  return [
    ...(other?.instruments ?? []),
    ...orders,
    ...(change === null ? [] : changedInstruments(change)),
  ];
}

const contribution = {
  contribution: number('Part of ES: the mean of its losses over the tail. These sum to ES.'),
  share: nullable('Of ES; null where ES is no loss.'),
};

const PositionSchema = Type.Object(
  {
    instrument: Type.String(),
    underlying: Type.String(),
    expiry: Type.Union([Type.String(), Type.Null()]),
    size: number('Contracts, signed.'),
    ...contribution,
    standAlone: number('ES of the position by itself.'),
    incremental: nullable(
      'ES of the account without the position, less ES: > 0 where it hedges. Null beyond the greatest contributions.',
    ),
  },
  closed,
);

const FactorTypeSchema = Type.Object(
  {
    type: Type.String({ description: 'spot, vol, basis …' }),
    ...contribution,
    underlyings: Type.Array(
      Type.Object({ underlying: Type.String(), contribution: Type.Number() }, closed),
    ),
  },
  closed,
);

const WorstSchema = Type.Object(
  {
    scenario: Type.Integer({ description: 'Number in the scenario set, from 0.' }),
    period: Type.Optional(
      Type.String({
        description:
          'Where the scenario is a stretch of a history: its date (2020-03-12), or first and last (2020-03-10..2020-03-12).',
      }),
    ),
    weight: number('In ES; 0 beyond the tail.'),
    pnl: number('Of the account, profit positive.'),
    shocks: list(
      Type.Object(
        {
          factor: Type.String(),
          kind: Type.Enum(['log', 'absolute']),
          shock: Type.Number(),
          price: Type.Optional(number('Of a spot: the price after the shock.')),
        },
        closed,
      ),
      'Of the underlyings that are held.',
    ),
    positions: list(
      Type.Object({ instrument: Type.String(), pnl: Type.Number() }, closed),
      'P&L by position.',
    ),
    collateral: list(
      Type.Object({ asset: Type.String(), pnl: Type.Number() }, closed),
      'P&L by collateral coin.',
    ),
  },
  closed,
);

const ComponentSchema = Type.Object(
  {
    name: Type.String(),
    initial: Type.Number(),
    maintenance: Type.Number(),
    formula: Type.String({ description: 'In words.' }),
    charges: list(
      Type.Object(
        {
          of: Type.String({ description: 'The account, an underlying or an instrument.' }),
          amount: Type.Number(),
          inputs: Type.Record(Type.String(), Type.Number()),
        },
        closed,
      ),
      'One where margins are net; in cross mode one an underlying, in isolated mode one a position.',
    ),
  },
  closed,
);

const TailPairSchema = Type.Union([
  Type.Object({ valueAtRisk: Type.Number(), expectedShortfall: Type.Number() }, closed),
  Type.Null(),
]);

export const ParametricSchema = Type.Object(
  {
    deltaNormal: TailPairSchema,
    deltaGamma: Type.Union(
      [
        Type.Object(
          {
            mean: Type.Number(),
            standardDeviation: Type.Number(),
            skewness: Type.Number(),
            excessKurtosis: Type.Number(),
          },
          closed,
        ),
        Type.Null(),
      ],
      { description: 'Moments of the P&L to second order in the spots.' },
    ),
    cornishFisher: TailPairSchema,
    refusal: Type.Union([Type.String(), Type.Null()], { description: 'Why a figure is null.' }),
  },
  { ...closed, description: 'From sensitivities, without simulation: to check the figures by.' },
);

const change = (of: string) =>
  Type.Object(
    {
      before: Type.Number(),
      after: Type.Number(),
      difference: number('After less before.'),
    },
    { ...closed, description: of },
  );

export const DifferenceSchema = Type.Object(
  {
    account: Type.String({ description: 'The account after.' }),
    initialMargin: change('IM before credit.'),
    maintenanceMargin: change('MM before credit.'),
    equity: change('Equity.'),
    expectedShortfall: change('ES of the net P&L.'),
    state: Type.Object({ before: Type.String(), after: Type.String() }, closed),
    components: Type.Array(
      Type.Object(
        { name: Type.String(), initial: change('IM.'), maintenance: change('MM.') },
        closed,
      ),
    ),
    positions: Type.Array(
      Type.Object(
        {
          instrument: Type.String(),
          size: change('Contracts; 0 where it is not held.'),
          contribution: change('Part of ES.'),
        },
        closed,
      ),
    ),
    collateral: Type.Array(
      Type.Object({ asset: Type.String(), contribution: change('Part of ES.') }, closed),
    ),
  },
  { ...closed, description: 'What a change, or another account, makes of it.' },
);

export const ExplanationSchema = Type.Object(
  {
    margin: MarginResultSchema,
    levels: Type.Object(
      {
        creditLine: Type.Number(),
        initialRequirement: number('IM less credit: margin call below it.'),
        maintenanceRequirement: number('MM less credit: liquidation below it.'),
        warning: number('Warning below it.'),
        freeCollateral: number('Equity less the initial requirement.'),
      },
      { ...closed, description: 'What equity is compared with.' },
    ),
    components: Type.Array(ComponentSchema),
    antiProcyclicality: Type.Object(
      {
        buffer: Type.Boolean({ description: '(a) 25% on top, used up as volatility rises.' }),
        stressed: Type.Boolean({ description: '(b) A quarter of the weight on stressed rows.' }),
        longRunFloor: Type.Boolean({
          description: '(c) Volatilities floored at the long-run ones.',
        }),
      },
      { ...closed, description: 'Which measures the methodology applies to market risk.' },
    ),
    tail: Type.Object(
      {
        scenarios: Type.Integer({ description: 'k: scenarios that ES is the mean of.' }),
        mass: number('a = n(1−α): the last of the k counts in part.'),
      },
      closed,
    ),
    positions: Type.Array(PositionSchema),
    collateral: Type.Array(
      Type.Object(
        {
          asset: Type.String(),
          coins: number('Amount after haircut.'),
          ...contribution,
          standAlone: number('ES of the coins by themselves.'),
        },
        closed,
      ),
    ),
    underlyings: Type.Array(Type.Object({ underlying: Type.String(), ...contribution }, closed)),
    expiries: list(
      Type.Object({ expiry: Type.Union([Type.String(), Type.Null()]), ...contribution }, closed),
      'Undated ones, coins among them, under null.',
    ),
    factors: Type.Object(
      {
        time: number('Part of ES that the passage of the horizon makes without any shock.'),
        types: list(FactorTypeSchema, 'Only this type of factor moved, the others held still.'),
        interaction: number('What is left of ES: types that move together do more, or less.'),
      },
      {
        ...closed,
        description: 'By type of factor, by full revaluation in the scenarios of the tail.',
      },
    ),
    worst: Type.Array(WorstSchema),
    worstStress: Type.Union(
      [
        Type.Object(
          { name: Type.String(), loss: number('Of the account, losses positive.') },
          closed,
        ),
        Type.Null(),
      ],
      { description: 'The worst of the stress library; null where it is not charged.' },
    ),
    parametric: ParametricSchema,
    difference: Type.Optional(DifferenceSchema),
  },
  { ...closed, title: 'Explanation' },
);

export type Explanation = Static<typeof ExplanationSchema>;

export type ExplainedComponent = Static<typeof ComponentSchema>;
export type ExplainedFactors = Explanation['factors'];
export type WorstScenario = Static<typeof WorstSchema>;
export type Parametric = Static<typeof ParametricSchema>;
export type Difference = Static<typeof DifferenceSchema>;
