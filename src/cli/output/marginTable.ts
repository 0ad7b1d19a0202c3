/** The table of a margin batch, for people. */
import { count, duration, estimate, money, percent, shortHash } from './figures.ts';
import type { MarginTally } from './marginTally.ts';
import { pairs, table } from './table.ts';

const COLUMNS = [
  { title: 'account' },
  { title: 'mode' },
  { title: 'initial margin ± s.e.', align: 'right' },
  { title: 'maintenance', align: 'right' },
  { title: 'equity', align: 'right' },
  { title: 'ratio', align: 'right' },
  { title: 'state' },
] as const;

const STATES = ['healthy', 'warning', 'margin-call', 'liquidation', 'default'];

/** Of the run as a whole: how long the accounts took, and on what they were measured. */
export interface MarginRun {
  readonly seconds: number;
  readonly scenarioSet: string;
  readonly currency: string;
}

export function marginTable(tally: MarginTally, run: MarginRun): string {
  return [greatest(tally), rejections(tally), summary(tally, run)]
    .filter((part) => part !== '')
    .join('\n');
}

function greatest({ greatest: lines, currency, accounts, rejected }: MarginTally): string {
  if (lines.length === 0) return '';
  const rows = lines.map((line) => [
    line.account,
    line.mode,
    // The error is that of the net ES, which only portfolio margin is made of.
    line.mode === 'portfolio'
      ? estimate(line.initialMargin, line.standardError)
      : money(line.initialMargin),
    money(line.maintenanceMargin),
    money(line.equity),
    percent(line.marginRatio),
    line.state,
  ]);
  const rest = accounts - rejected - lines.length;
  const title = rest > 0 ? `The ${count(lines.length)} greatest accounts` : 'Accounts';
  const more = rest > 0 ? `… and ${count(rest)} more\n` : '';
  return `${title}, in ${currency}\n\n${table(COLUMNS, rows)}${more}`;
}

function rejections({ rejections: shown, rejected }: MarginTally): string {
  if (rejected === 0) return '';
  const columns = [{ title: 'account' }, { title: 'code' }, { title: 'at' }, { title: 'reason' }];
  const rows = shown.map(({ account, error }) => [
    account ?? '(no id)',
    error.code,
    error.path ?? '',
    error.message,
  ]);
  const rest = rejected - shown.length;
  const more = rest > 0 ? `… and ${count(rest)} more\n` : '';
  return `Rejected: ${count(rejected)}\n\n${table(columns, rows)}${more}`;
}

function summary(tally: MarginTally, { seconds, scenarioSet, currency }: MarginRun): string {
  const { accounts, rejected, totals, states, codes } = tally;
  const known = STATES.filter((state) => states.has(state));
  const counted = known.map((state) => `${state} ${count(states.get(state)!)}`).join(', ');
  const reasons = [...codes].map(([code, n]) => `${code} ${count(n)}`).join(', ');
  const items: (readonly [string, string])[] = [
    ['accounts', `${count(accounts)}, of which rejected ${count(rejected)}`],
    ...(counted === '' ? [] : [['states', counted] as const]),
    ...(reasons === '' ? [] : [['rejected', reasons] as const]),
    ['initial margin', `${money(totals.initialMargin)} ${currency}`],
    ['maintenance', `${money(totals.maintenanceMargin)} ${currency}`],
    ['equity', `${money(totals.equity)} ${currency}`],
    ['scenario set', shortHash(scenarioSet)],
    ['digest', tally.digest],
    ['time', `${duration(seconds)}, ${count(accounts / seconds)} accounts/s`],
  ];
  return pairs(items);
}
