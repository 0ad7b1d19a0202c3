/** SIGKILL while eight connections send updates, twice on one store; 50 rounds in `test/long`. */

import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  place,
  plimsoll,
  SMALL_ACCOUNT,
  SMALL_FACTORS,
  SMALL_MARKET,
  start,
  temporaryFolder,
} from '../cli/command.ts';
import { makeStorm } from './deskCrash.ts';

it('every acknowledged update is there after a SIGKILL', async () => {
  const storm = makeStorm();
  let acknowledged = 0;
  for (const round of [1, 2]) acknowledged += await storm.round(round, 500);
  expect(acknowledged).toBeGreaterThanOrEqual(1_000);
  storm.remove();
}, 180_000);

it('opens a file of accounts in its book, and opens none of them twice', async () => {
  const folder = temporaryFolder();
  const market = place(folder, 'market.json', SMALL_MARKET);
  const factors = place(folder, 'factors.json', SMALL_FACTORS);
  const model = ['-m', market, '-f', factors, '-n', '500', '--workers', '1'];
  const accounts = place(folder, 'accounts.ndjson', `${JSON.stringify(SMALL_ACCOUNT)}\n`);
  const book = ['--store', join(folder, 'book.db'), '--accounts', accounts];
  const told = await plimsoll(['margin', ...model, '-a', accounts, '--json', '-q']);
  const figures = JSON.parse(told.stdout.split('\n')[0]!) as object;
  for (const opened of [1, 0]) {
    const run = start(['serve', ...model, ...book, '--port', '0', '--json']);
    const { address } = JSON.parse(await run.saw('stdout', /\}\n$/)) as { address: string };
    const answer = await fetch(`${address}/v1/accounts/one/margin`);
    expect(await answer.json()).toMatchObject({ margin: figures, heldState: 'healthy' });
    run.child.kill('SIGTERM');
    const { code, stderr } = await run.ended;
    expect(stderr).toContain(`${opened} of 1 accounts were opened`);
    expect(code).toBe(0);
  }
}, 180_000);
