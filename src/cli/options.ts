/** Options that several commands share, and the strict reading of numbers. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { CommonOptions } from './terminal.ts';

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** A finite number; the range is the engine's to check. */
export function number(text: string): number {
  const value = NUMBER.test(text) ? Number(text) : Number.NaN;
  if (Number.isFinite(value)) return value;
  throw new InvalidArgumentError(`a number is expected, got ${JSON.stringify(text)}`);
}

export function wholeNumber(text: string): number {
  const value = number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new InvalidArgumentError(`a whole number ≥ 0 is expected, got ${JSON.stringify(text)}`);
}

/** For options that may be given more than once. */
export function collect(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

export interface MarketOptions {
  readonly market?: string[];
  readonly at?: string;
}

export interface ModelOptions extends MarketOptions {
  readonly factors?: string;
  readonly history?: string[];
  readonly impliedHistory?: string[];
  readonly impliedUnit?: 'decimal' | 'percent';
  readonly impliedValue?: string;
  readonly methodology?: string;
  readonly workers?: number;
}

export interface ScenarioOptions {
  readonly scenarios?: number;
  readonly seed?: string;
  readonly confidence?: number;
  readonly horizon?: number;
}

export interface OutOptions extends CommonOptions {
  readonly out?: string;
}

export function marketOptions(command: Command): Command {
  return command
    .option(
      '-m, --market <FILE>',
      'market file; may be repeated: native JSON, Deribit JSON-RPC answers, or option-chain CSV, plain or .gz',
      collect,
    )
    .option('--at <TIME>', 'which snapshot of CSV files that hold several (default: the last)');
}

export function historyOptions(command: Command): Command {
  return command
    .option('--history <FILE>', 'levels of factors by date: CSV, Parquet or Arrow', collect)
    .option('--implied-history <FILE>', 'implied volatilities by date, likewise', collect)
    .addOption(
      new Option('--implied-unit <UNIT>', 'unit of --implied-history')
        .choices(['decimal', 'percent'])
        .default('decimal'),
    )
    .option('--implied-value <COLUMN>', 'value column of a long --implied-history');
}

export function modelOptions(command: Command): Command {
  marketOptions(command).option(
    '-f, --factors <FILE|implied>',
    'factor model; "implied" reads one off the option prices',
  );
  return historyOptions(command)
    .option(
      '--methodology <FILE|NAME>',
      'methodology: JSON, or a preset by name (exchange-crypto, clearing-listed, market-risk); the options below take precedence',
    )
    .option('-w, --workers <N>', 'worker threads (default: one a core)', wholeNumber);
}

export function scenarioOptions(command: Command): Command {
  return command
    .option('-n, --scenarios <N>', 'number of scenarios (default: 10,240)', number)
    .option('-s, --seed <TEXT>', 'seed of the draws (default: "plimsoll")')
    .option('-c, --confidence <P>', 'confidence level of VaR and ES (default: 0.99)', number)
    .option('--horizon <DAYS>', 'margin period of risk in days (default: 1)', number);
}

export function commonOptions(command: Command): Command {
  return command
    .option('--json', 'write JSON to stdout and nothing else there')
    .option('-q, --quiet', 'no progress on stderr');
}
