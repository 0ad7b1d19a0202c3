/** The tables of a methodology, for people. */
import type { MethodologyAnswer } from '../commands/methodology.ts';
import { printable } from './figures.ts';
import { table } from './table.ts';

const COLUMNS = [
  { title: 'parameter' },
  { title: 'value' },
  { title: 'default' },
  { title: 'range' },
  { title: 'meaning' },
] as const;

const CELL = 32;

export function methodologyTable(answer: MethodologyAnswer): string {
  const { name, version, preset, hash, parameters, difference } = answer;
  const title = `Methodology ${printable(name)}, version ${printable(version)}, from ${preset}\n${hash}`;
  const rows = parameters.map((one) => {
    const value = text(one.value);
    const usual = text(one.default);
    return [
      one.path,
      short(value),
      usual === value ? '' : short(usual),
      short(one.range),
      one.description,
    ];
  });
  return `${title}\n\n${table(COLUMNS, rows)}${difference === undefined ? '' : differing(difference)}`;
}

function differing({
  name,
  hash,
  parameters,
}: NonNullable<MethodologyAnswer['difference']>): string {
  const head = `\nAgainst ${printable(name)}\n${hash}`;
  if (parameters.length === 0) return `${head}: no parameter is different\n`;
  const columns = [{ title: 'parameter' }, { title: 'here' }, { title: 'there' }];
  const rows = parameters.map(({ path, value, other }) => [path, text(value), text(other)]);
  return `${head}\n\n${table(columns, rows)}`;
}

/** Lists would push the meaning off the screen; `--json` has all of it. */
function short(cell: string): string {
  return cell.length <= CELL ? cell : `${cell.slice(0, CELL - 1)}…`;
}

function text(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(String).join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
