/** `plimsoll triggers`: the nearest price of each underlying, below and above, at which an account's state changes. */
import type { AccountState } from '../../margin/requirement.ts';
import { answerQuestion, type QuestionOptions } from '../accountQuestion.ts';
import { triggersTable } from '../output/triggersTable.ts';
import type { Terminal } from '../terminal.ts';

export interface TriggersOptions extends QuestionOptions {
  readonly held?: AccountState;
  readonly approximate?: boolean;
}

export async function runTriggers(options: TriggersOptions, terminal: Terminal): Promise<number> {
  const { held, approximate = false } = options;
  const request = { approximate, ...(held === undefined ? {} : { heldState: held }) };
  return answerQuestion(
    options,
    terminal,
    [],
    (engine, account) => engine.triggers(account, request),
    triggersTable,
  );
}
