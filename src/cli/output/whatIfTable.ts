/** The table of a what-if, for people. */
import type { Verdict, WhatIf } from '../../engine/studies/whatIfSchema.ts';
import { money, percent, printable } from './figures.ts';
import { pairs, table } from './table.ts';

const right = (title: string) => ({ title, align: 'right' }) as const;
const COLUMNS = [{ title: '' }, right('before'), right('after'), right('difference')];

export function verdictText({ allowed, reason, missing }: Verdict): string {
  if (allowed) return `allowed: ${reason}`;
  return `not allowed: ${money(missing)} of collateral missing`;
}

export function whatIfTable(answer: WhatIf): string {
  const { before, after, difference, freeCollateral, state, verdict } = answer;
  const { account, currency, mode } = before;
  const line = (name: string, a: number, b: number) => [name, money(a), money(b), money(b - a)];
  const rows = [
    line('equity', before.equity, after.equity),
    line('initial margin', before.initialMargin, after.initialMargin),
    ...after.components.map(({ name, initial }, i) =>
      line(`  ${name}`, before.components[i]!.initial, initial),
    ),
    line('maintenance margin', before.maintenanceMargin, after.maintenanceMargin),
    line('free collateral', freeCollateral.before, freeCollateral.after),
    line('value at risk', before.risk.valueAtRisk, after.risk.valueAtRisk),
    line('expected shortfall', before.risk.expectedShortfall, after.risk.expectedShortfall),
    ['margin ratio', percent(before.marginRatio), percent(after.marginRatio), ''],
    ['state', state.before, state.after, ''],
  ];
  const switched = mode === after.mode ? mode : `${mode}, then ${after.mode}`;
  const title = `What if: ${printable(account)}, in ${currency}, mode ${switched}.`;
  const items = pairs([
    ['verdict', verdictText(verdict)],
    ['initial margin changes by', money(difference.initialMargin)],
  ]);
  return [`${title}\n\n${table(COLUMNS, rows)}`, items, orders(answer)].filter(Boolean).join('\n');
}

function orders({ orders: judged }: WhatIf): string {
  if (judged.length === 0) return '';
  const columns = [{ title: 'order' }, right('size'), right('price'), { title: 'verdict' }];
  const rows = judged.map(({ order, verdict }) => [
    `${order.side} ${order.instrument}`,
    String(order.size),
    String(order.price),
    verdictText(verdict),
  ]);
  return `Orders, one after the other\n\n${table(columns, rows)}`;
}
