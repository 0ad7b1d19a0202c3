/**
 * Splits a top-level JSON array into its elements over bytes, without parsing them: strings, escapes and depth are followed across the
 * borders of the stream's pieces. An element is not checked here beyond that; whoever parses it does.
 */
import { ensure, PlimsollError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { ByteQueue } from './byteQueue.ts';

export interface DocumentChunk {
  readonly form: 'documents';
  /** Elements end to end in shared memory of their own; each may have white space around it. */
  readonly bytes: Uint8Array;
  /** The end of each element in `bytes`. */
  readonly ends: Uint32Array;
}

export interface ArrayCut {
  /** Elements of a chunk, at most. */
  readonly documentsMax: number;
  /** Bytes of a chunk, at most; a longer element is a chunk by itself. */
  readonly bytesMax: number;
}

const QUOTE = 34;
const COMMA = 44;
const BACKSLASH = 92;
const SPACE = 32;

/** What a byte means outside a string. */
const PLAIN = 0;
const WHITE = 1;
const STRING = 2;
const OPEN = 3;
const CLOSE = 4;
const SEPARATOR = 5;

const MEANING = new Uint8Array(256);
for (const byte of [9, 10, 13, SPACE]) MEANING[byte] = WHITE;
MEANING[QUOTE] = STRING;
for (const char of '[{') MEANING[char.charCodeAt(0)] = OPEN;
for (const char of ']}') MEANING[char.charCodeAt(0)] = CLOSE;
MEANING[COMMA] = SEPARATOR;

const ARRAY_OPEN = 91;
const ARRAY_CLOSE = 93;

/** Where the scan stands. */
type State =
  /** Before the array's opening bracket. */
  | 'start'
  /** Behind it: an element or the closing bracket may come. */
  | 'first'
  /** Behind a comma: an element must come. */
  | 'next'
  /** In a number or a literal that is an element itself. */
  | 'scalar'
  /** In an object, an array or a string. */
  | 'inside'
  /** Behind an element: a comma or the closing bracket must come. */
  | 'behind'
  /** Behind the closing bracket. */
  | 'end';

function malformed(text: string, at: number): PlimsollError {
  return new PlimsollError('MALFORMED_JSON', `${text} at byte ${at}`);
}

class ArrayCutter {
  private readonly queue = new ByteQueue();
  private readonly cut: ArrayCut;
  private state: State = 'start';
  /** Brackets open inside the element; whether a string is, and whether its next byte is escaped. */
  private depth = 0;
  private quoted = false;
  private escaped = false;
  /** Bytes before the piece at hand, and before the first one in the queue. */
  private base = 0;
  private origin = 0;
  private elements = 0;
  /** Ends of the chunk's elements, from the queue's front. */
  private ends: number[] = [];

  constructor(cut: ArrayCut) {
    this.cut = cut;
  }

  *feed(piece: Uint8Array): Generator<DocumentChunk> {
    if (this.state !== 'end') this.queue.push(piece);
    let at = 0;
    while (at < piece.length) {
      if (this.state === 'inside') at = this.inside(piece, at);
      else {
        const ended = this.step(piece[at]!, this.base + at);
        if (ended) yield* this.endElement(this.base + at - this.origin);
        at += 1;
      }
    }
    this.base += piece.length;
    if (this.state !== 'end') this.checkLength(this.base - this.origin);
  }

  *finish(): Generator<DocumentChunk> {
    if (this.state === 'start')
      throw malformed('a JSON array was expected, the input ends', this.base);
    if (this.state !== 'end') throw malformed('the JSON array is cut off', this.base);
    yield* this.emit();
  }

  /** Moves on through a string, an object or an array; stops behind the piece or behind the element. */
  private inside(piece: Uint8Array, from: number): number {
    const { length } = piece;
    let depth = this.depth;
    let quoted = this.quoted;
    let at = from;
    if (this.escaped) {
      this.escaped = false;
      at += 1;
    }
    while (at < length) {
      if (quoted) {
        let byte = piece[at]!;
        while (byte !== QUOTE && byte !== BACKSLASH && ++at < length) byte = piece[at]!;
        if (at >= length) break;
        at += 1;
        if (byte === BACKSLASH) {
          at += 1;
          continue;
        }
        quoted = false;
      } else {
        const meaning = MEANING[piece[at]!]!;
        at += 1;
        if (meaning === STRING) quoted = true;
        else if (meaning === OPEN) depth += 1;
        else if (meaning === CLOSE) depth -= 1;
        else continue;
      }
      if (depth === 0 && !quoted) {
        this.state = 'behind';
        break;
      }
    }
    // A backslash that is the last byte of the piece escapes the first one of the next.
    this.escaped = at > length;
    this.depth = depth;
    this.quoted = quoted;
    return Math.min(at, length);
  }

  /** One byte between elements; true when an element ends before it. */
  private step(byte: number, at: number): boolean {
    const meaning = MEANING[byte]!;
    const { state } = this;
    if (meaning === WHITE) {
      if (state === 'scalar') this.state = 'behind';
      return false;
    }
    if (state === 'start') {
      if (byte !== ARRAY_OPEN) throw malformed('a JSON array was expected, not', at);
      this.state = 'first';
      return false;
    }
    if (state === 'end') throw malformed('something follows the JSON array', at);
    if (state === 'behind' || state === 'scalar') return this.afterElement(byte, at);
    if (byte === ARRAY_CLOSE && state === 'first') {
      this.state = 'end';
      return false;
    }
    if (meaning === CLOSE || meaning === SEPARATOR) throw malformed('an element is missing', at);
    this.begin(meaning);
    return false;
  }

  private begin(meaning: number): void {
    this.quoted = meaning === STRING;
    this.depth = meaning === OPEN ? 1 : 0;
    this.state = meaning === PLAIN ? 'scalar' : 'inside';
  }

  private afterElement(byte: number, at: number): boolean {
    if (byte === COMMA) this.state = 'next';
    else if (byte === ARRAY_CLOSE) this.state = 'end';
    else if (this.state === 'behind' || MEANING[byte] !== PLAIN) {
      throw malformed('a comma or the end of the array was expected', at);
    } else return false;
    return true;
  }

  private checkLength(end: number): void {
    const length = end - (this.ends.at(-1) ?? 0);
    if (length <= LIMITS.accountBytesMax) return;
    throw new PlimsollError(
      'TOO_LARGE',
      `element ${this.elements} of the array is longer than ${LIMITS.accountBytesMax} bytes`,
      { path: `[${this.elements}]` },
    );
  }

  /** @param end where the element ends, from the queue's front */
  private *endElement(end: number): Generator<DocumentChunk> {
    this.checkLength(end);
    this.elements += 1;
    if (this.ends.length > 0 && end > this.cut.bytesMax) {
      const before = this.ends.at(-1)!;
      yield* this.emit();
      this.ends.push(end - before);
    } else this.ends.push(end);
    if (this.ends.length >= this.cut.documentsMax) yield* this.emit();
  }

  private *emit(): Generator<DocumentChunk> {
    const { ends } = this;
    const length = ends.at(-1);
    if (length === undefined) return;
    const bytes = this.queue.take(length);
    // Each element still has the bracket or comma before it: as a space, it is white space of the element.
    let start = 0;
    for (const end of ends) {
      blankSeparator(bytes, start);
      start = end;
    }
    this.ends = [];
    this.origin += length;
    yield { form: 'documents', bytes, ends: Uint32Array.from(ends) };
  }
}

/** The first byte that is not white space from `start` is the one that separates the element from what stood before it. */
function blankSeparator(bytes: Uint8Array, start: number): void {
  let at = start;
  while (MEANING[bytes[at]!] === WHITE) at += 1;
  bytes[at] = SPACE;
}

/**
 * Splits a JSON array of accounts into its elements.
 *
 * @throws MALFORMED_JSON with the byte at which the input is no array, lacks a comma or an element, goes on behind the array or ends
 *   inside it; TOO_LARGE for an element of more than LIMITS.accountBytesMax bytes, white space around it included
 */
export async function* cutArray(
  source: AsyncIterable<Uint8Array>,
  options: ArrayCut,
): AsyncGenerator<DocumentChunk> {
  ensure(options.documentsMax >= 1 && options.bytesMax >= 1, 'a chunk must hold something');
  const cutter = new ArrayCutter(options);
  for await (const piece of source) yield* cutter.feed(piece);
  yield* cutter.finish();
}
