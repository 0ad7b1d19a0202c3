/** The factor model: how much each risk factor moves and how they move together. Read from JSON, checked, and compiled for drawing. */
import Type, { type Static } from 'typebox';
import { PlimsollError } from '../errors.ts';
import { hashOf } from '../json.ts';
import { LIMITS } from '../limits.ts';
import { reader, show } from '../schema.ts';
import { factorise, LEAST_EIGENVALUE } from './correlation.ts';
import { defaultKind, type FactorKind, parseFactorId } from './factorIds.ts';
import { InstantSchema, readInstant } from './instruments.ts';
import { compileJumps, type JumpProcess, JumpsSchema } from './jumps.ts';

const strict = { additionalProperties: false } as const;

const PeriodsSchema = (description: string) =>
  Type.Number({ exclusiveMinimum: 0, maximum: LIMITS.periodsPerYearMax, description });

const DriftSchema = (description: string) =>
  Type.Number({ minimum: -LIMITS.driftMax, maximum: LIMITS.driftMax, description });

const DegreesSchema = (description: string) =>
  Type.Number({ exclusiveMinimum: 2, maximum: LIMITS.degreesOfFreedomMax, description });

export const FactorSchema = Type.Object(
  {
    id: Type.String({
      minLength: 1,
      maxLength: LIMITS.idLengthMax,
      description:
        'UNDERLYING:spot, UNDERLYING:vol (at-the-money volatility at 30 days) or UNDERLYING:basis',
    }),
    volatility: Type.Number({
      minimum: 0,
      maximum: LIMITS.factorVolatilityMax,
      description: 'standard deviation of a year: of the log level, or of the level if absolute',
    }),
    kind: Type.Optional(
      Type.Enum(['log', 'absolute'], {
        description: 'default log for spot and vol, absolute for others',
      }),
    ),
    drift: Type.Optional(DriftSchema("mean of a year's shock; default: the model's drift")),
    periodsPerYear: Type.Optional(PeriodsSchema("default: the model's periodsPerYear")),
    degreesOfFreedom: Type.Optional(
      DegreesSchema("of the factor's own tail under t-copula; default: the model's"),
    ),
    longRunVolatility: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: LIMITS.factorVolatilityMax,
        description: 'volatility over a long past, in the unit of volatility; default: volatility',
      }),
    ),
    longRunYears: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: LIMITS.longRunYearsMax,
        description: 'how many years longRunVolatility is of',
      }),
    ),
  },
  strict,
);

export const FactorModelSchema = Type.Object(
  {
    asOf: InstantSchema('when the model was calibrated'),
    periodsPerYear: PeriodsSchema('days of risk in a year: 365 for what trades daily, 252 else'),
    factors: Type.Array(FactorSchema, { minItems: 1, maxItems: LIMITS.factorsMax }),
    correlation: Type.Array(
      Type.Array(Type.Number({ minimum: -1, maximum: 1 }), { maxItems: LIMITS.factorsMax }),
      { maxItems: LIMITS.factorsMax, description: 'one row a factor, in the order of factors' },
    ),
    degreesOfFreedom: Type.Optional(
      DegreesSchema(
        'of the multivariate Student-t or the t-copula; absent: the default scenario model is gaussian',
      ),
    ),
    drift: Type.Optional(DriftSchema('for factors that give none; default 0')),
    jumps: Type.Optional(JumpsSchema),
  },
  {
    ...strict,
    title: 'FactorModel',
    description: 'Volatility of each risk factor and their correlation.',
  },
);

export type FactorModel = Static<typeof FactorModelSchema>;
export type FactorRecord = Static<typeof FactorSchema>;

/** What drawing and pricing need of a model; arrays have one entry a factor, in the order of `ids`. Structured-clonable. */
export interface CompiledFactors {
  readonly ids: readonly string[];
  readonly index: ReadonlyMap<string, number>;
  /** Standard deviation of a year. */
  readonly volatility: Float64Array;
  readonly periodsPerYear: Float64Array;
  /** Mean of a year. */
  readonly drift: Float64Array;
  /** 0 log, 1 absolute. */
  readonly kind: Uint8Array;
  /** L of the correlation = LLᵀ: n × n, row-major, lower triangular. */
  readonly cholesky: Float64Array;
  readonly degreesOfFreedom: number | null;
  /** Degrees of freedom of each factor's own tail; 0 where it has the model's. */
  readonly tailDegrees: Float64Array;
  /** Standard deviation of a year over a long past; `volatility` where the model gives none. */
  readonly longRunVolatility: Float64Array;
  /** Empty where the model has none. */
  readonly jumps: readonly JumpProcess[];
  /** As given, and its identity: `sha256:…`. */
  readonly model: FactorModel;
  readonly hash: string;
}

const check = reader(FactorModelSchema);
const SYMMETRY_TOLERANCE = 1e-12;

/**
 * Checks a parsed JSON value and returns it, unchanged, with its type.
 * @throws INVALID_FIELD, UNKNOWN_FIELD, MISSING_FIELD, DUPLICATE_ID, UNSUPPORTED_FACTOR (skew and curvature),
 * NOT_POSITIVE_SEMIDEFINITE where the least eigenvalue is below −1e-10
 */
export function readFactorModel(value: unknown): FactorModel {
  const model = checkShape(value);
  factorCorrelation(model);
  return model;
}

/**
 * Checks as `readFactorModel` does, and factors the correlation. The hash is of the value given, before any default.
 * Of a correlation that is symmetric only to 1e-12 the lower triangle counts.
 */
export function compileFactorModel(value: unknown): CompiledFactors {
  const model = checkShape(value);
  const { factors } = model;
  const ids = factors.map((factor) => factor.id);
  const kind = Uint8Array.from(factors, (factor) => (factorKind(factor) === 'log' ? 0 : 1));
  const modelPeriods = model.periodsPerYear;
  const periodsPerYear = Float64Array.from(factors, (f) => f.periodsPerYear ?? modelPeriods);
  const jumping = { ids, kind, periodsPerYear, modelPeriods };
  return {
    ids,
    index: new Map(ids.map((id, i) => [id, i])),
    volatility: Float64Array.from(factors, (factor) => factor.volatility),
    longRunVolatility: Float64Array.from(factors, (f) => f.longRunVolatility ?? f.volatility),
    tailDegrees: Float64Array.from(factors, (factor) => factor.degreesOfFreedom ?? 0),
    jumps: model.jumps === undefined ? [] : compileJumps(model.jumps, jumping),
    periodsPerYear,
    drift: Float64Array.from(factors, (factor) => factor.drift ?? model.drift ?? 0),
    kind,
    cholesky: factorCorrelation(model),
    degreesOfFreedom: model.degreesOfFreedom ?? null,
    model,
    hash: hashOf(model),
  };
}

/** As stated, or what a factor of its type does. */
export function factorKind({ id, kind }: FactorRecord): FactorKind {
  return kind ?? defaultKind(parseFactorId(id).type);
}

function checkShape(value: unknown): FactorModel {
  const model = check(value);
  readInstant(model.asOf, 'asOf');
  const seen = new Set<string>();
  model.factors.forEach((factor, i) => {
    const path = `factors[${i}].id`;
    const { type } = parseFactorId(factor.id, path);
    if (type === 'skew' || type === 'curvature') {
      throw new PlimsollError(
        'UNSUPPORTED_FACTOR',
        `${path} ${factor.id}: ${type} cannot be simulated yet`,
        {
          path,
        },
      );
    }
    if (seen.has(factor.id)) {
      throw new PlimsollError('DUPLICATE_ID', `${path} ${show(factor.id)} occurs twice`, { path });
    }
    seen.add(factor.id);
  });
  checkMatrix(model.correlation, model.factors.length);
  return model;
}

function checkMatrix(rows: readonly (readonly number[])[], n: number): void {
  const fail = (path: string, text: string): never => {
    throw new PlimsollError('INVALID_FIELD', `${path} ${text}`, { path });
  };
  if (rows.length !== n) {
    fail('correlation', `must have one row for each of ${n} factors, got ${rows.length}`);
  }
  // Every row's length first: symmetry reads entries of rows further down.
  rows.forEach((row, i) => {
    if (row.length !== n) fail(`correlation[${i}]`, `must have ${n} entries, got ${row.length}`);
  });
  rows.forEach((row, i) => {
    if (row[i] !== 1) fail(`correlation[${i}][${i}]`, `must be 1, got ${row[i]}`);
    for (let j = 0; j < i; j++) {
      if (Math.abs(row[j]! - rows[j]![i]!) <= SYMMETRY_TOLERANCE) continue;
      fail(`correlation[${i}][${j}]`, `is ${row[j]} but [${j}][${i}] is ${rows[j]![i]}`);
    }
  });
}

function factorCorrelation(model: FactorModel): Float64Array {
  const n = model.factors.length;
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const value = model.correlation[i]![j]!;
      matrix[i * n + j] = value;
      matrix[j * n + i] = value;
    }
  }
  const { factorisation, leastEigenvalue } = factorise(matrix, n);
  if (factorisation !== undefined) return factorisation.lower;
  throw new PlimsollError(
    'NOT_POSITIVE_SEMIDEFINITE',
    `the correlation matrix has the eigenvalue ${leastEigenvalue}; the least allowed is ${LEAST_EIGENVALUE}`,
    { path: 'correlation' },
  );
}
