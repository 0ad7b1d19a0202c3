/** Every event of the log: one schema a kind. A record of the log is an event with its place, its time and its links. */
import type { Static } from 'typebox';
import { PlimsollError } from '../errors.ts';
import { type Reader, reader, show } from '../schema.ts';
import { ACCOUNT_EVENTS } from './accountEvents.ts';
import { MARGIN_EVENTS } from './marginEvents.ts';
import { MARKET_EVENTS } from './marketEvents.ts';

/** The version that bodies carry in `v`. */
export const EVENT_VERSION = 1;

export const EVENT_SCHEMAS = { ...ACCOUNT_EVENTS, ...MARGIN_EVENTS, ...MARKET_EVENTS } as const;

export type EventKind = keyof typeof EVENT_SCHEMAS;
export type EventBody<K extends EventKind> = Static<(typeof EVENT_SCHEMAS)[K]>;
export type EventOf<K extends EventKind> = {
  [Kind in K]: { readonly kind: Kind; readonly body: EventBody<Kind> };
}[K];
export type BookEvent = EventOf<EventKind>;

/** Kinds that concern one account, which the body names. */
export type AccountEvent = Exclude<
  BookEvent,
  EventOf<'contract-listed' | 'funding' | 'settlement' | keyof typeof MARKET_EVENTS>
>;

/** What the fold reads of a record of the log. */
export interface EventRecord {
  /** 1, 2, …, without a gap. */
  readonly seq: number;
  /** When it was written: ISO-8601 UTC with milliseconds; never decreases. */
  readonly at: string;
  readonly kind: string;
  readonly body: unknown;
}

export const EVENT_KINDS = Object.keys(EVENT_SCHEMAS) as readonly EventKind[];

type Unversioned<B> = B extends unknown ? Omit<B, 'v'> : never;

/** An event of this version. */
export function event<K extends EventKind>(
  kind: K,
  body: Unversioned<EventBody<K>>,
): { readonly kind: K; readonly body: EventBody<K> } {
  return { kind, body: { v: EVENT_VERSION, ...body } as EventBody<K> };
}

export function isEventKind(kind: string): kind is EventKind {
  return Object.hasOwn(EVENT_SCHEMAS, kind);
}

/** Compiled when first needed: most programs meet few kinds. */
const readers = new Map<EventKind, Reader<unknown>>();

/**
 * The event of a record that came from outside this process (a log, a stream).
 * @throws INVALID_RECORD for a kind that is not known; INVALID_FIELD, UNKNOWN_FIELD, MISSING_FIELD with the path `body.…`
 */
export function readEvent({ seq, kind, body }: EventRecord): BookEvent {
  if (!isEventKind(kind)) {
    throw new PlimsollError('INVALID_RECORD', `record ${seq} is of no known kind: ${show(kind)}`, {
      path: 'kind',
    });
  }
  let read = readers.get(kind);
  if (read === undefined) {
    read = reader(EVENT_SCHEMAS[kind]);
    readers.set(kind, read);
  }
  return { kind, body: read(body, { prefix: 'body' }) } as BookEvent;
}
