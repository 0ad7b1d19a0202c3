/** What a walk-forward backtest answers. */
import Type, { type Static, type TSchema } from 'typebox';
import { HoldingSchema } from './book.ts';
import { BACKTEST_METHODS } from './methods.ts';
import { SeriesReportSchema } from './series.ts';

const closed = { additionalProperties: false } as const;
const nullable = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()]);

/** Which anti-procyclicality measures a margin has: none, one, or all in the order c, b, a. */
export const MARGIN_MEASURES = ['none', 'a', 'b', 'c', 'all'] as const;
export type MarginMeasures = (typeof MARGIN_MEASURES)[number];

const ProcyclicalitySchema = Type.Object(
  {
    days: Type.Integer(),
    figure: nullable(
      Type.Number({
        description:
          '95% expected shortfall of margin changes over so many rows: 0.5 is a rise by half.',
      }),
    ),
    zone: nullable(Type.Enum(['green', 'amber', 'red'])),
  },
  closed,
);

const MarginSchema = Type.Object(
  {
    measures: Type.Enum([...MARGIN_MEASURES], {
      description:
        'Anti-procyclicality: a a buffer of 25%, b a quarter on the stressed set, c volatilities not below the long-run ones.',
    }),
    mean: Type.Number({ description: 'Mean margin, in currency.' }),
    exceedances: Type.Integer({ description: 'Days whose loss was greater than the margin.' }),
    exceedanceShare: Type.Number(),
    procyclicality: Type.Array(ProcyclicalitySchema, { description: 'Over 5 and over 30 rows.' }),
  },
  closed,
);

const MethodReportSchema = Type.Object(
  {
    method: Type.Enum([...BACKTEST_METHODS]),
    degreesOfFreedom: nullable(
      Type.Object(
        { least: nullable(Type.Number()), greatest: nullable(Type.Number()) },
        { ...closed, description: 'ν that student-t used, least and greatest; null is normal.' },
      ),
    ),
    tests: SeriesReportSchema,
    margins: Type.Array(MarginSchema, { description: 'Margin is ES, with the measures named.' }),
    forecasts: Type.Optional(
      Type.Object(
        {
          valueAtRisk: Type.Array(Type.Number()),
          expectedShortfall: Type.Array(Type.Number()),
        },
        closed,
      ),
    ),
  },
  closed,
);

export const BacktestReportSchema = Type.Object(
  {
    book: Type.Array(HoldingSchema),
    confidence: Type.Number(),
    horizonDays: Type.Number(),
    overlap: Type.Integer({ description: 'Rows of one window of P&L.' }),
    from: Type.String({ description: 'End of the first window tested.' }),
    to: Type.String(),
    observations: Type.Integer(),
    skippedDays: Type.Integer({
      description: 'Days of the period without a P&L, for a gap or a hole in the dates.',
    }),
    window: Type.Integer(),
    fewestRows: Type.Integer({
      description: 'Filtered rows behind the first forecast: fewer than `window` while it fills.',
    }),
    lambda: Type.Number(),
    scenarios: Type.Integer(),
    seed: Type.String(),
    longRunRows: Type.Array(Type.Integer(), {
      description: 'Rows behind the long-run volatilities, on the first and on the last day.',
    }),
    methods: Type.Array(MethodReportSchema),
    series: Type.Optional(
      Type.Object({ dates: Type.Array(Type.String()), pnl: Type.Array(Type.Number()) }, closed),
    ),
    engine: Type.String(),
  },
  { ...closed, title: 'BacktestReport' },
);

export type BacktestReport = Static<typeof BacktestReportSchema>;
export type MethodReport = BacktestReport['methods'][number];
export type MarginReport = MethodReport['margins'][number];
