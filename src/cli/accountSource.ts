/** A file or stream of accounts, unread as yet: its bytes as they come, plain or gunzipped, and the form that they are in. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { cutArray, cutLines } from '../engine/chunks.ts';
import type { BatchForm } from '../engine/engine.ts';
import { PlimsollError } from '../errors.ts';
import { refuseMark } from './byteOrderMark.ts';
import { cannotRead } from './inputs.ts';

export interface AccountSource {
  readonly form: BatchForm;
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Share of the file that has been read, 0 … 1; undefined for standard input. */
  share(): number | undefined;
}

const READ_BYTES = 1024 * 1024;

/**
 * Opens accounts. Without a stated form the content tells: `[` begins a JSON array, Arrow's continuation mark an Arrow stream, anything
 * else is NDJSON; but a `.json` file that begins with `{` is one account.
 * @throws NOT_FOUND, MALFORMED_JSON for a byte order mark; while it is read, MALFORMED_JSON for damaged gzip
 */
export async function openAccounts(path: string, form?: BatchForm): Promise<AccountSource> {
  const size = path === '-' ? null : await sizeOf(path);
  let read = 0;
  const counted = (async function* () {
    const file =
      path === '-' ? process.stdin : createReadStream(path, { highWaterMark: READ_BYTES });
    try {
      for await (const piece of file) {
        read += (piece as Buffer).length;
        yield piece as Uint8Array;
      }
    } catch (error) {
      throw cannotRead(path, error as Error);
    }
  })();
  const plain = await peek(await gunzipped(path, await peek(counted)));
  refuseMark(plain.head, path === '-' ? 'standard input' : path);
  const share = (): number | undefined => (size === null ? undefined : read / Math.max(1, size));
  const first = plain.head.find((byte) => !SPACE.has(byte));
  const single = first === 0x7b && /\.json(\.gz)?$/.test(path) && form !== 'ndjson';
  if (single || (first === 0x7b && form === 'json')) {
    return { form: 'json', bytes: bracketed(plain.bytes), share };
  }
  return { form: form ?? formOf(plain.head, first), bytes: plain.bytes, share };
}

const SPACE = new Set([0x20, 0x09, 0x0a, 0x0d]);

function formOf(head: Uint8Array, first: number | undefined): BatchForm {
  if (first === 0x5b) return 'json';
  // The mark of an Arrow stream, and of the file format, which its reader refuses by name.
  const file = Buffer.from(head.subarray(0, 6)).toString('latin1') === 'ARROW1';
  return first === 0xff || file ? 'arrow' : 'ndjson';
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    throw cannotRead(path, error as Error);
  }
}

interface Peeked {
  readonly head: Uint8Array;
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** What is enough to see any mark that a form begins with: the longest is that of an Arrow file. */
const HEAD_BYTES = 6;

/** Looks at the first bytes, without taking them. A pipe may hand them over one at a time. */
async function peek(source: AsyncIterable<Uint8Array>): Promise<Peeked> {
  const iterator = source[Symbol.asyncIterator]();
  let head: Uint8Array = new Uint8Array(0);
  let done = false;
  while (!done && head.length < HEAD_BYTES) {
    const next = await iterator.next();
    if (next.done === true) done = true;
    else head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
  }
  const rest = async function* (): AsyncGenerator<Uint8Array> {
    try {
      if (head.length > 0) yield head;
      while (!done) {
        const next = await iterator.next();
        if (next.done === true) done = true;
        else yield next.value;
      }
    } finally {
      await iterator.return?.();
    }
  };
  return { head, bytes: rest() };
}

/** The first bytes tell, not the name. */
async function gunzipped(path: string, source: Peeked): Promise<AsyncIterable<Uint8Array>> {
  if (source.head[0] !== 0x1f || source.head[1] !== 0x8b) return source.bytes;
  const gunzip = createGunzip({ chunkSize: READ_BYTES });
  // The error, if any, comes out of `gunzip` where it is read.
  pipeline(Readable.from(source.bytes, { objectMode: false }), gunzip, () => {});
  return (async function* () {
    try {
      yield* gunzip as AsyncIterable<Uint8Array>;
    } catch (error) {
      if (error instanceof PlimsollError) throw error;
      const message = `${path}: the gzip stream is damaged: ${(error as Error).message}`;
      throw new PlimsollError('MALFORMED_JSON', message, { path });
    }
  })();
}

async function* bracketed(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield Buffer.from('[');
  yield* bytes;
  yield Buffer.from(']');
}

/** The accounts one by one, as bytes of JSON, with where each stands (`line 3`, `[2]`). */
export async function* accountDocuments(
  source: AccountSource,
): AsyncGenerator<{ readonly bytes: Uint8Array; readonly where: string }> {
  if (source.form === 'arrow') {
    throw new PlimsollError('USAGE', 'Arrow accounts are margined in batches only: use JSON here', {
      path: 'account',
    });
  }
  if (source.form === 'ndjson') {
    for await (const chunk of cutLines(source.bytes, { linesMax: 1, bytesMax: 1 })) {
      yield { bytes: chunk.bytes, where: `line ${chunk.firstLine + blankLines(chunk.bytes)}` };
    }
    return;
  }
  let i = 0;
  for await (const chunk of cutArray(source.bytes, { documentsMax: 1, bytesMax: 1 })) {
    yield { bytes: chunk.bytes, where: `[${i++}]` };
  }
}

/** Blank lines before the line of a chunk. */
function blankLines(bytes: Uint8Array): number {
  const first = bytes.findIndex((byte) => !SPACE.has(byte));
  return bytes.subarray(0, first).filter((byte) => byte === 0x0a).length;
}
