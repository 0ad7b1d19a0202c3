/** Cuts a stream of accounts in Arrow's IPC streaming format into row ranges for the workers, as it arrives. */
import { ensure } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import {
  checkSize,
  END_OF_STREAM,
  type Message,
  metadataBytes,
  PREFIX_BYTES,
  readMessage,
} from './arrowMessages.ts';
import { accountColumns, type ColumnField, dictionaryIds } from './arrowSchema.ts';
import { ByteQueue, sharedBytes } from './byteQueue.ts';
import { malformedArrow } from './flatTable.ts';

/** Rows [start, end) of one record batch; the ranges of a batch share its bytes. */
export interface ArrowChunk {
  readonly form: 'arrow';
  /** A whole IPC stream in shared memory: schema, dictionaries so far, the one batch, end of stream. */
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

export interface ArrowCut {
  /** Rows of a chunk, at most. */
  readonly rowsMax: number;
}

/** Reads exactly as many bytes as are asked for, however the stream is cut. */
class ByteReader {
  private readonly queue = new ByteQueue();
  private readonly source: AsyncIterator<Uint8Array>;
  /** Bytes of the stream that have been read. */
  position = 0;

  constructor(source: AsyncIterator<Uint8Array>) {
    this.source = source;
  }

  /** Fills `target`; returns the bytes that were there, fewer only where the stream ends. */
  async fill(target: Uint8Array): Promise<number> {
    let filled = 0;
    for (;;) {
      const count = Math.min(target.length - filled, this.queue.length);
      this.queue.read(target.subarray(filled, filled + count));
      filled += count;
      this.position += count;
      if (filled === target.length) return filled;
      const piece = await this.source.next();
      if (piece.done) return filled;
      this.queue.push(piece.value);
    }
  }

  /** @throws MALFORMED_ARROW where the stream ends before `target` is full */
  async read(target: Uint8Array, what: string): Promise<void> {
    const filled = await this.fill(target);
    if (filled === target.length) return;
    throw malformedArrow(
      `the stream ends at byte ${this.position} inside ${what}, of which ${target.length - filled} bytes are missing`,
    );
  }
}

/** A message's prefix and metadata as they came, and what they say. */
interface Head {
  readonly bytes: Uint8Array;
  readonly message: Message;
}

/** The next message's head; null at the end of the stream. */
async function readHead(reader: ByteReader): Promise<Head | null> {
  const at = reader.position;
  const prefix = new Uint8Array(PREFIX_BYTES);
  if ((await reader.fill(prefix)) < PREFIX_BYTES) {
    throw malformedArrow(
      `the stream stops at byte ${reader.position} without its end-of-stream marker`,
    );
  }
  const length = metadataBytes(prefix, at);
  if (length === 0) return null;
  const bytes = new Uint8Array(PREFIX_BYTES + length);
  bytes.set(prefix);
  const metadata = bytes.subarray(PREFIX_BYTES);
  await reader.read(metadata, 'metadata');
  return { bytes, message: readMessage(metadata) };
}

/** What every batch of the stream needs before it. */
class Preamble {
  readonly columns: readonly ColumnField[];
  private readonly schema: Uint8Array;
  private readonly ids: ReadonlySet<bigint>;
  private readonly dictionaries = new Map<bigint, Uint8Array[]>();

  constructor(head: Head | null) {
    if (head?.message.kind !== 'schema')
      throw malformedArrow('the stream does not begin with a schema');
    this.columns = accountColumns(head.message.schema);
    this.ids = dictionaryIds(this.columns);
    this.schema = head.bytes;
  }

  get parts(): readonly Uint8Array[] {
    return [this.schema, ...[...this.dictionaries.values()].flat()];
  }

  /** Takes up a dictionary message: one that is no delta replaces what stood under its id. */
  async add(head: Head, reader: ByteReader): Promise<void> {
    const { message } = head;
    ensure(message.kind === 'dictionary', `a ${message.kind} is no dictionary`);
    if (!this.ids.has(message.id)) throw malformedArrow(`no column uses dictionary ${message.id}`);
    const before = message.delta ? this.dictionaries.get(message.id) : [];
    if (before === undefined) throw malformedArrow(`dictionary ${message.id} begins with a delta`);
    if (!message.delta) this.dictionaries.delete(message.id);
    const held = this.parts.reduce((sum, part) => sum + part.length, 0);
    const length = head.bytes.length + message.bodyBytes;
    checkSize(held + length, LIMITS.arrowDictionaryBytesMax, 'the dictionaries of the stream');
    const bytes = new Uint8Array(length);
    bytes.set(head.bytes);
    await reader.read(bytes.subarray(head.bytes.length), 'a dictionary');
    this.dictionaries.set(message.id, [...before, bytes]);
  }
}

/** A batch behind all that it needs, as a stream by itself. */
async function readBatch(head: Head, preamble: Preamble, reader: ByteReader): Promise<Uint8Array> {
  const { bodyBytes } = head.message;
  checkSize(bodyBytes, LIMITS.arrowBatchBytesMax, 'a record batch');
  const before = [...preamble.parts, head.bytes];
  const start = before.reduce((sum, part) => sum + part.length, 0);
  const bytes = sharedBytes(start + bodyBytes + END_OF_STREAM.length);
  let at = 0;
  for (const part of before) {
    bytes.set(part, at);
    at += part.length;
  }
  await reader.read(bytes.subarray(at, at + bodyBytes), 'a record batch');
  bytes.set(END_OF_STREAM, at + bodyBytes);
  return bytes;
}

/**
 * Cuts a stream into ranges of rows; a batch is handed on as soon as it has come whole.
 *
 * @throws MALFORMED_ARROW for the file format, compressed batches, a stream that breaks off (without its end-of-stream marker too, or a
 *   cut between two batches would pass unnoticed); TOO_LARGE beyond the arrow… limits; UNKNOWN_FIELD, MISSING_FIELD or INVALID_FIELD
 *   for columns that accounts do not have
 */
export async function* cutArrow(
  source: AsyncIterable<Uint8Array>,
  { rowsMax }: ArrowCut,
): AsyncGenerator<ArrowChunk> {
  ensure(rowsMax >= 1, `a chunk cannot hold ${rowsMax} rows`);
  const iterator = source[Symbol.asyncIterator]();
  try {
    yield* cutMessages(new ByteReader(iterator), rowsMax);
  } finally {
    await iterator.return?.();
  }
}

async function* cutMessages(reader: ByteReader, rowsMax: number): AsyncGenerator<ArrowChunk> {
  const preamble = new Preamble(await readHead(reader));
  for (;;) {
    const head = await readHead(reader);
    if (head === null) break;
    const { message } = head;
    if (message.kind === 'schema') throw malformedArrow('a second schema stands in the stream');
    if (message.kind === 'dictionary') {
      await preamble.add(head, reader);
      continue;
    }
    const { rows } = message.batch;
    // Each row takes at least one byte of the id column.
    if (rows > message.bodyBytes) {
      throw malformedArrow(`a batch of ${message.bodyBytes} bytes claims ${rows} rows`);
    }
    const bytes = await readBatch(head, preamble, reader);
    for (let start = 0; start < rows; start += rowsMax) {
      yield { form: 'arrow', bytes, start, end: Math.min(rows, start + rowsMax) };
    }
  }
  const rest = new Uint8Array(1);
  if ((await reader.fill(rest)) > 0) {
    throw malformedArrow(`something follows the end of the stream at byte ${reader.position - 1}`);
  }
}
