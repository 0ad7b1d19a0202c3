/**
 * A factor model read off the market itself, for those who have no history: each spot is as volatile as its options say, and the rest is
 * assumed, sentence by sentence. A start, not a calibration.
 */
import { PlimsollError } from '../errors.ts';
import { repairCorrelation, toRows } from './correlation.ts';
import { type FactorModel, type FactorRecord, readFactorModel } from './factorModel.ts';
import { readInstant } from './instruments.ts';
import type { MarketSnapshot, UnderlyingRecord } from './snapshot.ts';
import { compileSurface, totalVarianceAt } from './surface.ts';

export interface ImpliedFactorOptions {
  /** Annual volatility of spots without a surface, by underlying id; takes precedence over a surface. */
  readonly volatilities?: Readonly<Record<string, number>>;
  /** Annual volatility of the log of at-the-money volatility; default 0.9. */
  readonly volOfVol?: number;
  /** Correlation of an underlying's own spot and vol; default −0.4. */
  readonly spotVol?: number;
  /** Of two spots; default 0.8. */
  readonly spotSpot?: number;
  /** Of two vols; default 0.8. */
  readonly volVol?: number;
  /** Of one underlying's spot and another's vol; default −0.3. */
  readonly crossSpotVol?: number;
  /** Of the Student-t; default 4; `null` for a gaussian model. */
  readonly degreesOfFreedom?: number | null;
}

export interface ImpliedFactors {
  readonly model: FactorModel;
  /** What was not read off the market, for people. */
  readonly assumptions: readonly string[];
}

const DEFAULTS = { volOfVol: 0.9, spotVol: -0.4, spotSpot: 0.8, volVol: 0.8, crossSpotVol: -0.3 };
const REFERENCE_DAYS = 30;
const REFERENCE = REFERENCE_DAYS / 365;

/**
 * A spot factor for every underlying of the snapshot, its volatility the at-the-money one at 30 days, and a vol factor for each that has a surface;
 * 365 periods a year. The correlation is made of four constants and repaired where they cannot stand together.
 * @throws MISSING_VOLATILITY for an underlying with neither surface nor a given volatility, INVALID_FIELD for a constant out of range
 */
export function impliedFactorModel(
  snapshot: MarketSnapshot,
  options: ImpliedFactorOptions = {},
): ImpliedFactors {
  const constants = { ...DEFAULTS, ...options };
  const { degreesOfFreedom = 4, volatilities = {} } = options;
  refuseUnknown(snapshot, volatilities);
  const factors: FactorRecord[] = [];
  const owners: { underlying: string; vol: boolean }[] = [];
  const assumptions: string[] = [];
  snapshot.underlyings.forEach((record, i) => {
    const implied = referenceVolatility(record, snapshot.asOf);
    const volatility = volatilities[record.id] ?? implied;
    if (volatility === undefined) {
      throw new PlimsollError(
        'MISSING_VOLATILITY',
        `${record.id} has no volatility surface with forwards to read its volatility from: give one in volatilities`,
        { path: `underlyings[${i}].surface` },
      );
    }
    factors.push({ id: `${record.id}:spot`, volatility });
    owners.push({ underlying: record.id, vol: false });
    if (volatilities[record.id] !== undefined) {
      assumptions.push(`${record.id}:spot has the volatility ${volatility} that was given`);
    }
    if (implied === undefined) return;
    factors.push({ id: `${record.id}:vol`, volatility: constants.volOfVol });
    owners.push({ underlying: record.id, vol: true });
  });
  const n = factors.length;
  const matrix = Float64Array.from({ length: n * n }, (_, at) => {
    const [row, column] = [Math.floor(at / n), at % n];
    if (row === column) return 1;
    const [a, b] = [owners[row]!, owners[column]!];
    if (a.vol === b.vol) return a.vol ? constants.volVol : constants.spotSpot;
    return a.underlying === b.underlying ? constants.spotVol : constants.crossSpotVol;
  });
  checkConstants(constants);
  const repair = repairCorrelation(matrix, n);
  assumptions.push(...sentences(constants, degreesOfFreedom, repair));
  const model = readFactorModel({
    asOf: snapshot.asOf,
    periodsPerYear: 365,
    factors,
    correlation: toRows(repair.matrix, n),
    ...(degreesOfFreedom === null ? {} : { degreesOfFreedom }),
  });
  return { model, assumptions };
}

/**
 * At-the-money (strike = forward) volatility at 30 days: total variance linear between the expiries around it, the nearest expiry's volatility
 * outside. Undefined where no unexpired slice has a forward.
 */
export function referenceVolatility(
  record: UnderlyingRecord,
  snapshotAsOf: string,
): number | undefined {
  const asOf = readInstant(record.asOf ?? snapshotAsOf, 'asOf');
  const forwards = new Map(
    (record.forwards ?? []).map(({ expiry, price }) => [readInstant(expiry, 'expiry'), price]),
  );
  const { slices } = compileSurface(record.surface ?? [], forwards, asOf);
  const points = slices
    .map((slice) => ({ maturity: slice.maturity, variance: totalVarianceAt(slice, 0) }))
    .filter((point) => !Number.isNaN(point.variance));
  const after = points.find((point) => point.maturity >= REFERENCE);
  const before = points.findLast((point) => point.maturity < REFERENCE);
  const nearest = after ?? before;
  if (nearest === undefined) return undefined;
  if (after === undefined || before === undefined) {
    return Math.sqrt(nearest.variance / nearest.maturity);
  }
  const share = (REFERENCE - before.maturity) / (after.maturity - before.maturity);
  const variance = before.variance + share * (after.variance - before.variance);
  return Math.sqrt(variance / REFERENCE);
}

function refuseUnknown(
  snapshot: MarketSnapshot,
  volatilities: Readonly<Record<string, number>>,
): void {
  const known = new Set(snapshot.underlyings.map((record) => record.id));
  const unknown = Object.keys(volatilities).find((id) => !known.has(id));
  if (unknown === undefined) return;
  throw new PlimsollError('UNKNOWN_UNDERLYING', `volatilities names ${unknown}`, {
    path: `volatilities.${unknown}`,
  });
}

function checkConstants(constants: typeof DEFAULTS): void {
  for (const name of ['spotVol', 'spotSpot', 'volVol', 'crossSpotVol'] as const) {
    if (constants[name] >= -1 && constants[name] <= 1) continue;
    throw new PlimsollError('INVALID_FIELD', `${name} must lie in -1 … 1, got ${constants[name]}`, {
      path: name,
    });
  }
}

function sentences(
  constants: typeof DEFAULTS,
  degreesOfFreedom: number | null,
  repair: { frobeniusDistance: number; clippedEigenvalues: number },
): string[] {
  const lines = [
    `spots are as volatile as at-the-money options of ${REFERENCE_DAYS} days imply`,
    `the volatility of volatility is ${constants.volOfVol} everywhere`,
    `correlations: spot with spot ${constants.spotSpot}, vol with vol ${constants.volVol}, spot with its own vol ${constants.spotVol}, with another's ${constants.crossSpotVol}`,
    degreesOfFreedom === null
      ? 'shocks are gaussian'
      : `shocks are Student-t with ${degreesOfFreedom} degrees of freedom`,
  ];
  if (repair.clippedEigenvalues > 0) {
    lines.push(
      `these correlations cannot stand together: ${repair.clippedEigenvalues} negative eigenvalues were clipped, moving the matrix by ${repair.frobeniusDistance} (Frobenius)`,
    );
  }
  return lines;
}
