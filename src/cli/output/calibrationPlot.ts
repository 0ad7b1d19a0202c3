/** A factor's volatility through time as an inline SVG: a line, the long-run level dashed, years below, values at the left. */
import type { FactorCalibration } from '../../market/calibrationReport.ts';
import { volatilityText } from './calibrationFigures.ts';

const [LEFT, RIGHT, TOP, BOTTOM] = [70, 690, 10, 130];

/** Nothing where there are fewer than two points. */
export function volatilityPlot(factor: FactorCalibration, label: string): string {
  const { dates, volatilities } = factor.path;
  if (dates.length < 2) return '<p>Too few changes to draw.</p>';
  const times = dates.map((date) => Date.parse(date.length === 10 ? `${date}T00:00:00Z` : date));
  const [first, last] = [times[0]!, times.at(-1)!];
  const top = niceCeiling(Math.max(...volatilities, factor.longRunVolatility));
  const x = (time: number): string => at(LEFT + ((RIGHT - LEFT) * (time - first)) / (last - first));
  const y = (value: number): string => at(BOTTOM - ((BOTTOM - TOP) * value) / top);
  const points = volatilities.map((value, i) => `${x(times[i]!)},${y(value)}`).join(' ');
  const levels = [0, top / 2, top].map(
    (
      value,
    ) => `<line x1="${LEFT}" x2="${RIGHT}" y1="${y(value)}" y2="${y(value)}" stroke="var(--line)"/>
<text class="soft" x="${LEFT - 8}" y="${y(value)}" dy="4" text-anchor="end">${tick(factor.id, value)}</text>`,
  );
  const years = januaries(first, last).map(
    ({ time, name }) =>
      `<text class="soft" x="${x(time)}" y="${BOTTOM + 17}" text-anchor="middle">${name}</text>`,
  );
  const longRun = y(factor.longRunVolatility);
  return `<svg viewBox="0 0 700 ${BOTTOM + 24}" role="img" aria-label="${label}">
${[...levels, ...years].join('\n')}
<line x1="${LEFT}" x2="${RIGHT}" y1="${longRun}" y2="${longRun}" stroke="var(--loss)" stroke-dasharray="5 4"/>
<polyline points="${points}" fill="none" stroke="var(--bar)" stroke-width="1.5" stroke-linejoin="round"/>
</svg>`;
}

function at(pixels: number): string {
  return pixels.toFixed(1);
}

function tick(id: string, value: number): string {
  return volatilityText(id, value).replace(/\.00%$/, '%');
}

/** The least of 1, 1.5, 2, 3, 4, 5, 6, 8 times a power of ten that is not below the value: its half is round too. */
function niceCeiling(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(value));
  const factor =
    [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((candidate) => candidate * unit >= value) ?? 10;
  return factor * unit;
}

/** First days of years, or of months where no two years begin inside; at most about ten. */
function januaries(first: number, last: number): { time: number; name: string }[] {
  const months: { time: number; name: string }[] = [];
  const start = new Date(first);
  for (let month = 1; ; month++) {
    const time = Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + month, 1);
    if (time > last) break;
    months.push({ time, name: new Date(time).toISOString().slice(0, 7) });
  }
  const years = months
    .filter(({ name }) => name.endsWith('-01'))
    .map(({ time, name }) => ({ time, name: name.slice(0, 4) }));
  const marks = years.length >= 2 ? years : months;
  const every = Math.max(1, Math.ceil(marks.length / 10));
  return marks.filter((_, i) => i % every === 0);
}
