/** The table of a timeline, for people. */
import type { Timeline, TimelinePoint } from '../../engine/studies/timelineSchema.ts';
import { money, percent, printable } from './figures.ts';
import { table } from './table.ts';

const right = (title: string) => ({ title, align: 'right' }) as const;
const COLUMNS = [
  { title: 'date' },
  right('days'),
  right('equity'),
  right('initial margin'),
  right('maintenance'),
  right('free collateral'),
  right('ratio'),
  { title: 'state' },
  { title: 'settled' },
];

export function timelineTable({ account, currency, points, marginCall }: Timeline): string {
  const title = `${printable(account)} on later dates, in ${currency}, the market unchanged.`;
  const rows = points.map((point) => [
    point.date,
    daysText(point.days),
    money(point.equity),
    money(point.initialMargin),
    money(point.maintenanceMargin),
    money(point.freeCollateral),
    percent(point.marginRatio),
    point.state,
    settledText(point),
  ]);
  const last = points.at(-1)!;
  const call =
    marginCall === null
      ? `No margin call up to ${last.date}.\n`
      : `First margin call: ${marginCall.date}, in ${daysText(marginCall.days)} days${cause(marginCall.settled)}.\n`;
  return `${title}\n\n${table(COLUMNS, rows)}\n${call}`;
}

function daysText(days: number): string {
  return Number.isInteger(days) ? String(days) : days.toFixed(2);
}

function cause(settled: readonly string[]): string {
  return settled.length === 0 ? '' : `, when ${settled.map(printable).join(', ')} expires`;
}

/** What expired, and what it paid in all. */
function settledText({ settled, lapsed }: TimelinePoint): string {
  const paid = new Map<string, number>();
  for (const { asset, amount } of settled) paid.set(asset, (paid.get(asset) ?? 0) + amount);
  const sums = [...paid].map(([asset, amount]) => `${money(amount)} ${asset}`).join(', ');
  const parts = settled.length === 0 ? [] : [`${plural(settled.length, 'position')}: ${sums}`];
  if (lapsed.length > 0) parts.push(plural(lapsed.length, 'order'));
  return parts.join('; ');
}

function plural(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}
