/** What a calibration found, for people. */
import type { CalibrationReport } from '../../market/calibration.ts';
import type { FactorModel } from '../../market/factorModel.ts';
import { count, percent } from './figures.ts';
import { pairs, table } from './table.ts';

/** Beyond so many factors a matrix no longer fits a screen. */
const MATRIX_FACTORS_MAX = 12;

export function calibrationTable(model: FactorModel, report: CalibrationReport): string {
  const sections = [head(model, report), volatilities(model), correlations(model)];
  sections.push(`Assumed\n\n${report.assumptions.map((text) => `  - ${text}\n`).join('')}`);
  sections.push(problems(report));
  return sections.filter((section) => section !== '').join('\n');
}

function head(model: FactorModel, report: CalibrationReport): string {
  const { repair } = report;
  const clipped = repair.clippedEigenvalues;
  return pairs([
    ['history', `${report.from} … ${report.to}, ${count(report.rows)} rows`],
    [
      'changes used',
      `${count(report.usableRows)}, worth ${report.effectiveObservations.toFixed(1)} equally weighted ones`,
    ],
    ['lambda', `${report.lambda} (correlations ${report.correlationLambda})`],
    ['periods per year', `${report.periodsPerYear} (${report.periodsReason})`],
    [
      'repair',
      clipped === 0
        ? 'none: the correlations are positive semi-definite'
        : `${clipped} negative eigenvalues clipped, moved by ${repair.frobeniusDistance.toExponential(2)} (Frobenius)`,
    ],
    ['degrees of freedom', String(model.degreesOfFreedom ?? 'none: gaussian')],
  ]);
}

function volatilities(model: FactorModel): string {
  const rows = model.factors.map(({ id, volatility, kind }) => [
    id,
    kind === 'absolute' ? volatility.toPrecision(4) : percent(volatility, 2),
  ]);
  const columns = [{ title: 'factor' }, { title: 'volatility a year', align: 'right' } as const];
  return table(columns, rows);
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
