/** Drafts are checked before they wait for the disk: what is not JSON, or has no place in a column, is the caller's mistake alone. */
import { PlimsollError } from '../../errors.ts';
import { canonicalJson } from '../../json.ts';
import { LIMITS } from '../../limits.ts';
import { show } from '../../schema.ts';
import type { Draft, TextDraft } from './logRecord.ts';

/** One call of `append`, as text, and its size in UTF-16 code units. */
export interface Call {
  readonly drafts: readonly TextDraft[];
  readonly chars: number;
}

/** @throws INVALID_FIELD, MISSING_FIELD or TOO_LARGE with the path `drafts[2].body.price` */
export function callOf(drafts: readonly Draft[]): Call {
  if (drafts.length > LIMITS.storeCallRecordsMax) {
    const message = `one append takes at most ${LIMITS.storeCallRecordsMax} records, got ${drafts.length}`;
    throw new PlimsollError('TOO_LARGE', message, { path: 'drafts' });
  }
  const texts = drafts.map(textDraft);
  const keys = texts.flatMap(({ key }) => (key === null ? [] : [key]));
  if (new Set(keys).size < keys.length) {
    const message = 'two drafts of one append have the same key';
    throw new PlimsollError('DUPLICATE_KEY', message, { path: 'drafts' });
  }
  return { drafts: texts, chars: texts.reduce((sum, draft) => sum + charsOf(draft), 0) };
}

function charsOf({ body, answer }: TextDraft): number {
  return body.length + (answer?.length ?? 0);
}

function textDraft(draft: Draft, i: number): TextDraft {
  const path = `drafts[${i}]`;
  const text: TextDraft = {
    kind: label(draft.kind, LIMITS.idLengthMax, `${path}.kind`),
    body: jsonText(draft.body, `${path}.body`),
    key: draft.key === undefined ? null : label(draft.key, LIMITS.storeKeyLengthMax, `${path}.key`),
    answer: draft.answer === undefined ? null : jsonText(draft.answer, `${path}.answer`),
    bodyHash:
      draft.bodyHash === undefined
        ? null
        : label(draft.bodyHash, LIMITS.idLengthMax, `${path}.bodyHash`),
  };
  if (charsOf(text) > LIMITS.storeRecordCharsMax) {
    const message = `a record has at most ${LIMITS.storeRecordCharsMax} characters of JSON, got ${charsOf(text)}`;
    throw new PlimsollError('TOO_LARGE', message, { path });
  }
  return text;
}

/** Printable ASCII: what every database keeps as it is, and compares byte by byte. */
export function label(value: unknown, lengthMax: number, path: string): string {
  const good =
    typeof value === 'string' && value.length <= lengthMax && /^[\x20-\x7e]+$/.test(value);
  if (good) return value;
  const message = `${path} must be 1 to ${lengthMax} printable ASCII characters, got ${show(value)}`;
  throw new PlimsollError('INVALID_FIELD', message, { path });
}

function jsonText(value: unknown, path: string): string {
  if (value === undefined) {
    throw new PlimsollError('MISSING_FIELD', `${path} is required`, { path });
  }
  mustBeJson(value, path, 0);
  return canonicalJson(value);
}

/** Dates, maps, bigints and the like have a canonical form too, an empty one: they would be lost in silence. */
function mustBeJson(value: unknown, path: string, depth: number): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return;
  if (typeof value === 'number' && Number.isFinite(value)) return;
  const fail = (text: string): never => {
    throw new PlimsollError('INVALID_FIELD', `${path} ${text}`, { path });
  };
  if (typeof value !== 'object') fail(`has no JSON form: ${show(value)}`);
  if (depth === LIMITS.jsonDepthMax) fail(`is nested deeper than ${depth} levels`);
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) mustBeJson(value[i], `${path}[${i}]`, depth + 1);
    return;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) fail('is not a plain object');
  for (const [name, member] of Object.entries(value as object)) {
    if (member !== undefined) mustBeJson(member, `${path}.${name}`, depth + 1);
  }
}
