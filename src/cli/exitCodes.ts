/** What a shell is told. */
import type { PlimsollError } from '../errors.ts';

export const EXIT = {
  ok: 0,
  /** A failure of ours. */
  failure: 1,
  /** A wrong call or wrong input. */
  usage: 2,
  /** Done, but some accounts were rejected. */
  rejected: 3,
  hangup: 129,
  interrupted: 130,
  terminated: 143,
} as const;

/** Status 4xx is the caller's to mend, the rest is ours. */
export function exitCodeOf(error: PlimsollError): number {
  return error.status < 500 ? EXIT.usage : EXIT.failure;
}
