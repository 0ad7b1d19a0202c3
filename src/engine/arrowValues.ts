/** Single values of a record batch's columns, with the offsets and indices that lead to them checked. */
import { isAscii, isUtf8 } from 'node:buffer';
import { PlimsollError } from '../errors.ts';
import type { EncodedText, Offsets, PlainText, Sized, TextColumn } from './arrowBody.ts';
import { malformedArrow } from './flatTable.ts';

/** Whether value i is null. */
export function isNull({ validity }: Sized, i: number): boolean {
  return validity !== null && (validity[i >> 3]! & (1 << (i & 7))) === 0;
}

/**
 * Where value i begins and the one behind it.
 *
 * @throws MALFORMED_ARROW where that is not within `limit`
 */
export function span(
  { words, stride }: Offsets,
  i: number,
  limit: number,
): readonly [number, number] {
  const start = words[i * stride]!;
  const end = words[(i + 1) * stride]!;
  const high = stride === 1 ? 0 : words[i * 2 + 1]! | words[i * 2 + 3]!;
  if (high === 0 && start >= 0 && start <= end && end <= limit) return [start, end];
  throw malformedArrow(`value ${i} lies outside of its column`);
}

/**
 * Texts [start, end), null where there is none.
 *
 * @throws MALFORMED_ARROW for an index outside of the dictionary or an offset outside of the column; INVALID_FIELD for bytes that are
 *   not UTF-8
 */
export function texts(column: TextColumn, start: number, end: number): (string | null)[] {
  return column.kind === 'encoded' ? decoded(column, start, end) : sliced(column, start, end);
}

function decoded(column: EncodedText, start: number, end: number): (string | null)[] {
  const { codes, words, validity } = column;
  const result = new Array<string | null>(end - start);
  for (let i = start; i < end; i++) {
    if (validity !== null && isNull(column, i)) {
      result[i - start] = null;
      continue;
    }
    const word = words[codes[i]!];
    if (word === undefined) {
      throw malformedArrow(`index ${codes[i]} points outside of a dictionary of ${words.length}`);
    }
    result[i - start] = word;
  }
  return result;
}

function sliced(column: PlainText, start: number, end: number): (string | null)[] {
  const { offsets, data } = column;
  const result = new Array<string | null>(end - start);
  if (start === end) return result;
  const first = span(offsets, start, data.length)[0];
  const last = span(offsets, end - 1, data.length)[1];
  // One look at all of them: ASCII may be cut anywhere and needs no decoding.
  const ascii = isAscii(data.subarray(first, last));
  for (let i = start; i < end; i++) {
    const [from, to] = span(offsets, i, data.length);
    if (isNull(column, i)) result[i - start] = null;
    else if (ascii && from >= first && to <= last)
      result[i - start] = data.toString('latin1', from, to);
    else result[i - start] = utf8(data.subarray(from, to));
  }
  return result;
}

function utf8(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  throw new PlimsollError('INVALID_FIELD', 'a text is not UTF-8');
}
