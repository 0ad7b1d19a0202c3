/**
 * Words of dictionary batches. They come with every batch of a stream, and every range of its rows: words that were decoded lately are
 * kept by the bytes that they were decoded from.
 */

import { readColumns, type TextColumn, type Words } from './arrowBody.ts';
import type { BatchHeader } from './arrowMessages.ts';
import { texts } from './arrowValues.ts';

/** Beyond this, keeping the bytes would cost more memory than decoding them again costs time. */
const KEPT_BYTES_MAX = 8 * 1024 * 1024;
const KEPT_MAX = 8;

interface Kept {
  readonly bytes: Buffer;
  readonly large: boolean;
  readonly words: Words;
}

/** Latest first. */
let kept: readonly Kept[] = [];

/** A dictionary message: all its bytes (the key), its header and its body. */
export interface DictionaryMessage {
  readonly bytes: Uint8Array;
  readonly batch: BatchHeader;
  readonly body: Uint8Array;
}

/** @throws MALFORMED_ARROW */
export function dictionaryWords({ bytes, batch, body }: DictionaryMessage, large: boolean): Words {
  const known = kept.find((entry) => entry.large === large && entry.bytes.equals(bytes));
  const words = known?.words ?? decode(batch, body, large);
  if (known !== undefined || bytes.length <= KEPT_BYTES_MAX) {
    const entry = known ?? { bytes: Buffer.from(bytes), large, words };
    kept = [entry, ...kept.filter((other) => other !== entry)].slice(0, KEPT_MAX);
  }
  return words;
}

function decode(batch: BatchHeader, body: Uint8Array, large: boolean): Words {
  const [column] = readColumns([{ kind: 'text', large, dictionary: null }], batch, body, () => []);
  return texts(column as TextColumn, 0, batch.rows);
}
