/** The table of triggers, for people. */
import type { TriggerCrossing, Triggers } from '../../engine/studies/triggersSchema.ts';
import { money, percent, printable } from './figures.ts';
import { type Column, table } from './table.ts';

const right = (title: string): Column => ({ title, align: 'right' });

export function triggersTable(answer: Triggers): string {
  const { account, mode, currency, asOf, state, exact, nearest, triggers } = answer;
  const title = `${printable(account)} is ${state}, mode ${mode}, prices in ${currency}, market as of ${asOf}.`;
  if (triggers.length === 0) return `${title}\n\nNothing is held whose price could move.\n`;
  const columns = [
    { title: mode === 'isolated' ? 'position' : 'underlying' },
    ...(mode === 'isolated' ? [{ title: 'state' }] : []),
    right('spot'),
    ...[right('below'), right('move'), { title: 'to' }],
    ...[right('above'), right('move'), { title: 'to' }],
  ];
  const rows = triggers.map((trigger) => [
    trigger.instrument ?? trigger.underlying,
    ...(mode === 'isolated' ? [trigger.state] : []),
    money(trigger.spot),
    ...crossingCells(trigger.below),
    ...crossingCells(trigger.above),
  ]);
  const found =
    nearest === null ? 'No price alone changes it.' : `Nearest: ${percent(nearest, 2)}.`;
  const how = exact ? '' : ' Approximate: by the model of the search, without full revaluation.';
  return `${title}\n\n${table(columns, rows)}\n${found}${how}\n`;
}

function crossingCells(crossing: TriggerCrossing | null): readonly string[] {
  if (crossing === null) return ['none', '', ''];
  const { price, move, to, standardError, jump } = crossing;
  if (jump === true) return [`${money(price)} (jump)`, percent(move, 2), to];
  const error = standardError === null ? '' : ` ± ${money(standardError)}`;
  return [`${money(price)}${error}`, percent(move, 2), to];
}
