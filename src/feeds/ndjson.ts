/** A feed out of lines of JSON: a file or standard input, plain or gzipped, as recorded or faster. */
import { createReadStream } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { PlimsollError } from '../errors.ts';
import { decodeText, parseJson } from '../json.ts';
import { LIMITS } from '../limits.ts';
import { parseInstant } from '../market/dates.ts';
import { type Clock, Pace, type Speed, systemClock } from './clock.ts';
import { type FeedItem, instantOf } from './feed.ts';
import { readItem } from './lines.ts';

export interface NdjsonOptions {
  /** Of ticks that do not name theirs. Default `ndjson`. */
  readonly source?: string | undefined;
  /** Default `max`. */
  readonly speed?: Speed | undefined;
  readonly clock?: Clock | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads lines as they are asked for: a slow reader holds the file up. A line that is no item is the problem `malformed`, and the next is read.
 * Batches come when they are due by `receivedAt` (see `Pace`).
 * @param bytes as `openLines` gives them
 * @throws TOO_LARGE for a line above the limit, MALFORMED_JSON for damaged gzip, NOT_FOUND, INVALID_FIELD for a speed that is not > 0
 */
export async function* ndjsonFeed(
  bytes: AsyncIterable<Uint8Array>,
  options: NdjsonOptions = {},
): AsyncGenerator<FeedItem> {
  const { source = 'ndjson', speed = 'max', clock = systemClock, signal } = options;
  if (speed !== 'max' && !(speed > 0 && speed < Number.POSITIVE_INFINITY)) {
    throw new PlimsollError('INVALID_FIELD', `speed must be > 0 or max, got ${speed}`, {
      path: 'speed',
    });
  }
  const pace = new Pace(speed, clock);
  const aborted = (): boolean => signal?.aborted === true;
  let number = 0;
  for await (const line of linesOf(bytes)) {
    if (aborted()) return;
    number++;
    const item = itemOf(line, number, source, clock);
    if (item === null) continue;
    if ('batch' in item) await pace.until(parseInstant(item.batch.receivedAt), signal);
    if (aborted()) return;
    yield item;
  }
}

function itemOf(line: Uint8Array, number: number, source: string, clock: Clock): FeedItem | null {
  try {
    const text = decodeText(line);
    return text.trim() === '' ? null : readItem(parseJson(text), source);
  } catch (error) {
    if (!(error instanceof PlimsollError)) throw error;
    const path = !error.path ? `line ${number}` : `line ${number}, ${error.path}`;
    const message = `line ${number}: ${error.message}`;
    return { problem: { kind: 'malformed', source, message, path, at: instantOf(clock.now()) } };
  }
}

const NEWLINE = 10;

/** Lines without their ends, as they become whole. */
async function* linesOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let pieces: Uint8Array[] = [];
  let length = 0;
  const keep = (piece: Uint8Array): void => {
    length += piece.length;
    if (length > LIMITS.feedLineBytesMax) {
      throw new PlimsollError(
        'TOO_LARGE',
        `a line is longer than ${LIMITS.feedLineBytesMax} bytes`,
      );
    }
    pieces.push(piece);
  };
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.length; ) {
      const end = chunk.indexOf(NEWLINE, at);
      keep(chunk.subarray(at, end === -1 ? chunk.length : end));
      if (end === -1) break;
      yield pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
      pieces = [];
      length = 0;
      at = end + 1;
    }
  }
  if (length > 0) yield Buffer.concat(pieces);
}

/**
 * The bytes of a file, or of standard input (`-`); gunzipped where they begin as gzip does. Aborting ends them.
 * @throws while they are read: NOT_FOUND, MALFORMED_JSON for damaged gzip
 */
export async function* openLines(path: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const file: Readable = path === '-' ? process.stdin : createReadStream(path);
  const stop = (): void => {
    file.destroy();
  };
  signal?.addEventListener('abort', stop);
  try {
    yield* gunzipped(file);
  } catch (error) {
    if (signal?.aborted === true) return;
    throw readFailure(path, error as NodeJS.ErrnoException);
  } finally {
    signal?.removeEventListener('abort', stop);
    file.destroy();
  }
}

function readFailure(path: string, error: NodeJS.ErrnoException): PlimsollError {
  if (error.code?.startsWith('Z_') === true) {
    const message = `${path}: the gzip stream is damaged: ${error.message}`;
    return new PlimsollError('MALFORMED_JSON', message, { path });
  }
  return new PlimsollError('NOT_FOUND', `cannot read ${path}: ${error.message}`, { path });
}

async function* gunzipped(file: Readable): AsyncGenerator<Uint8Array> {
  const chunks = (file as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  let head: Uint8Array = new Uint8Array(0);
  // A pipe may hand the two bytes of the mark over one at a time.
  while (head.length < 2) {
    const next = await chunks.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  const rest = (async function* () {
    if (head.length > 0) yield head;
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
      yield next.value;
    }
  })();
  if (head[0] !== 0x1f || head[1] !== 0x8b) {
    yield* rest;
    return;
  }
  const gunzip = createGunzip();
  // The error, if any, comes out of `gunzip` where it is read.
  pipeline(Readable.from(rest, { objectMode: false }), gunzip, () => {});
  yield* gunzip as AsyncIterable<Uint8Array>;
}
