/** `plimsoll var`: value at risk and expected shortfall of one portfolio, with the part of each underlying. */
import type { Engine } from '../../engine/engine.ts';
import type { RiskReport, RiskRequest } from '../../engine/riskReport.ts';
import { PlimsollError } from '../../errors.ts';
import { decodeText, parseJson } from '../../json.ts';
import { accountId } from '../../margin/account.ts';
import {
  DEFAULT_SCENARIOS,
  type MethodologyInput,
  type ScenarioModel,
} from '../../margin/methodology.ts';
import { show } from '../../schema.ts';
import { accountDocuments, openAccounts } from '../accountSource.ts';
import { EXIT } from '../exitCodes.ts';
import { inputsOf, readMethod, refuseOverwriting, refuseSharedInput } from '../inputs.ts';
import { readSources, type Sources, startEngine } from '../openEngine.ts';
import type { ModelOptions, ScenarioOptions } from '../options.ts';
import { riskPage } from '../output/riskPage.ts';
import { riskTable } from '../output/riskTable.ts';
import { openSink, type Sink } from '../output/sink.ts';
import type { CommonOptions, Terminal } from '../terminal.ts';

export interface VarOptions extends ModelOptions, ScenarioOptions, CommonOptions {
  readonly account: string;
  readonly id?: string;
  readonly method?: string;
  readonly explain?: boolean;
  readonly report?: string;
}

export async function runVar(options: VarOptions, terminal: Terminal): Promise<number> {
  const { report: page } = options;
  const inputs = [options.account, ...inputsOf(options)];
  refuseSharedInput(inputs);
  if (page === '-') throw new PlimsollError('USAGE', '--report needs a file', { path: 'report' });
  refuseOverwriting(page, inputs, 'report');
  const sink = page === undefined ? null : await openSink(page, terminal, 'report');
  try {
    return await reported(options, sink, terminal);
  } finally {
    await sink?.discard();
  }
}

async function reported(
  options: VarOptions,
  sink: Sink | null,
  terminal: Terminal,
): Promise<number> {
  const { account: path, report: page, workers } = options;
  const { method, ...rest } = options;
  const methodology = await readMethod(method === undefined ? rest : { ...rest, model: method });
  const sources = await readSources(options, methodology, terminal);
  const account = await readOne(path, options.id);
  const engine = await startEngine(sources, idleBase(methodology, sources), workers, terminal);
  try {
    const asked = requestOf(methodology, sources);
    const onProgress: RiskRequest['onProgress'] = (step) => terminal.progress.update(step);
    const report = await engine.valueAtRisk(account, { ...asked, onProgress });
    const steps = sink === null ? [] : await convergence(engine, account, asked, report);
    terminal.progress.stop();
    await sink?.deliver(riskPage(report, steps));
    if (terminal.json) await terminal.document(report);
    else await terminal.write(riskTable(report, sources.market.underlyings.length));
    if (page !== undefined) terminal.note(`report written to ${page}`);
    return EXIT.ok;
  } finally {
    terminal.progress.stop();
    await engine.close();
  }
}

/** A report draws scenarios of its own, so the engine need not draw any for the whole market: one is enough. */
function idleBase(methodology: MethodologyInput, { factors }: Sources): MethodologyInput {
  if (factors === null) return methodology;
  return { ...methodology, scenarioModel: 'gaussian', scenarios: 1 };
}

function requestOf(methodology: MethodologyInput, { factors }: Sources): RiskRequest {
  const heavy = factors?.degreesOfFreedom !== undefined;
  const method: ScenarioModel = methodology.scenarioModel ?? (heavy ? 'student-t' : 'gaussian');
  if (method !== 'historical') {
    return { method, scenarios: methodology.scenarios ?? DEFAULT_SCENARIOS };
  }
  const { scenarios } = methodology;
  return scenarios === undefined ? { method } : { method, scenarios };
}

/** The same report on the first 1/16 and 1/4 of the scenarios: how much the figures still move. */
async function convergence(
  engine: Engine,
  account: unknown,
  asked: RiskRequest,
  full: RiskReport,
): Promise<RiskReport[]> {
  if (asked.method === 'historical') return [full];
  const counts = [64, 16, 4].map((part) => Math.floor(full.risk.scenarios / part));
  const reports: RiskReport[] = [];
  for (const scenarios of counts) {
    if (scenarios >= 100) reports.push(await engine.valueAtRisk(account, { ...asked, scenarios }));
  }
  return [...reports, full];
}

/**
 * The account to report on: the one of that id, or the only one.
 * @throws NOT_FOUND, USAGE where several accounts are there and none is named
 */
async function readOne(path: string, id: string | undefined): Promise<unknown> {
  const source = await openAccounts(path);
  let found: { readonly value: unknown } | null = null;
  let others = 0;
  for await (const { bytes, where } of accountDocuments(source)) {
    const text = decodeText(bytes);
    // Most accounts need not be parsed to see that they are others.
    if (id !== undefined && !text.includes(JSON.stringify(id))) continue;
    const value = parsed(text, where);
    if (id !== undefined && accountId(value) !== id) continue;
    if (found !== null) {
      if (id !== undefined) throw duplicate(id, where);
      others += 1;
      break;
    }
    found = { value };
  }
  if (found !== null && others === 0) return found.value;
  if (found !== null) {
    const message = `${path} holds several accounts: name one with --id, for example ${show(accountId(found.value))}`;
    throw new PlimsollError('USAGE', message, { path: 'id' });
  }
  const message =
    id === undefined ? `${path} holds no account` : `${path} has no account ${show(id)}`;
  throw new PlimsollError('NOT_FOUND', message, { path: 'id' });
}

function duplicate(id: string, where: string): PlimsollError {
  return new PlimsollError(
    'DUPLICATE_ID',
    `the account ${show(id)} stands twice: again at ${where}`,
    {
      path: 'id',
    },
  );
}

function parsed(text: string, where: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof PlimsollError)) throw error;
    throw new PlimsollError(error.code, `${where}: ${error.message}`, { path: error.path });
  }
}
