/** A calibration as one self-contained HTML page: what was fitted, each factor's volatility through time, correlations, problems of the data. */
import type { Calibration } from '../../market/calibration.ts';
import type { CalibrationReport, FactorCalibration } from '../../market/calibrationReport.ts';
import type { FactorModel } from '../../market/factorModel.ts';
import { degreesText, fittedText, rowsText, volatilityText } from './calibrationFigures.ts';
import { volatilityPlot } from './calibrationPlot.ts';
import { calibrationPairs } from './calibrationTable.ts';
import { count } from './figures.ts';

const STYLE = `
:root { color-scheme: light dark; --ink: #1b2430; --soft: #66717f; --line: #d8dee6; --bar: #2f6f9f; --loss: #b5483a; --back: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e5eaf0; --soft: #96a2b0; --line: #38424e; --bar: #6aaedd; --loss: #e5806f; --back: #151b22; }
}
body { margin: 0 auto; max-width: 62rem; padding: 2.5rem 1.25rem; background: var(--back); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1rem; margin: 2.25rem 0 .5rem; }
h3 { font-size: .9rem; margin: 1.5rem 0 0; overflow-wrap: anywhere; }
p, dt, th { color: var(--soft); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.5rem; }
dd { margin: 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .3rem .5rem; border-bottom: 1px solid var(--line); font-weight: 400; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
td.text { text-align: left; white-space: normal; }
svg { width: 100%; height: auto; display: block; font: 12px system-ui, sans-serif; }
svg text { fill: var(--ink); } svg .soft { fill: var(--soft); }
`;

export function calibrationPage({ model, report }: Calibration): string {
  const pairs = calibrationPairs(model, report).map(
    ([name, value]) => `<dt>${escaped(name)}</dt><dd>${escaped(value)}</dd>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Calibration as of ${escaped(model.asOf)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Calibration of ${count(model.factors.length)} risk factors</h1>
<p>As of ${escaped(model.asOf)}. Volatilities are of a year; ± is one standard error.</p>
<dl>${pairs.join('\n')}</dl>
<h2>Factors</h2>
${factors(report)}
<h2>Volatility through time</h2>
<p>As known before each change, the greatest of each point's rows; dashed: equally weighted over the whole length.</p>
${report.factors.map(plot).join('\n')}
<h2>Correlations</h2>
${correlations(model)}
<h2>Assumed</h2>
<ul>${report.assumptions.map((text) => `<li>${escaped(text)}</li>`).join('')}</ul>
<h2>Problems of the data</h2>
${problems(report)}
</body>
</html>
`;
}

function factors({ factors: list, volatility }: CalibrationReport): string {
  const withGarch = volatility === 'garch';
  const withTail = list.some(({ tail }) => tail !== null);
  const titles = ['factor', 'volatility', 'long-run', 'years', 'changes', 'log-likelihood'];
  if (withGarch) titles.push('alpha', 'beta', 'half-life');
  if (withTail) titles.push('degrees of freedom');
  const rows = list.map((factor) => [
    factor.id,
    volatilityText(factor.id, factor.volatility),
    volatilityText(factor.id, factor.longRunVolatility),
    factor.longRunYears.toFixed(1),
    count(factor.observations),
    factor.logLikelihood === null ? '' : factor.logLikelihood.toFixed(2),
    ...(withGarch ? garchCells(factor) : []),
    ...(withTail ? [factor.tail === null ? '' : degreesText(factor.tail)] : []),
  ]);
  return grid(titles, rows);
}

function garchCells({ garch }: FactorCalibration): string[] {
  if (garch === null) return ['never moves', '', ''];
  const { alpha, beta, standardErrors: errors } = garch;
  return [
    fittedText(alpha, errors?.alpha),
    fittedText(beta, errors?.beta),
    rowsText(garch.halfLife),
  ];
}

function plot(factor: FactorCalibration): string {
  const { id, from, to } = factor;
  return `<h3>${escaped(id)}</h3>
${volatilityPlot(factor, escaped(`Volatility of ${id} from ${from} to ${to}`))}`;
}

/** The lower triangle, each cell shaded by the size of its figure. */
function correlations({ factors: list, correlation }: FactorModel): string {
  const head = list.map(({ id }) => `<th>${escaped(id)}</th>`).join('');
  const rows = correlation.map((row, i) => {
    const cells = row.slice(0, i + 1).map((value) => {
      const colour = value < 0 ? 'var(--loss)' : 'var(--bar)';
      const share = (45 * Math.abs(value)).toFixed(0);
      const shade = `background: color-mix(in srgb, ${colour} ${share}%, transparent)`;
      return `<td style="${shade}">${value.toFixed(2)}</td>`;
    });
    return `<tr><td>${escaped(list[i]!.id)}</td>${cells.join('')}</tr>`;
  });
  return `<div class="wide"><table><thead><tr><th></th>${head}</tr></thead>
<tbody>${rows.join('\n')}</tbody></table></div>`;
}

function problems({ problems: list }: CalibrationReport): string {
  if (list.length === 0) return '<p>The data has no gap, stale value or outlier.</p>';
  const rows = list.map(({ factor, kind, count: n, dates, message }) => [
    factor,
    kind,
    count(n),
    dates[0] ?? '',
    message,
  ]);
  return `<p>Named, not mended.</p>
${grid(['factor', 'problem', 'rows', 'first', 'in words'], rows, 4)}`;
}

/** @param textColumn the column that may break into lines */
function grid(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  textColumn = -1,
): string {
  const head = titles.map((title) => `<th>${escaped(title)}</th>`).join('');
  const body = rows.map((row) => {
    const cells = row.map(
      (cell, i) => `<td${i === textColumn ? ' class="text"' : ''}>${escaped(cell)}</td>`,
    );
    return `<tr>${cells.join('')}</tr>`;
  });
  return `<div class="wide"><table><thead><tr>${head}</tr></thead>
<tbody>${body.join('\n')}</tbody></table></div>`;
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
