/** The real service on a disk that is full, and on one that cannot be written: it says so, keeps what it acknowledged, and goes on when there is room. */
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { openStore } from '../../src/book/store/store.ts';
import {
  MAIN,
  place,
  SMALL_FACTORS,
  SMALL_MARKET,
  temporaryFolder,
  watch,
} from '../cli/command.ts';
import { type Answer, announced, Client } from '../cli/service.ts';
import { privateShell } from './store/privateShell.ts';

const folder = temporaryFolder();
const disk = join(folder, 'disk');
mkdirSync(disk);
const store = join(disk, 'book.db');
const service = [
  ...[
    process.execPath,
    MAIN,
    'serve',
    '--port',
    '0',
    '--json',
    '-q',
    '--workers',
    '1',
    '-n',
    '200',
  ],
  ...['-m', place(folder, 'market.json', SMALL_MARKET)],
  ...['-f', place(folder, 'factors.json', SMALL_FACTORS), '--store', store],
]
  .map((word) => `'${word}'`)
  .join(' ');

const shell = privateShell();
const title =
  shell === null
    ? 'the service on a disk of its own (skipped: this user cannot mount)'
    : 'the service on a disk of its own';

/** Runs a script where what it mounts is its own; further lines of it come by standard input. */
function inShell(script: string) {
  const [command, ...flags] = shell!;
  return spawn(command!, [...flags, 'sh', '-c', `set -e; ${script}`]);
}

describe.skipIf(shell === null)(title, () => {
  afterAll(() => rmSync(folder, { recursive: true }));

  it('full: refuses by name, answers what needs no disk, and goes on when there is room', async () => {
    const child = inShell(`mount -t tmpfs -o size=3m plimsoll '${disk}'
      head -c 1200000 /dev/zero > '${disk}/ballast'
      ${service} & server=$!
      read -r now; rm '${disk}/ballast'
      read -r now; kill -KILL $server; cp '${disk}'/book.db* '${folder}'`);
    const run = watch(child);
    const client = new Client((await announced(run)).address);
    const opened = await client.send('PUT', '/v1/accounts/a', { id: 'a' });
    expect(opened.status).toBe(200);
    const told = new Set<string>();
    let made = 0;
    const deposit = async (): Promise<Answer> => {
      const reason = `${made++} ${'x'.repeat(900)}`;
      const body = { asset: 'USD', amount: 1, reason };
      const answer = await client.send('POST', '/v1/accounts/a/collateral', body);
      if (answer.status === 200) told.add(reason);
      return answer;
    };

    let full = await deposit();
    while (full.status === 200 && made < 5_000) full = await deposit();
    expect([full.status, full.body.code]).toEqual([503, 'STORE_FULL']);
    // Where no deposit has room a thousand ticks have none.
    const many = Array.from({ length: 1_000 }, (_, i) => {
      const asOf = new Date(Date.parse(SMALL_MARKET.asOf) + i).toISOString();
      return { sequence: i, underlying: 'BTC', asOf, spot: 91_000 };
    });
    const ticks = await client.send('PATCH', '/v1/market', { source: 'feed', ticks: many });
    expect([ticks.status, ticks.body.code]).toEqual([503, 'STORE_FULL']);
    // What is there can be read, what is asked of no account can be computed.
    const booked = await client.send('GET', '/v1/accounts/a');
    expect(booked.body.account).toMatchObject({
      collateral: [{ asset: 'USD', amount: told.size }],
    });
    const margin = await client.send('POST', '/v1/margin', booked.body.account);
    expect([margin.status, margin.body.equity]).toEqual([200, told.size]);

    child.stdin.write('room\n');
    const until = performance.now() + 20_000;
    while ((await deposit()).status !== 200) {
      expect(performance.now()).toBeLessThan(until);
      await sleep(100);
    }
    expect((await client.send('GET', '/v1/accounts/a/margin')).body.margin).toMatchObject({
      equity: told.size,
    });

    child.stdin.write('end\n');
    client.close();
    expect((await run.ended).code).toBe(0);
    const copy = await openStore(join(folder, 'book.db'), { readOnly: true });
    expect(await copy.verify()).toMatchObject({ ok: true });
    const kept: string[] = [];
    for await (const page of copy.pages()) {
      for (const { kind, body } of page) {
        if (kind === 'collateral-moved') kept.push((body as { reason: string }).reason);
      }
    }
    await copy.close();
    // What was acknowledged, and nothing that was refused.
    expect(kept).toEqual([...told]);
    expect(kept.length).toBeGreaterThan(100);
  }, 180_000);

  it('read-only: does not begin, and says why', async () => {
    const child = inShell(`mount -t tmpfs -o size=3m plimsoll '${disk}'
      ${service} & server=$!
      read -r now; kill -TERM $server; wait $server
      mount -o remount,ro '${disk}'
      ${service}`);
    const run = watch(child);
    await announced(run);
    child.stdin.end('stop\n');
    const { code, stdout, stderr } = await run.ended;
    expect([code, stdout, stderr]).toEqual([
      1,
      expect.stringContaining('STORE_READ_ONLY'),
      expect.anything(),
    ]);
  }, 180_000);
});
