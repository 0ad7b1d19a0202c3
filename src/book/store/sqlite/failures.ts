/** What SQLite reports, as errors of the system. */
import { accessSync, constants, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { type ErrorCode, PlimsollError } from '../../../errors.ts';

/** Primary result codes (sqlite.org/rescode.html). */
const CODES: Readonly<Record<number, ErrorCode>> = {
  5: 'STORE_LOCKED',
  6: 'STORE_LOCKED',
  8: 'STORE_READ_ONLY',
  10: 'STORE_FAILED',
  11: 'STORE_CORRUPT',
  13: 'STORE_FULL',
  14: 'STORE_FAILED',
  26: 'STORE_CORRUPT',
};
const CANNOT_OPEN = 14;

/** @param action what was tried, for the message: `cannot append to book.db` */
export function sqliteFailure(thrown: unknown, action: string, path: string): PlimsollError {
  if (thrown instanceof PlimsollError) return thrown;
  const { message } = thrown as Error;
  const code = resultCode(thrown);
  const known = code === undefined ? undefined : CODES[code];
  if (known === undefined) return new PlimsollError('INTERNAL', `cannot ${action}: ${message}`);
  if (code === CANNOT_OPEN && !isWritable(path)) {
    return new PlimsollError('STORE_READ_ONLY', `cannot ${action}: ${path} cannot be written to`);
  }
  return new PlimsollError(known, `cannot ${action}: ${message}`);
}

/** Primary result code: the low byte of an extended one. */
function resultCode(thrown: unknown): number | undefined {
  const { rawCode, errcode, message } = thrown as {
    rawCode?: number;
    errcode?: number;
    message?: string;
  };
  // libsql says why a file could not be opened only in the text: `…: 14")`.
  const text = /: (\d+)"?\)$/.exec(message ?? '')?.[1];
  const code = rawCode ?? errcode ?? (text === undefined ? undefined : Number(text));
  return code === undefined ? undefined : code & 0xff;
}

/** Whether a file can be written, or made where there is none. */
export function isWritable(path: string): boolean {
  try {
    accessSync(existsSync(path) ? path : dirname(path), constants.W_OK);
    accessSync(dirname(path), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
