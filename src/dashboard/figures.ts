/** How the page writes numbers and draws the uncertainty of a tail. Runs in the browser; touches no document but to make elements. */
import type { MarginResult } from '../margin/result.ts';

export type Risk = MarginResult['risk'];

const MINUS = '−';
const money = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** Two decimals, in the account's currency: `48,211.07`. */
export function amount(value: number): string {
  return money.format(value).replace('-', MINUS);
}

/** `14.72%`; a ratio that there is none of is a dash. */
export function percent(value: number | null): string {
  return value === null ? '–' : `${amount(value * 100)}%`;
}

/** A figure and its standard error: `44,011.90 ± 690.10`, `± unknown` where the sample cannot tell. */
export function withError(value: number, error: number | null): string {
  return `${amount(value)} ± ${error === null ? 'unknown' : amount(error)}`;
}

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 640;
const MARGIN = 56;

function shape(name: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

function label(text: string, x: number, y: number, anchor: string): SVGElement {
  const element = shape('text', { x, y, 'text-anchor': anchor });
  element.textContent = text;
  return element;
}

/** The scale of a chart: losses from left to right. */
function scale(values: readonly number[]): (value: number) => number {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const span = high > low ? high - low : 1;
  return (value) => MARGIN + ((value - low) / span) * (WIDTH - 2 * MARGIN);
}

/** VaR with its interval as a band, ES with one standard error either way as whiskers, on one axis of losses. */
export function intervalChart({ valueAtRisk, expectedShortfall, standardError, interval }: Risk) {
  const [lower, upper] = interval.valueAtRisk;
  const error = standardError.expectedShortfall;
  // Whiskers of no length would say that the figure is exact.
  const ends =
    error === null ? [expectedShortfall] : [expectedShortfall - error, expectedShortfall + error];
  const x = scale([...ends, valueAtRisk, lower ?? valueAtRisk, upper ?? valueAtRisk]);
  const description =
    `VaR ${amount(valueAtRisk)}, ${percent(interval.level)} interval ` +
    `${lower === null ? 'open' : amount(lower)} to ${upper === null ? 'open' : amount(upper)}; ` +
    `ES ${withError(expectedShortfall, error)}`;
  const chart = shape('svg', {
    viewBox: `0 0 ${WIDTH} 96`,
    class: 'chart',
    role: 'img',
    'aria-label': description,
  });
  // An end beyond the sample is drawn to the edge of the chart.
  const from = lower === null ? 0 : x(lower);
  const to = upper === null ? WIDTH : x(upper);
  const tick = (value: number) =>
    shape('line', { x1: x(value), x2: x(value), y1: 30, y2: 66, class: 'tick' });
  const whisker = (x1: number, x2: number, y1: number, y2: number) =>
    shape('line', { x1, x2, y1, y2, class: 'whisker' });
  const [left, right] = ends.map(x);
  const whiskers =
    left === undefined || right === undefined
      ? []
      : [whisker(left, right, 48, 48), whisker(left, left, 41, 55), whisker(right, right, 41, 55)];
  chart.append(
    shape('line', { x1: 0, x2: WIDTH, y1: 48, y2: 48, class: 'axis' }),
    shape('rect', { x: from, y: 38, width: Math.max(2, to - from), height: 20, class: 'band' }),
    tick(valueAtRisk),
    ...whiskers,
    tick(expectedShortfall),
    label(`VaR ${amount(valueAtRisk)}`, x(valueAtRisk), 20, 'middle'),
    label(`ES ${amount(expectedShortfall)}`, x(expectedShortfall), 86, 'middle'),
  );
  return chart;
}
