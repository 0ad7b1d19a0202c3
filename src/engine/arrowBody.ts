/**
 * The columns of a record batch over its body, without copying. Lengths and buffers are checked against the body here; offsets and
 * indices where a value is read, so that a range of rows costs no pass over the others. Source: Apache Arrow, "Columnar Format".
 */
import type { BatchHeader } from './arrowMessages.ts';
import type { ColumnType, DictionaryType } from './arrowSchema.ts';
import { countOf, type FlatVector, malformedArrow, withinBounds } from './flatTable.ts';

/** Null: every value is there. */
type Validity = Uint8Array | null;

export interface Sized {
  readonly length: number;
  readonly validity: Validity;
}

/** Offsets in i32 words: every word, or every second one where offsets have 64 bits. */
export interface Offsets {
  readonly words: Int32Array;
  readonly stride: 1 | 2;
}

export interface NumberColumn extends Sized {
  readonly kind: 'number';
  readonly values: Float64Array;
}

export interface PlainText extends Sized {
  readonly kind: 'text';
  readonly offsets: Offsets;
  readonly data: Buffer;
}

export type Words = readonly (string | null)[];

export interface EncodedText extends Sized {
  readonly kind: 'encoded';
  readonly codes: ArrayLike<number>;
  readonly words: Words;
}

export type TextColumn = PlainText | EncodedText;

export interface ListColumn extends Sized {
  readonly kind: 'list';
  readonly offsets: Offsets;
  readonly item: Column;
}

export interface StructColumn extends Sized {
  readonly kind: 'struct';
  readonly fields: readonly { readonly name: string; readonly column: Column }[];
}

export type Column = NumberColumn | TextColumn | ListColumn | StructColumn;

const NODE_BYTES = 16;

interface Node {
  readonly length: number;
  readonly nulls: number;
}

/** Hands out nodes and buffers in the order in which the columns need them: depth first. */
class BodyReader {
  private readonly view: DataView;
  private readonly body: Uint8Array;
  private readonly nodes: FlatVector;
  private readonly buffers: FlatVector;
  private node = 0;
  private buffer = 0;

  constructor(batch: BatchHeader, body: Uint8Array) {
    this.view = batch.table.view;
    this.body = body;
    this.nodes = batch.table.vector(1, NODE_BYTES);
    this.buffers = batch.table.vector(2, NODE_BYTES);
  }

  private pair(vector: FlatVector, index: number, what: string): readonly [number, number] {
    if (index >= vector.length)
      throw malformedArrow(`a batch lacks ${what} ${index} of its columns`);
    const at = vector.start + index * NODE_BYTES;
    const { view } = this;
    return [
      countOf(view.getBigInt64(at, true), what),
      countOf(view.getBigInt64(at + 8, true), what),
    ];
  }

  nextNode(): Node {
    const [length, nulls] = this.pair(this.nodes, this.node, 'node');
    this.node += 1;
    return { length, nulls };
  }

  /** @param least bytes that must be there */
  nextBuffer(least: number): Uint8Array {
    const [offset, length] = this.pair(this.buffers, this.buffer, 'buffer');
    this.buffer += 1;
    if (offset + length > this.body.length || length < least) {
      throw malformedArrow(
        `buffer ${this.buffer - 1} is ${length} bytes at ${offset} of a body of ${this.body.length}, ${least} are needed`,
      );
    }
    return this.body.subarray(offset, offset + length);
  }

  /** The next buffer as an array of numbers of `bytes` each; copied where it is not aligned. */
  nextArray(
    least: number,
    bytes: number,
  ): { buffer: ArrayBufferLike; start: number; count: number } {
    const raw = this.nextBuffer(least * bytes);
    const { buffer, byteOffset } = raw.byteOffset % bytes === 0 ? raw : raw.slice();
    return { buffer, start: byteOffset, count: Math.floor(raw.length / bytes) };
  }

  nextValidity({ length, nulls }: Node): Validity {
    const bits = this.nextBuffer(nulls === 0 ? 0 : Math.ceil(length / 8));
    return nulls === 0 ? null : bits;
  }

  nextOffsets(length: number, large: boolean): Offsets {
    const stride = large ? 2 : 1;
    const { buffer, start, count } = this.nextArray(length === 0 ? 0 : (length + 1) * stride, 4);
    return { words: new Int32Array(buffer, start, count), stride };
  }

  nextCodes(length: number, { bits, signed }: DictionaryType): ArrayLike<number> {
    const { buffer, start, count } = this.nextArray(length, bits / 8);
    if (bits === 8) {
      return signed ? new Int8Array(buffer, start, count) : new Uint8Array(buffer, start, count);
    }
    if (bits === 16) {
      return signed ? new Int16Array(buffer, start, count) : new Uint16Array(buffer, start, count);
    }
    return signed ? new Int32Array(buffer, start, count) : new Uint32Array(buffer, start, count);
  }

  finish(): void {
    if (this.node < this.nodes.length || this.buffer < this.buffers.length) {
      throw malformedArrow('a batch has more columns than its schema');
    }
  }
}

/** Finds the words of a dictionary; `large` where their offsets have 64 bits. */
export type WordsOf = (id: bigint, large: boolean) => Words;

function readColumn(type: ColumnType, reader: BodyReader, wordsOf: WordsOf): Column {
  const node = reader.nextNode();
  const { length } = node;
  const validity = reader.nextValidity(node);
  switch (type.kind) {
    case 'number': {
      const { buffer, start, count } = reader.nextArray(length, 8);
      return { kind: 'number', length, validity, values: new Float64Array(buffer, start, count) };
    }
    case 'text': {
      if (type.dictionary !== null) {
        const codes = reader.nextCodes(length, type.dictionary);
        return {
          kind: 'encoded',
          length,
          validity,
          codes,
          words: wordsOf(type.dictionary.id, type.large),
        };
      }
      const offsets = reader.nextOffsets(length, type.large);
      const data = reader.nextBuffer(0);
      const text = Buffer.from(data.buffer, data.byteOffset, data.length);
      return { kind: 'text', length, validity, offsets, data: text };
    }
    case 'list': {
      const offsets = reader.nextOffsets(length, type.large);
      return {
        kind: 'list',
        length,
        validity,
        offsets,
        item: readColumn(type.item, reader, wordsOf),
      };
    }
    case 'struct': {
      const fields = type.fields.map(({ name, type: inner }) => {
        const column = readColumn(inner, reader, wordsOf);
        if (column.length >= length) return { name, column };
        throw malformedArrow(`${name} has ${column.length} values for ${length} structs`);
      });
      return { kind: 'struct', length, validity, fields };
    }
  }
}

/**
 * The columns of a batch, in the order of `types`; each has at least the batch's rows.
 *
 * @throws MALFORMED_ARROW
 */
export function readColumns(
  types: readonly ColumnType[],
  batch: BatchHeader,
  body: Uint8Array,
  wordsOf: WordsOf,
): readonly Column[] {
  return withinBounds(() => {
    const reader = new BodyReader(batch, body);
    const columns = types.map((type) => readColumn(type, reader, wordsOf));
    reader.finish();
    if (columns.every((column) => column.length === batch.rows)) return columns;
    throw malformedArrow(`the columns of a batch of ${batch.rows} rows differ in length`);
  });
}
