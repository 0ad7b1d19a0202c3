/** `plimsoll explain`: why one account's requirement is what it is; and what another account, or a change, makes of it. */
import { type AccountChange, ChangeSchema } from '../../engine/studies/changes.ts';
import type { ExplainDocument } from '../../engine/studies/explainSchema.ts';
import { PlimsollError } from '../../errors.ts';
import { reader } from '../../schema.ts';
import { EXIT } from '../exitCodes.ts';
import { inputsOf, readDocument, readMethod, refuseSharedInput } from '../inputs.ts';
import { readOneAccount } from '../oneAccount.ts';
import { readSources, startEngine } from '../openEngine.ts';
import type { ModelOptions, ScenarioOptions } from '../options.ts';
import { explainTable } from '../output/explainTable.ts';
import type { CommonOptions, Terminal } from '../terminal.ts';

export interface ExplainOptions extends ModelOptions, ScenarioOptions, CommonOptions {
  readonly account: string;
  readonly id?: string;
  readonly other?: string;
  readonly otherId?: string;
  readonly change?: string;
  readonly model?: string;
  readonly worst?: number;
  readonly top: number;
}

export async function runExplain(options: ExplainOptions, terminal: Terminal): Promise<number> {
  const { account, other, change, workers } = options;
  if (other !== undefined && change !== undefined) {
    throw new PlimsollError('USAGE', 'give --other or --change, not both', { path: 'change' });
  }
  const second = [other, change].filter((path) => path !== undefined);
  refuseSharedInput([account, ...second, ...inputsOf(options)]);
  const methodology = await readMethod(options);
  const sources = await readSources(options, methodology, terminal);
  const value = await readOneAccount(account, options.id);
  const request = await requestOf(options);
  const engine = await startEngine(sources, methodology, workers, terminal);
  try {
    const explanation = await engine.explain(value, request);
    terminal.progress.stop();
    if (terminal.json) await terminal.document(explanation);
    else await terminal.write(explainTable(explanation, options.top));
    return EXIT.ok;
  } finally {
    terminal.progress.stop();
    await engine.close();
  }
}

const readChange = reader(ChangeSchema);

/** The other account is checked by the engine, as the first is. */
async function requestOf({
  worst,
  other,
  otherId,
  change,
}: ExplainOptions): Promise<ExplainDocument> {
  const compared =
    other === undefined ? undefined : ((await readOneAccount(other, otherId)) as object);
  const changed: AccountChange | undefined =
    change === undefined
      ? undefined
      : await readDocument(change, (value) => readChange(value, { prefix: 'change' }));
  return {
    ...(worst === undefined ? {} : { worst }),
    ...(compared === undefined ? {} : { other: compared }),
    ...(changed === undefined ? {} : { change: changed }),
  };
}
