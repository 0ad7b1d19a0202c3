/** The instants of a day at which volatility estimates may change. All UTC. */
import { PlimsollError } from '../errors.ts';
import { show } from '../schema.ts';
import { MILLISECONDS_PER_DAY } from './dates.ts';

const PATTERN = /^([01]\d|2[0-3]):([0-5]\d)$/;

/** The same instants every day. */
export class DailyInstants {
  /** Milliseconds since midnight, ascending, each once. */
  private readonly ofDay: readonly number[];

  /** @param texts `HH:MM`, at least one @throws INVALID_FIELD */
  constructor(texts: readonly string[]) {
    const found = new Set(texts.map(millisecondsOf));
    if (found.size === 0) {
      throw new PlimsollError('INVALID_FIELD', 'instants must name at least one time of day', {
        path: 'instants',
      });
    }
    this.ofDay = [...found].sort((a, b) => a - b);
  }

  /** The first instant at or after a time; both in milliseconds since 1970. */
  from(time: number): number {
    const midnight = Math.floor(time / MILLISECONDS_PER_DAY) * MILLISECONDS_PER_DAY;
    const next = this.ofDay.find((instant) => midnight + instant >= time);
    return next === undefined ? midnight + MILLISECONDS_PER_DAY + this.ofDay[0]! : midnight + next;
  }

  /** How much of a day lies between an instant and the one before it: 0 … 1, and exactly 1 where there is one a day. */
  shareBefore(instant: number): number {
    const at = this.ofDay.indexOf(instant % MILLISECONDS_PER_DAY);
    const before = at === 0 ? this.ofDay.at(-1)! - MILLISECONDS_PER_DAY : this.ofDay[at - 1]!;
    return (this.ofDay[at]! - before) / MILLISECONDS_PER_DAY;
  }
}

function millisecondsOf(text: string, i: number): number {
  const match = PATTERN.exec(text);
  if (match !== null) return (Number(match[1]) * 60 + Number(match[2])) * 60_000;
  const path = `instants[${i}]`;
  throw new PlimsollError('INVALID_FIELD', `${path} must be HH:MM, got ${show(text)}`, { path });
}
