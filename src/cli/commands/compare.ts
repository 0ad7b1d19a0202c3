/** `plimsoll compare`: one account in each margin mode, and under other methodologies. */
import { isPreset, readMethodology } from '../../margin/methodology.ts';
import type { MethodologyInput } from '../../margin/methodologySchema.ts';
import { answerQuestion, type QuestionOptions } from '../accountQuestion.ts';
import { readDocument } from '../inputs.ts';
import { compareTable } from '../output/compareTable.ts';
import type { Terminal } from '../terminal.ts';

export interface CompareOptions extends QuestionOptions {
  readonly with?: string[];
}

export async function runCompare(options: CompareOptions, terminal: Terminal): Promise<number> {
  const named = options.with ?? [];
  const files = named.filter((name) => !isPreset(name));
  const methodologies: (string | MethodologyInput)[] = [];
  for (const name of named) {
    methodologies.push(isPreset(name) ? name : await readDocument(name, readMethodology));
  }
  return answerQuestion(
    options,
    terminal,
    files,
    (engine, account) => engine.compare(account, { methodologies }),
    compareTable,
  );
}
