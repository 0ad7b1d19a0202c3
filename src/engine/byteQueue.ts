/** Bytes of a stream that have come and are not yet handed on: pieces in order, taken from the front with one copy. */
import { ensure } from '../errors.ts';

/** A small piece is copied together with its neighbours: each would otherwise keep the whole buffer that it is a view of alive. */
const SMALL_PIECE = 4096;
const POOL_BYTES = 65_536;

/** Shared buffers are made in steps of this size, so that one fits the next shard as well. */
const SHARED_STEP = 256 * 1024;
const SPARE_MAX = 64;
/** A larger one is not kept: it was for one huge account. */
const SPARE_BYTES_MAX = 4 * 1024 * 1024;
const spare: SharedArrayBuffer[] = [];

/**
 * Bytes in shared memory, of any content: a shard that is tried again still has them, and posting them to a worker does not copy. Those
 * that `recycle` gave back are used first: the garbage collector does not see the weight of shared buffers, and lets them pile up.
 */
export function sharedBytes(length: number): Uint8Array {
  const at = spare.findIndex((buffer) => buffer.byteLength >= length);
  const step = Math.max(1, Math.ceil(length / SHARED_STEP)) * SHARED_STEP;
  const buffer = at === -1 ? new SharedArrayBuffer(step) : spare.splice(at, 1)[0]!;
  return new Uint8Array(buffer, 0, length);
}

/** Gives back the bytes of a shard that is answered; nobody may look at them any more. */
export function recycle(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (!(buffer instanceof SharedArrayBuffer) || buffer.byteLength > SPARE_BYTES_MAX) return;
  if (spare.length < SPARE_MAX) spare.push(buffer);
}

export class ByteQueue {
  private readonly pieces: Uint8Array[] = [];
  /** Index of the first piece that holds bytes, and bytes of it that are gone. */
  private head = 0;
  private offset = 0;
  private total = 0;
  private pool = new Uint8Array(0);
  private pooled = 0;

  get length(): number {
    return this.total;
  }

  /** The piece must not be changed afterwards: only small ones are copied. */
  push(piece: Uint8Array): void {
    if (piece.length === 0) return;
    this.total += piece.length;
    if (piece.length >= SMALL_PIECE) this.pieces.push(piece);
    else this.pushSmall(piece);
  }

  private pushSmall(piece: Uint8Array): void {
    if (this.pooled + piece.length > this.pool.length) {
      this.pool = new Uint8Array(POOL_BYTES);
      this.pooled = 0;
    }
    const start = this.pooled;
    this.pool.set(piece, start);
    this.pooled += piece.length;
    const last = this.pieces.length - 1;
    const before = this.pieces[last];
    const follows =
      before?.buffer === this.pool.buffer && before.byteOffset + before.length === start;
    // The piece before grows in place when it ends where this one begins.
    if (follows) this.pieces[last] = this.pool.subarray(before.byteOffset, this.pooled);
    else this.pieces.push(this.pool.subarray(start, this.pooled));
  }

  /** Copies the first bytes into all of `target` and lets go of them. */
  read(target: Uint8Array): void {
    this.walk(target.length, (part, at) => target.set(part, at));
  }

  drop(count: number): void {
    this.walk(count, () => {});
  }

  /** The first `count` bytes in shared memory of their own. */
  take(count: number): Uint8Array {
    const bytes = sharedBytes(count);
    this.read(bytes);
    return bytes;
  }

  private walk(count: number, visit: (part: Uint8Array, at: number) => void): void {
    ensure(count <= this.total, `${count} bytes were asked of ${this.total}`);
    let done = 0;
    while (done < count) {
      const piece = this.pieces[this.head]!;
      const end = Math.min(piece.length, this.offset + count - done);
      visit(piece.subarray(this.offset, end), done);
      done += end - this.offset;
      this.offset = end;
      if (end === piece.length) this.release();
    }
    this.total -= count;
  }

  /** Lets go of the first piece; gone places are closed up now and then, so that it costs little per piece. */
  private release(): void {
    this.pieces[this.head] = EMPTY;
    this.head += 1;
    this.offset = 0;
    if (this.head < 1024 && this.head < this.pieces.length) return;
    this.pieces.splice(0, this.head);
    this.head = 0;
  }
}

const EMPTY = new Uint8Array(0);
