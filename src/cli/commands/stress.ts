/** `plimsoll stress`: P&L of one account under stress scenarios and on a price × volatility grid. */
import type { StressRequest } from '../../engine/studies/stressSchema.ts';
import { readStressRequest } from '../../engine/studies/stressSchema.ts';
import { answerQuestion, type QuestionOptions } from '../accountQuestion.ts';
import { readDocument } from '../inputs.ts';
import { stressTable } from '../output/stressTable.ts';
import type { Terminal } from '../terminal.ts';

export interface StressOptions extends QuestionOptions {
  readonly library?: string;
  readonly top: number;
}

export async function runStress(options: StressOptions, terminal: Terminal): Promise<number> {
  const { library, top } = options;
  const request: StressRequest =
    library === undefined ? {} : await readDocument(library, readStressRequest);
  return answerQuestion(
    options,
    terminal,
    library === undefined ? [] : [library],
    (engine, account) => engine.stress(account, request),
    (report) => stressTable(report, top),
  );
}
