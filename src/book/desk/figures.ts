/** The latest figures of each account, as they were published, and what publishing them appends. */
import type { AccountOutcome } from '../../engine/evaluator.ts';
import type { ErrorRecord } from '../../errors.ts';
import { hashOf } from '../../json.ts';
import type { MarginResult } from '../../margin/result.ts';
import type { BookAccount } from '../book.ts';
import { assess, type CallSettings } from '../calls.ts';
import { type BookEvent, event } from '../events.ts';
import { standingsOf } from '../states.ts';
import { nearness } from './urgency.ts';

export interface Figures {
  /** Null where the account is rejected. */
  readonly result: MarginResult | null;
  readonly error: ErrorRecord | null;
  /** Hash of the result; empty where there is none. */
  readonly hash: string;
  /** The record by which they were published; of rejected accounts the last record before. */
  readonly seq: number;
  /** Last record that changed the account, and the market, when they were computed. */
  readonly changedSeq: number;
  readonly marketSeq: number;
  readonly nearness: number;
}

/** Figures of one account that are not published yet. */
export interface Fresh {
  readonly id: string;
  readonly outcome: AccountOutcome;
  readonly changedSeq: number;
  readonly marketSeq: number;
}

/** Events that new figures give rise to: the figures themselves where they changed, then states and calls. */
export function publication(
  account: BookAccount,
  result: MarginResult,
  hash: string,
  settings: CallSettings,
  now: string,
): readonly BookEvent[] {
  const events = assess(account, standingsOf(result, account.creditLine), settings, now);
  if (account.published?.figures === hash) return events;
  const { market, scenarioSet, methodology, engine, asOf } = result;
  const cited = { market, scenarioSet, methodology, engine, asOf };
  return [event('margin', { account: account.id, figures: hash, ...cited }), ...events];
}

export const hashOfResult = (result: MarginResult): string => hashOf(result);

export function published(
  { changedSeq, marketSeq }: Fresh,
  account: BookAccount,
  result: MarginResult,
  settings: CallSettings,
): Figures {
  const { seq, figures: hash } = account.published!;
  const near = nearness(standingsOf(result, account.creditLine), settings);
  return { result, error: null, hash, seq, changedSeq, marketSeq, nearness: near };
}

/** A rejected account keeps its held state; it is tried again when something changes. */
export function refused(
  { changedSeq, marketSeq }: Fresh,
  error: ErrorRecord,
  seq: number,
): Figures {
  return { result: null, error, hash: '', seq, changedSeq, marketSeq, nearness: 0 };
}
