/** `plimsoll timeline`: equity and requirement on later dates, and when the first margin call would come. */
import { PlimsollError } from '../../errors.ts';
import { answerQuestion, type QuestionOptions } from '../accountQuestion.ts';
import { number } from '../options.ts';
import { timelineTable } from '../output/timelineTable.ts';
import type { Terminal } from '../terminal.ts';

export interface TimelineOptions extends QuestionOptions {
  readonly days?: string;
  readonly date?: string[];
  readonly expiries: boolean;
}

export async function runTimeline(options: TimelineOptions, terminal: Terminal): Promise<number> {
  const { days, date, expiries } = options;
  const request = {
    expiries,
    ...(days === undefined ? {} : { days: numbersOf(days) }),
    ...(date === undefined ? {} : { dates: date }),
  };
  return answerQuestion(
    options,
    terminal,
    [],
    (engine, account) => engine.timeline(account, request),
    timelineTable,
  );
}

function numbersOf(text: string): number[] {
  return text.split(',').map((part) => {
    try {
      return number(part.trim());
    } catch (error) {
      throw new PlimsollError('USAGE', `--days: ${(error as Error).message}`, { path: 'days' });
    }
  });
}
