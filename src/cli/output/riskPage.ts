/** A risk report as one self-contained HTML page: figures, stand-alone ES by underlying, and how the estimate settles. */
import type { RiskReport } from '../../engine/riskReport.ts';
import type { LossParts } from './explainTable.ts';
import { count, estimate, money, percent } from './figures.ts';
import { intervalText } from './riskTable.ts';

const STYLE = `
:root { color-scheme: light dark; --ink: #1b2430; --soft: #66717f; --line: #d8dee6; --bar: #2f6f9f; --loss: #b5483a; --back: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e5eaf0; --soft: #96a2b0; --line: #38424e; --bar: #6aaedd; --loss: #e5806f; --back: #151b22; }
}
body { margin: 0 auto; max-width: 46rem; padding: 2.5rem 1.25rem; background: var(--back); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1rem; margin: 2.25rem 0 .5rem; }
p, dt, small, th { color: var(--soft); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: 1rem; margin: 1.5rem 0; }
.figures div { border: 1px solid var(--line); border-radius: 8px; padding: .75rem 1rem; }
.figures dt { font-size: .85rem; }
.figures dd { margin: 0; font-size: 1.35rem; font-variant-numeric: tabular-nums; }
.figures small { display: block; font-size: .8rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .3rem .5rem; border-bottom: 1px solid var(--line); font-weight: 400; }
th:first-child, td:first-child { text-align: left; }
svg { width: 100%; height: auto; display: block; font: 12px system-ui, sans-serif; }
svg text { fill: var(--ink); } svg .soft { fill: var(--soft); }
footer { margin-top: 2.5rem; font-size: .8rem; color: var(--soft); overflow-wrap: anywhere; }
`;

/**
 * @param steps reports of the same portfolio on ever more scenarios, the last of them `report` itself
 * @param parts where ES comes from; null where it was not asked
 */
export function riskPage(
  report: RiskReport,
  steps: readonly RiskReport[],
  parts: LossParts | null = null,
): string {
  const { account, currency, risk, method, asOf } = report;
  const days = risk.horizonDays === 1 ? '1 day' : `${risk.horizonDays} days`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Risk of ${escaped(account)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Risk of ${escaped(account)}</h1>
<p>${percent(risk.confidence, 2)} over ${days}, market as of ${escaped(asOf)}, in ${escaped(currency)}. Losses are positive.</p>
<dl class="figures">${figures(report)}</dl>
<h2>Expected shortfall of each underlying by itself</h2>
${bars(report)}
<p>Together they come to ${money(report.diversification)} less than the sum: that is what diversification is worth here.</p>
${parts === null ? '' : partTables(parts)}${steps.length > 1 ? convergence(steps) : ''}
<footer>
${method}, ${count(risk.scenarios)} scenarios${notes(report)}<br>
scenario set ${report.scenarioSet}<br>methodology ${report.methodology}<br>market ${report.market}<br>${escaped(report.engine)}
</footer>
</body>
</html>
`;
}

function figures({ risk, equity }: RiskReport): string {
  const { standardError, interval } = risk;
  const figure = (name: string, value: string, note: string): string =>
    `<div><dt>${name}</dt><dd>${value}</dd><small>${note}</small></div>`;
  const level = percent(interval.level, 0);
  return [
    figure(
      'Value at risk',
      money(risk.valueAtRisk),
      `${level} interval ${intervalText(interval.valueAtRisk)}`,
    ),
    figure(
      'Expected shortfall',
      money(risk.expectedShortfall),
      `${estimate(risk.expectedShortfall, standardError.expectedShortfall)} (one standard error)`,
    ),
    figure('Equity', money(equity), 'haircut collateral, unrealised P&amp;L, option value'),
  ].join('');
}

function notes({ risk, clampedShocks, heldFactors }: RiskReport): string {
  const skipped = risk.skippedScenarios ?? 0;
  return [
    skipped > 0 ? `; ${count(skipped)} rows skipped for gaps` : '',
    clampedShocks > 0 ? `; ${count(clampedShocks)} shocks clamped` : '',
    heldFactors.length > 0 ? `; held still: ${escaped(heldFactors.join(', '))}` : '',
  ].join('');
}

const BARS_SHOWN = 30;

function bars({ underlyings }: RiskReport): string {
  if (underlyings.length === 0) return '<p>The account holds no position.</p>';
  const sorted = underlyings.toSorted((a, b) => b.expectedShortfall - a.expectedShortfall);
  const shown = sorted.slice(0, BARS_SHOWN);
  const greatest = Math.max(...shown.map((part) => part.expectedShortfall), Number.MIN_VALUE);
  const rows = shown.map(({ underlying, expectedShortfall }, i) => {
    const y = i * 26;
    const width = (440 * Math.max(0, expectedShortfall)) / greatest;
    return `<text x="0" y="${y + 17}">${escaped(clipped(underlying))}</text>
<rect x="120" y="${y + 4}" width="${width.toFixed(1)}" height="18" rx="2" fill="var(--bar)"/>
<text class="soft" x="${(128 + width).toFixed(1)}" y="${y + 17}">${money(expectedShortfall)}</text>`;
  });
  const rest = sorted.length - shown.length;
  const more = rest > 0 ? `<p>… and ${count(rest)} more.</p>` : '';
  const label = 'Bars of expected shortfall by underlying';
  return `<svg viewBox="0 0 700 ${shown.length * 26}" role="img" aria-label="${label}">\n${rows.join('\n')}\n</svg>${more}`;
}

/** The exact parts of ES: they sum to it. */
function partTables({ positions, collateral, expiries, factors, worst }: LossParts): string {
  const coins = collateral.map(({ asset, ...rest }) => ({
    instrument: `${asset} (coins)`,
    ...rest,
  }));
  const lines = [...positions, ...coins].toSorted(
    (a, b) => Math.abs(b.contribution) - Math.abs(a.contribution),
  );
  const more =
    lines.length > BARS_SHOWN ? `<p>… and ${count(lines.length - BARS_SHOWN)} more.</p>` : '';
  return `<h2>Where it comes from, by position</h2>
${partTable(
  ['position', 'part of ES', 'by itself'],
  lines
    .slice(0, BARS_SHOWN)
    .map((line) => [line.instrument, money(line.contribution), money(line.standAlone)]),
)}${more}
<h2>By expiry</h2>
${partTable(
  ['expiry', 'part of ES'],
  expiries.map(({ expiry, contribution }) => [expiry ?? 'undated', money(contribution)]),
)}
<h2>By type of factor</h2>
${partTable(
  ['factor', 'part of ES'],
  [
    ...factors.types.map(({ type, contribution }) => [type, money(contribution)]),
    ['passage of time', money(factors.time)],
    ['together, beyond each alone', money(factors.interaction)],
  ],
)}
<h2>The worst scenarios</h2>
${partTable(
  ['scenario', 'weight in ES', 'P&amp;L'],
  worst.map(({ scenario, period, weight, pnl }) => [
    period ?? String(scenario),
    percent(weight, 2),
    money(pnl),
  ]),
)}
`;
}

function partTable(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = titles.map((title) => `<th>${title}</th>`).join('');
  const body = rows.map(
    (row) => `<tr>${row.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`,
  );
  return `<table><thead><tr>${head}</tr></thead><tbody>${body.join('\n')}</tbody></table>`;
}

function clipped(text: string): string {
  return text.length > 15 ? `${text.slice(0, 14)}…` : text;
}

/** VaR with its interval against the number of scenarios, drawn and in figures. */
function convergence(steps: readonly RiskReport[]): string {
  const rows = steps.map(
    ({ risk }) => `<tr><td>${count(risk.scenarios)}</td><td>${money(risk.valueAtRisk)}</td>
<td>${intervalText(risk.interval.valueAtRisk)}</td><td>${estimate(risk.expectedShortfall, risk.standardError.expectedShortfall)}</td></tr>`,
  );
  return `<h2>How the estimate settles</h2>
${intervals(steps)}
<table><thead><tr><th>scenarios</th><th>VaR</th><th>interval</th><th>ES ± s.e.</th></tr></thead>
<tbody>${rows.join('\n')}</tbody></table>`;
}

function intervals(steps: readonly RiskReport[]): string {
  const spans = steps.map(({ risk }) => {
    const [low, high] = risk.interval.valueAtRisk;
    return { n: risk.scenarios, at: risk.valueAtRisk, low: low ?? risk.valueAtRisk, high };
  });
  const ends = spans.flatMap(({ at, low, high }) => [at, low, high ?? at]);
  const [least, most] = [Math.min(...ends), Math.max(...ends)];
  const x = (value: number): string =>
    (120 + (most > least ? (520 * (value - least)) / (most - least) : 260)).toFixed(1);
  const rows = spans.map(({ n, at, low, high }, i) => {
    const y = 14 + i * 24;
    return `<text x="0" y="${y + 4}">${count(n)}</text>
<line x1="${x(low)}" x2="${x(high ?? most)}" y1="${y}" y2="${y}" stroke="var(--bar)" stroke-width="3" stroke-linecap="round"/>
<circle cx="${x(at)}" cy="${y}" r="5" fill="var(--loss)"/>`;
  });
  const label = 'Value at risk and its interval against the number of scenarios';
  return `<svg viewBox="0 0 700 ${spans.length * 24 + 4}" role="img" aria-label="${label}">\n${rows.join('\n')}\n</svg>`;
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
