/** Accounts and results as bytes: cutting an input into shards, joining documents, the forms of a batch. */
import type { AccountInput } from '../../workers/protocol.ts';
import { PlimsollError } from '../errors.ts';
import { cutArrow } from './arrowStream.ts';
import { cutArray, cutLines } from './chunks.ts';

export type BatchForm = 'ndjson' | 'json' | 'arrow';

/**
 * Accounts of one shard, and their bytes: enough that a block of the cube, once loaded, serves many positions, and few enough that what a worker
 * makes of them is gone again before it counts as old.
 */
export const SHARD_ACCOUNTS = 640;
const SHARD_BYTES = 512 * 1024;

/** @throws INVALID_FIELD for a shard size that is no whole number of accounts */
export function checkShardSize(size: number | undefined): void {
  if (size === undefined || (Number.isInteger(size) && size >= 1)) return;
  const message = `shardSize must be a whole number of accounts, got ${size}`;
  throw new PlimsollError('INVALID_FIELD', message, { path: 'shardSize' });
}

/** A task for fewer accounts would spend more time on its way than at work; where a worker has only one, that is nobody's loss. */
const LEAST_ACCOUNTS = 8;

/** Accounts of one shard: a few shards for each worker, so that none waits long for the last; of few accounts one shard for each. */
export function shardSizeOf(
  accounts: Iterable<unknown> | AsyncIterable<unknown>,
  workers: number,
): number {
  if (!Array.isArray(accounts)) return SHARD_ACCOUNTS;
  const least = Math.min(LEAST_ACCOUNTS, Math.ceil(accounts.length / workers));
  const share = Math.ceil(accounts.length / (4 * workers));
  return Math.max(1, least, Math.min(SHARD_ACCOUNTS, share));
}

export function cut(
  source: AsyncIterable<Uint8Array>,
  form: BatchForm,
  rows: number,
): AsyncIterable<AccountInput> {
  if (form === 'arrow') return cutArrow(source, { rowsMax: rows });
  if (form === 'json') return cutArray(source, { documentsMax: rows, bytesMax: SHARD_BYTES });
  return cutLines(source, { linesMax: rows, bytesMax: SHARD_BYTES });
}

export function joinDocuments(documents: readonly Uint8Array[]): AccountInput {
  const length = documents.reduce((sum, bytes) => sum + bytes.length, 0);
  const bytes = new Uint8Array(new SharedArrayBuffer(length));
  const ends = new Uint32Array(documents.length);
  let at = 0;
  documents.forEach((document, i) => {
    bytes.set(document, at);
    at += document.length;
    ends[i] = at;
  });
  return { form: 'documents', bytes, ends };
}

const NEWLINE = 10;
const COMMA = 44;

/**
 * NDJSON lines as elements of an array that goes on: a comma before each line end.
 * @param count of the lines, each with its end
 */
export function arrayElements(lines: Uint8Array, count: number): Uint8Array {
  const source = Buffer.from(lines.buffer, lines.byteOffset, lines.length);
  const elements = Buffer.allocUnsafe(lines.length + count);
  let from = 0;
  for (let line = 0; line < count; line++) {
    const end = source.indexOf(NEWLINE, from);
    source.copy(elements, from + line, from, end);
    elements[end + line] = COMMA;
    elements[end + line + 1] = NEWLINE;
    from = end + 1;
  }
  return elements;
}
