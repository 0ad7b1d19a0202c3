/** Lines as a feed: what is read, what is named, and when it comes. */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/feeds/clock.ts';
import type { FeedItem } from '../../src/feeds/feed.ts';
import { writeItem } from '../../src/feeds/lines.ts';
import { ndjsonFeed, openLines } from '../../src/feeds/ndjson.ts';
import { openRecorder, recorded } from '../../src/feeds/recorder.ts';

const START = Date.parse('2026-01-02T08:00:00Z');
const at = (ms: number): string => new Date(START + ms).toISOString();
const folder = mkdtempSync(join(tmpdir(), 'plimsoll-feeds-'));

/** A clock that stands still but for who sleeps on it. */
class FakeClock implements Clock {
  time = 1_000_000;
  readonly slept: number[] = [];
  now(): number {
    return this.time;
  }
  async sleep(milliseconds: number): Promise<void> {
    this.slept.push(milliseconds);
    this.time += milliseconds;
  }
}

function batchAt(sequence: number, ms: number): FeedItem {
  const ticks = [{ sequence, underlying: 'BTC', asOf: at(ms), spot: 90_000 + sequence }];
  return { batch: { source: 'exchange', receivedAt: at(ms), ticks } };
}

async function* bytesOf(text: string, piece = 1 << 20): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let i = 0; i < bytes.length; i += piece) yield bytes.subarray(i, i + piece);
}

async function all(feed: AsyncIterable<FeedItem>): Promise<FeedItem[]> {
  const items: FeedItem[] = [];
  for await (const item of feed) items.push(item);
  return items;
}

const problem: FeedItem = {
  problem: { kind: 'gap', source: 'exchange', message: 'a book broke', at: at(3) },
};
const items = [batchAt(1, 0), batchAt(2, 100), problem, batchAt(3, 350)];
const text = items.map(writeItem).join('');

describe('lines', () => {
  it.each([
    1,
    7,
    1 << 20,
  ])('are read back as they were written, in pieces of %i bytes', async (piece) => {
    expect(await all(ndjsonFeed(bytesOf(text, piece)))).toEqual(items);
  });

  it('may be ticks by themselves: received when they are as of, from whom the options say', async () => {
    const line = '{"sequence":4,"underlying":"ETH","asOf":"2026-01-02T08:00:00Z","spot":3000}\n';
    const [item] = await all(ndjsonFeed(bytesOf(line), { source: 'mine' }));
    expect(item).toEqual({
      batch: {
        source: 'mine',
        receivedAt: '2026-01-02T08:00:00Z',
        ticks: [{ sequence: 4, underlying: 'ETH', asOf: '2026-01-02T08:00:00Z', spot: 3000 }],
      },
    });
  });

  const broken: readonly (readonly [string, string, RegExp])[] = [
    ['no JSON', '{"sequence":', /^line 2$/],
    [
      'a price that is no number',
      '{"sequence":1,"underlying":"BTC","asOf":"2026-01-02T08:00:00Z","spot":null}',
      /^line 2, spot$/,
    ],
    [
      'an unknown field',
      '{"sequence":1,"underlying":"BTC","asOf":"2026-01-02T08:00:00Z","spott":1}',
      /^line 2, spott$/,
    ],
    [
      'a key that stands twice',
      '{"sequence":1,"sequence":2,"underlying":"BTC","asOf":"2026-01-02T08:00:00Z"}',
      /^line 2$/,
    ],
    [
      'no number',
      '{"underlying":"BTC","asOf":"2026-01-02T08:00:00Z","spot":1}',
      /^line 2, sequence$/,
    ],
    [
      'half a number',
      '{"sequence":1.5,"underlying":"BTC","asOf":"2026-01-02T08:00:00Z"}',
      /^line 2, sequence$/,
    ],
    ['no date', '{"sequence":1,"underlying":"BTC","asOf":"yesterday","spot":1}', /^line 2, asOf$/],
    [
      'an empty batch',
      '{"source":"x","receivedAt":"2026-01-02T08:00:00Z","ticks":[]}',
      /^line 2, ticks$/,
    ],
    [
      'a problem of no known kind',
      '{"problem":{"kind":"bad","source":"x","message":"","at":"2026-01-02T08:00:00Z"}}',
      /^line 2, problem.kind$/,
    ],
    ['null', 'null', /^line 2$/],
  ];
  it.each(broken)('name %s and go on', async (_, line, path) => {
    const lines = `${writeItem(items[0]!)}${line}\n\n  \n${writeItem(items[1]!)}`;
    const [first, bad, second, ...rest] = await all(ndjsonFeed(bytesOf(lines)));
    expect([first, second, rest]).toEqual([items[0], items[1], []]);
    expect(bad).toMatchObject({
      problem: { kind: 'malformed', path: expect.stringMatching(path) },
    });
  });

  it('name bytes that are not UTF-8, and a last line that was cut', async () => {
    const bytes = async function* (): AsyncGenerator<Uint8Array> {
      yield Uint8Array.of(0x22, 0xff, 0x22, 0x0a);
      yield Buffer.from(text.slice(0, -30));
    };
    const read = await all(ndjsonFeed(bytes()));
    const bad = read.filter((item) => 'problem' in item && item.problem.kind === 'malformed');
    expect(bad).toMatchObject([{ problem: { path: 'line 1' } }, { problem: { path: 'line 5' } }]);
    expect(read.length).toBe(5);
  });
});

describe('pace', () => {
  it('is that of the recorded instants, divided by the speed', async () => {
    const clock = new FakeClock();
    await all(ndjsonFeed(bytesOf(text), { speed: 10, clock }));
    // Recorded 0, 100 and 350 ms: a tenth of each, from the first.
    expect(clock.slept).toEqual([10, 25]);
    expect(clock.now()).toBe(1_000_035);
  });

  it('makes up for a slow reader, and never waits at max', async () => {
    const clock = new FakeClock();
    const feed = ndjsonFeed(bytesOf(text), { speed: 1, clock });
    await feed.next();
    clock.time += 220;
    await feed.next();
    expect(clock.slept).toEqual([]);
    await feed.next();
    await feed.next();
    expect(clock.slept).toEqual([130]);
    const hurried = new FakeClock();
    await all(ndjsonFeed(bytesOf(text), { clock: hurried }));
    expect(hurried.slept).toEqual([]);
  });

  it('does not wait for instants that go back', async () => {
    const clock = new FakeClock();
    const lines = [batchAt(1, 100), batchAt(2, 0), batchAt(3, 150)].map(writeItem).join('');
    await all(ndjsonFeed(bytesOf(lines), { speed: 1, clock }));
    expect(clock.slept).toEqual([50]);
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses a speed of %d', async (speed) => {
    const feed = ndjsonFeed(bytesOf(text), { speed });
    await expect(feed.next()).rejects.toMatchObject({ code: 'INVALID_FIELD', path: 'speed' });
  });

  it('on the real clock: an aborted wait ends the feed', async () => {
    const lines = [batchAt(1, 0), batchAt(2, 3_600_000)].map(writeItem).join('');
    const stop = new AbortController();
    const feed = ndjsonFeed(bytesOf(lines), { speed: 1, signal: stop.signal });
    expect(await feed.next()).toMatchObject({ done: false });
    setTimeout(() => stop.abort(), 20);
    expect(await feed.next()).toMatchObject({ done: true });
  });
});

describe('files', () => {
  it.each([
    'plain.ndjson',
    'packed.ndjson.gz',
  ])('a recording is replayed to the same items: %s', async (name) => {
    const path = join(folder, name);
    const recorder = await openRecorder(path);
    const many = Array.from({ length: 3000 }, (_, i) => (i % 100 === 7 ? problem : batchAt(i, i)));
    const feed = (async function* () {
      yield* many;
    })();
    expect(await all(recorded(feed, recorder))).toEqual(many);
    await recorder.close();
    const bytes = readFileSync(path);
    const plain = name.endsWith('.gz') ? gunzipSync(bytes) : bytes;
    expect(plain.toString()).toBe(many.map(writeItem).join(''));
    expect(await all(ndjsonFeed(openLines(path)))).toEqual(many);
    await expect(openRecorder(path)).rejects.toMatchObject({ code: 'OUTPUT_FAILED' });
  });

  it('the first bytes tell gzip, not the name; damage is told', async () => {
    const path = join(folder, 'odd.ndjson');
    writeFileSync(path, gzipSync(text));
    expect(await all(ndjsonFeed(openLines(path)))).toEqual(items);
    const cut = join(folder, 'cut.ndjson');
    writeFileSync(cut, gzipSync(text).subarray(0, 60));
    await expect(all(ndjsonFeed(openLines(cut)))).rejects.toMatchObject({ code: 'MALFORMED_JSON' });
  });

  it('one that is not there is told, and an empty one has no items', async () => {
    const absent = join(folder, 'absent');
    await expect(all(ndjsonFeed(openLines(absent)))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const empty = join(folder, 'empty');
    writeFileSync(empty, '');
    expect(await all(ndjsonFeed(openLines(empty)))).toEqual([]);
  });

  it('a recording that cannot be made is told', async () => {
    const recorder = openRecorder(join(folder, 'no', 'folder'));
    await expect(recorder).rejects.toMatchObject({ code: 'OUTPUT_FAILED', path: 'record' });
    if (!existsSync('/dev/full')) return;
    // A device that is always full; opened like a new file it would be refused.
    await expect(openRecorder('/dev/full')).rejects.toMatchObject({ code: 'OUTPUT_FAILED' });
  });
});
