/** Byte order marks, which editors and shells of Windows write in front of text: JSON has none (RFC 8259 § 8.1), so it says what to do. */
import { constants, gunzipSync } from 'node:zlib';
import { PlimsollError } from '../errors.ts';

const MARKS = [
  ['UTF-8', [0xef, 0xbb, 0xbf]],
  // Arrow, too, begins with 0xff, but with four of them.
  ['UTF-16', [0xff, 0xfe]],
  ['UTF-16', [0xfe, 0xff]],
] as const;

/** @param head the first bytes of JSON, at least three where there are as many. @throws MALFORMED_JSON */
export function refuseMark(head: Uint8Array, name: string): void {
  const found = MARKS.find(([, mark]) => mark.every((byte, i) => head[i] === byte));
  if (found === undefined) return;
  const message = `${name} begins with a byte order mark (${found[0]}): save it as UTF-8 without one`;
  throw new PlimsollError('MALFORMED_JSON', message);
}

/** As much of a gzipped file as is enough to see its first characters. */
const GZIP_HEAD_BYTES = 4096;

/** The same for a file that may be CSV, whose reader takes the mark of UTF-8, and gzipped. @throws MALFORMED_JSON */
export function refuseMarkedJson(bytes: Uint8Array, name: string): void {
  const head = headOf(bytes);
  const start = /^\ufeff\s*[{[]/.test(Buffer.from(head.subarray(0, 64)).toString('utf8'));
  if (start || head[0] === 0xff || head[0] === 0xfe) refuseMark(head, name);
}

function headOf(bytes: Uint8Array): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    // Flushed where it is cut: what is damaged further on is for the reader to say.
    return gunzipSync(bytes.subarray(0, GZIP_HEAD_BYTES), { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return new Uint8Array(0);
  }
}
