/**
 * A table of a FlatBuffer, read with every offset checked. Arrow keeps its metadata in this form (Google's FlatBuffers, "Internals":
 * a table begins with the signed distance back to its vtable, which holds each field's u16 offset, 0 for absent).
 */
import { PlimsollError } from '../errors.ts';

export function malformedArrow(text: string): PlimsollError {
  return new PlimsollError('MALFORMED_ARROW', text);
}

/** Runs a reading of metadata; an offset that leads outside of the bytes is MALFORMED_ARROW. */
export function withinBounds<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError)
      throw malformedArrow('an offset leads outside of the metadata');
    throw error;
  }
}

/** Where a vector's elements begin, in bytes, and how many they are. */
export interface FlatVector {
  readonly start: number;
  readonly length: number;
}

const NO_ELEMENTS: FlatVector = { start: 0, length: 0 };

/** Methods throw RangeError beyond the bytes: call them within `withinBounds`. */
export class FlatTable {
  readonly view: DataView;
  private readonly position: number;

  private constructor(view: DataView, position: number) {
    this.view = view;
    this.position = position;
  }

  /** The root table of a whole buffer. */
  static root(bytes: Uint8Array): FlatTable {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return new FlatTable(view, view.getUint32(0, true));
  }

  /** The byte of field `field`, or -1 where it is absent. */
  private at(field: number): number {
    const vtable = this.position - this.view.getInt32(this.position, true);
    if (4 + 2 * field + 2 > this.view.getUint16(vtable, true)) return -1;
    const offset = this.view.getUint16(vtable + 4 + 2 * field, true);
    return offset === 0 ? -1 : this.position + offset;
  }

  byte(field: number, absent: number): number {
    const at = this.at(field);
    return at === -1 ? absent : this.view.getUint8(at);
  }

  short(field: number, absent: number): number {
    const at = this.at(field);
    return at === -1 ? absent : this.view.getInt16(at, true);
  }

  int(field: number, absent: number): number {
    const at = this.at(field);
    return at === -1 ? absent : this.view.getInt32(at, true);
  }

  /** 64 bits; absent is 0. */
  long(field: number): bigint {
    const at = this.at(field);
    return at === -1 ? 0n : this.view.getBigInt64(at, true);
  }

  table(field: number): FlatTable | null {
    const at = this.at(field);
    return at === -1 ? null : this.follow(at);
  }

  /** @param size bytes of one element */
  vector(field: number, size: number): FlatVector {
    const at = this.at(field);
    if (at === -1) return NO_ELEMENTS;
    const start = at + this.view.getUint32(at, true) + 4;
    const length = this.view.getUint32(start - 4, true);
    if (start + length * size > this.view.byteLength) throw new RangeError('vector');
    return { start, length };
  }

  tables(field: number): FlatTable[] {
    const { start, length } = this.vector(field, 4);
    return Array.from({ length }, (_, i) => this.follow(start + 4 * i));
  }

  text(field: number): string {
    const { start, length } = this.vector(field, 1);
    const { buffer, byteOffset } = this.view;
    return Buffer.from(buffer, byteOffset + start, length).toString('utf8');
  }

  private follow(at: number): FlatTable {
    return new FlatTable(this.view, at + this.view.getUint32(at, true));
  }
}

/** A 64-bit count or offset as a number; negative or beyond the safe integers is MALFORMED_ARROW. */
export function countOf(value: bigint, what: string): number {
  const count = Number(value);
  if (count >= 0 && Number.isSafeInteger(count)) return count;
  throw malformedArrow(`${what} is ${value}`);
}
