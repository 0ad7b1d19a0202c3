/** Equity and requirement of an account on later dates, the market unchanged; and when the first margin call would come. */
import { PlimsollError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import type { Account } from '../../margin/account.ts';
import type { AccountState } from '../../margin/requirement.ts';
import { checkFigures, type MarginResult } from '../../margin/result.ts';
import { formatInstant, MILLISECONDS_PER_DAY } from '../../market/dates.ts';
import { readInstant } from '../../market/instruments.ts';
import { AccountClock, pointOf } from './accountClock.ts';
import type { StudyContext } from './study.ts';
import {
  DAYS_MAX,
  type Timeline,
  type TimelinePoint,
  type TimelineRequest,
} from './timelineSchema.ts';

const MINUTE = 60_000;
const DEFAULT_DAYS = [1, 2, 3, 7, 14, 30];

/**
 * The account on a grid of later dates, prices, forwards by expiry and volatilities by strike as they are now. Times to expiry shrink; what
 * expires is settled at today's spot (`settleExpired`); nothing else is traded, paid or received (no funding, no interest). At a later instant
 * all underlyings stand at that instant, whatever the asOf of each is now.
 * @throws INVALID_FIELD for a date that is not later than the asOf, and the first error of the account
 */
export function timeline(
  account: Account,
  request: TimelineRequest,
  context: StudyContext,
): Timeline {
  const [now] = context.margin([account]) as [MarginResult];
  const clock = new AccountClock(account, context);
  const start = clock.startMs;
  const instants = gridOf(request, account, clock);
  const points = [pointOf(account, now, start, start, null)];
  const call = { found: belowInitial(now.state), before: start, after: start };
  for (const instant of instants) {
    context.checkCancelled();
    const point = clock.point(instant);
    points.push(point);
    if (call.found) continue;
    if (belowInitial(point.state)) Object.assign(call, { found: true, after: instant });
    else call.before = instant;
  }
  const answer: Timeline = {
    account: account.id,
    currency: now.currency,
    asOf: now.asOf,
    points,
    marginCall: call.found ? marginCallOf(clock, call, points[0]!, context) : null,
    scenarioSet: now.scenarioSet,
    methodology: now.methodology,
    market: now.market,
    engine: now.engine,
  };
  checkFigures(answer, account.id);
  return answer;
}

function belowInitial(state: AccountState): boolean {
  return state !== 'healthy' && state !== 'warning';
}

function gridOf(
  { days, dates, expiries = true }: TimelineRequest,
  account: Account,
  clock: AccountClock,
): readonly number[] {
  const start = clock.startMs;
  const wanted = days ?? (dates === undefined ? DEFAULT_DAYS : []);
  const instants = wanted.map((n) => start + Math.round(n * MILLISECONDS_PER_DAY));
  dates?.forEach((text, i) => {
    const path = `dates[${i}]`;
    const ms = readInstant(text, path);
    if (ms > start && ms <= start + DAYS_MAX * MILLISECONDS_PER_DAY) instants.push(ms);
    else {
      const message = `${path} must lie in the ${DAYS_MAX} days after ${formatInstant(start)}, got ${text}`;
      throw new PlimsollError('INVALID_FIELD', message, { path });
    }
  });
  if (expiries) instants.push(...clock.expiries().flatMap((ms) => [ms - MINUTE, ms]));
  const grid = [...new Set(instants)].filter((ms) => ms > start).sort((a, b) => a - b);
  if (grid.length > LIMITS.timelineDatesMax) {
    const message = `${grid.length} dates, ${LIMITS.timelineDatesMax} at most: the account has many expiries, leave them out with expiries: false`;
    throw new PlimsollError('INVALID_FIELD', message, { path: 'expiries', account: account.id });
  }
  return grid;
}

/** Halves the interval until a minute is left; its end is the answer. */
function marginCallOf(
  clock: AccountClock,
  { before, after }: { readonly before: number; readonly after: number },
  now: TimelinePoint,
  context: StudyContext,
): Timeline['marginCall'] {
  if (after === clock.startMs) {
    const { date, state, equity, initialMargin } = now;
    return { date, days: 0, state, equity, initialMargin, settled: [] };
  }
  let low = before;
  let high = after;
  while (high - low > MINUTE) {
    context.checkCancelled();
    // Whole minutes from its start, at least one.
    const middle = low + Math.max(1, Math.floor((high - low) / (2 * MINUTE))) * MINUTE;
    if (belowInitial(clock.stateAt(middle).state)) high = middle;
    else low = middle;
  }
  const { state, equity, initialMargin } = clock.stateAt(high);
  const gone = clock.settledBy(low).positions.length;
  return {
    date: formatInstant(high),
    days: (high - clock.startMs) / MILLISECONDS_PER_DAY,
    state,
    equity,
    initialMargin,
    settled: clock
      .settledBy(high)
      .positions.slice(gone)
      .map(({ instrument }) => instrument),
  };
}
