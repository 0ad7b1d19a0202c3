/** Tables of a simulation and of a replay, for people. */
import type { SimulationReport } from '../../book/simulation/report.ts';
import type { Replayed } from '../commands/replay.ts';
import { count, money, percent, printable, shortHash } from './figures.ts';
import { type Column, pairs, table } from './table.ts';

const right = (title: string): Column => ({ title, align: 'right' });

export function simulationTable(report: SimulationReport): string {
  const { currency, from, to, steps, accounts, seed, prices } = report;
  const title = `${count(accounts)} accounts from ${from} to ${to} in ${count(steps)} steps, prices by ${prices}, seed ${printable(seed)}; in ${currency}.`;
  const rows = report.days.map((day) => [
    String(day.day),
    day.asOf,
    count(day.trades),
    count(day.refused),
    `${day.callsOpened} / ${day.callsMet} / ${day.callsExpired}`,
    count(day.liquidations),
    money(day.fundDraw),
    money(day.initialMargin),
    day.coverage === null ? '' : percent(day.coverage.share, 2),
    Object.values(day.states).join(' '),
  ]);
  const columns = [
    right('day'),
    { title: 'as of' },
    right('trades'),
    right('refused'),
    right('calls opened/met/expired'),
    right('liquidations'),
    right('fund draw'),
    right('initial margin'),
    right('covered'),
    right('states'),
  ];
  const states =
    'States: healthy, warning, margin-call, liquidation, default. Day 0 is how the accounts began.';
  return `${title}\n\n${table(columns, rows)}${states}\n\n${pairs(totals(report))}`;
}

function totals(report: SimulationReport): [string, string][] {
  const { total, procyclicality, peakToTrough } = report;
  const { coverage } = total;
  return [
    ['calls', `${count(total.callsOpened)} for ${money(total.callsAmount)}`],
    ['met, expired', `${count(total.callsMet)}, ${count(total.callsExpired)}`],
    ['liquidations', `${count(total.liquidations)}, cost ${money(total.liquidationCost)}`],
    ['fund draw', money(total.fundDraw)],
    ['uncovered', money(total.uncovered)],
    [
      'coverage',
      `${percent(coverage.share, 3)} of ${count(coverage.accountDays)} account-days; ${count(coverage.unmeasured)} not measured`,
    ],
    ['worst loss over margin', percent(coverage.worst)],
    ...procyclicality.map(({ days, figure, zone }): [string, string] => [
      `procyclicality, ${days} days`,
      figure === null ? 'too short' : `${percent(figure)} ${zone}`,
    ]),
    ['greatest over least margin', peakToTrough === null ? 'none' : peakToTrough.toFixed(3)],
    ['rejected', count(total.rejected)],
    ...(report.volatilityUpdates === 0
      ? []
      : [['volatilities updated', `${count(report.volatilityUpdates)} times`] as [string, string]]),
    ...(report.ignoredFactors.length === 0
      ? []
      : [['not followed', report.ignoredFactors.join(', ')] as [string, string]]),
    ['book', shortHash(report.book)],
  ];
}

export function replayTable({ account, at, seq, margin, heldState, published }: Replayed): string {
  const title = `Margin of ${printable(account)} as of record ${count(seq)}, ${at}, in ${margin.currency}.`;
  const check: [string, string][] =
    published === null
      ? [['published', 'nothing yet']]
      : [
          ['published', `record ${count(published.seq)}, ${published.at}`],
          [
            'computed again',
            published.matches ? 'the same to the byte' : `DIFFERENT: ${published.recomputed}`,
          ],
          ...(published.differs.length === 0
            ? []
            : [['other than it cites', published.differs.join(', ')] as [string, string]]),
        ];
  return `${title}\n\n${pairs([
    ['initial margin', money(margin.initialMargin)],
    ['maintenance margin', money(margin.maintenanceMargin)],
    ['equity', money(margin.equity)],
    ['state', `${margin.state}, held ${heldState}`],
    ['market as of', margin.asOf],
    ...check,
  ])}`;
}
