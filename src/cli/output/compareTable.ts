/** The table of a comparison, for people. */
import type { Comparison } from '../../engine/comparison.ts';
import type { ModesCompared } from '../../engine/studies/compareSchema.ts';
import { money, percent, printable, shortHash } from './figures.ts';
import { pairs, table } from './table.ts';

const right = (title: string) => ({ title, align: 'right' }) as const;

export function compareTable({ current, methodologies }: Comparison): string {
  const { account, currency } = current;
  const title = `Margin modes of ${printable(account)}, in ${currency}; equity ${money(current.equity)}.`;
  const parts = [`${title}\n\n${modes(current)}`, allocations(current)];
  for (const other of methodologies) {
    const head = `Under ${printable(other.name)}`;
    if ('error' in other) parts.push(`${head}: ${other.error.code}, ${other.error.message}\n`);
    else parts.push(`${head}\n\n${modes(other.compared)}`);
  }
  return parts.filter((part) => part !== '').join('\n');
}

function modes(compared: ModesCompared): string {
  const columns = [
    { title: '' },
    ...compared.modes.map(({ mode, current }) => right(current ? `${mode} (now)` : mode)),
  ];
  const all = compared.modes;
  const names = all[0]!.components.map(({ name }) => name);
  const rows = [
    ['initial margin', ...all.map((one) => money(one.initialMargin))],
    ...names.map((name, i) => [
      `  ${name}`,
      ...all.map((one) => money(one.components[i]!.initial)),
    ]),
    ['maintenance margin', ...all.map((one) => money(one.maintenanceMargin))],
    ['free collateral', ...all.map((one) => money(one.freeCollateral))],
    ['margin ratio', ...all.map((one) => percent(one.marginRatio))],
    ['state', ...all.map((one) => one.state)],
  ];
  const items = pairs([
    ['capital efficiency', percent(compared.capitalEfficiency)],
    ['methodology', shortHash(compared.methodology)],
  ]);
  return `${table(columns, rows)}\n${items}`;
}

function allocations({ modes: all }: ModesCompared): string {
  const rows = all
    .flatMap(({ allocations: each }) => each ?? [])
    .map(({ instrument, allocated, stated, needed }) => [
      instrument,
      money(allocated),
      stated ? 'stated' : 'assumed',
      money(needed),
    ]);
  if (rows.length === 0) return '';
  const columns = [{ title: 'position' }, right('allocated'), { title: '' }, right('needed')];
  return `Isolated: what each position needs of its own\n\n${table(columns, rows)}`;
}
