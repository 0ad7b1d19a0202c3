/** How answers are written. */
import { PlimsollError } from '../errors.ts';

/**
 * JSON, except that a number that has no JSON form is a fault of ours and not a `null`: a margin of null could pass for none.
 * @throws INTERNAL
 */
export function writeJson(value: unknown): string {
  return JSON.stringify(value, finite);
}

function finite(key: string, value: unknown): unknown {
  if (typeof value !== 'number' || Number.isFinite(value)) return value;
  throw new PlimsollError('INTERNAL', `${key} is ${value}, which must not be answered`);
}
