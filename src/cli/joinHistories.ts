/** Several histories as one table by date. A date that one of them lacks is a gap there, and is reported as such by calibration. */
import { PlimsollError } from '../errors.ts';
import { formatInstant, MILLISECONDS_PER_DAY, parseInstant } from '../market/dates.ts';
import type { History } from '../market/history.ts';

/** @throws DUPLICATE_ID where two files have a column for the same factor */
export function joinHistories(histories: readonly History[]): History {
  if (histories.length === 1) return histories[0]!;
  const instants = histories.map((history) => history.dates.map(parseInstant));
  const all = [...new Set(instants.flat())].sort((a, b) => a - b);
  const rowOf = new Map(all.map((time, row) => [time, row]));
  const seen = new Set<string>();
  const columns = histories.flatMap((history, h) =>
    history.columns.map(({ id, values }) => {
      if (seen.has(id)) {
        throw new PlimsollError('DUPLICATE_ID', `two history files have ${id}`, { path: id });
      }
      seen.add(id);
      const joined = new Float64Array(all.length).fill(Number.NaN);
      for (const [row, time] of instants[h]!.entries()) joined[rowOf.get(time)!] = values[row]!;
      return { id, values: joined };
    }),
  );
  const daily = all.every((time) => time % MILLISECONDS_PER_DAY === 0);
  return { dates: all.map((time) => formatInstant(time, daily)), columns };
}
