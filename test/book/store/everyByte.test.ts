/**
 * Every character of every column of a desk's own log changed in turn, as the chain's check sees it; through the databases themselves in
 * `test/long`.
 */
import { expect, it } from 'vitest';
import type { Row } from '../../../src/book/store/logRecord.ts';
import { ChainCheck, type RawRow } from '../../../src/book/store/verification.ts';
import { sqliteSite } from './sites.ts';
import { spoiled, writeLog } from './smallLog.ts';

const NAMES = ['seq', 'at', 'kind', 'body', 'key', 'answer', 'bodyHash', 'hash'] as const;

/** Number of the first bad record; null where none is. */
function firstBad(rows: readonly RawRow[]): number | null {
  const check = ChainCheck.whole(null);
  const bad = rows.findIndex((row) => !check.take(row));
  return bad === -1 ? null : bad + 1;
}

it('finds any change of any column of any record', async () => {
  const site = await sqliteSite();
  await writeLog(site.location);
  const found = await site.run(
    `SELECT seq, at, kind, body, key, answer, body_hash, hash FROM ${site.log} ORDER BY seq`,
  );
  await site.remove();
  const rows = found.map(
    (values) => Object.fromEntries(NAMES.map((name, i) => [name, values[i]])) as unknown as Row,
  );
  expect(rows.map(({ kind }) => kind)).toEqual(
    expect.arrayContaining([
      ...['market-replaced', 'account-opened', 'contract-listed', 'fill', 'ticks'],
      ...['collateral-moved', 'margin', 'state-changed'],
    ]),
  );
  expect(firstBad(rows)).toBeNull();
  let tried = 0;
  rows.forEach((row, i) => {
    for (const name of NAMES.slice(1) as Exclude<(typeof NAMES)[number], 'seq'>[]) {
      for (const value of [...spoiled(row[name]), 0]) {
        const bad = firstBad(rows.toSpliced(i, 1, { ...row, [name]: value } as Row));
        if (bad !== row.seq) expect(bad, `${name} of ${row.seq}: ${value}`).toBe(row.seq);
        tried += 1;
      }
    }
  });
  expect(tried).toBeGreaterThan(4_000);
});
