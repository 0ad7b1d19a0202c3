/** What commands that ask one question about one account have in common. */
import type { Engine } from '../engine/engine.ts';
import { EXIT } from './exitCodes.ts';
import { inputsOf, readMethod, refuseSharedInput } from './inputs.ts';
import { readOneAccount } from './oneAccount.ts';
import { readSources, startEngine } from './openEngine.ts';
import type { ModelOptions, ScenarioOptions } from './options.ts';
import type { CommonOptions, Terminal } from './terminal.ts';

export interface QuestionOptions extends ModelOptions, ScenarioOptions, CommonOptions {
  readonly account: string;
  readonly id?: string;
  readonly model?: string;
}

/**
 * Reads the inputs, starts an engine, asks it, and shows the answer: the document with `--json`, else a table.
 * @param more files that the question itself is read from
 */
export async function answerQuestion<T>(
  options: QuestionOptions,
  terminal: Terminal,
  more: readonly string[],
  ask: (engine: Engine, account: unknown) => Promise<T>,
  tableOf: (answer: T) => string,
): Promise<number> {
  refuseSharedInput([options.account, ...more, ...inputsOf(options)]);
  const methodology = await readMethod(options);
  const sources = await readSources(options, methodology, terminal);
  const account = await readOneAccount(options.account, options.id);
  const engine = await startEngine(sources, methodology, options.workers, terminal);
  try {
    const answer = await ask(engine, account);
    terminal.progress.stop();
    if (terminal.json) await terminal.document(answer);
    else await terminal.write(tableOf(answer));
    return EXIT.ok;
  } finally {
    terminal.progress.stop();
    await engine.close();
  }
}
