/** What PostgreSQL and its connection report, as errors of the system. */
import { type ErrorCode, PlimsollError } from '../../../errors.ts';

/** SQLSTATEs (postgresql.org/docs, appendix A). */
const CODES: Readonly<Record<string, ErrorCode>> = {
  '53100': 'STORE_FULL',
  '25006': 'STORE_READ_ONLY',
  XX001: 'STORE_CORRUPT',
  XX002: 'STORE_CORRUPT',
};

export function postgresFailure(thrown: unknown, action: string): PlimsollError {
  if (thrown instanceof PlimsollError) return thrown;
  const { message, code } = thrown as { message: string; code?: string };
  const known = CODES[code ?? ''] ?? 'STORE_FAILED';
  return new PlimsollError(known, `cannot ${action}: ${message || String(code)}`);
}

/**
 * Whether a failure says nothing of what became of the statement: the connection ended, or the server is stopping, starting or
 * recovering (class 57). An error that the server answered with means that it did nothing.
 */
export function isLost(thrown: unknown): boolean {
  if (thrown instanceof PlimsollError) return false;
  const { code } = thrown as { code?: string };
  const answered = code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !code.startsWith('E');
  return !answered || code.startsWith('57P') || code.startsWith('08');
}

/** A URL as it may be shown. */
export function withoutPassword(url: string): string {
  return url
    .replace(/^([a-z]+:\/\/[^:/?#@]*):[^@/]*@/, '$1@')
    .replace(/([?&]password=)[^&#]*/gi, '$1…');
}
