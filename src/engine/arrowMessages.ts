/**
 * Encapsulated messages of the Arrow IPC streaming format: four bytes 0xFF, the i32 length of the metadata, the metadata (a FlatBuffer
 * `Message`), the body. Source: Apache Arrow, "Columnar Format", section "Serialization and Interprocess Communication"; Message.fbs.
 */
import { PlimsollError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { countOf, FlatTable, malformedArrow, withinBounds } from './flatTable.ts';

export const PREFIX_BYTES = 8;
/** What follows the last message: a metadata length of 0. */
export const END_OF_STREAM = Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0);

/** Bytes that a body and the metadata before it are padded to. */
const ALIGNMENT = 8;

const HEADER_SCHEMA = 1;
const HEADER_DICTIONARY = 2;
const HEADER_BATCH = 3;
/** Metadata version 4 stands in Arrow 0.8 to 0.17, 5 since; they differ in unions only. */
const VERSIONS = [3, 4];

interface Framed {
  readonly bodyBytes: number;
}

export type Message =
  | (Framed & { readonly kind: 'schema'; readonly schema: FlatTable })
  | (Framed & {
      readonly kind: 'dictionary';
      readonly id: bigint;
      /** Appends to the dictionary that came before under the id; otherwise replaces it. */
      readonly delta: boolean;
      readonly batch: BatchHeader;
    })
  | (Framed & { readonly kind: 'batch'; readonly batch: BatchHeader });

/** A record batch's header: the columns' lengths and buffers, depth first, as `arrowBody.ts` reads them. */
export interface BatchHeader {
  readonly rows: number;
  readonly table: FlatTable;
}

/**
 * The metadata's length, from a message's first eight bytes, which stand at byte `at` of the stream; 0 ends the stream.
 *
 * @throws MALFORMED_ARROW, TOO_LARGE
 */
export function metadataBytes(prefix: Uint8Array, at: number): number {
  const view = new DataView(prefix.buffer, prefix.byteOffset, PREFIX_BYTES);
  const start = Buffer.from(prefix.buffer, prefix.byteOffset, 6).toString('latin1');
  if (at === 0 && start === 'ARROW1') {
    throw malformedArrow('this is the Arrow IPC file format; send the stream format');
  }
  if (view.getUint32(0, true) !== 0xffff_ffff) {
    throw malformedArrow(`no message begins at byte ${at}: the continuation marker is missing`);
  }
  const length = view.getInt32(4, true);
  if (length < 0) throw malformedArrow(`the metadata at byte ${at} claims ${length} bytes`);
  checkSize(length, LIMITS.arrowMetadataBytesMax, `the metadata at byte ${at}`);
  return length;
}

/** @throws TOO_LARGE */
export function checkSize(bytes: number, limit: number, what: string): void {
  if (bytes <= limit) return;
  throw new PlimsollError('TOO_LARGE', `${what} takes ${bytes} bytes; the limit is ${limit}`);
}

/** @throws MALFORMED_ARROW */
export function readMessage(metadata: Uint8Array): Message {
  return withinBounds(() => {
    const message = FlatTable.root(metadata);
    const version = message.short(0, 0);
    if (!VERSIONS.includes(version))
      throw malformedArrow(`metadata version ${version + 1} is unknown`);
    const header = message.table(2);
    const bodyBytes = countOf(message.long(3), 'the length of a body');
    if (header === null) throw malformedArrow('a message lacks its header');
    if (bodyBytes % ALIGNMENT !== 0)
      throw malformedArrow(`a body of ${bodyBytes} bytes is not padded`);
    switch (message.byte(1, 0)) {
      case HEADER_SCHEMA:
        return { kind: 'schema', bodyBytes, schema: header };
      case HEADER_DICTIONARY: {
        const data = header.table(1);
        if (data === null) throw malformedArrow('a dictionary lacks its values');
        const delta = header.byte(2, 0) !== 0;
        return {
          kind: 'dictionary',
          bodyBytes,
          id: header.long(0),
          delta,
          batch: batchHeader(data),
        };
      }
      case HEADER_BATCH:
        return { kind: 'batch', bodyBytes, batch: batchHeader(header) };
      default:
        throw malformedArrow(`messages of kind ${message.byte(1, 0)} are not read`);
    }
  });
}

function batchHeader(table: FlatTable): BatchHeader {
  if (table.table(3) !== null) {
    throw malformedArrow('compressed batches are not read; send the stream uncompressed');
  }
  return { rows: countOf(table.long(0), 'the number of rows'), table };
}
