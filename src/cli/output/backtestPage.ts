/** A backtest as one self-contained HTML page: the tables, and P&L against VaR and ES for each method. */
import type { BacktestReport, MethodReport } from '../../risk/backtest/report.ts';
import { backtestPlot } from './backtestPlot.ts';
import { bookText, marginCells, notesOf, scopeText, testCells } from './backtestTable.ts';

const STYLE = `
:root { color-scheme: light dark; --ink: #1b2430; --soft: #66717f; --line: #d8dee6; --bar: #2f6f9f; --loss: #b5483a; --back: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e5eaf0; --soft: #96a2b0; --line: #38424e; --bar: #6aaedd; --loss: #e5806f; --back: #151b22; }
}
body { margin: 0 auto; max-width: 72rem; padding: 2.5rem 1.25rem; background: var(--back); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1rem; margin: 2.25rem 0 .5rem; }
p, li, th { color: var(--soft); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .3rem .5rem; border-bottom: 1px solid var(--line); font-weight: 400; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
svg { width: 100%; height: auto; display: block; font: 12px system-ui, sans-serif; }
svg text { fill: var(--soft); }
.pnl { stroke: var(--soft); stroke-width: .7; fill: none; opacity: .8; }
.var { stroke: var(--bar); stroke-width: 1.4; fill: none; }
.es { stroke: var(--bar); stroke-width: 1; stroke-dasharray: 3 3; fill: none; opacity: .8; }
.axis { stroke: var(--line); }
.hit { fill: var(--loss); }
footer { margin-top: 2.5rem; font-size: .8rem; color: var(--soft); overflow-wrap: anywhere; }
`;

const TEST_HEADS =
  'method|beyond VaR|expected|Kupiec p|independence p|conditional p|zone|worst year|Z₁ (p)|Z₂ (p)|quantile loss';
const MARGIN_HEADS = 'method|measures|mean margin|beyond margin|5-row rise|30-row rise';

/** @param report with its series */
export function backtestPage(report: BacktestReport): string {
  const margins = report.methods.flatMap((method) =>
    method.margins.map((margin) => marginCells(method, margin)),
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Backtest of ${escaped(bookText(report))}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Backtest of ${escaped(bookText(report))}</h1>
<p>${escaped(scopeText(report))}. Losses are positive.</p>
<h2>Value at risk and expected shortfall</h2>
${rows(TEST_HEADS, report.methods.map(testCells))}
<h2>Margin: ES, and how fast it rises (mean of the greatest 5%)</h2>
${rows(MARGIN_HEADS, margins)}
<ul>${notesOf(report)
    .map((note) => `<li>${escaped(note)}</li>`)
    .join('')}</ul>
${report.methods.map((method) => section(report, method)).join('\n')}
<footer>seed ${escaped(report.seed)}<br>${escaped(report.engine)}</footer>
</body>
</html>
`;
}

function section(report: BacktestReport, method: MethodReport): string {
  return `<h2>${method.method}: P&amp;L (grey), −VaR (line), −ES (dashed), losses beyond VaR (dots)</h2>
${backtestPlot(report, method)}`;
}

function rows(heads: string, cells: readonly (readonly string[])[]): string {
  const line = (tag: string, row: readonly string[]): string =>
    `<tr>${row.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`;
  return `<div class="wide"><table><thead>${line('th', heads.split('|'))}</thead>
<tbody>${cells.map((row) => line('td', row)).join('\n')}</tbody></table></div>`;
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
