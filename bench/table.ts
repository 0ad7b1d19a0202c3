/** Lines as a table for people. */
import type { Line, Target } from './line.ts';

const HEADINGS = ['line', 'rate', 'time', 'spread', 'ours over', 'asked', 'hash'];
/** Columns of words; the others are numbers and stand to the right. */
const LEFT = new Set([0, 4, 5, 6]);

export function tableOf(lines: readonly Line[]): string {
  const rows = [HEADINGS, ...lines.map(cells)];
  const widths = HEADINGS.map((_, c) => Math.max(...rows.map((row) => row[c]!.length)));
  const text = rows.map((row) => {
    const padded = row.map((cell, c) =>
      LEFT.has(c) ? cell.padEnd(widths[c]!) : cell.padStart(widths[c]!),
    );
    return padded.join('  ').trimEnd();
  });
  const notes = lines.flatMap(({ name, notes }) => notes.map((note) => `  ${name}: ${note}`));
  return `${text.join('\n')}\n${notes.length === 0 ? '' : `\n${notes.join('\n')}\n`}`;
}

function cells(line: Line): string[] {
  const ratios = Object.entries(line.ratios).map(
    ([name, ratio]) => `${name} ${threeDigits(ratio)}×`,
  );
  return [
    line.name,
    `${scaled(line.rate)} ${line.unit}`,
    `${durationOf(line.seconds)} / ${line.per}`,
    line.spread === null ? '' : `${Math.round(line.spread * 100)}%`,
    ratios.join(', '),
    line.targets.map(targetText).join(', '),
    line.hash ?? '',
  ];
}

function targetText({ of, atLeast, atMost, met }: Target): string {
  const bound = atLeast ?? atMost!;
  const value = of === 'seconds' ? durationOf(bound) : scaled(bound);
  const name = of === 'rate' || of === 'seconds' ? '' : `${of} `;
  return `${name}${atLeast === undefined ? '≤' : '≥'} ${value} ${met ? '✓' : '✗'}`;
}

/** 12,300,000 as `12.3 M`. */
export function scaled(value: number): string {
  const [size, prefix] =
    value >= 1e9 ? [1e9, ' G'] : value >= 1e6 ? [1e6, ' M'] : value >= 1e4 ? [1e3, ' k'] : [1, ''];
  return `${threeDigits(value / size)}${prefix}`;
}

export function durationOf(seconds: number): string {
  if (seconds >= 1) return `${threeDigits(seconds)} s`;
  if (seconds >= 1e-3) return `${threeDigits(seconds * 1e3)} ms`;
  if (seconds >= 1e-6) return `${threeDigits(seconds * 1e6)} µs`;
  return `${threeDigits(seconds * 1e9)} ns`;
}

function threeDigits(value: number): string {
  return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}
