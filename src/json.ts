/**
 * Reading JSON strictly (fatal UTF-8, no prototype keys, no duplicate keys) and writing the canonical form of RFC 8785 that
 * hashes are taken of.
 */
import { hash as digest } from 'node:crypto';
import { PlimsollError } from './errors.ts';
import { LIMITS } from './limits.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes as text; a byte that is not UTF-8 is an error, never a replacement character. */
export function decodeText(bytes: Uint8Array): string {
  try {
    // A view of shared memory is copied first: TextDecoder refuses those.
    return decoder.decode(bytes.buffer instanceof SharedArrayBuffer ? bytes.slice() : bytes);
  } catch {
    throw new PlimsollError('MALFORMED_JSON', 'the bytes are not UTF-8');
  }
}

/**
 * Parses JSON text. `__proto__` as a key is refused, and so is a key that stands twice in one object: JSON.parse would keep
 * the last and lose the other in silence. Infinities written as 1e999 are left to the schemas, whose numbers are finite.
 */
export function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new PlimsollError('MALFORMED_JSON', (error as Error).message);
  }
  const twice = repeatedKey(text, value);
  if (twice !== undefined) {
    throw new PlimsollError(
      'MALFORMED_JSON',
      `the key ${JSON.stringify(twice)} stands twice in one object`,
    );
  }
  if (text.includes('"__proto__"') || text.includes('\\u')) refuseProto(value);
  return value;
}

/**
 * Counts the keys of the text (colons outside strings) and of the value; only when they differ is the repeated one looked for. Keys of the value
 * ≤ keys of the text ≤ colons of the text: where the first and the last agree, there is no string to be skipped.
 */
function repeatedKey(text: string, value: unknown): string | undefined {
  const keys = countKeys(value);
  if (countAllColons(text) === keys || countColons(text) === keys) return undefined;
  return findRepeatedKey(text) ?? '(unnamed)';
}

function countAllColons(text: string): number {
  let count = 0;
  for (let at = text.indexOf(':'); at !== -1; at = text.indexOf(':', at + 1)) count++;
  return count;
}

/** Colons outside string literals: one for each key. Strings are skipped with indexOf, which runs at memory speed. */
function countColons(text: string): number {
  let count = 0;
  let at = 0;
  for (;;) {
    const quote = text.indexOf('"', at);
    const end = quote === -1 ? text.length : quote;
    for (let i = at; i < end; i++) if (text.charCodeAt(i) === 58) count++;
    if (quote === -1) return count;
    at = stringEnd(text, quote) + 1;
  }
}

/** The index of the quote that closes the string opened at `open`. */
function stringEnd(text: string, open: number): number {
  let at = open + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    let slashes = 0;
    while (text.charCodeAt(quote - 1 - slashes) === 92) slashes++;
    if (slashes % 2 === 0) return quote;
    at = quote + 1;
  }
}

function countKeys(value: unknown, depth = 0): number {
  if (value === null || typeof value !== 'object') return 0;
  if (depth === LIMITS.jsonDepthMax) {
    throw new PlimsollError('MALFORMED_JSON', `the JSON is nested deeper than ${depth} levels`);
  }
  let count = 0;
  if (Array.isArray(value)) {
    // By index: an iterator over the kinds of arrays that come by here makes an object for each item.
    for (let i = 0; i < value.length; i++) {
      const item: unknown = value[i];
      if (typeof item === 'object') count += countKeys(item, depth + 1);
    }
    return count;
  }
  for (const key in value)
    count += 1 + countKeys((value as Record<string, unknown>)[key], depth + 1);
  return count;
}

function findRepeatedKey(text: string): string | undefined {
  const open: Set<string>[] = [];
  let at = 0;
  let last = '';
  while (at < text.length) {
    const c = text[at];
    if (c === '"') {
      const end = stringEnd(text, at);
      last = JSON.parse(text.slice(at, end + 1)) as string;
      at = end;
    } else if (c === '{') open.push(new Set());
    else if (c === '[') open.push(new Set());
    else if (c === '}' || c === ']') open.pop();
    else if (c === ':') {
      const keys = open.at(-1);
      if (keys?.has(last)) return last;
      keys?.add(last);
    }
    at++;
  }
  return undefined;
}

function refuseProto(value: unknown): void {
  if (value === null || typeof value !== 'object') return;
  if (Object.hasOwn(value, '__proto__')) {
    throw new PlimsollError('MALFORMED_JSON', 'the key "__proto__" is not allowed');
  }
  for (const item of Object.values(value)) refuseProto(item);
}

/** RFC 8785: keys in code-unit order, no white space, numbers as ECMAScript writes them (−0 as 0). Absent members are left out. */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new PlimsollError('INTERNAL', `${value} has no JSON form`);
    return String(value);
  }
  if (Array.isArray(value) || ArrayBuffer.isView(value)) {
    return canonicalList(value as ArrayLike<unknown>);
  }
  return canonicalRecord(value as Record<string, unknown>);
}

function canonicalList(list: ArrayLike<unknown>): string {
  let text = '[';
  for (let i = 0; i < list.length; i++) text += (i === 0 ? '' : ',') + canonicalJson(list[i]);
  return `${text}]`;
}

/** Every figure that is published and every record of a log is written so: one text that grows, and no sorting of what is sorted. */
function canonicalRecord(record: Record<string, unknown>): string {
  const keys = Object.keys(record);
  if (!isSorted(keys)) keys.sort();
  let text = '{';
  for (const key of keys) {
    const value = record[key];
    if (value === undefined) continue;
    text += `${text.length === 1 ? '' : ','}${JSON.stringify(key)}:${canonicalJson(value)}`;
  }
  return `${text}}`;
}

function isSorted(keys: readonly string[]): boolean {
  for (let i = 1; i < keys.length; i++) if (keys[i - 1]! > keys[i]!) return false;
  return true;
}

/** SHA-256 of a text, as `sha256:` and 64 hexadecimal digits. */
export function sha256(text: string | Uint8Array): string {
  return `sha256:${digest('sha256', text, 'hex')}`;
}

/** The identity of a value: SHA-256 of its canonical JSON. */
export function hashOf(value: unknown): string {
  return sha256(canonicalJson(value));
}
