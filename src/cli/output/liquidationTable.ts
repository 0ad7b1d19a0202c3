/** Tables of liquidation prices, of a liquidation's steps and of hedges, for people. */
import type { Hedges } from '../../engine/studies/hedgesSchema.ts';
import type { Liquidation } from '../../engine/studies/liquidation.ts';
import type { LiquidationPlan } from '../../engine/studies/liquidationPlanSchema.ts';
import type { LiquidationCrossing } from '../../engine/studies/liquidationPriceSchema.ts';
import { money, percent, printable } from './figures.ts';
import { type Column, pairs, table } from './table.ts';

const right = (title: string): Column => ({ title, align: 'right' });

export function liquidationTable({ margin, prices, plan }: Liquidation): string {
  const title = `Liquidation of ${printable(margin.account)}, in ${margin.currency}, mode ${margin.mode}.`;
  const head = pairs([
    ['equity', money(margin.equity)],
    ['maintenance margin', money(margin.maintenanceMargin)],
    ['margin ratio', percent(margin.marginRatio)],
    ['state', margin.state],
    ['market as of', margin.asOf],
  ]);
  const rows = prices.map(({ underlying, instrument, spot, inLiquidation, below, above }) => [
    instrument ?? underlying,
    money(spot),
    inLiquidation ? 'out of liquidation' : 'into liquidation',
    ...crossingCells(below),
    ...crossingCells(above),
  ]);
  const columns = [
    { title: margin.mode === 'isolated' ? 'position' : 'underlying' },
    right('spot'),
    { title: 'leads' },
    right('below'),
    right('move'),
    right('above'),
    right('move'),
  ];
  const none = 'Nothing is held whose price could move.\n';
  const parts = [`${title}\n\n${head}`, rows.length === 0 ? none : table(columns, rows)];
  if (plan !== undefined) parts.push(planTable(plan));
  return parts.join('\n');
}

function crossingCells(crossing: LiquidationCrossing | null): [string, string] {
  if (crossing === null) return ['none', ''];
  const { price, move, standardError, jump } = crossing;
  if (jump === true) return [`${money(price)} (jump)`, percent(move, 2)];
  const error = standardError === null ? '' : ` ± ${money(standardError)}`;
  return [`${money(price)}${error}`, percent(move, 2)];
}

const OUTCOMES: Readonly<Record<LiquidationPlan['outcome'], string>> = {
  sufficient: 'nothing is to be done: equity covers the requirement',
  restored: 'the release level is restored',
  closed: 'positions had to be closed whole; nothing is owed',
  'insurance-fund': 'all is closed, and the insurance fund pays what is owed',
  deleveraging: 'all is closed, and counterparties bear what the fund does not pay',
  uncovered: 'all is closed, and nobody bears what is left',
};

function planTable(plan: LiquidationPlan): string {
  const { level, releaseLevel, outcome, cancelled, steps, after } = plan;
  const head = `Plan: ${OUTCOMES[outcome]} (${releaseLevel} × the ${level} requirement).`;
  const orders = cancelled.map(
    ({ id, side, size, instrument }) =>
      `  cancel ${id === undefined ? 'the order' : printable(id)}: ${side} ${size} ${printable(instrument)}\n`,
  );
  const rows = steps.map((step) => [
    step.action,
    step.instrument,
    String(step.size),
    String(step.price),
    money(step.marginFreed),
    money(step.cost),
    money(step.requirement),
    money(step.equity),
    step.state,
  ]);
  const columns = [
    { title: 'action' },
    { title: 'instrument' },
    right('size'),
    right('mark'),
    right('margin freed'),
    right('cost'),
    right('requirement'),
    right('equity'),
    { title: 'state' },
  ];
  const losses: [string, string][] =
    plan.shortfall > 0
      ? [
          ['owed', money(plan.shortfall)],
          ['the fund pays', money(plan.fundPaid)],
          ...plan.deleveraged.map(({ account, instrument, size, loss }): [string, string] => [
            `${printable(account)} bears`,
            `${money(loss)}, trading ${size} ${instrument}`,
          ]),
          ['left', money(plan.uncovered)],
        ]
      : [];
  const end = pairs([
    ['cost', money(plan.cost)],
    ...losses,
    ['equity after', money(after.equity)],
    ['maintenance margin after', money(after.maintenanceMargin)],
    ['state after', after.state],
  ]);
  const trades = rows.length === 0 ? '' : `${table(columns, rows)}\n`;
  return `${head}\n\n${orders.join('')}${trades}${end}`;
}

export function hedgesTable({ before, hedges, cost, marginFreed, after }: Hedges): string {
  if (hedges.length === 0) return 'Hedges: none frees more margin than it costs.\n';
  const rows = hedges.map((hedge) => [
    hedge.instrument,
    String(hedge.size),
    String(hedge.price),
    money(hedge.marginFreed),
    money(hedge.cost),
    money(hedge.initialMargin),
    money(hedge.equity),
    hedge.state,
  ]);
  const columns = [
    { title: 'instrument' },
    right('size'),
    right('mark'),
    right('margin freed'),
    right('cost'),
    right('initial margin'),
    right('equity'),
    { title: 'state' },
  ];
  const change = `${money(before.initialMargin)} → ${money(after.initialMargin)}`;
  const head = `Hedges: initial margin ${change}, ${money(marginFreed)} freed at a cost of ${money(cost)}.`;
  return `${head}\n\n${table(columns, rows)}`;
}
