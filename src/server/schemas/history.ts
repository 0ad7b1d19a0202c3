/** A price history inside a JSON body. */
import Type, { type Static } from 'typebox';
import { PlimsollError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import type { History } from '../../market/history.ts';
import { layOut } from '../../market/historyLayout.ts';

const closed = { additionalProperties: false } as const;
const rowsMax = LIMITS.backtestRowsMax;

export const HistorySchema = Type.Object(
  {
    dates: Type.Array(Type.String({ maxLength: 40 }), {
      maxItems: rowsMax,
      description: 'ISO 8601, increasing.',
    }),
    levels: Type.Record(
      Type.String({ minLength: 1, maxLength: LIMITS.idLengthMax }),
      Type.Array(Type.Union([Type.Number(), Type.Null()]), { maxItems: rowsMax }),
      {
        description:
          'Levels by underlying (prices) or factor id (`BTC:vol`), one a date; null is a gap.',
      },
    ),
  },
  closed,
);

/** @throws INVALID_FIELD with the path in the body */
export function historyOf({ dates, levels }: Static<typeof HistorySchema>): History {
  const names = Object.keys(levels);
  const short = names.find((name) => levels[name]!.length !== dates.length);
  if (short !== undefined) {
    const message = `history.levels.${short} has ${levels[short]!.length} prices, history.dates has ${dates.length}`;
    throw new PlimsollError('INVALID_FIELD', message, { path: `history.levels.${short}` });
  }
  const columns = [dates, ...names.map((name) => levels[name]!)];
  return layOut({ header: ['date', ...names], columns, rows: dates.length }, 'history', {});
}
