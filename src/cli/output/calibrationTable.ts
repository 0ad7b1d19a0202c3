/** What a calibration found, for people. */
import type { CalibrationReport, FactorCalibration } from '../../market/calibrationReport.ts';
import type { FactorModel } from '../../market/factorModel.ts';
import {
  degreesText,
  fittedText,
  likelihoodText,
  rowsText,
  volatilityText,
} from './calibrationFigures.ts';
import { count } from './figures.ts';
import { pairs, table } from './table.ts';

/** Beyond so many factors a matrix no longer fits a screen. */
const MATRIX_FACTORS_MAX = 12;

export function calibrationTable(model: FactorModel, report: CalibrationReport): string {
  const sections = [head(model, report), volatilities(model, report)];
  if (report.volatility === 'garch') sections.push(garch(report));
  if (report.factors.some(({ tail }) => tail !== null)) sections.push(tails(report));
  sections.push(correlations(model));
  sections.push(`Assumed\n\n${report.assumptions.map((text) => `  - ${text}\n`).join('')}`);
  sections.push(problems(report));
  return sections.join('\n');
}

function head(model: FactorModel, report: CalibrationReport): string {
  return pairs(calibrationPairs(model, report));
}

/** Names and values of what holds for the whole calibration. */
export function calibrationPairs(
  model: FactorModel,
  report: CalibrationReport,
): (readonly [string, string])[] {
  const { repair, shrinkage, tail } = report;
  const clipped = repair.clippedEigenvalues;
  const own = report.factors.some((factor) => factor.tail !== null);
  const given = model.degreesOfFreedom;
  const weighted = report.volatility === 'ewma' || report.correlation === 'ewma';
  const used = count(report.usableRows);
  const worth = report.effectiveObservations.toFixed(1);
  const pairsOf: (readonly [string, string])[] = [
    ['history', `${report.from} … ${report.to}, ${count(report.rows)} rows`],
    ['changes used', weighted ? `${used}, worth ${worth} equally weighted ones` : used],
    ['volatilities', report.volatility === 'garch' ? 'GARCH(1,1), variance targeting' : 'EWMA'],
    ['correlations', report.correlation === 'ewma' ? 'EWMA' : 'Ledoit–Wolf'],
    ...(weighted ? [decay(report)] : []),
    ['periods per year', `${report.periodsPerYear} (${report.periodsReason})`],
  ];
  if (shrinkage !== null) {
    pairsOf.push([
      'shrinkage',
      `${shrinkage.intensity.toFixed(4)} towards ${shrinkage.averageCorrelation.toFixed(3)}, ${count(shrinkage.rows)} rows`,
    ]);
  }
  pairsOf.push([
    'repair',
    clipped === 0
      ? 'none: the correlations are positive semi-definite'
      : `${clipped} negative eigenvalues clipped, moved by ${repair.frobeniusDistance.toExponential(2)} (Frobenius)`,
  ]);
  if (tail === null) {
    const none = own ? 'each factor its own' : 'none: gaussian';
    pairsOf.push(['degrees of freedom', given === undefined ? none : `${given} (given)`]);
  } else {
    pairsOf.push(
      ['degrees of freedom', `${degreesText(tail)}, ${count(tail.observations)} rows`],
      ['log-likelihood', `${likelihoodText(tail)}`],
    );
    if (tail.leftOut.length > 0) {
      pairsOf.push(['not in the tail fit', `${tail.leftOut.join(', ')} (the others determine it)`]);
    }
  }
  return pairsOf;
}

/** Of what is exponentially weighted. */
function decay(report: CalibrationReport): readonly [string, string] {
  const { lambda, correlationLambda, volatility, correlation } = report;
  if (volatility !== 'ewma') return ['lambda', `correlations ${correlationLambda}`];
  return [
    'lambda',
    correlation === 'ewma' ? `${lambda} (correlations ${correlationLambda})` : String(lambda),
  ];
}

function volatilities(model: FactorModel, { factors }: CalibrationReport): string {
  const measured = new Map(factors.map((factor) => [factor.id, factor]));
  const rows = model.factors.map(({ id, volatility }) => {
    const factor = measured.get(id);
    if (factor === undefined) return [id, volatilityText(id, volatility), '', '', '', ''];
    const { longRunVolatility, longRunYears, observations, logLikelihood } = factor;
    return [
      id,
      volatilityText(id, volatility),
      volatilityText(id, longRunVolatility),
      longRunYears.toFixed(1),
      count(observations),
      logLikelihood === null ? '' : logLikelihood.toFixed(2),
    ];
  });
  const right = (title: string) => ({ title, align: 'right' }) as const;
  const columns = [
    { title: 'factor' },
    right('volatility a year'),
    right('long-run'),
    right('years'),
    right('changes'),
    right('log-likelihood'),
  ];
  return table(columns, rows);
}

function garch({ factors }: CalibrationReport): string {
  const rows = factors.map(({ id, garch: fit }) => {
    if (fit === null) return [id, 'never moves', '', '', ''];
    const errors = fit.standardErrors;
    return [
      id,
      fittedText(fit.alpha, errors?.alpha),
      fittedText(fit.beta, errors?.beta),
      fittedText(fit.persistence, errors?.persistence),
      rowsText(fit.halfLife),
    ];
  });
  const right = (title: string) => ({ title, align: 'right' }) as const;
  const columns = [
    { title: 'GARCH' },
    right('alpha'),
    right('beta'),
    right('alpha + beta'),
    right('half-life'),
  ];
  return table(columns, rows);
}

function tails({ factors }: CalibrationReport): string {
  const withTail = factors.flatMap(({ id, tail }: FactorCalibration) =>
    tail === null ? [] : [[id, degreesText(tail), likelihoodText(tail)]],
  );
  const columns = [
    { title: 'tail' },
    { title: 'degrees of freedom', align: 'right' } as const,
    { title: 'log-likelihood', align: 'right' } as const,
  ];
  return table(columns, withTail);
}

function correlations({ factors, correlation }: FactorModel): string {
  if (factors.length > MATRIX_FACTORS_MAX) {
    return `Correlations of ${factors.length} factors: too many to show, see the file\n`;
  }
  const columns = factors.map(({ id }) => ({ title: id, align: 'right' }) as const);
  const rows = correlation.map((row, i) => [
    factors[i]!.id,
    ...row.slice(0, i + 1).map((value) => value.toFixed(2)),
  ]);
  return table([{ title: 'correlation' }, ...columns], rows);
}

function problems(report: CalibrationReport): string {
  if (report.problems.length === 0) return 'The data has no gap, stale value or outlier.\n';
  const columns = [
    { title: 'factor' },
    { title: 'problem' },
    { title: 'rows', align: 'right' } as const,
    { title: 'first' },
    { title: 'in words' },
  ];
  const rows = report.problems.map(({ factor, kind, count: n, dates, message }) => [
    factor,
    kind,
    count(n),
    dates[0] ?? '',
    message,
  ]);
  return `Problems of the data (named, not mended)\n\n${table(columns, rows)}`;
}
