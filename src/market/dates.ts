/**
 * Instants as text: strict ISO-8601, all UTC unless an offset is written. Nothing else is read as a date: a decimal year, a number of
 * seconds or `1/2/24` could mean several things.
 */
const PATTERN =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?\s?(Z|UTC|[+-]\d{2}:?\d{2})?)?$/;

export const MILLISECONDS_PER_DAY = 86_400_000;

/** Instants that were read: thousands of instruments have a few expiries. */
const known = new Map<string, number>();
const KNOWN_MAX = 1_024;

/**
 * Milliseconds since 1970-01-01T00:00Z of `2024-02-29`, `2024-02-29 13:00:00` or `2024-02-29T13:00:00.5+00:00`; NaN for anything else,
 * a day that the calendar does not have included. Digits below the millisecond are cut.
 */
export function parseInstant(text: string): number {
  const found = known.get(text);
  if (found !== undefined) return found;
  const time = parsed(text);
  // What is no instant may be of any length: it is not kept.
  if (Number.isNaN(time)) return time;
  if (known.size === KNOWN_MAX) known.clear();
  known.set(text, time);
  return time;
}

function parsed(text: string): number {
  const match = PATTERN.exec(text);
  if (match === null) return Number.NaN;
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = ''] = match;
  const zone = match[8];
  const date = Date.UTC(Number(year), Number(month) - 1, Number(day));
  // Date.UTC rolls 30 February over into March: the day then differs from what was written.
  const back = new Date(date);
  if (back.getUTCDate() !== Number(day) || back.getUTCMonth() !== Number(month) - 1)
    return Number.NaN;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return Number.NaN;
  const offset = zoneMinutes(zone);
  const time = (Number(hour) * 60 + Number(minute) - offset) * 60_000 + Number(second) * 1000;
  return date + time + Number(fraction.padEnd(3, '0').slice(0, 3));
}

function zoneMinutes(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z' || zone === 'UTC') return 0;
  const sign = zone.startsWith('-') ? -1 : 1;
  return sign * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2)));
}

/** `2024-02-29` for a midnight when `dateOnly`, else `2024-02-29T13:00:00Z` (milliseconds only where there are some). */
export function formatInstant(milliseconds: number, dateOnly = false): string {
  const text = new Date(milliseconds).toISOString();
  if (dateOnly && text.endsWith('T00:00:00.000Z')) return text.slice(0, 10);
  return text.replace('.000Z', 'Z');
}
