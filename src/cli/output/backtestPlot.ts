/** P&L against VaR and ES through time, as SVG. */
import type { BacktestReport, MethodReport } from '../../risk/backtest/report.ts';

const WIDTH = 900;
const HEIGHT = 240;
const LEFT = 70;
const BOTTOM = 22;
/** Points of a line: more than a pixel each would show nothing more. */
const POINTS_MAX = 3000;

/** The same scale for every method of a report, so that plots can be compared. */
export function backtestPlot(report: BacktestReport, { method, forecasts }: MethodReport): string {
  const { series } = report;
  if (series === undefined || forecasts === undefined) return '';
  const { dates, pnl } = series;
  const n = pnl.length;
  const low = Math.min(
    least(pnl),
    ...report.methods.map((m) => -greatest(m.forecasts?.expectedShortfall ?? [0])),
  );
  const high = greatest(pnl);
  const x = (i: number): number => LEFT + ((WIDTH - LEFT) * i) / Math.max(1, n - 1);
  const y = (value: number): number =>
    ((HEIGHT - BOTTOM) * (high - value)) / Math.max(high - low, Number.MIN_VALUE);
  const every = Math.ceil(n / POINTS_MAX);
  const line = (name: string, value: (i: number) => number): string => {
    const points: string[] = [];
    for (let i = 0; i < n; i += every) points.push(`${x(i).toFixed(1)},${y(value(i)).toFixed(1)}`);
    return `<polyline class="${name}" points="${points.join(' ')}"/>`;
  };
  const hits = pnl.flatMap((value, i) =>
    -value > forecasts.valueAtRisk[i]!
      ? [`<circle class="hit" cx="${x(i).toFixed(1)}" cy="${y(value).toFixed(1)}" r="2.5"/>`]
      : [],
  );
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="P&amp;L and VaR of ${method}">
${grid(low, high, y)}
${line('pnl', (i) => pnl[i]!)}
${line('es', (i) => -forecasts.expectedShortfall[i]!)}
${line('var', (i) => -forecasts.valueAtRisk[i]!)}
${hits.join('\n')}
${yearMarks(dates, x)}
</svg>`;
}

/** Lines at round amounts. */
function grid(low: number, high: number, y: (value: number) => number): string {
  const span = Math.max(high - low, Number.MIN_VALUE);
  const power = 10 ** Math.floor(Math.log10(span / 4));
  const step = [1, 2, 5, 10].map((m) => m * power).find((candidate) => span / candidate <= 6)!;
  const lines: string[] = [];
  for (let k = Math.ceil(low / step); k * step <= high; k++) {
    const at = y(k * step).toFixed(1);
    const text = String(Number((k * step).toPrecision(6)));
    lines.push(
      `<line class="axis" x1="${LEFT}" x2="${WIDTH}" y1="${at}" y2="${at}"/><text x="${LEFT - 6}" y="${at}" dy="4" text-anchor="end">${text}</text>`,
    );
  }
  return lines.join('\n');
}

/** Where a year begins, at most a dozen of them. */
function yearMarks(dates: readonly string[], x: (i: number) => number): string {
  const starts = dates.flatMap((date, i) =>
    i === 0 || date.slice(0, 4) !== dates[i - 1]!.slice(0, 4) ? [i] : [],
  );
  const every = Math.ceil(starts.length / 12);
  return starts
    .filter((_, k) => k % every === 0)
    .map((i) => `<text x="${x(i).toFixed(1)}" y="${HEIGHT - 6}">${dates[i]!.slice(0, 4)}</text>`)
    .join('\n');
}

function least(values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b), 0);
}

function greatest(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b), 0);
}
