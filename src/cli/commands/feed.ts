/** `plimsoll feed`: ticks of a file or an exchange, checked, as lines that can be piped on. */
import { PlimsollError } from '../../errors.ts';
import type { Speed } from '../../feeds/clock.ts';
import { type DeribitOptions, deribitFeed } from '../../feeds/deribit/feed.ts';
import type { Feed, FeedItem, TickProblem } from '../../feeds/feed.ts';
import { gated, TickGate } from '../../feeds/gate.ts';
import { writeItem } from '../../feeds/lines.ts';
import { ndjsonFeed, openLines } from '../../feeds/ndjson.ts';
import { PatchBodies } from '../../feeds/patchBodies.ts';
import { openRecorder, type Recorder, recorded } from '../../feeds/recorder.ts';
import { snapshotFeed } from '../../feeds/snapshotFeed.ts';
import { readMarketFiles } from '../../market/readers/marketFiles.ts';
import type { MarketSnapshot } from '../../market/snapshot.ts';
import { EXIT } from '../exitCodes.ts';
import { readMarket, refuseSharedInput } from '../inputs.ts';
import type { MarketOptions } from '../options.ts';
import { count } from '../output/figures.ts';
import type { CommonOptions, Terminal } from '../terminal.ts';

export interface FeedOptions extends MarketOptions, CommonOptions {
  readonly from: string;
  readonly speed?: Speed;
  readonly source?: string;
  readonly instruments?: string[];
  readonly indices?: string[];
  readonly markPrices?: boolean;
  readonly books?: string[];
  readonly refresh?: number;
  readonly attempts?: number;
  readonly staleAfter?: number;
  readonly record?: string;
  readonly patch?: boolean;
}

/** What came of it. */
interface Tally {
  batches: number;
  ticks: number;
  refused: number;
  readonly problems: { [kind: string]: number };
}

export async function runFeed(options: FeedOptions, terminal: Terminal): Promise<number> {
  const { from, market: files = [], record } = options;
  refuseSharedInput([from, ...files]);
  const market = files.length === 0 ? null : await readMarket(options);
  const stop = new Stop(terminal);
  const feed = await openFeed(options, market, stop.signal);
  const recorder = record === undefined ? null : await recorderOf(record);
  const lateMs = options.staleAfter === undefined ? undefined : options.staleAfter * 1000;
  const underlyings = market === null ? undefined : new Set(market.underlyings.map(({ id }) => id));
  const gate = new TickGate({ lateMs, underlyings });
  const tally: Tally = { batches: 0, ticks: 0, refused: 0, problems: {} };
  try {
    const source = recorder === null ? feed : recorded(feed, recorder);
    await pass(gated(source, gate), options, tally, terminal);
  } finally {
    await recorder?.close();
  }
  const { batches, ticks, refused } = tally;
  if (terminal.json) await terminal.write(`${JSON.stringify({ summary: tally })}\n`);
  else
    terminal.note(`${count(ticks)} ticks in ${count(batches)} batches, ${count(refused)} refused`);
  return stop.code ?? (refused > 0 ? EXIT.rejected : EXIT.ok);
}

async function pass(
  items: AsyncIterable<FeedItem>,
  { patch = false }: FeedOptions,
  tally: Tally,
  terminal: Terminal,
): Promise<void> {
  const bodies = new PatchBodies();
  for await (const item of items) {
    if ('problem' in item) {
      note(item.problem, tally);
      if (terminal.json) await terminal.write(writeItem(item));
      else terminal.note(`${item.problem.kind}: ${item.problem.message}`);
      continue;
    }
    tally.batches++;
    tally.ticks += item.batch.ticks.length;
    const lines = patch
      ? bodies.of(item.batch).map((body) => `${JSON.stringify(body)}\n`)
      : [writeItem(item)];
    for (const line of lines) await terminal.write(line);
  }
}

function note({ kind, admitted }: TickProblem, tally: Tally): void {
  tally.problems[kind] = (tally.problems[kind] ?? 0) + 1;
  if (admitted === false || (admitted === undefined && kind === 'malformed')) tally.refused++;
}

const DERIBIT = 'deribit:';
const SNAPSHOTS = 'snapshots:';

async function openFeed(
  options: FeedOptions,
  market: MarketSnapshot | null,
  signal: AbortSignal,
): Promise<Feed> {
  const { from, source, speed } = options;
  const deribit = from.startsWith(DERIBIT);
  for (const [option, given] of onlyOf(options, deribit)) {
    if (!given) continue;
    const text = deribit ? 'is for what was recorded' : 'is for an exchange (--from deribit:URL)';
    throw new PlimsollError('USAGE', `--${option} ${text}`, { path: option });
  }
  if (from.startsWith(SNAPSHOTS)) {
    const files = from.slice(SNAPSHOTS.length).split(',');
    const snapshots = await Promise.all(files.map((path) => readMarketFiles([path])));
    return snapshotFeed(snapshots, { source, speed, signal });
  }
  if (!deribit) return ndjsonFeed(openLines(from, signal), { source, speed, signal });
  const url = from.slice(DERIBIT.length);
  if (!/^wss?:\/\/./.test(url)) {
    const message = `--from deribit: needs a ws:// or wss:// address, got "${url}"`;
    throw new PlimsollError('USAGE', message, { path: 'from' });
  }
  return deribitFeed({ ...deribitOptions(options, market), url, source, signal });
}

/** Options of the other kind of source, and whether they were given. */
function onlyOf(options: FeedOptions, deribit: boolean): readonly (readonly [string, boolean])[] {
  if (deribit) return [['speed', options.speed !== undefined]];
  return [
    ['instruments', options.instruments !== undefined],
    ['indices', options.indices !== undefined],
    ['mark-prices', options.markPrices === true],
    ['books', options.books !== undefined],
    ['refresh', options.refresh !== undefined],
    ['attempts', options.attempts !== undefined],
  ];
}

/** Without instruments and indices: all contracts of the market. */
function deribitOptions(
  options: FeedOptions,
  market: MarketSnapshot | null,
): Omit<DeribitOptions, 'url'> {
  const { instruments, indices, markPrices, books, refresh, attempts } = options;
  if (attempts === 0) {
    throw new PlimsollError('USAGE', '--attempts must be at least 1', { path: 'attempts' });
  }
  if (refresh !== undefined && !(refresh > 0)) {
    throw new PlimsollError('USAGE', `--refresh must be > 0, got ${refresh}`, { path: 'refresh' });
  }
  const all = indices === undefined ? (market?.instruments.map(({ id }) => id) ?? []) : [];
  return {
    instruments: instruments ?? all,
    indices,
    markPrices,
    books,
    refreshMs: refresh === undefined ? undefined : refresh * 1000,
    attemptsMax: attempts,
  };
}

async function recorderOf(path: string): Promise<Recorder> {
  if (path === '-') {
    throw new PlimsollError('USAGE', 'a recording is a file, not a stream', { path: 'record' });
  }
  try {
    return await openRecorder(path);
  } catch (error) {
    throw new PlimsollError('USAGE', (error as Error).message, { path: 'record' });
  }
}

/** Ctrl-C and SIGTERM end a feed as if its source had ended: the recording becomes whole. */
class Stop {
  private readonly controller = new AbortController();
  code: number | null = null;

  constructor(terminal: Terminal) {
    terminal.lifetime.drainWith(() => this.controller.abort());
    process.once('SIGINT', () => this.note(EXIT.interrupted));
    process.once('SIGTERM', () => this.note(EXIT.terminated));
    process.once('SIGHUP', () => this.note(EXIT.hangup));
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  private note(code: number): void {
    this.code ??= code;
  }
}
