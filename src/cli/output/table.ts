/** Aligned columns of text. */
import { displayWidth } from './displayWidth.ts';
import { printable } from './figures.ts';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/** A table with a line under its titles; every line ends with a line end. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  indent = '',
): string {
  const cells = rows.map((row) => row.map(printable));
  const widths = columns.map((column, i) =>
    Math.max(displayWidth(column.title), ...cells.map((row) => displayWidth(row[i] ?? ''))),
  );
  const line = (row: readonly string[]): string =>
    columns
      .map(({ align }, i) => pad(row[i] ?? '', widths[i]!, align ?? 'left'))
      .join('  ')
      .trimEnd();
  const lines = [
    line(columns.map(({ title }) => title)),
    widths.map((w) => '─'.repeat(w)).join('  '),
    ...cells.map(line),
  ];
  return lines.map((text) => `${indent}${text}\n`).join('');
}

/** Names and values, one pair a line. */
export function pairs(items: readonly (readonly [string, string])[], indent = ''): string {
  const wide = Math.max(0, ...items.map(([name]) => displayWidth(name)));
  return items
    .map(([name, value]) => `${indent}${pad(name, wide, 'left')}  ${printable(value)}\n`)
    .join('');
}

function pad(text: string, wide: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(Math.max(0, wide - displayWidth(text)));
  return align === 'left' ? text + space : space + text;
}
