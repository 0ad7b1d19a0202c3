/** Accounts and results as bytes: cutting an input into shards, joining documents, the forms of a batch. */
import type { AccountInput } from '../../workers/protocol.ts';
import { PlimsollError } from '../errors.ts';
import { cutArrow } from './arrowStream.ts';
import { cutArray, cutLines } from './chunks.ts';

export type BatchForm = 'ndjson' | 'json' | 'arrow';

/** Accounts of one shard: long enough that a block of the cube, once loaded, serves many. */
export const SHARD_ACCOUNTS = 640;
const SHARD_BYTES = 2 * 1024 * 1024;

/** Few enough that all workers end together, many enough that a block of the cube, once loaded, serves them all. */
/** @throws INVALID_FIELD for a shard size that is no whole number of accounts */
export function checkShardSize(size: number | undefined): void {
  if (size === undefined || (Number.isInteger(size) && size >= 1)) return;
  const message = `shardSize must be a whole number of accounts, got ${size}`;
  throw new PlimsollError('INVALID_FIELD', message, { path: 'shardSize' });
}

export function shardSizeOf(
  accounts: Iterable<unknown> | AsyncIterable<unknown>,
  workers: number,
): number {
  if (!Array.isArray(accounts)) return SHARD_ACCOUNTS;
  return Math.max(1, Math.min(2 * SHARD_ACCOUNTS, Math.ceil(accounts.length / (4 * workers))));
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

/** NDJSON lines as elements of an array that goes on: a comma before each line end. */
export function arrayElements(lines: Uint8Array): Uint8Array {
  return Buffer.from(Buffer.from(lines).toString('utf8').replaceAll('\n', ',\n'));
}
