/** `plimsoll simulate`: days of an exchange with prices, trades, margin calls and liquidations. */
import { setTimeout as sleep } from 'node:timers/promises';
import { demoAccounts } from '../../book/demoAccounts.ts';
import { drawnPath, historyPath, type PricePath } from '../../book/simulation/prices.ts';
import { type SimulationOptions, simulate } from '../../book/simulation/simulation.ts';
import { PlimsollError } from '../../errors.ts';
import { decodeText, parseJson } from '../../json.ts';
import type { MethodologyInput } from '../../margin/methodology.ts';
import { demoMarket } from '../../market/demoMarket.ts';
import { accountDocuments, openAccounts } from '../accountSource.ts';
import { EXIT } from '../exitCodes.ts';
import { inputsOf, readMethod, refuseSharedInput } from '../inputs.ts';
import { readSources, type Sources, startEngine } from '../openEngine.ts';
import type { ModelOptions, ScenarioOptions } from '../options.ts';
import { simulationTable } from '../output/simulationTables.ts';
import type { CommonOptions, Terminal } from '../terminal.ts';

export interface SimulateOptions extends ModelOptions, ScenarioOptions, CommonOptions {
  /** A number of made-up accounts, or a file. */
  readonly accounts: string;
  readonly positions?: number;
  readonly underlyings?: number;
  readonly days: number;
  readonly step?: number;
  readonly speed?: number;
  readonly walk: 'factors' | 'history';
  readonly trades: number;
  readonly answers: number;
  readonly callMinutes: number;
  readonly fund: number;
  readonly model?: string;
}

const STEP_MINUTES = 60;
const DEFAULT_SEED = 'plimsoll';

export async function runSimulate(options: SimulateOptions, terminal: Terminal): Promise<number> {
  const { accounts, seed = DEFAULT_SEED, walk, workers } = options;
  const made = /^\d+$/.test(accounts);
  refuseSharedInput([...inputsOf(options), ...(made ? [] : [accounts])]);
  checkOptions(options);
  const methodology = await readMethod(options);
  const sources = await sourcesOf(options, methodology, terminal);
  const documents = made
    ? demoAccounts({
        market: sources.market,
        count: Number(accounts),
        seed,
        ...(options.positions === undefined ? {} : { positions: options.positions }),
      })
    : await readAll(accounts);
  const path = pathOf(options, sources);
  const engine = await startEngine(sources, methodology, workers, terminal);
  try {
    const report = await simulate({
      engine,
      accounts: documents,
      path,
      prices: walk,
      seed,
      fund: options.fund,
      tradesPerDay: options.trades,
      answerShare: options.answers,
      callMinutes: options.callMinutes,
      onStep: pacer(options.speed, terminal),
    });
    terminal.progress.stop();
    if (terminal.json) await terminal.document(report);
    else await terminal.write(simulationTable(report));
    return report.total.rejected > 0 ? EXIT.rejected : EXIT.ok;
  } finally {
    terminal.progress.stop();
    await engine.close();
  }
}

function checkOptions({ market, underlyings, walk, step, speed, days }: SimulateOptions): void {
  const refuse = (message: string, path: string): never => {
    throw new PlimsollError('USAGE', message, { path });
  };
  if (market !== undefined && underlyings !== undefined) {
    refuse('--underlyings sizes a made-up market; --market gives one', 'underlyings');
  }
  if (walk === 'history' && step !== undefined) {
    refuse('--step is of --walk factors: a history has its own dates', 'step');
  }
  if (step !== undefined && !(step > 0 && step <= 1440)) {
    refuse(`--step must be above 0 and at most 1440 minutes, got ${step}`, 'step');
  }
  if (speed !== undefined && !(speed > 0)) refuse(`--speed must be above 0, got ${speed}`, 'speed');
  if (days < 1) refuse(`--days must be at least 1, got ${days}`, 'days');
}

async function sourcesOf(
  options: SimulateOptions,
  methodology: MethodologyInput,
  terminal: Terminal,
): Promise<Sources> {
  if (options.market !== undefined) return readSources(options, methodology, terminal);
  for (const name of ['factors', 'history'] as const) {
    if (options[name] === undefined) continue;
    const message = `--${name} goes with --market: a made-up market has its own factors`;
    throw new PlimsollError('USAGE', message, { path: name });
  }
  const { seed = DEFAULT_SEED, underlyings } = options;
  const made = demoMarket({ seed, ...(underlyings === undefined ? {} : { underlyings }) });
  return { ...made, history: null };
}

function pathOf(
  { walk, days, step = STEP_MINUTES, seed = DEFAULT_SEED }: SimulateOptions,
  { factors, history }: Sources,
): PricePath {
  if (walk === 'history') {
    if (history !== null) return historyPath(history, days);
    throw new PlimsollError('USAGE', '--walk history needs --history', { path: 'walk' });
  }
  if (factors === null) {
    throw new PlimsollError('USAGE', '--walk factors needs --factors', { path: 'walk' });
  }
  return drawnPath(factors, { seed, stepMinutes: step, steps: Math.ceil((days * 1440) / step) });
}

/** Shows how far it is, and waits where it goes faster than was asked for. */
function pacer(
  speed: number | undefined,
  terminal: Terminal,
): NonNullable<SimulationOptions['onStep']> {
  const began = performance.now();
  let simulated = 0;
  return async (done, total, milliseconds) => {
    simulated += milliseconds;
    terminal.progress.update({ stage: 'steps', done, total });
    if (speed === undefined) return;
    const early = simulated / speed - (performance.now() - began);
    if (early > 0) await sleep(early);
  };
}

async function readAll(path: string): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const { bytes } of accountDocuments(await openAccounts(path))) {
    found.push(parseJson(decodeText(bytes)));
  }
  return found;
}
