/** Fitted slices, for people. */
import type { ExpiryReport, SurfaceReport, UnderlyingReport } from '../../market/surfaceReport.ts';
import { count } from './figures.ts';
import { pairs, table } from './table.ts';

const right = (title: string) => ({ title, align: 'right' }) as const;

const COLUMNS = [
  { title: 'expiry' },
  right('days'),
  right('quotes'),
  right('a'),
  right('b'),
  right('ρ'),
  right('m'),
  right('σ'),
  right('rms error'),
  right('max error'),
  right('least g'),
  right('calendar gap'),
  right('in quotes'),
  right('in fit'),
  { title: 'held by' },
];

const NOTES = `Total variance w(k) = a + b(ρ(k − m) + √((k − m)² + σ²)), k = ln(strike/forward). Errors are in volatility points.
Least g < 0 would be butterfly arbitrage, a calendar gap < 0 (of w, to the expiry before) calendar arbitrage; both over all k.
Arbitrage is counted as butterfly + calendar, in the quotes and in the fit; "held by" names what kept the fit off the quotes,
wings being the room that later expiries need above it.
`;

export function surfaceTable({ asOf, underlyings }: SurfaceReport): string {
  const sections = underlyings.map(section);
  return [`SVI surfaces as of ${asOf}\n`, ...sections, NOTES].join('\n');
}

function section({ id, asOf, expired, slices }: UnderlyingReport): string {
  const quotes = slices.reduce((sum, slice) => sum + slice.quotes, 0);
  const head = pairs([
    ['underlying', id],
    ['as of', asOf],
    ['expiries', `${count(slices.length)}, ${count(quotes)} quotes`],
    ...(expired === 0 ? [] : ([['left out', `${count(expired)} expired`]] as const)),
  ]);
  return `${head}\n${table(COLUMNS, slices.map(row))}`;
}

function row(slice: ExpiryReport): string[] {
  const { expiry, maturity, quotes, parameters, quoteViolations, fitViolations, bound } = slice;
  const start = [expiry, (365 * maturity).toFixed(1), count(quotes)];
  if (parameters === null) {
    return [...start, ...Array<string>(11).fill(''), 'no forward: not fitted'];
  }
  const { a, b, rho, m, sigma } = parameters;
  return [
    ...start,
    a.toPrecision(4),
    b.toPrecision(4),
    rho.toFixed(3),
    m.toFixed(4),
    sigma.toPrecision(4),
    points(slice.rmse),
    points(slice.maximumError),
    small(slice.minimumG),
    small(slice.calendarGap),
    `${quoteViolations.butterfly} + ${quoteViolations.calendar}`,
    `${fitViolations.butterfly} + ${fitViolations.calendar}`,
    bound.join(', '),
  ];
}

function points(value: number | null): string {
  return value === null ? '' : (100 * value).toFixed(3);
}

function small(value: number | null): string {
  return value === null ? '' : value.toExponential(1);
}
