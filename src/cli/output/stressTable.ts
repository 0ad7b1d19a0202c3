/** The tables of a stress test, for people. */
import type { StressReport } from '../../engine/studies/stressSchema.ts';
import { count, money, percent, printable } from './figures.ts';
import { pairs, table } from './table.ts';

const right = (title: string) => ({ title, align: 'right' }) as const;
const figure = (pnl: number | null): string => (pnl === null ? 'gap' : money(pnl));

export function stressTable(report: StressReport, top: number): string {
  const { account, currency, horizonDays, equity } = report;
  const days = horizonDays === 1 ? '1 day' : `${horizonDays} days`;
  const title = `P&L of ${printable(account)} under stress, in ${currency}; ${days} pass, equity now ${money(equity)}.`;
  const notes = pairs([
    ['worst', worstText(report)],
    ...held('held still', report.heldFactors),
    ...held('still on historical days', report.heldInHistory),
    ...held('without scenarios of their own', report.withoutOwn),
    ...held('unknown, moves nothing', report.unknownUnderlyings),
    ...held('clamped', report.clampedScenarios),
  ]);
  return [`${title}\n\n${scenarios(report, top)}`, grid(report), notes].join('\n');
}

function worstText({ worst }: StressReport): string {
  if (worst === null) return 'none can be reckoned';
  return `${printable(worst.name)}: ${money(worst.pnl)}, which leaves ${money(worst.equity)}`;
}

function held(name: string, ids: readonly string[]): (readonly [string, string])[] {
  return ids.length === 0 ? [] : [[name, ids.map(printable).join(', ')]];
}

/** The worst first; those with a gap last. */
function scenarios({ scenarios: all, equity }: StressReport, top: number): string {
  const order = (pnl: number | null): number => pnl ?? Number.POSITIVE_INFINITY;
  const sorted = all.toSorted((a, b) => (order(a.pnl) < order(b.pnl) ? -1 : 1));
  const columns = [{ title: 'scenario' }, { title: 'kind' }, right('P&L'), right('equity there')];
  const rows = sorted
    .slice(0, top)
    .map(({ name, kind, pnl }) => [
      name,
      kind,
      figure(pnl),
      pnl === null ? '' : money(equity + pnl),
    ]);
  const rest = all.length - rows.length;
  return `${table(columns, rows)}${rest > 0 ? `… and ${count(rest)} more\n` : ''}`;
}

function grid({ grid: { spot, vol, pnl } }: StressReport): string {
  const columns = [{ title: 'spot' }, ...vol.map((move) => right(`vol ${signed(move)}`))];
  const rows = spot.map((move, i) => [signed(move), ...pnl[i]!.map(figure)]);
  return `All prices by all volatilities\n\n${table(columns, rows)}`;
}

function signed(move: number): string {
  return `${move > 0 ? '+' : ''}${percent(move, 0)}`;
}
