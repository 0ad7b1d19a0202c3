/** `plimsoll serve` and `plimsoll bench`: what they announce, and how they end. */
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  place,
  plimsoll,
  SMALL_ACCOUNT,
  SMALL_FACTORS,
  SMALL_MARKET,
  start,
  temporaryFolder,
} from './command.ts';

const folder = temporaryFolder();
const market = place(folder, 'market.json', SMALL_MARKET);
const factors = place(folder, 'factors.json', SMALL_FACTORS);
const model = ['-m', market, '-f', factors];

describe('plimsoll serve', () => {
  it.each([
    'SIGTERM',
    'SIGINT',
  ] as const)('answers as the command does, and ends with 0 on %s', async (signal) => {
    const run = start(['serve', ...model, '--port', '0', '--json', '-q']);
    const { address, docs } = JSON.parse(await run.saw('stdout', /\}\n$/)) as Record<
      string,
      string
    >;
    expect(docs).toBe(`${address}/docs`);
    const body = JSON.stringify(SMALL_ACCOUNT);
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${address}/v1/margin`, { method: 'POST', headers, body });
    expect(answer.status).toBe(200);
    const served = await answer.json();
    run.child.kill(signal);
    const { code, stderr } = await run.ended;
    expect([code, stderr]).toEqual([0, 'stopping: answering what was accepted\n']);
    const told = await plimsoll(['margin', ...model, '-a', '-', '--json', '-q'], body);
    expect(served).toEqual(JSON.parse(told.stdout.split('\n')[0]!));
  });

  it('makes a market of its own for a first look, and shows a call that works', async () => {
    const run = start(['serve', '--demo', '--port', '0', '-q']);
    const text = await run.saw('stdout', /-d '.*'\n$/);
    const address = /listens on (\S+)/.exec(text)![1]!;
    const body = /-d '(.*)'\n$/.exec(text)![1]!;
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${address}/v1/margin`, { method: 'POST', headers, body });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ account: 'me', state: 'healthy' });
    run.child.kill('SIGTERM');
    expect((await run.ended).code).toBe(0);
  });

  it('ends with 2 where it cannot listen, and where accounts have no book', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as { port: number };
    const run = await plimsoll(['serve', ...model, '--port', String(port)]);
    taken.close();
    expect(run.stderr).toMatch(/USAGE: cannot listen on 127\.0\.0\.1:\d+[\s\S]*at: port/);
    expect(run.code).toBe(2);
    const book = await plimsoll(['serve', ...model, '--accounts', 'book.ndjson']);
    expect(book.stderr).toMatch(/give --store PATH/);
    expect(book.code).toBe(2);
  });
});

it.each([
  // RFC 2606 § 2: this name never resolves. RFC 5737 § 3: this address is no machine's.
  'nohost.invalid',
  '192.0.2.1',
])('plimsoll serve tells a host that is not ours before it reads anything: %s', async (host) => {
  const run = await plimsoll(['serve', '-m', 'absent.json', '-f', factors, '--host', host]);
  expect(run.stderr).toMatch(/USAGE: cannot listen on [\s\S]*at: host/);
  expect(run.stdout).toBe('');
  expect(run.code).toBe(2);
});

it('plimsoll bench hands its options over', async () => {
  const run = await plimsoll(['bench', '--only', 'nothing-of-that-name']);
  expect(run.code).toBe(2);
  expect(run.stderr).toMatch(/nothing-of-that-name/);
});
