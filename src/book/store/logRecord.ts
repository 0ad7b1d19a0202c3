/**
 * One record of the append-only log, and the chain that ties each to the one before: the hash of a record is SHA-256 of the previous
 * record's hash followed by the RFC 8785 JSON of the record without its hash. Who knows the last hash can tell whether anything
 * before it was changed, removed, moved or put in.
 */
import { hash as digest } from 'node:crypto';

/** The hash before the first record. */
export const GENESIS = `sha256:${'0'.repeat(64)}`;

/** What is to be appended. */
export interface Draft {
  /** Printable ASCII, at most `LIMITS.idLengthMax` long. */
  readonly kind: string;
  /** Any JSON value; read back as it is written here, with −0 as 0 and absent members left out. */
  readonly body: unknown;
  /** Idempotency key; a key stands once in a log. */
  readonly key?: string | undefined;
  /** What was answered under the key. */
  readonly answer?: unknown;
  /** Hash of the request under the key. */
  readonly bodyHash?: string | undefined;
}

export interface LogRecord extends Draft {
  /** 1, 2, 3, … without gaps. */
  readonly seq: number;
  /** ISO-8601 UTC with milliseconds; never before that of the record before. */
  readonly at: string;
  /** `sha256:` and 64 hexadecimal digits. */
  readonly hash: string;
}

/** Up to where a log goes: of an empty one seq is 0 and hash is `GENESIS`. */
export interface Head {
  readonly seq: number;
  readonly hash: string;
}

/** A head, and the instant that later records must not be before. */
export interface Tip extends Head {
  readonly at: string;
}

export const EMPTY: Tip = { seq: 0, hash: GENESIS, at: '' };

/** A draft as text: `body` and `answer` are canonical JSON. */
export interface TextDraft {
  readonly kind: string;
  readonly body: string;
  readonly key: string | null;
  readonly answer: string | null;
  readonly bodyHash: string | null;
}

/** A record as the columns of a table. */
export interface Row extends TextDraft {
  readonly seq: number;
  readonly at: string;
  readonly hash: string;
}

/** What the store gives a draft. */
export type Stamp = Pick<Row, 'seq' | 'at' | 'hash'>;

/** The RFC 8785 JSON of a record without its hash: the columns are canonical, their names stand in code-unit order. */
export function chainedText(row: Omit<Row, 'hash'>): string {
  const { seq, at, kind, body, key, answer, bodyHash } = row;
  const before = answer === null ? '' : `"answer":${answer},`;
  const hashed = bodyHash === null ? '' : `,"bodyHash":${JSON.stringify(bodyHash)}`;
  const keyed = key === null ? '' : `,"key":${JSON.stringify(key)}`;
  return `{${before}"at":${JSON.stringify(at)},"body":${body}${hashed}${keyed},"kind":${JSON.stringify(kind)},"seq":${seq}}`;
}

/** The hash of a record by its text, where the one before has the hash `previous`. */
export function chainHash(previous: string, text: string): string {
  // In one call: three times as fast as a hash object, and a restart takes one for each record.
  return `sha256:${digest('sha256', previous + text, 'hex')}`;
}

/** The JSON of a whole record. */
export function recordText(text: string, hash: string): string {
  return `${text.slice(0, -1)},"hash":"${hash}"}`;
}

/** A record as it will be read back from the log: what folds it live folds the same value as what replays it. */
export function recordOf(draft: TextDraft, { seq, at, hash }: Stamp): LogRecord {
  const { kind, body, key, answer, bodyHash } = draft;
  return {
    seq,
    at,
    kind,
    body: JSON.parse(body) as unknown,
    ...(key === null ? {} : { key }),
    ...(answer === null ? {} : { answer: JSON.parse(answer) as unknown }),
    ...(bodyHash === null ? {} : { bodyHash }),
    hash,
  };
}
