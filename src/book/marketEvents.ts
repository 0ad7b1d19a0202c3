/** What happens to the market that the book is margined on. */
import Type from 'typebox';
import { LIMITS } from '../limits.ts';
import { ForwardSchema, MarketSnapshotSchema, SurfaceSliceSchema } from '../market/snapshot.ts';
import {
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
} as const;
