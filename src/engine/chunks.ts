/**
 * Cuts a stream of accounts into the shards that workers are given, without parsing it: NDJSON at line ends, a JSON array between its
 * elements, values by number.
 */
import { ensure, PlimsollError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { ByteQueue } from './byteQueue.ts';

export interface LineChunk {
  readonly form: 'ndjson';
  /** Whole lines, in shared memory of their own. */
  readonly bytes: Uint8Array;
  /** Number of the first line in the whole input, from 1; blank lines count. */
  readonly firstLine: number;
}

export interface LineCut {
  /** Lines of a chunk that are not blank, at most. */
  readonly linesMax: number;
  /** Bytes of a chunk, at most; a longer line is a chunk by itself. */
  readonly bytesMax: number;
}

const NEWLINE = 10;

function checkSizes(...sizes: readonly number[]): void {
  for (const size of sizes) ensure(size >= 1, `a chunk cannot hold ${size}`);
}

/** Where the cutting of lines stands. */
class LineCutter {
  private readonly queue = new ByteQueue();
  private readonly cut: LineCut;
  /** Of the chunk being filled: whole lines only. */
  private bytes = 0;
  private lines = 0;
  private filled = 0;
  private firstLine = 1;
  /** Of the line that has not ended yet: its bytes so far, and whether they are all white space. */
  private open = 0;
  private blank = true;

  constructor(cut: LineCut) {
    this.cut = cut;
  }

  *feed(piece: Uint8Array): Generator<LineChunk> {
    this.queue.push(piece);
    // A Buffer finds a byte about twice as fast as a plain Uint8Array.
    const buffer = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
    let at = 0;
    for (;;) {
      const found = buffer.indexOf(NEWLINE, at);
      const end = found === -1 ? piece.length : found;
      this.extend(piece, at, end);
      if (found === -1) return;
      if (this.overflows(1)) yield* this.emit();
      this.endLine(1);
      if (this.filled >= this.cut.linesMax) yield* this.emit();
      at = found + 1;
    }
  }

  *finish(): Generator<LineChunk> {
    if (this.open > 0) {
      if (this.overflows(0)) yield* this.emit();
      this.endLine(0);
    }
    yield* this.emit();
  }

  private extend(piece: Uint8Array, start: number, end: number): void {
    this.open += end - start;
    if (this.open > LIMITS.accountBytesMax) {
      const line = this.firstLine + this.lines;
      const message = `line ${line} is longer than ${LIMITS.accountBytesMax} bytes`;
      throw new PlimsollError('TOO_LARGE', message);
    }
    for (let i = start; this.blank && i < end; i++) this.blank = isSpace(piece[i]!);
  }

  /** @param ending bytes of the line's end: 1, or 0 for a last line without one */
  private overflows(ending: number): boolean {
    return this.lines > 0 && this.bytes + this.open + ending > this.cut.bytesMax;
  }

  private endLine(ending: number): void {
    this.bytes += this.open + ending;
    this.lines += 1;
    if (!this.blank) this.filled += 1;
    this.open = 0;
    this.blank = true;
  }

  private *emit(): Generator<LineChunk> {
    const { bytes, firstLine, filled } = this;
    this.firstLine += this.lines;
    this.bytes = 0;
    this.lines = 0;
    this.filled = 0;
    // Blank lines alone hold no account.
    if (filled === 0) this.queue.drop(bytes);
    else yield { form: 'ndjson', bytes: this.queue.take(bytes), firstLine };
  }
}

/** What JSON calls white space. */
function isSpace(byte: number): boolean {
  return byte === 32 || byte === 9 || byte === 13 || byte === NEWLINE;
}

/**
 * Cuts NDJSON at line ends. The last line may lack its end. A byte order mark is left where it is: it is an error of the first line.
 *
 * @throws TOO_LARGE for a line of more than LIMITS.accountBytesMax bytes, with its number
 */
export async function* cutLines(
  source: AsyncIterable<Uint8Array>,
  options: LineCut,
): AsyncGenerator<LineChunk> {
  checkSizes(options.linesMax, options.bytesMax);
  const cutter = new LineCutter(options);
  for await (const piece of source) yield* cutter.feed(piece);
  yield* cutter.finish();
}

/**
 * Values in groups of at most `max`, in order.
 */
export async function* batchValues<T>(
  source: Iterable<T> | AsyncIterable<T>,
  max: number,
): AsyncGenerator<T[]> {
  checkSizes(max);
  let batch: T[] = [];
  for await (const value of source) {
    batch.push(value);
    if (batch.length < max) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

export { cutArray } from './arrayCutter.ts';
