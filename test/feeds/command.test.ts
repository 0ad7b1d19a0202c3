/** `plimsoll feed` as it is called: its streams, its exit codes, and what it leaves behind. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { type FeedItem, instantOf, type SequencedTick } from '../../src/feeds/feed.ts';
import { writeItem } from '../../src/feeds/lines.ts';
import { PatchBodies } from '../../src/feeds/patchBodies.ts';
import { place, plimsoll, SMALL_MARKET, start, temporaryFolder } from '../cli/command.ts';
import { DeribitServer, START, summaryOf, tickerOf } from './deribitServer.ts';

const folder = temporaryFolder();
const market = place(folder, 'market.json', SMALL_MARKET);

function tickAt(sequence: number, more: Partial<SequencedTick> = {}): SequencedTick {
  return { sequence, underlying: 'BTC', asOf: instantOf(START + sequence), spot: 90_000, ...more };
}

function lineOf(ticks: readonly SequencedTick[], ms = 0): string {
  return writeItem({ batch: { source: 'x', receivedAt: instantOf(START + ms), ticks } });
}

const parse = (text: string): Record<string, unknown>[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

const faulty = [
  lineOf([tickAt(1)]),
  lineOf([tickAt(2), tickAt(5), tickAt(6, { spot: 0 }), tickAt(7)]),
  'not a line\n',
  lineOf([tickAt(7)]),
].join('');

it('passes a clean file on as it is, with 0', async () => {
  const clean = [lineOf([tickAt(1)]), lineOf([tickAt(2), tickAt(3)])].join('');
  const { code, stdout, stderr } = await plimsoll(['feed', '--from', '-'], clean);
  expect({ code, stdout }).toEqual({ code: 0, stdout: clean });
  expect(stderr).toBe('3 ticks in 2 batches, 0 refused\n');
});

it('names faults on stderr, passes the rest on, and ends with 3', async () => {
  const path = place(folder, 'faulty.ndjson', faulty);
  const { code, stdout, stderr } = await plimsoll(['feed', '--from', path]);
  expect(code).toBe(3);
  expect(stdout).toBe([lineOf([tickAt(1)]), lineOf([tickAt(2), tickAt(5), tickAt(7)])].join(''));
  expect(stderr.split('\n').map((line) => line.split(':')[0])).toEqual([
    'gap',
    'zero-price',
    'malformed',
    'duplicate',
    '4 ticks in 2 batches, 3 refused',
    '',
  ]);
});

it('with --json writes faults and a summary to stdout, too', async () => {
  const { stdout, stderr } = await plimsoll(['feed', '--from', '-', '--json'], faulty);
  const lines = parse(stdout);
  expect(
    lines.flatMap(({ problem }) => (problem as { kind: string } | undefined)?.kind ?? []),
  ).toEqual(['gap', 'zero-price', 'malformed', 'duplicate']);
  expect(lines.at(-1)).toEqual({
    summary: {
      batches: 2,
      ticks: 4,
      refused: 3,
      problems: { gap: 1, 'zero-price': 1, malformed: 1, duplicate: 1 },
    },
  });
  expect(stderr).toBe('');
});

it('with --patch writes bodies that own up to what is missing', async () => {
  const { stdout } = await plimsoll(['feed', '--from', '-', '--patch'], faulty);
  expect(parse(stdout)).toEqual([
    { source: 'x', resume: true, ticks: [tickAt(1)] },
    { source: 'x', ticks: [tickAt(2)] },
    { source: 'x', resume: true, ticks: [tickAt(5)] },
    { source: 'x', resume: true, ticks: [tickAt(7)] },
  ]);
  const bodies = new PatchBodies().of({
    source: 'y',
    receivedAt: '',
    ticks: [tickAt(8), tickAt(9)],
  });
  expect(bodies).toEqual([{ source: 'y', resume: true, ticks: [tickAt(8), tickAt(9)] }]);
});

it('replays at a speed: 3 recorded seconds at 10 take 0.3', async () => {
  const slow = [lineOf([tickAt(1)]), lineOf([tickAt(2)], 3000)].join('');
  const path = place(folder, 'slow.ndjson', slow);
  const running = start(['feed', '--from', path, '--speed', '10']);
  await running.saw('stdout', /"sequence":1/);
  const before = performance.now();
  const { stdout, code } = await running.ended;
  // A timer may fire 1 ms early; the first line takes some time to arrive here, 100 ms on a busy machine.
  expect(performance.now() - before).toBeGreaterThan(300 - 101);
  expect({ stdout, code }).toEqual({ stdout: slow, code: 0 });
});

it('refuses underlyings that the market does not have', async () => {
  const lines = lineOf([tickAt(1), tickAt(2, { underlying: 'ETH' })]);
  const { code, stderr } = await plimsoll(['feed', '--from', '-', '-m', market], lines);
  expect(code).toBe(3);
  expect(stderr).toContain('unknown-underlying: the market has no ETH');
});

it('follows an exchange, records, and ends with 130 at Ctrl-C; the recording replays to the same lines', async () => {
  const server = await DeribitServer.start();
  try {
    server.summaries.set('BTC', [summaryOf('BTC-PERPETUAL')]);
    const record = join(folder, 'live.ndjson.gz');
    const from = `deribit:${server.url}`;
    const follow = ['--instruments', 'BTC-PERPETUAL,BTC-27MAR26', '--record', record];
    const running = start(['feed', '--from', from, ...follow]);
    await running.saw('stdout', /"spot":90000/);
    const crossed = { timestamp: START + 1, best_bid_price: 90_011 };
    server.notify('ticker.BTC-PERPETUAL.100ms', tickerOf('BTC-PERPETUAL', crossed));
    server.raw('{');
    const later = { timestamp: START + 2, mark_price: 91_100 };
    server.notify('ticker.BTC-27MAR26.100ms', tickerOf('BTC-27MAR26', later));
    await running.saw('stdout', /"mark":91100/);
    running.child.kill('SIGINT');
    const live = await running.ended;
    expect(live.code).toBe(130);
    expect(live.stderr).toMatch(/^crossed: BTC: BTC-PERPETUAL is bid at 90011/);
    expect(live.stderr).toContain('malformed: ');
    // What was recorded is what came in, the crossed book included.
    const items = parse(gunzipSync(readFileSync(record)).toString()) as unknown as FeedItem[];
    expect(items).toHaveLength(4);
    const again = await plimsoll(['feed', '--from', record]);
    expect(again.stdout).toBe(live.stdout);
    expect(again.code).toBe(3);
  } finally {
    await server.close();
  }
});

it('SIGTERM in the middle of standard input ends with 143', async () => {
  const running = start(['feed', '--from', '-']);
  running.child.stdin!.write(lineOf([tickAt(1)]));
  await running.saw('stdout', /"sequence":1/);
  running.child.kill('SIGTERM');
  expect((await running.ended).code).toBe(143);
});

it('an exchange that cannot be reached is told, and ends with 1 after the attempts', async () => {
  const server = await DeribitServer.start();
  const { url } = server;
  await server.close();
  const args = ['--instruments', 'BTC-PERPETUAL', '--attempts', '2'];
  const { code, stderr } = await plimsoll(['feed', '--from', `deribit:${url}`, ...args]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/disconnected: [\s\S]*FEED_FAILED/);
});

it('a recording that finds no room ends the feed with 1, and what was written is whole lines but for the last', () => {
  const many = Array.from({ length: 20_000 }, (_, i) => lineOf([tickAt(i)])).join('');
  const path = place(folder, 'many.ndjson', many);
  const record = join(folder, 'cut.ndjson');
  const main = join(import.meta.dirname, '../../dist/src/cli/main.js');
  // A file may not grow beyond 100 KiB: the disk is full as far as this process can tell.
  const command = `ulimit -f 100; exec "$0" "$@"`;
  const args = [process.execPath, main, 'feed', '--from', path, '--record', record];
  const { status, stderr } = spawnSync('bash', ['-c', command, ...args], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringMatching(/OUTPUT_FAILED/) });
  const written = readFileSync(record, 'utf8');
  expect(written.length).toBe(102_400);
  expect(many.startsWith(written)).toBe(true);
});

it('turns snapshots into the ticks between them', async () => {
  const [record] = SMALL_MARKET.underlyings;
  const underlyings = [{ ...record, spot: 91_000 }];
  const later = { ...SMALL_MARKET, asOf: '2026-01-02T09:00:00Z', underlyings };
  const last = { ...later, asOf: '2026-01-02T10:00:00Z', instruments: [] };
  const files = [market, place(folder, 'later.json', later), place(folder, 'last.json', last)];
  const { code, stdout, stderr } = await plimsoll(['feed', '--from', `snapshots:${files}`]);
  expect(parse(stdout)).toEqual([
    {
      source: 'snapshots',
      receivedAt: '2026-01-02T09:00:00Z',
      ticks: [{ sequence: 1, underlying: 'BTC', asOf: '2026-01-02T09:00:00Z', spot: 91_000 }],
    },
    {
      source: 'snapshots',
      receivedAt: '2026-01-02T10:00:00Z',
      ticks: [{ sequence: 2, underlying: 'BTC', asOf: '2026-01-02T10:00:00Z' }],
    },
  ]);
  expect(stderr).toMatch(/^gap: 2 things of the snapshot of 2026-01-02T10:00:00Z/);
  expect(code).toBe(0);
});

const there = place(folder, 'there.ndjson', '');
const wrong: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['no source', [], /--from .* not specified/],
  ['a file that is not there', ['--from', join(folder, 'absent')], /NOT_FOUND/],
  ['a speed of 0', ['--from', '-', '--speed', '0'], /a number > 0 or max is expected/],
  [
    'instruments of a file',
    ['--from', '-', '--instruments', 'BTC-PERPETUAL'],
    /--instruments is for an exchange/,
  ],
  [
    'a speed of an exchange',
    ['--from', 'deribit:ws://x', '--speed', '2'],
    /--speed is for what was recorded/,
  ],
  ['an exchange without an address', ['--from', 'deribit:btc'], /needs a ws:\/\/ or wss:\/\//],
  ['a single snapshot', ['--from', `snapshots:${market}`], /INVALID_FIELD.*two of them/],
  ['no attempt', ['--from', 'deribit:ws://127.0.0.1:1', '--attempts', '0'], /--attempts must be/],
  ['nothing to follow', ['--from', 'deribit:ws://127.0.0.1:1'], /MISSING_FIELD/],
  ['a recording over a file', ['--from', '-', '--record', there], /USAGE: .*EEXIST/],
  ['a recording to stdout', ['--from', '-', '--record', '-'], /USAGE: a recording is a file/],
  ['one input twice', ['--from', '-', '-m', '-'], /USAGE: only one input/],
];
it.each(wrong)('refuses %s with 2', async (_, args, pattern) => {
  const { code, stdout, stderr } = await plimsoll(['feed', ...args]);
  expect(stderr).toMatch(pattern);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(existsSync('-')).toBe(false);
});
