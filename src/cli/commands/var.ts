/** `plimsoll var`: value at risk and expected shortfall of one portfolio, with the part of each underlying. */
import type { Engine } from '../../engine/engine.ts';
import type { RiskReport, RiskRequest } from '../../engine/riskReport.ts';
import { PlimsollError } from '../../errors.ts';
import { readAccount } from '../../margin/account.ts';
import { DEFAULT_SCENARIOS, type MethodologyInput } from '../../margin/methodology.ts';
import { leastScenarios } from '../../risk/tail.ts';
import type { ScenarioModel } from '../../scenarios/source.ts';
import { EXIT } from '../exitCodes.ts';
import { inputsOf, readMethod, refuseOverwriting, refuseSharedInput } from '../inputs.ts';
import { readOneAccount } from '../oneAccount.ts';
import { readSources, type Sources, startEngine } from '../openEngine.ts';
import type { ModelOptions, ScenarioOptions } from '../options.ts';
import type { LossParts } from '../output/explainTable.ts';
import { riskPage } from '../output/riskPage.ts';
import { riskTable } from '../output/riskTable.ts';
import { openSink, type Sink } from '../output/sink.ts';
import type { CommonOptions, Terminal } from '../terminal.ts';

export interface VarOptions extends ModelOptions, ScenarioOptions, CommonOptions {
  readonly account: string;
  readonly id?: string;
  readonly method?: string;
  readonly explain?: boolean;
  readonly top: number;
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
  const account = await readOneAccount(path, options.id);
  const engine = await startEngine(sources, idleBase(methodology, sources), workers, terminal);
  try {
    const asked = requestOf(methodology, sources);
    const onProgress: RiskRequest['onProgress'] = (step) => terminal.progress.update(step);
    const report = await engine.valueAtRisk(account, { ...asked, onProgress });
    const steps = sink === null ? [] : await convergence(engine, account, asked, report);
    const parts =
      options.explain === true
        ? await explained(sources, methodology, account, workers, terminal)
        : null;
    terminal.progress.stop();
    await sink?.deliver(riskPage(report, steps, parts));
    if (terminal.json)
      await terminal.document(parts === null ? report : { ...report, explanation: parts });
    else {
      const listed = sources.market.underlyings.length;
      await terminal.write(riskTable(report, listed, parts, options.top));
    }
    if (page !== undefined) terminal.note(`report written to ${page}`);
    return EXIT.ok;
  } finally {
    terminal.progress.stop();
    await engine.close();
  }
}

/** A report draws scenarios of its own, so the engine need not draw any for the whole market: one is enough. */
function idleBase(methodology: MethodologyInput, { factors }: Sources): MethodologyInput {
  const base = netRisk(methodology);
  if (factors === null) return base;
  return { ...base, scenarioModel: 'gaussian', scenarios: 1 };
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
  const least = leastScenarios(full.risk.confidence);
  const reports: RiskReport[] = [];
  for (const scenarios of counts) {
    if (scenarios >= least)
      reports.push(await engine.valueAtRisk(account, { ...asked, scenarios }));
  }
  return [...reports, full];
}

/**
 * The parts of the reported ES, on the same scenarios: from an engine of the account's own instruments, whose cube is small. Null where
 * nothing is at risk.
 */
async function explained(
  sources: Sources,
  methodology: MethodologyInput,
  value: unknown,
  workers: number | undefined,
  terminal: Terminal,
): Promise<LossParts | null> {
  const account = readAccount(value);
  const { market } = sources;
  const held = new Set([
    ...account.instruments,
    ...account.orders.map(({ instrument }) => instrument),
  ]);
  const instruments = market.instruments.filter(({ id }) => held.has(id));
  const touched = new Set([
    ...instruments.map(({ underlying }) => underlying),
    ...account.collateral.map(({ asset }) => asset),
  ]);
  const underlyings = market.underlyings.filter(({ id }) => touched.has(id));
  if (underlyings.length === 0) return null;
  const own = { ...sources, market: { ...market, underlyings, instruments } };
  const engine = await startEngine(own, netRisk(methodology), workers, terminal);
  try {
    const explanation = await engine.explain(value);
    const { positions, collateral, expiries, factors, worst, parametric, tail } = explanation;
    return {
      positions,
      collateral,
      underlyings: explanation.underlyings,
      expiries,
      factors,
      worst,
      parametric,
      tail,
    };
  } finally {
    await engine.close();
  }
}

/** ES alone: a risk report knows no add-on and no other scenario set. */
function netRisk(methodology: MethodologyInput): MethodologyInput {
  const { antiProcyclicality } = methodology;
  return {
    ...methodology,
    components: ['marketRisk'],
    antiProcyclicality: { ...antiProcyclicality, buffer: false, stressed: false },
  };
}
