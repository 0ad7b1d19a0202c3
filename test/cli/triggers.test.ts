/** `plimsoll triggers` as a user calls it. */
import { expect, it } from 'vitest';
import {
  place,
  plimsoll,
  SMALL_ACCOUNT,
  SMALL_FACTORS,
  SMALL_MARKET,
  temporaryFolder,
} from './command.ts';

const folder = temporaryFolder();
const MODEL = [
  ...['-m', place(folder, 'market.json', SMALL_MARKET)],
  ...['-f', place(folder, 'factors.json', SMALL_FACTORS)],
  ...['-n', '1000', '-w', '1', '-q'],
];
const INPUTS = [...MODEL, '-a', place(folder, 'account.json', SMALL_ACCOUNT)];

it('says at which prices the state changes, as a table and as a document', async () => {
  const run = await plimsoll(['triggers', ...INPUTS, '--json']);
  expect(run.code, run.stderr).toBe(0);
  const answer = JSON.parse(run.stdout);
  expect(answer).toMatchObject({ account: SMALL_ACCOUNT.id, exact: true });
  expect(answer.triggers.length).toBeGreaterThan(0);
  const shown = await plimsoll(['triggers', ...INPUTS]);
  expect(shown.stdout).toMatch(/underlying\s+spot\s+below\s+move\s+to\s+above\s+move\s+to/);
  expect(shown.stdout).toMatch(new RegExp(`is ${answer.state}`));
  const quick = await plimsoll(['triggers', ...INPUTS, '--approximate']);
  expect(quick.stdout).toMatch(/Approximate/);
});

it('begins with the state that the account is held in', async () => {
  const run = await plimsoll(['triggers', ...INPUTS, '--held', 'liquidation', '--json']);
  expect(run.code, run.stderr).toBe(0);
  expect((await plimsoll(['triggers', ...INPUTS, '--held', 'drowning'])).code).toBe(2);
  const empty = place(folder, 'empty.json', { id: 'empty' });
  const nothing = await plimsoll(['triggers', ...MODEL, '-a', empty]);
  expect(nothing.stdout).toMatch(/Nothing is held/);
});
