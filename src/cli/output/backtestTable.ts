/** The tables of a backtest, for people. */
import type { BacktestReport, MarginReport, MethodReport } from '../../risk/backtest/report.ts';
import { count, money, percent, printable } from './figures.ts';
import { table } from './table.ts';

/** The level at which a p-value is marked as a rejection. */
const SIGNIFICANCE = 0.05;

const TEST_COLUMNS = [
  { title: 'method' },
  { title: 'beyond VaR', align: 'right' },
  { title: 'expected', align: 'right' },
  { title: 'Kupiec p', align: 'right' },
  { title: 'indep. p', align: 'right' },
  { title: 'cond. p', align: 'right' },
  { title: 'zone' },
  { title: 'worst year' },
  { title: 'Z1 (p)', align: 'right' },
  { title: 'Z2 (p)', align: 'right' },
  { title: 'quantile loss', align: 'right' },
] as const;

const MARGIN_COLUMNS = [
  { title: 'method' },
  { title: 'measures' },
  { title: 'mean margin', align: 'right' },
  { title: 'beyond margin', align: 'right' },
  { title: '5-row rise', align: 'right' },
  { title: '30-row rise', align: 'right' },
] as const;

/** `BTC 1, ETH −1 (currency)`; units are named as such. */
export function bookText({ book }: BacktestReport): string {
  const amounts = book.map(({ underlying, exposure = 0, units = 0 }) => {
    const parts = [
      ...(exposure === 0 ? [] : [`${short(exposure)} currency`]),
      ...(units === 0 ? [] : [`${short(units)} units`]),
    ];
    return `${printable(underlying)} ${parts.join(' + ')}`;
  });
  return amounts.join(', ');
}

/** `99.00% over 1 day, 2019-01-01 … 2024-12-31, 2,192 days`. */
export function scopeText(report: BacktestReport): string {
  const { confidence, horizonDays, from, to, observations } = report;
  const days = horizonDays === 1 ? '1 day' : `${horizonDays} days`;
  return `${percent(confidence, 2)} over ${days}, ${from} … ${to}, ${count(observations)} forecasts`;
}

/** What a reader has to know of how the figures came about, a sentence each. */
export function notesOf(report: BacktestReport): string[] {
  const { overlap, skippedDays, window, fewestRows, lambda, scenarios, longRunRows } = report;
  const degrees = report.methods.find(({ degreesOfFreedom }) => degreesOfFreedom !== null);
  const span = degrees?.degreesOfFreedom;
  return [
    `* rejected at ${percent(SIGNIFICANCE, 0)}. p: probability of a worse figure where the model is right. Quantile loss: lower is better.`,
    `Historical methods replay ${count(window)} rows (${count(fewestRows)} at first); drawn ones ${count(scenarios)} scenarios, the same every day; λ ${lambda}.`,
    ...(span == null
      ? []
      : [
          `student-t: ν ${span.least?.toFixed(2) ?? 'normal'} … ${span.greatest?.toFixed(2) ?? 'normal'}.`,
        ]),
    ...(overlap > 1
      ? [
          `Windows of ${overlap} rows overlap: counts are judged by ${report.methods[0]?.tests.designEffect.toFixed(2)} times the variance, independence on every ${overlap}th window.`,
        ]
      : []),
    ...(skippedDays > 0 ? [`${count(skippedDays)} days without a P&L (gaps) were skipped.`] : []),
    ...(report.methods.some(({ margins }) => margins.length > 1)
      ? [
          `Measures: a buffer of 25%, b a quarter on the worst 250 rows so far, c volatilities not below those of ${count(longRunRows[0]!)} … ${count(longRunRows[1]!)} rows, all c, b, a.`,
        ]
      : []),
  ];
}

export function testCells({ method, tests }: MethodReport): string[] {
  const { kupiec, christoffersen, trafficLight, acerbiSzekely } = tests;
  const z = (part: { statistic: number; pValue: number | null } | null | undefined): string =>
    part == null ? 'none' : `${part.statistic.toFixed(3)} (${chance(part.pValue)})`;
  return [
    method,
    count(tests.exceedances),
    tests.expectedExceedances.toFixed(1),
    chance(kupiec.pValue),
    chance(christoffersen.independence.pValue),
    chance(christoffersen.conditionalCoverage.pValue),
    trafficLight.whole.zone,
    trafficLight.worst === null
      ? 'none'
      : `${trafficLight.worst.zone}, ${trafficLight.worst.exceedances}`,
    z(acerbiSzekely?.z1),
    z(acerbiSzekely?.z2),
    short(tests.meanQuantileLoss),
  ];
}

export function marginCells({ method }: MethodReport, margin: MarginReport): string[] {
  const rises = margin.procyclicality.map(({ figure, zone }) =>
    figure === null ? 'none' : `${percent(figure)} ${zone}`,
  );
  return [
    method,
    margin.measures,
    short(margin.mean),
    `${count(margin.exceedances)} (${percent(margin.exceedanceShare, 2)})`,
    ...rises,
  ];
}

export function backtestTable(report: BacktestReport): string {
  const tests = report.methods.map(testCells);
  const margins = report.methods.flatMap((method) =>
    method.margins.map((margin) => marginCells(method, margin)),
  );
  const notes = notesOf(report).map((text) => `${text}\n`);
  return `Backtest of ${bookText(report)}: ${scopeText(report)}. Losses are positive.

${table(TEST_COLUMNS, tests)}
Margin is ES; its rises: mean of the greatest 5%.

${table(MARGIN_COLUMNS, margins)}
${notes.join('')}`;
}

/** Amounts of any size: books are often of a unit. */
function short(value: number): string {
  return Math.abs(value) >= 1000 ? money(value) : String(Number(value.toPrecision(5)));
}

/** A p-value; rejections are marked. */
function chance(value: number | null): string {
  if (value === null) return 'unknown';
  return `${value < 0.0005 ? '<0.001' : value.toFixed(3)}${value < SIGNIFICANCE ? '*' : ''}`;
}
