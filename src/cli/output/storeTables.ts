/** What a store is and whether it is whole, for people. */
import type { Backup, Head, StoreInfo, VerifyReport } from '../../book/store/store.ts';
import { count } from './figures.ts';
import { pairs, table } from './table.ts';

/** @param exported the head that the log was held against */
export function verifyTable(report: VerifyReport, exported: Head | undefined): string {
  const { ok, records, head, problem, remarks } = report;
  const lines: (readonly [string, string])[] = [
    ['store', ok ? 'whole' : problem === null ? 'its log is whole, but not all of it' : 'BROKEN'],
    ['good records', count(records)],
    ['last of them', `${head.seq}  ${head.hash}`],
  ];
  if (exported === undefined) {
    lines.push(['exported head', 'none given: a tail that was cut off cannot be noticed']);
  } else lines.push(['exported head', `${exported.seq}  ${exported.hash}`]);
  if (problem !== null) {
    lines.push(['first bad record', `${problem.seq} (${problem.fault})`]);
    lines.push(['what is wrong', problem.message]);
  }
  for (const { about, message } of remarks) lines.push([about, message]);
  return pairs(lines);
}

export function headTable({ seq, hash }: Head): string {
  return pairs([
    ['last record', String(seq)],
    ['hash', hash],
  ]);
}

export function backupTable({ head, bytes }: Backup, path: string): string {
  return pairs([
    ['copy', path],
    ['bytes', count(bytes)],
    ['last record', String(head.seq)],
    ['hash', head.hash],
    ['verified', 'yes'],
  ]);
}

export function infoTable(info: StoreInfo): string {
  const { location, driver, head, firstAt, lastAt, bytes, snapshots } = info;
  const figures = pairs([
    ['store', location],
    ['kept by', driver],
    ['bytes', count(bytes)],
    ['records', count(head.seq)],
    ['first', firstAt ?? 'none'],
    ['last', lastAt ?? 'none'],
    ['hash', head.hash],
    ['snapshots', count(snapshots.length)],
  ]);
  if (snapshots.length === 0) return figures;
  const right = (title: string) => ({ title, align: 'right' }) as const;
  const columns = [right('snapshot at'), { title: 'taken' }, right('bytes')];
  const rows = snapshots.map(({ seq, at, bytes: size }) => [count(seq), at, count(size)]);
  return `${figures}\n${table(columns, rows)}`;
}
