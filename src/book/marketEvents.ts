/** What happens to the market that the book is margined on. */
import Type from 'typebox';
import { LIMITS } from '../limits.ts';
import { FactorModelSchema, FactorSchema } from '../market/factorModel.ts';
import { ForwardSchema, MarketSnapshotSchema, SurfaceSliceSchema } from '../market/snapshot.ts';
import {
  amountSchema,
  bodySchema,
  closed,
  hashSchema,
  idSchema,
  instantSchema,
  instrumentIdSchema,
  priceSchema,
} from './eventShapes.ts';

const sequence = (description: string) =>
  Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description });

export const TickSchema = Type.Object(
  {
    sequence: sequence('As its source numbers it.'),
    underlying: idSchema('Id of the underlying.'),
    asOf: instantSchema('of these prices'),
    spot: Type.Optional(priceSchema('spot')),
    forwards: Type.Optional(
      Type.Array(ForwardSchema, { maxItems: LIMITS.expiriesMax, description: 'Those that moved.' }),
    ),
    surface: Type.Optional(
      Type.Array(SurfaceSliceSchema, {
        maxItems: LIMITS.expiriesMax,
        description: 'Quotes that moved, by strike.',
      }),
    ),
    marks: Type.Optional(
      Type.Array(
        Type.Object({ instrument: instrumentIdSchema, mark: priceSchema('mark') }, closed),
        { maxItems: LIMITS.instrumentsMax, description: 'Of perpetuals and futures.' },
      ),
    ),
  },
  closed,
);

const factorId = FactorSchema.properties.id;
const factorVolatility = FactorSchema.properties.volatility;

const FactorObservationSchema = Type.Object(
  {
    factor: factorId,
    level: Type.Number({
      exclusiveMinimum: 0,
      description: 'Price of the underlying, or its at-the-money volatility at 30 days.',
    }),
    at: instantSchema('at which the level was quoted'),
    change: Type.Optional(
      amountSchema(
        'Since the instant at which it was last heard of: of the logarithm, or of the level if absolute. Absent at the first.',
      ),
    ),
    volatility: Type.Optional({ ...factorVolatility, description: 'Annual, after it.' }),
  },
  { ...closed, description: 'Of one factor at an instant.' },
);

export const MARKET_EVENTS = {
  'market-replaced': bodySchema(
    {
      source: idSchema('Who sent it.'),
      hash: hashSchema('SHA-256 of its canonical JSON.'),
      asOf: instantSchema('of the snapshot'),
      snapshot: Type.Optional({
        ...MarketSnapshotSchema,
        description: 'Left out where the store keeps it under its hash.',
      }),
    },
    'A new snapshot; the numbering of ticks starts afresh.',
  ),
  ticks: bodySchema(
    {
      source: idSchema('Who sent them: each source numbers its own.'),
      first: sequence('Sequence number of the first.'),
      last: sequence('Sequence number of the last.'),
      ticks: Type.Array(TickSchema, { minItems: 1, maxItems: LIMITS.ticksMax }),
    },
    'Ticks that were accepted, in their order.',
  ),
  'factors-replaced': bodySchema(
    {
      source: idSchema('Who sent it; `start`: it is the one that the engine was opened with.'),
      hash: hashSchema('SHA-256 of its canonical JSON.'),
      model: FactorModelSchema,
    },
    'Another factor model: figures after it are of a new scenario set.',
  ),
  'factors-updated': bodySchema(
    {
      instant: instantSchema('of the update: the asOf of the model after it'),
      before: hashSchema('Of the factor model before it.'),
      after: hashSchema('Of the model after it; the same where no factor has a change yet.'),
      factors: Type.Array(FactorObservationSchema, {
        maxItems: LIMITS.factorsMax,
        description: "Those that were heard of since the last instant, in the model's order.",
      }),
      silent: Type.Array(factorId, {
        maxItems: LIMITS.factorsMax,
        description: 'Spot and vol factors that were not: their volatilities stay.',
      }),
    },
    'Dynamic volatilities follow the market: figures after it are of a new scenario set.',
  ),
} as const;
