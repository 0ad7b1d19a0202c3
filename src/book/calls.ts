/** The state machine of a booked account: new figures, and the passing of time, become events. */
import { PlimsollError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { readInstant } from '../market/instruments.ts';
import type { Book, BookAccount } from './book.ts';
import { type BookEvent, event } from './events.ts';
import {
  callAmount,
  checkStandings,
  isBetter,
  nextState,
  type Standing,
  type StateLevels,
} from './states.ts';

export const DEFAULT_CALL_MINUTES = 60;

export interface CallSettings extends StateLevels {
  /** How long a margin call may be answered; default 60. */
  readonly callMinutes?: number;
}

/**
 * Events that new figures of an account give rise to, none where nothing changes:
 * - the held state changes (`nextState`); while a liquidation that an expired call began goes on, it stays `liquidation` until equity has
 *   recovered past the release level of the initial requirement;
 * - a call is opened when the account is in `margin-call`, lacks margin and has neither a call nor a liquidation, of the amount that ends it
 *   (`callAmount`); it is resolved when the state is better again; it expires when its deadline has come before that, which begins a liquidation;
 * - a liquidation begins with the state `liquidation` or `default`, and ends released when the state is better again.
 * @param standings see `nextState`; not empty
 * @param now ISO-8601 UTC with milliseconds
 */
export function assess(
  account: BookAccount,
  standings: readonly Standing[],
  settings: CallSettings,
  now: string,
): readonly BookEvent[] {
  const { id, call, liquidation, heldState } = account;
  checkStandings(standings);
  const due = call !== null && isDue(call.deadline, now);
  const events: BookEvent[] = [];
  const banded = nextState(heldState, standings, settings);
  const met = call !== null && isBetter(banded, 'margin-call');
  const expired = due && !met;
  if (met) events.push(event('call-resolved', { account: id, call: call.call }));
  if (expired) events.push(event('call-expired', { account: id, call: call.call }));
  const unmet = liquidation?.cause === 'call-expired' && !isBetter(banded, 'margin-call');
  const next =
    (expired || unmet) && isBetter(banded, 'liquidation') ? ('liquidation' as const) : banded;
  if (next !== heldState) events.push(stateChange(account, next, standings[0]!));
  const liquidates = !isBetter(next, 'liquidation');
  if (liquidation === null && liquidates) {
    const cause = isBetter(banded, 'liquidation') ? 'call-expired' : 'maintenance';
    const number = account.liquidations + 1;
    events.push(event('liquidation-started', { account: id, liquidation: number, cause }));
  } else if (liquidation !== null && !liquidates) {
    const { liquidation: number } = liquidation;
    events.push(
      event('liquidation-ended', { account: id, liquidation: number, outcome: 'released' }),
    );
  }
  const amount = callAmount(standings, settings);
  if (next === 'margin-call' && call === null && amount > 0) {
    const deadline = later(now, callMinutes(settings));
    const opened = { account: id, call: account.calls + 1, amount, deadline };
    events.push(event('call-opened', opened));
  }
  return events;
}

function stateChange(
  { id, heldState }: BookAccount,
  to: BookAccount['heldState'],
  { equity, initialRequirement, maintenanceRequirement }: Standing,
): BookEvent {
  return event('state-changed', {
    account: id,
    from: heldState,
    to,
    equity,
    initialRequirement,
    maintenanceRequirement,
  });
}

function callMinutes({ callMinutes = DEFAULT_CALL_MINUTES }: CallSettings): number {
  const { callMinutesMax } = LIMITS;
  if (callMinutes > 0 && callMinutes <= callMinutesMax) return callMinutes;
  throw new PlimsollError(
    'INVALID_FIELD',
    `callMinutes must be above 0 and at most ${callMinutesMax}, got ${callMinutes}`,
    { path: 'callMinutes' },
  );
}

function isDue(deadline: string, now: string): boolean {
  return readInstant(now, 'now') >= readInstant(deadline, 'deadline');
}

function later(now: string, minutes: number): string {
  return new Date(readInstant(now, 'now') + Math.round(minutes * 60_000)).toISOString();
}

/** Accounts whose call has passed its deadline, in the book's order: assess them again, also when nothing else has changed. */
export function overdueCalls(book: Book, now: string): readonly string[] {
  const due: string[] = [];
  for (const { id, call } of book.accounts.values()) {
    if (call !== null && isDue(call.deadline, now)) due.push(id);
  }
  return due;
}
