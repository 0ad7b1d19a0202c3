/** `plimsoll liquidate`: at which prices an account is liquidated, how that would go, and what would keep it from it. */
import type { Hedges } from '../../engine/studies/hedgesSchema.ts';
import type { LiquidationRequest } from '../../engine/studies/liquidation.ts';
import type { LiquidationPlanRequest } from '../../engine/studies/liquidationPlanSchema.ts';
import { PlimsollError } from '../../errors.ts';
import { decodeText, parseJson } from '../../json.ts';
import { accountDocuments, openAccounts } from '../accountSource.ts';
import { EXIT } from '../exitCodes.ts';
import { inputsOf, readMethod, refuseSharedInput } from '../inputs.ts';
import { readOneAccount } from '../oneAccount.ts';
import { readSources, startEngine } from '../openEngine.ts';
import type { ModelOptions, ScenarioOptions } from '../options.ts';
import { hedgesTable, liquidationTable } from '../output/liquidationTable.ts';
import type { CommonOptions, Terminal } from '../terminal.ts';

export interface LiquidateOptions extends ModelOptions, ScenarioOptions, CommonOptions {
  readonly account: string;
  readonly id?: string;
  readonly plan?: boolean;
  readonly hedges?: number;
  readonly fund?: number;
  readonly counterparties?: string;
  readonly lot?: number;
  readonly level?: 'maintenance' | 'initial';
  readonly model?: string;
}

export async function runLiquidate(options: LiquidateOptions, terminal: Terminal): Promise<number> {
  const { account, hedges: count, counterparties, lot, workers } = options;
  const others = counterparties === undefined ? [] : [counterparties];
  refuseSharedInput([account, ...others, ...inputsOf(options)]);
  refuseWithoutPlan(options);
  const methodology = await readMethod(options);
  const sources = await readSources(options, methodology, terminal);
  const value = await readOneAccount(account, options.id);
  const request = await requestOf(options);
  const engine = await startEngine(sources, methodology, workers, terminal);
  try {
    const liquidation = await engine.liquidation(value, request);
    let hedges: Hedges | undefined;
    if (count !== undefined) {
      hedges = await engine.hedges(value, { count, ...(lot === undefined ? {} : { lot }) });
    }
    terminal.progress.stop();
    if (terminal.json) {
      await terminal.document(hedges === undefined ? liquidation : { ...liquidation, hedges });
    } else {
      await terminal.write(liquidationTable(liquidation));
      if (hedges !== undefined) await terminal.write(`\n${hedgesTable(hedges)}`);
    }
    return EXIT.ok;
  } finally {
    terminal.progress.stop();
    await engine.close();
  }
}

/** What only a plan has would be ignored in silence. */
function refuseWithoutPlan({ plan, fund, counterparties, level, lot, hedges }: LiquidateOptions) {
  if (plan === true) return;
  const stray = Object.entries({ fund, counterparties, level }).find(([, v]) => v !== undefined);
  if (stray !== undefined) {
    throw new PlimsollError('USAGE', `--${stray[0]} needs --plan`, { path: stray[0] });
  }
  if (lot !== undefined && hedges === undefined) {
    throw new PlimsollError('USAGE', '--lot needs --plan or --hedges', { path: 'lot' });
  }
}

async function requestOf(options: LiquidateOptions): Promise<LiquidationRequest> {
  const { plan, fund, lot, level, counterparties } = options;
  if (plan !== true) return {};
  const asked: LiquidationPlanRequest = {
    ...(fund === undefined ? {} : { fund }),
    ...(lot === undefined ? {} : { lot }),
    ...(level === undefined ? {} : { level }),
    ...(counterparties === undefined ? {} : { counterparties: await readAll(counterparties) }),
  };
  return { plan: asked };
}

/** All accounts of a file, as they stand there: the plan reads them. */
async function readAll(path: string): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const { bytes, where } of accountDocuments(await openAccounts(path))) {
    found.push(parsed(decodeText(bytes), where));
  }
  return found;
}

function parsed(text: string, where: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof PlimsollError)) throw error;
    throw new PlimsollError(error.code, `${where}: ${error.message}`, { path: error.path });
  }
}
